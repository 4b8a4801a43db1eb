/** Which record time the alerts have come to: what is judged by then is whole. Pure. */

/** Lines of one moment come through two pipes and many controllers; a failure waits for its error line. */
export const GRACE_MS = 10_000
/** A pipe whose newest line is this old is what somebody saved, or the beginning of what goes on: judged when it is read. */
const RECENT_MS = 120_000

/**
 * When minutes are judged. `live`: as they end. `recent`: not before what is read is of now, because a pipe may bring pod
 * after pod. `end`: when everything is read.
 */
export type Pace = 'live' | 'recent' | 'end'

/**
 * Record time up to which minutes may be judged, Unix ms; null: not yet. `readToMs` as `Intake.readToMs`: an idle source
 * moves by wall time, and nothing is ever ahead of it.
 */
export function recordClock(readToMs: number, nowMs: number, pace: Pace): number | null {
  if (pace === 'end' || readToMs === Number.NEGATIVE_INFINITY) return null
  if (pace === 'recent' && readToMs < nowMs - RECENT_MS) return null
  return Math.min(readToMs, nowMs) - GRACE_MS
}

/** Which record time the alerts have come to: what is judged by then is whole. Wall times come from the caller. */

/** Lines of one moment come through two pipes and many controllers; a failure waits for its error line. */
export const GRACE_MS = 10_000
/** A pipe whose newest line is this old is what somebody saved, or the beginning of what goes on: judged when it is read. */
const RECENT_MS = 120_000
/** Longer without an answer of the source: shorter than anything that a missing minute could begin or end. */
const GAP_MS = 120_000
/** Shippers wait longer and longer between their attempts; by then all of them have brought what they held. */
const RETURN_MS = 180_000

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

/**
 * Whether the source has come back only just. When a broker returns, all that is in it is read at once, and what shippers held
 * meanwhile is not there yet: it would look as if nobody had asked for anything.
 */
export class ReturnWatch {
  #lastMs = Number.NEGATIVE_INFINITY
  #returnedMs = Number.NEGATIVE_INFINITY

  /** The source has said how far it is. `nowMs`: wall time; a clock that was set back ends the waiting. */
  isReturning(nowMs: number): boolean {
    if (Number.isFinite(this.#lastMs) && nowMs - this.#lastMs > GAP_MS) this.#returnedMs = nowMs
    this.#lastMs = nowMs
    return nowMs >= this.#returnedMs && nowMs - this.#returnedMs < RETURN_MS
  }
}

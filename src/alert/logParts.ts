/** Counts of a log that was read to its end, in whatever order of time, and which minutes of it belong together. */

import type { IncidentCause } from './finding.ts'
import { WINDOWS } from './finding.ts'
import { OTHERS_MIN } from './otherMinutes.ts'
import { EXCESS_MIN, FEED_DELAY, WARM_UP_MINUTES } from './profile.ts'

/** The detector fires only behind so many minutes. */
export const SHORT_MINUTES = WARM_UP_MINUTES + FEED_DELAY
/** Two logs, a week apart, are two logs. */
const HOLE_MINUTES = 1_440

/** Failures of one cause at one service. */
export interface CountedSeries {
  upstream: string
  cause: Exclude<IncidentCause, 'no_requests'>
  /** By minute since the epoch. */
  minutes: ReadonlyMap<number, number>
}

export interface LogCounts {
  /** By upstream name: minute since the epoch → requests. */
  requests: ReadonlyMap<string, ReadonlyMap<number, number>>
  failures: readonly CountedSeries[]
}

/** What incidents were told by: what came before in the log, the median of its other minutes, or nothing, for want of minutes. */
export type IncidentBaseline = 'history' | 'median' | null

/** A part of the log without a hole of a day. */
export interface LogPart {
  /** Minutes in which there was something, in order. */
  minutes: number[]
  from: number
  to: number
}

/** Oldest first. */
export function partsOf({ requests, failures }: LogCounts): LogPart[] {
  const minutes = new Set<number>()
  for (const counts of requests.values()) for (const minute of counts.keys()) minutes.add(minute)
  for (const series of failures) for (const minute of series.minutes.keys()) minutes.add(minute)
  const parts: LogPart[] = []
  for (const minute of [...minutes].sort((a, b) => a - b)) {
    const last = parts.at(-1)
    if (last === undefined || minute - last.to > HOLE_MINUTES)
      parts.push({ minutes: [minute], from: minute, to: minute + 1 })
    else {
      last.minutes.push(minute)
      last.to = minute + 1
    }
  }
  return parts
}

export function baselineOf(parts: readonly LogPart[]): IncidentBaseline {
  if (parts.some(({ from, to }) => to - from >= SHORT_MINUTES)) return 'history'
  return parts.some(({ from, to }) => to - from > OTHERS_MIN) ? 'median' : null
}

/** There are enough failures in some window: without them a series neither fires nor goes on firing. Most have not. */
export function canFire({ minutes }: Pick<CountedSeries, 'minutes'>): boolean {
  let total = 0
  for (const count of minutes.values()) total += count
  if (total < EXCESS_MIN) return false
  const sorted = [...minutes.keys()].sort((a, b) => a - b)
  let inside = 0
  for (let last = 0, first = 0; last < sorted.length; last++) {
    inside += minutes.get(sorted[last]!)!
    for (; sorted[first]! <= sorted[last]! - WINDOWS.at(-1)!; first++) inside -= minutes.get(sorted[first]!)!
    if (inside >= EXCESS_MIN) return true
  }
  return false
}

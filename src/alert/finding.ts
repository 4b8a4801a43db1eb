/** What the spike detector finds in one minute of one series. Plain data; minutes are counted since the Unix epoch. */

import type { Cause } from '../../parsers/causes.ts'

/** `no_requests`: a service that always had requests has none. */
export type IncidentCause = Cause | 'no_requests'

export const MINUTE_MS = 60_000

/** Lengths of the windows, minutes. */
export const WINDOWS = [1, 5, 15] as const

/** One window of a series that ends with the minute judged. */
export interface JudgedWindow {
  minutes: (typeof WINDOWS)[number]
  failures: number
  /** Of the service. */
  requests: number
  /** Failures that its rate and these requests let expect. */
  expected: number
  /** Variance over mean; 1 is Poisson. */
  spread: number
  /** P(X >= failures); 1 where nothing is out of the ordinary. */
  pValue: number
}

export interface Finding {
  /** `fired`: it begins, or begins again; `firing`: it goes on; `resolved`: quiet for five minutes, or the level is normal now. */
  kind: 'fired' | 'firing' | 'resolved'
  /** Upstream name, the identity of a service. */
  upstream: string
  cause: IncidentCause
  /** The minute judged. */
  minute: number
  /** First minute with a failure in the window that fired; stays the same until it is resolved. */
  startMinute: number
  /** In the minute judged. */
  failures: number
  requests: number
  /** Of `no_requests`: requests that were to come since its start, 0 when that is not known; left out otherwise. */
  requestsExpected?: number
  /**
   * None of `no_requests`. Of the others all; of `fired` those that fired come first, the least probable before the others.
   */
  windows: JudgedWindow[]
  /** Of `resolved`: `quiet`, or `new_level` after twelve hours. */
  because: 'quiet' | 'new_level' | null
}

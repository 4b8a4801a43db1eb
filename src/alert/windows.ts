/** Sums of failures and requests over 1, 5 and 15 minutes that end with one minute. */

import { WINDOWS } from './finding.ts'
import type { MinuteRing } from './minuteRing.ts'

/** One is filled again and again, so that a minute of a series costs no object. By place in `WINDOWS`. */
export class Windows {
  readonly failures = new Float64Array(WINDOWS.length)
  readonly requests = new Float64Array(WINDOWS.length)
  /** Minutes that it really covers: fewer than its name says near a beginning. */
  readonly minutes = new Float64Array(WINDOWS.length)

  /** Windows that end with `last` and do not reach back past `first`; `failures` null: there were none. */
  fill(failures: MinuteRing | null, requests: MinuteRing, first: number, last: number): void {
    let failed = 0
    let asked = 0
    let minute = last
    for (let i = 0; i < WINDOWS.length; i += 1) {
      const from = Math.max(first, last - WINDOWS[i]! + 1)
      for (; minute >= from; minute -= 1) {
        if (failures !== null) failed += failures.at(minute)
        asked += requests.at(minute)
      }
      this.failures[i] = failed
      this.requests[i] = asked
      this.minutes[i] = last - from + 1
    }
  }
}

/**
 * A service that always had requests and has none. Strict, for a night or a weekend is silent, too: no minute of the six hours before
 * was without a request, there were five a minute in the three hours before, and then ten minutes had none.
 */

import type { MinuteRing } from './minuteRing.ts'
import { NEW_LEVEL_MINUTES } from './profile.ts'

const ALWAYS_MINUTES = 360
const MEAN_MINUTES = 180
const REQUESTS_MIN = 5
const SILENT_MINUTES = 10
const BACK_MINUTES = 3

export class Silence {
  /** First minute without requests; null: it has some. */
  startMinute: number | null = null
  /** An incident of an earlier process that begins in a minute that is not judged yet. */
  #adopted: number | null = null
  /** Minutes in a row with requests, up to ten minutes ago: what comes late must not break the row. */
  #row = 0
  #back = 0
  /** Requests a minute that there were before; 0: not known. */
  #mean = 0

  get isWatchful(): boolean {
    return this.startMinute !== null || this.#adopted !== null
  }

  /** Requests that were to come in a silence that lasts until the end of `minute`. */
  requestsExpected(minute: number): number {
    return this.startMinute === null ? 0 : this.#mean * (minute - this.startMinute + 1)
  }

  /** `next`: the minute that is judged next. */
  adopt(startMinute: number, next: number, requests: MinuteRing): void {
    if (startMinute >= next) this.#adopted = startMinute
    else this.#begin(startMinute, next - 1, requests)
  }

  /** One minute. `requests` reaches back for at least ten minutes and three hours. */
  step(minute: number, requests: MinuteRing): 'fired' | 'firing' | 'quiet' | 'new_level' | null {
    if (this.#adopted !== null && minute >= this.#adopted) {
      this.#begin(this.#adopted, minute, requests)
      this.#adopted = null
    }
    this.#row = requests.at(minute - SILENT_MINUTES) > 0 ? this.#row + 1 : 0
    if (this.startMinute !== null) return this.#goOn(minute, requests)
    if (this.#row < ALWAYS_MINUTES || requests.at(minute) > 0) return null
    if (requests.sum(minute - SILENT_MINUTES + 1, minute) > 0) return null
    this.#begin(minute - SILENT_MINUTES + 1, minute, requests)
    if (this.#mean >= REQUESTS_MIN) return 'fired'
    this.startMinute = null
    return null
  }

  /** Nobody asked for so long that it is not looked at any more. */
  sleep(): void {
    this.#row = 0
  }

  #begin(startMinute: number, minute: number, requests: MinuteRing): void {
    this.startMinute = startMinute
    this.#back = 0
    const isWithinReach = minute - startMinute <= SILENT_MINUTES
    this.#mean = isWithinReach ? requests.sum(startMinute - MEAN_MINUTES, startMinute - 1) / MEAN_MINUTES : 0
  }

  #goOn(minute: number, requests: MinuteRing): 'firing' | 'quiet' | 'new_level' {
    this.#back = requests.at(minute) > 0 ? this.#back + 1 : 0
    if (this.#back >= BACK_MINUTES) return 'quiet'
    return minute - this.startMinute! + 1 >= NEW_LEVEL_MINUTES ? 'new_level' : 'firing'
  }
}

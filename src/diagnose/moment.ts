/**
 * The moment of the failure, which rules ask only whether something had happened by then. So it can be told for which other
 * moments every question has the same answer, and with them the whole diagnosis: failures of one incident are judged once.
 */
export class Moment {
  readonly #ms: number
  /** Every answer so far is the same for moments in [sameFromMs, sameToMs). */
  sameFromMs = Number.NEGATIVE_INFINITY
  sameToMs = Number.POSITIVE_INFINITY

  constructor(ms: number) {
    this.#ms = ms
  }

  /** It had happened: `ms` ≤ T. */
  isPast(ms: number): boolean {
    if (ms <= this.#ms) {
      if (ms > this.sameFromMs) this.sameFromMs = ms
      return true
    }
    if (ms < this.sameToMs) this.sameToMs = ms
    return false
  }

  /** T was in [fromMs, toMs], ends included. */
  isWithin(fromMs: number, toMs: number): boolean {
    return this.isPast(fromMs) && !this.isAfter(toMs)
  }

  /** T was later than `ms`. Times are whole milliseconds. */
  isAfter(ms: number): boolean {
    return this.isPast(Math.floor(ms) + 1)
  }
}

/** API times have a resolution of a second, and clocks drift. */
export const EPSILON_MS = 2_000
/** From a pod's change over EndpointSlice, informer and POST to nginx to its workers' timer. */
export const PROPAGATION_MS = 10_000

/** What is normal for one series: decayed sums of the minutes that were fed. */

import { WINDOWS } from './finding.ts'
import { WARM_UP_MINUTES } from './profile.ts'
import { Windows } from './windows.ts'

/** What a minute leaves of the sums before it, by half-lives of 3 h and 24 h. */
const KEPT_3H = 2 ** (-1 / 180)
const KEPT_24H = 2 ** (-1 / 1440)

/** A rate that nothing is known of is one failure in a thousand requests. */
const PRIOR_FAILURES = 1
const PRIOR_REQUESTS = 1000
/** The same where there are no requests: one failure in ten minutes. */
const PRIOR_MINUTES = 10
const PRIOR_SPREAD = 10

/** Failures that come at once where few come at all; any number from 1 to 5 does as well. */
const CLUMP = 2

/** A cap never lies below: nobody is paged for five failures, and a series of zeros that has them must learn of it. */
const CAP_MIN = 5

const silent = new Windows()
silent.minutes.set(WINDOWS)

/** Zeros that are fed one by one when nobody asked for long; after ten days nothing is left that they could change. */
const IDLE_MINUTES_MAX = 14_400

export class Baseline {
  /** Minutes that were fed. */
  fed = 0
  #failures3 = 0
  #requests3 = 0
  #failures24 = 0
  #requests24 = 0
  /** By window: (count - expected)² and expected, over 24 h. */
  readonly #squares = new Float64Array(WINDOWS.length)
  readonly #expected = new Float64Array(WINDOWS.length)

  copy(): Baseline {
    const copy = new Baseline()
    copy.fed = this.fed
    copy.#failures3 = this.#failures3
    copy.#requests3 = this.#requests3
    copy.#failures24 = this.#failures24
    copy.#requests24 = this.#requests24
    copy.#squares.set(this.#squares)
    copy.#expected.set(this.#expected)
    return copy
  }

  /** Failures that are left of all that were fed. */
  get failures(): number {
    return this.#failures24
  }

  /**
   * More failures than requests, or no requests at all: they are no share of the requests. A handshake that failed, or a line
   * of another kind, leaves an error line alone. What is to be expected of them follows time, not traffic.
   */
  get isWithoutRequests(): boolean {
    return this.#failures24 > this.#requests24 || (this.#requests24 === 0 && this.fed > 0)
  }

  /** Failures that are to be expected in the window at place `i`. */
  expected(windows: Windows, i: number): number {
    if (this.isWithoutRequests) return this.#perMinute() * windows.minutes[i]!
    const lately = (this.#failures3 + PRIOR_FAILURES) / (this.#requests3 + PRIOR_REQUESTS)
    const longer = (this.#failures24 + PRIOR_FAILURES) / (this.#requests24 + PRIOR_REQUESTS)
    return Math.max(lately, longer) * windows.requests[i]!
  }

  /** Variance over mean of the window at place `i`, as it was fed. */
  spread(i: number): number {
    return Math.max(1, (this.#squares[i]! + PRIOR_SPREAD) / (this.#expected[i]! + PRIOR_SPREAD))
  }

  /**
   * The same in a window that lets `expected` failures expect. What spreads failures (a bad client, a bad pod) does so in
   * proportion to them, so more than usual of them spread more than usual; a surge would otherwise be a spike in every restless
   * series. Where few are usual the spread is that of single clumps, which do not grow.
   */
  spreadAt(i: number, expected: number): number {
    const usual = this.#expected[i]! / decayedMinutes(KEPT_24H, this.fed)
    const spread = this.spread(i)
    return expected > usual ? 1 + ((spread - 1) * (expected + CLUMP)) / (usual + CLUMP) : spread
  }

  /** One minute: the last of these windows. */
  feed(windows: Windows): void {
    const isCapped = this.fed >= WARM_UP_MINUTES
    let first = 0
    // Every window is compared with what was known before this minute.
    for (let i = WINDOWS.length - 1; i >= 0; i -= 1) {
      const expected = this.expected(windows, i)
      let count = windows.failures[i]!
      if (isCapped) count = Math.min(count, Math.max(CAP_MIN, expected + 3 * Math.sqrt(this.spread(i) * expected)))
      this.#squares[i] = this.#squares[i]! * KEPT_24H + (count - expected) ** 2
      this.#expected[i] = this.#expected[i]! * KEPT_24H + expected
      first = count
    }
    this.#failures3 = this.#failures3 * KEPT_3H + first
    this.#failures24 = this.#failures24 * KEPT_24H + first
    this.#requests3 = this.#requests3 * KEPT_3H + windows.requests[0]!
    this.#requests24 = this.#requests24 * KEPT_24H + windows.requests[0]!
    this.fed += 1
  }

  /** `minutes` without a request or a failure in any of their windows, all at once. */
  idle(minutes: number): void {
    let left = minutes
    if (this.isWithoutRequests) for (; left > Math.max(0, minutes - IDLE_MINUTES_MAX); left -= 1) this.feed(silent)
    const kept3 = KEPT_3H ** left
    const kept24 = KEPT_24H ** left
    this.#failures3 *= kept3
    this.#requests3 *= kept3
    this.#failures24 *= kept24
    this.#requests24 *= kept24
    for (let i = 0; i < WINDOWS.length; i += 1) {
      this.#squares[i]! *= kept24
      this.#expected[i]! *= kept24
    }
    this.fed += left
  }

  /** By minutes alone, of both half-lives the larger. */
  #perMinute(): number {
    return Math.max(
      (this.#failures3 + PRIOR_FAILURES) / (decayedMinutes(KEPT_3H, this.fed) + PRIOR_MINUTES),
      (this.#failures24 + PRIOR_FAILURES) / (decayedMinutes(KEPT_24H, this.fed) + PRIOR_MINUTES)
    )
  }
}

/** What a sum of ones has become that was fed as often. */
function decayedMinutes(kept: number, fed: number): number {
  return (1 - kept ** fed) / (1 - kept)
}

/** What is normal in a log that is over: what the minutes outside of those judged had. */

import { type IncidentCause, WINDOWS } from './finding.ts'

/** Failures of one cause at one service, minute by minute; `requests` of the service, of the same length. */
export interface MinuteSeries {
  upstream: string
  cause: IncidentCause
  /** Of the first element; minutes since the epoch. */
  fromMinute: number
  failures: ArrayLike<number>
  requests: ArrayLike<number>
}

/** `[from, to)`, indices of minutes. */
export interface Span {
  from: number
  to: number
}

/** Fewer tell nothing of what is normal. */
export const OTHERS_MIN = 5
const PRIOR_REQUESTS = 1_000
const SPREAD_PRIOR = 10
const CAP_MIN = 5

export class OtherMinutes {
  readonly #series: MinuteSeries
  /** Minutes with requests that are no part of a known incident. */
  readonly #minutes: number[] = []
  /** Of these, by place. */
  readonly #shares: number[]
  /** Places, the one with the smallest share of failures first. */
  readonly #byShare: number[]
  /** Of all minutes before a place. */
  readonly #failuresTo: number[] = [0]
  readonly #requestsTo: number[] = [0]
  /** By length of the window. */
  readonly #rateMin: Map<number, number>

  constructor(series: MinuteSeries, incidents: readonly Span[]) {
    this.#series = series
    const { failures, requests } = series
    for (let i = 0; i < requests.length; i++) {
      if (requests[i] === 0 || incidents.some(({ from, to }) => i >= from && i < to)) continue
      this.#failuresTo.push(this.#failuresTo.at(-1)! + failures[i]!)
      this.#requestsTo.push(this.#requestsTo.at(-1)! + requests[i]!)
      this.#minutes.push(i)
    }
    const shares = this.#minutes.map(i => failures[i]! / requests[i]!)
    this.#shares = shares
    this.#byShare = shares.map((_, place) => place).sort((a, b) => shares[a]! - shares[b]!)
    this.#rateMin = new Map(
      WINDOWS.map(length => [length, shares[this.#byShare[(shares.length - length - 1) >> 1] ?? -1] ?? 0])
    )
  }

  /** No rate is smaller, whichever the window of so many minutes: the median when its minutes are those that had most. */
  rateMin(minutes: number): number {
    return this.#rateMin.get(minutes) ?? 0
  }

  /**
   * Failures of a request: the median of the minutes outside of `judged`; null: fewer than five of them have requests. Where
   * failures are so rare that most minutes have none it is what half of these minutes had, one behind the other, where they
   * had least.
   */
  rate(judged: Span): number | null {
    const from = this.#place(judged.from)
    const to = this.#place(judged.to)
    const count = this.#minutes.length - (to - from)
    if (count < OTHERS_MIN) return null
    const usual = this.#median(from, to, count) || this.#quietest(from, to, count)
    const requests = this.#requestsTo.at(-1)! - (this.#requestsTo[to]! - this.#requestsTo[from]!)
    // As if there had been a thousand more requests and one more failure: few minutes without a failure do not mean never.
    return Math.max(usual, (usual * requests + 1) / (requests + PRIOR_REQUESTS))
  }

  /** Variance over mean of windows of so many minutes, outside of `judged`. */
  spread(judged: Span, minutes: number, rate: number): number {
    const { failures, requests } = this.#series
    let squares = SPREAD_PRIOR
    let expectations = SPREAD_PRIOR
    let failed = 0
    let asked = 0
    /** Other minutes in a row. */
    let row = 0
    for (let i = 0, place = 0; i < requests.length; i++) {
      failed += failures[i]! - (i >= minutes ? failures[i - minutes]! : 0)
      asked += requests[i]! - (i >= minutes ? requests[i - minutes]! : 0)
      const isKnown = this.#minutes[place] === i
      if (isKnown) place++
      const isOther = (isKnown || requests[i] === 0) && (i < judged.from || i >= judged.to)
      row = isOther ? row + 1 : 0
      if (row < minutes) continue
      const expected = rate * asked
      const spread = Math.max(1, squares / expectations)
      // Other incidents of the same log are no part of its noise.
      const count = Math.min(failed, Math.max(CAP_MIN, expected + 3 * Math.sqrt(spread * expected)))
      squares += (count - expected) ** 2
      expectations += expected
    }
    return Math.max(1, squares / expectations)
  }

  /** Of the first minute at `minute` or behind it. */
  #place(minute: number): number {
    let place = Math.min(minute, this.#minutes.length)
    while (place > 0 && this.#minutes[place - 1]! >= minute) place--
    return place
  }

  /** Without the places from `from` to `to`, which leaves `count`. */
  #median(from: number, to: number, count: number): number {
    let left = count >> 1
    let before = 0
    for (const place of this.#byShare) {
      if (place >= from && place < to) continue
      const share = this.#shares[place]!
      if (left-- === 0) return count % 2 === 1 ? share : (before + share) / 2
      before = share
    }
    return before
  }

  #quietest(from: number, to: number, count: number): number {
    const half = (count + 1) >> 1
    const failures = this.#failuresTo
    const requests = this.#requestsTo
    let quietest = Number.POSITIVE_INFINITY
    for (let begin = 0; begin + half <= count; begin++) {
      // Behind the gap places are further on.
      const first = begin < from ? begin : begin + to - from
      const end = begin + half <= from ? begin + half : begin + half + to - from
      const isSplit = first < from && end > to
      const failed = failures[end]! - failures[first]! - (isSplit ? failures[to]! - failures[from]! : 0)
      const asked = requests[end]! - requests[first]! - (isSplit ? requests[to]! - requests[from]! : 0)
      quietest = Math.min(quietest, failed / asked)
    }
    return quietest
  }
}

/** Requests of one service, and its series: one for each cause that was seen, and one for all that were not. */

import { Baseline } from './baseline.ts'
import type { Finding, IncidentCause } from './finding.ts'
import { MinuteRing } from './minuteRing.ts'
import { FEED_DELAY } from './profile.ts'
import { FAILURE_MINUTES, type Judgement, Series } from './series.ts'
import { Silence } from './silence.ts'
import { Windows } from './windows.ts'

/** Counts of that many minutes, the next one included, may come before their minute is judged. */
export const AHEAD_MINUTES = 34

/** Three hours before a silence, which ten minutes have confirmed, and what is ahead. */
const REQUEST_MINUTES = 256

/** Then its rings of failures hold zeros alone. */
const SLEEPY_MINUTES = FAILURE_MINUTES

/** Less of a failure than this changes nothing: a series that has no more to say is the quiet one again. */
const FAILURES_MIN = 0.01

const scratch = new Windows()

export class Service {
  readonly name: string
  readonly series = new Map<IncidentCause, Series>()
  /** Nobody asked for long, and nothing fires: it sees no minutes until a count wakes it. */
  isAsleep = false
  readonly #requests = new MinuteRing(REQUEST_MINUTES)
  /** First minute with a count: there the steps begin. */
  #first = Number.POSITIVE_INFINITY
  #last = Number.NEGATIVE_INFINITY
  /** The minute that is judged next; of a sleeping service the one before which it fell asleep. */
  #next: number
  /** What every cause would look like that was not seen yet: no failures, and all the requests. */
  readonly #quiet = new Baseline()
  readonly #silence = new Silence()

  constructor(name: string, next: number) {
    this.name = name
    this.#next = next
  }

  /** Minutes that it has slept by `next`. */
  sleptMinutes(next: number): number {
    return this.isAsleep ? next - this.#next : 0
  }

  addRequests(minute: number, count: number): void {
    this.#requests.add(minute, count)
    this.#saw(minute)
  }

  addFailures(series: Series, minute: number, count: number): void {
    series.failures.add(minute, count)
    this.#saw(minute)
  }

  /** A cause that is seen for the first time had no failures so far. */
  begin(cause: IncidentCause): Series {
    const series = new Series(this.#quiet.copy())
    this.series.set(cause, series)
    return series
  }

  adopt(series: Series | null, startMinute: number): void {
    if (series === null) this.#silence.adopt(startMinute, this.#next, this.#requests)
    else series.adopt(startMinute, this.#next)
  }

  /** Makes up for the minutes in which it slept. */
  wake(next: number): void {
    const slept = next - this.#next
    this.isAsleep = false
    this.#next = next
    this.#quiet.idle(slept)
    for (const series of this.series.values()) series.baseline.idle(slept)
    const reach = next + AHEAD_MINUTES
    for (let minute = reach - Math.min(slept, REQUEST_MINUTES); minute < reach; minute += 1)
      this.#requests.clear(minute)
  }

  /** Judges the next minute. */
  step(pMax: number, findings: Finding[]): void {
    const minute = this.#next
    const fed = minute - FEED_DELAY
    if (fed >= this.#first) {
      scratch.fill(null, this.#requests, this.#first, fed)
      this.#quiet.feed(scratch)
    }
    let isWatchful = this.#silence.isWatchful
    for (const [cause, series] of this.series) {
      const judgement = series.step(minute, this.#first, this.#requests, pMax)
      if (judgement !== null) findings.push(this.#finding(cause, series, minute, judgement, pMax))
      series.failures.clear(minute + AHEAD_MINUTES)
      isWatchful ||= series.isWatchful
    }
    // Requests without an upstream are what nginx refused by itself: no service that could fall silent.
    const judgement = this.name === '' ? null : this.#silence.step(minute, this.#requests)
    if (judgement !== null) findings.push(this.#silent(minute, judgement))
    this.#requests.clear(minute + AHEAD_MINUTES)
    this.#next = minute + 1
    if (isWatchful || this.#silence.isWatchful || this.#next - this.#last <= SLEEPY_MINUTES) return
    this.isAsleep = true
    this.#silence.sleep()
  }

  /** Gives up series that have nothing to say any more; says how many. */
  forget(): number {
    let count = 0
    for (const [cause, series] of this.series) {
      const isEmpty =
        series.failures.sum(this.#next - FAILURE_MINUTES + AHEAD_MINUTES, this.#next + AHEAD_MINUTES - 1) === 0
      if (series.isWatchful || series.baseline.failures >= FAILURES_MIN || !isEmpty) continue
      this.series.delete(cause)
      count += 1
    }
    return count
  }

  #saw(minute: number): void {
    if (minute < this.#first) this.#first = minute
    if (minute > this.#last) this.#last = minute
  }

  #finding(cause: IncidentCause, series: Series, minute: number, judgement: Judgement & string, pMax: number): Finding {
    const windows = series.judged(minute, this.#first, this.#requests, judgement === 'fired' ? pMax : 0)
    const startMinute = series.startMinute!
    const isOver = judgement === 'quiet' || judgement === 'new_level'
    if (isOver) series.end(minute, judgement)
    return {
      kind: isOver ? 'resolved' : judgement,
      upstream: this.name,
      cause,
      minute,
      startMinute,
      failures: series.failures.at(minute),
      requests: this.#requests.at(minute),
      windows,
      because: isOver ? judgement : null
    }
  }

  #silent(minute: number, judgement: Judgement & string): Finding {
    const startMinute = this.#silence.startMinute!
    const isOver = judgement === 'quiet' || judgement === 'new_level'
    const requestsExpected = this.#silence.requestsExpected(minute)
    if (isOver) this.#silence.startMinute = null
    return {
      kind: isOver ? 'resolved' : judgement,
      upstream: this.name,
      cause: 'no_requests',
      minute,
      startMinute,
      failures: 0,
      requests: this.#requests.at(minute),
      windows: [],
      requestsExpected,
      because: isOver ? judgement : null
    }
  }
}

/**
 * Spikes in a log that is too short for the detector, which fires only when it has learnt for an hour: each window is compared
 * with the median of the minutes outside of it, those behind it included. A log is over when it is judged, so what came later
 * tells as much of what is normal as what came before. Rules and thresholds are otherwise those of the detector.
 */

import type { Profile } from './alerting.ts'
import { type Finding, type IncidentCause, type JudgedWindow, WINDOWS } from './finding.ts'
import { EXCESS_MIN, FIRE_RATIO, P_MAX, QUIET_MINUTES, QUIET_RATIO } from './profile.ts'
import { tail } from './tail.ts'

/** Failures of one cause at one service, minute by minute; `requests` of the service, of the same length. */
export interface MinuteSeries {
  upstream: string
  cause: IncidentCause
  /** Of the first element; minutes since the epoch. */
  fromMinute: number
  failures: ArrayLike<number>
  requests: ArrayLike<number>
}

/** Fewer tell nothing of what is normal. */
export const OTHERS_MIN = 5
const PRIOR_REQUESTS = 1_000
const SPREAD_PRIOR = 10
const CAP_MIN = 5

/** `[from, to)`, indices of minutes. */
interface Span {
  from: number
  to: number
}

/**
 * The findings of a series, oldest first; none where fewer than five other minutes had requests. Judged twice: the minutes of
 * what is found at first are no part of what is normal when all is judged again, as the detector learns nothing from them.
 */
export function shortLogFindings(series: MinuteSeries, profile: Profile): Finding[] {
  const first = judged(series, profile, [])
  return first.length === 0 ? first : judged(series, profile, spansOf(first, series.fromMinute))
}

function judged(series: MinuteSeries, profile: Profile, incidents: readonly Span[]): Finding[] {
  const judge = new ShortLogJudge(series, profile, incidents)
  for (let minute = 0; minute < series.failures.length; minute++) judge.next(minute)
  return judge.findings
}

/** From the start of each incident to the minute in which it was resolved, or the last one. */
function spansOf(findings: readonly Finding[], fromMinute: number): Span[] {
  const spans = new Map<number, Span>()
  for (const { startMinute, minute } of findings)
    spans.set(startMinute, { from: startMinute - fromMinute, to: minute + 1 - fromMinute })
  return [...spans.values()]
}

class ShortLogJudge {
  readonly findings: Finding[] = []
  readonly #series: MinuteSeries
  readonly #others: OtherMinutes
  readonly #pMax: number
  /** By length of the window, as it was found last: an incident may leave too few other minutes. */
  readonly #rates = new Map<number, number>()
  /** First minute of the incident that is going on. */
  #start: number | null = null
  #quiet = 0
  /** Windows do not reach back past it. */
  #floor = 0

  constructor(series: MinuteSeries, profile: Profile, incidents: readonly Span[]) {
    this.#series = series
    this.#others = new OtherMinutes(series, incidents)
    this.#pMax = P_MAX[profile]
  }

  next(minute: number): void {
    if (this.#start !== null) return this.#goOn(minute, this.#start)
    // Most minutes of most series end here.
    if (!WINDOWS.some(minutes => this.#isExcess(minute, minutes))) return
    const windows = WINDOWS.map(minutes => this.#judge(minute, minutes)).filter(window => window !== null)
    const fired = windows.filter(window => this.#isSpike(window)).sort((a, b) => a.pValue - b.pValue)
    const [first] = fired
    if (first === undefined) return
    const { from } = this.#window(minute, first.minutes)
    this.#start = from
    while (this.#series.failures[this.#start] === 0) this.#start++
    this.#quiet = 0
    this.#tell('fired', minute, this.#start, [...fired, ...windows.filter(window => !fired.includes(window))])
  }

  #goOn(minute: number, start: number): void {
    const windows = WINDOWS.map(minutes => this.#judge(minute, minutes)).filter(window => window !== null)
    const five = windows.find(({ minutes }) => minutes === QUIET_MINUTES)
    const isQuiet =
      five !== undefined && (five.failures - five.expected < EXCESS_MIN || five.failures < QUIET_RATIO * five.expected)
    this.#quiet = isQuiet ? this.#quiet + 1 : 0
    if (this.#quiet < QUIET_MINUTES) return this.#tell('firing', minute, start, windows)
    this.#tell('resolved', minute, start, windows)
    this.#start = null
    this.#floor = minute + 1
  }

  #tell(kind: Finding['kind'], minute: number, start: number, windows: JudgedWindow[]): void {
    const { upstream, cause, fromMinute, failures, requests } = this.#series
    this.findings.push({
      kind,
      upstream,
      cause,
      minute: fromMinute + minute,
      startMinute: fromMinute + start,
      failures: failures[minute]!,
      requests: requests[minute]!,
      windows,
      because: kind === 'resolved' ? 'quiet' : null
    })
  }

  /** Without its probability, which is what takes time. */
  #isExcess(minute: number, minutes: number): boolean {
    const window = this.#window(minute, minutes)
    const failures = sum(this.#series.failures, window)
    if (failures < EXCESS_MIN) return false
    const rate = this.#rate(this.#judged(window), minutes)
    return rate !== null && isExcess(failures, rate * sum(this.#series.requests, window))
  }

  #isSpike({ failures, expected, pValue }: JudgedWindow): boolean {
    return pValue < this.#pMax && isExcess(failures, expected)
  }

  #window(minute: number, minutes: number): Span {
    return { from: Math.max(this.#floor, minute - minutes + 1), to: minute + 1 }
  }

  /** What is no part of what is normal: the window, and the incident so far. */
  #judged(window: Span): Span {
    return { from: Math.min(window.from, this.#start ?? window.from), to: window.to }
  }

  /** null: too few other minutes. */
  #judge(minute: number, minutes: JudgedWindow['minutes']): JudgedWindow | null {
    const window = this.#window(minute, minutes)
    const judged = this.#judged(window)
    const rate = this.#rate(judged, minutes)
    if (rate === null) return null
    const failures = sum(this.#series.failures, window)
    const requests = sum(this.#series.requests, window)
    const expected = rate * requests
    const spread = this.#others.spread(judged, minutes, rate)
    return { minutes, failures, requests, expected, spread, pValue: tail(failures, expected, spread) }
  }

  #rate(judged: Span, minutes: number): number | null {
    const rate = this.#others.rate(judged) ?? (this.#start === null ? null : (this.#rates.get(minutes) ?? null))
    if (rate !== null) this.#rates.set(minutes, rate)
    return rate
  }
}

function isExcess(failures: number, expected: number): boolean {
  return failures - expected >= EXCESS_MIN && failures >= FIRE_RATIO * expected
}

/** What is normal: the minutes outside of those judged. */
class OtherMinutes {
  readonly #series: MinuteSeries
  readonly #isIncident: boolean[]
  /** Minutes with requests, the one with the smallest share of failures first. */
  readonly #byShare: number[]

  /** `incidents`: known ones, which are no part of it as long as five other minutes are left. */
  constructor(series: MinuteSeries, incidents: readonly Span[]) {
    this.#series = series
    const { failures, requests } = series
    const minutes = Array.from({ length: requests.length }, (_, i) => i)
    this.#isIncident = minutes.map(i => incidents.some(({ from, to }) => i >= from && i < to))
    const share = minutes.map(i => failures[i]! / requests[i]!)
    this.#byShare = minutes.filter(i => requests[i]! > 0).sort((a, b) => share[a]! - share[b]!)
  }

  /** Failures of a request; null: fewer than five other minutes have requests. */
  rate(judged: Span): number | null {
    return this.#rate(judged, true) ?? this.#rate(judged, false)
  }

  /** Variance over mean of windows of so many minutes. */
  spread(judged: Span, minutes: number, rate: number): number {
    const { failures, requests } = this.#series
    let squares = SPREAD_PRIOR
    let expectations = SPREAD_PRIOR
    const inside = { failures: 0, requests: 0 }
    /** Other minutes in a row. */
    let row = 0
    for (let i = 0; i < requests.length; i++) {
      inside.failures += failures[i]! - (i >= minutes ? failures[i - minutes]! : 0)
      inside.requests += requests[i]! - (i >= minutes ? requests[i - minutes]! : 0)
      row = (i >= judged.from && i < judged.to) || this.#isIncident[i] ? 0 : row + 1
      if (row < minutes) continue
      const expected = rate * inside.requests
      const spread = Math.max(1, squares / expectations)
      // Other incidents of the same log are no part of its noise.
      const count = Math.min(inside.failures, Math.max(CAP_MIN, expected + 3 * Math.sqrt(spread * expected)))
      squares += (count - expected) ** 2
      expectations += expected
    }
    return Math.max(1, squares / expectations)
  }

  #rate(judged: Span, leavesOutIncidents: boolean): number | null {
    const isOther = (i: number): boolean =>
      (i < judged.from || i >= judged.to) && !(leavesOutIncidents && this.#isIncident[i])
    let count = 0
    let all = 0
    for (const i of this.#byShare) {
      if (!isOther(i)) continue
      count++
      all += this.#series.requests[i]!
    }
    if (count < OTHERS_MIN) return null
    const usual = this.#median(count, isOther) || this.#quietest(Math.ceil(count / 2), isOther)
    // As if there had been a thousand more requests and one more failure: few minutes without a failure do not mean never.
    return Math.max(usual, (usual * all + 1) / (all + PRIOR_REQUESTS))
  }

  #median(count: number, isOther: (minute: number) => boolean): number {
    const { failures, requests } = this.#series
    let left = count >> 1
    let before = 0
    for (const i of this.#byShare) {
      if (!isOther(i)) continue
      const share = failures[i]! / requests[i]!
      if (left-- === 0) return count % 2 === 1 ? share : (before + share) / 2
      before = share
    }
    return before
  }

  /**
   * Where failures are so rare that most minutes have none: what `size` other minutes had, one behind the other, where they
   * had least.
   */
  #quietest(size: number, isOther: (minute: number) => boolean): number {
    const { failures, requests } = this.#series
    const row: number[] = []
    let failed = 0
    let asked = 0
    let quietest = Number.POSITIVE_INFINITY
    for (let i = 0; i < requests.length; i++) {
      if (requests[i] === 0 || !isOther(i)) continue
      row.push(i)
      failed += failures[i]!
      asked += requests[i]!
      if (row.length > size) {
        const gone = row[row.length - 1 - size]!
        failed -= failures[gone]!
        asked -= requests[gone]!
      }
      if (row.length >= size) quietest = Math.min(quietest, failed / asked)
    }
    return quietest
  }
}

function sum(values: ArrayLike<number>, { from, to }: Span): number {
  let total = 0
  for (let i = from; i < to; i++) total += values[i]!
  return total
}

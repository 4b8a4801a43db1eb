/**
 * Spikes in a log that is too short for the detector, which fires only when it has learnt for an hour: each window is compared
 * with the median of the minutes outside of it, those behind it included. A log is over when it is judged, so what came later
 * tells as much of what is normal as what came before. Rules and thresholds are otherwise those of the detector.
 */

import type { Profile } from './alerting.ts'
import { type Finding, type JudgedWindow, WINDOWS } from './finding.ts'
import { type MinuteSeries, OtherMinutes, type Span } from './otherMinutes.ts'
import { EXCESS_MIN, FIRE_RATIO, P_MAX, QUIET_MINUTES, QUIET_RATIO } from './profile.ts'
import { tail } from './tail.ts'

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
  /** Without the minutes of known incidents, and with them for when these leave too few. */
  readonly #others: OtherMinutes
  readonly #all: OtherMinutes
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
    this.#all = incidents.length === 0 ? this.#others : new OtherMinutes(series, [])
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
    const requests = sum(this.#series.requests, window)
    // Most series that have failures all the time end here.
    if (!isExcess(failures, this.#others.rateMin(minutes) * requests)) return false
    const rate = this.#rate(this.#judged(window), minutes)
    return rate !== null && isExcess(failures, rate * requests)
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
    const known = this.#start === null ? null : (this.#rates.get(minutes) ?? null)
    const rate = this.#others.rate(judged) ?? this.#all.rate(judged) ?? known
    if (rate !== null) this.#rates.set(minutes, rate)
    return rate
  }
}

function isExcess(failures: number, expected: number): boolean {
  return failures - expected >= EXCESS_MIN && failures >= FIRE_RATIO * expected
}

function sum(values: ArrayLike<number>, { from, to }: Span): number {
  let total = 0
  for (let i = from; i < to; i++) total += values[i]!
  return total
}

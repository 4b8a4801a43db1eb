/**
 * Counts and judged failures in, incidents out: detector, evidence and incidents together, on record time. Pure: what `run`
 * does live, `explain` and `replay` do with a log, and a start does with the last day of the store.
 */

import { SpikeDetector } from './detector.ts'
import { type Finding, type IncidentCause, MINUTE_MS } from './finding.ts'
import { groupsOf } from './grouping.ts'
import type { Incident, IncidentChange } from './incident.ts'
import { IncidentBook } from './incidents.ts'
import { RecentMinutes, seriesKey } from './minutes.ts'
import type { IncidentGroup } from './notice.ts'
import { Regrouping } from './regrouping.ts'
import type { Sighting } from './sighting.ts'

export type Profile = 'normal' | 'sensitive'

export interface AlertingOptions {
  profile: Profile
  /** Of an incident, by when it opened, Unix ms. */
  idOf: (openedMs: number, upstream: string, cause: IncidentCause) => string
  /** What changed in `[fromMs, toMs)` at whatever the incident concerns, oldest first; left out: nothing is known of changes. */
  changesBefore?: (incident: Incident, fromMs: number, toMs: number) => IncidentChange[]
  /**
   * Wall time, Unix ms: what is more than five minutes ahead of it was written by a clock that is wrong, and is dropped and
   * counted. Left out: nothing is, as for a log, whose time is its own.
   */
  nowMs?: () => number
}

export interface AlertStep {
  /** Opened, updated, resolved, regrouped: what is to be stored. */
  changed: Incident[]
}

export interface Alerting {
  /** Requests of a service's minute, counted now; a minute may come in parts, and late. */
  addRequests(upstream: string, minuteMs: number, count: number): void
  /** Failures of which only the count is known: history. `masked`: how many of them a retry saved; left out: nobody knows. */
  addFailures(upstream: string, cause: IncidentCause, minuteMs: number, count: number, masked?: number): void
  /** `count`: so many that are alike. */
  add(sighting: Sighting, count?: number): void
  /**
   * Goes on with incidents of an earlier process, behind its counts: `advance` up to now comes first, and what it returns until
   * then is history, not to be told or stored. `incidents`: those that are open, those that ended in the last hour, or
   * in the last day while somebody still takes them for open, and the parents of all. What history shows and nobody stored is new, and comes with the next `advance`.
   */
  adopt(incidents: readonly Incident[]): void
  /**
   * Before the first count, of incidents that are adopted later: they are open, so what they count is not learned as ordinary,
   * however little history comes before it.
   */
  announce(incidents: readonly Incident[]): void
  /**
   * Judges every minute that ended by `clockMs`, which never goes back. Incidents are the same objects every time: who tells
   * them sets their `told`, and the next step returns them to be stored.
   */
  advance(clockMs: number): AlertStep
  /**
   * As they are told: open incidents, those that ended in the last hour, and those that ended in the last day and that somebody
   * still takes for open.
   */
  readonly groups: readonly IncidentGroup[]
  /** Series that are kept; counts that were refused because there are too many, or because of their time. */
  readonly facts: { services: number; series: number; dropped: number; late: number }
}

/** What finds spikes: `SpikeDetector`. Minutes are counted since the Unix epoch. */
export interface Detector {
  addRequests(upstream: string, minute: number, count: number): void
  addFailures(upstream: string, cause: IncidentCause, minute: number, count: number): void
  advance(untilMinute: number): Finding[]
  adopt(upstream: string, cause: IncidentCause, startMinute: number): void
  readonly facts: Alerting['facts']
}

export function openAlerting(
  options: AlertingOptions,
  detector: Detector = new SpikeDetector({ profile: options.profile })
): Alerting {
  return new IncidentAlerting(options, detector)
}

/** How long a controller that was seen counts as one that serves. */
const CONTROLLER_MS = 60 * MINUTE_MS
const CONTROLLERS_MAX = 200
/** Clocks differ a little; what is further ahead would count when its time has come. */
const AHEAD_MS = 5 * MINUTE_MS

class IncidentAlerting implements Alerting {
  readonly #detector: Detector
  readonly #minutes = new RecentMinutes()
  readonly #book: IncidentBook
  readonly #regrouping = new Regrouping()
  /** When it was seen last. */
  readonly #controllers = new Map<string, number>()
  #clockMs = Number.NEGATIVE_INFINITY
  /** Minutes before it are judged. */
  #judgedTo = Number.NEGATIVE_INFINITY
  #groups: readonly IncidentGroup[] | null = null
  readonly #nowMs: (() => number) | undefined
  /** Counts too far ahead. */
  #ahead = 0

  constructor({ idOf, changesBefore, nowMs }: AlertingOptions, detector: Detector) {
    this.#detector = detector
    this.#nowMs = nowMs
    this.#book = new IncidentBook({ idOf, changesBefore, minutes: this.#minutes })
  }

  get facts(): Alerting['facts'] {
    const { facts } = this.#detector
    return this.#ahead === 0 ? facts : { ...facts, dropped: facts.dropped + this.#ahead }
  }

  get groups(): readonly IncidentGroup[] {
    return (this.#groups ??= groupsOf(this.#book.incidents))
  }

  addRequests(upstream: string, minuteMs: number, count: number): void {
    const minute = minuteOf(minuteMs)
    if (this.#isAhead(minute, count)) return
    this.#detector.addRequests(upstream, minute, count)
    this.#minutes.addRequests(upstream, minute, count)
    if (minute < this.#judgedTo) this.#book.addLateRequests(upstream, minute, count)
  }

  addFailures(upstream: string, cause: IncidentCause, minuteMs: number, count: number, masked?: number): void {
    const minute = minuteOf(minuteMs)
    if (this.#isAhead(minute, count)) return
    const key = seriesKey(upstream, cause)
    this.#detector.addFailures(upstream, cause, minute, count)
    this.#minutes.addFailures(key, minute, count, masked)
    if (minute < this.#judgedTo) this.#book.addLateFailures(key, minute, count)
  }

  add(sighting: Sighting, count = 1): void {
    const { upstream, cause, timeMs, controllerPod } = sighting
    const minute = minuteOf(timeMs)
    if (this.#isAhead(minute, count)) return
    const key = seriesKey(upstream, cause)
    this.#detector.addFailures(upstream, cause, minute, count)
    this.#book.note(sighting)
    this.#minutes.add(key, minute, sighting, count)
    if (minute < this.#judgedTo) this.#book.addLate(key, minute, sighting, count)
    if (controllerPod !== null) this.#seeController(controllerPod, timeMs)
  }

  adopt(incidents: readonly Incident[]): void {
    for (const { upstream, cause, startMs } of this.#book.adopt(incidents, this.#clockMs))
      this.#detector.adopt(upstream, cause, minuteOf(startMs))
    this.#groups = null
  }

  announce(incidents: readonly Incident[]): void {
    for (const { upstream, cause, startMs, endMs } of incidents)
      if (endMs === null) this.#detector.adopt(upstream, cause, minuteOf(startMs))
  }

  advance(clockMs: number): AlertStep {
    this.#clockMs = Math.max(this.#clockMs, clockMs)
    const untilMinute = minuteOf(this.#clockMs)
    // A jump is judged as if time had gone by minute by minute.
    for (const [minute, findings] of byMinute(this.#detector.advance(untilMinute))) {
      this.#minutes.judge(minute)
      for (const finding of findings) this.#book.take(finding)
      this.#regroup((minute + 1) * MINUTE_MS)
    }
    this.#minutes.judge(untilMinute - 1)
    this.#minutes.forget()
    this.#judgedTo = Math.max(this.#judgedTo, untilMinute)
    this.#regroup(untilMinute * MINUTE_MS)
    const { incidents } = this.#book
    this.#book.askAgain(this.#clockMs)
    // A long time may be judged at once: what ended in it is to be stored before it is given up.
    const changed = this.#book.takeChanged(untilMinute * MINUTE_MS)
    this.#book.tidy(this.#clockMs)
    if (incidents !== this.#book.incidents) this.#groups = null
    return { changed }
  }

  /** By whole minutes, so that of one all is counted or nothing. */
  #isAhead(minute: number, count: number): boolean {
    if (this.#nowMs === undefined || minute <= minuteOf(this.#nowMs() + AHEAD_MS)) return false
    if (count > 0) this.#ahead += count
    return true
  }

  #regroup(judgedMs: number): void {
    let controllers = 0
    for (const seenMs of this.#controllers.values()) if (judgedMs - seenMs <= CONTROLLER_MS) controllers++
    const changed = this.#regrouping.regroup(this.#book.incidents, controllers)
    if (changed === null) return
    for (const incident of changed) this.#book.markChanged(incident)
    this.#groups = null
  }

  #seeController(pod: string, timeMs: number): void {
    const seenMs = this.#controllers.get(pod)
    if (seenMs === undefined && this.#controllers.size >= CONTROLLERS_MAX) {
      for (const [other, otherMs] of this.#controllers)
        if (timeMs - otherMs > CONTROLLER_MS) this.#controllers.delete(other)
      if (this.#controllers.size >= CONTROLLERS_MAX) return
    }
    this.#controllers.set(pod, Math.max(seenMs ?? timeMs, timeMs))
  }
}

function minuteOf(timeMs: number): number {
  return Math.floor(timeMs / MINUTE_MS)
}

/** In order; within a minute in the order in which they were found. */
function byMinute(findings: readonly Finding[]): [number, Finding[]][] {
  const minutes = new Map<number, Finding[]>()
  for (const finding of findings) {
    const same = minutes.get(finding.minute)
    if (same === undefined) minutes.set(finding.minute, [finding])
    else same.push(finding)
  }
  return [...minutes].sort((a, b) => a[0] - b[0])
}

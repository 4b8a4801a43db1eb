/**
 * Incidents of a log that was read to its end, in whatever order of time: its minutes are played to the alerts one after the
 * other, as if they had come live. A log that is too short for the detector is compared with its own median instead.
 */

import { type Alerting, type AlertingOptions, type Detector, openAlerting, type Profile } from './alerting.ts'
import { SpikeDetector } from './detector.ts'
import type { FailureMinute, FailureSeries } from './failureMinutes.ts'
import { type Finding, MINUTE_MS } from './finding.ts'
import type { Incident } from './incident.ts'
import { seriesKey } from './minutes.ts'
import { OTHERS_MIN } from './otherMinutes.ts'
import { FEED_DELAY, WARM_UP_MINUTES } from './profile.ts'
import { canFire, shortLogFindings } from './shortLog.ts'

const NOTHING: FailureMinute = { kinds: [], unseen: 0 }
/** The detector fires only behind so many minutes. */
export const SHORT_MINUTES = WARM_UP_MINUTES + FEED_DELAY
/** Two logs, a week apart, are two logs. */
const HOLE_MINUTES = 1_440

export interface LogMinutes {
  /** By upstream name: minute since the epoch → requests. */
  requests: ReadonlyMap<string, ReadonlyMap<number, number>>
  failures: readonly FailureSeries[]
}

/** What incidents were told by: what came before in the log, the median of its other minutes, or nothing, for want of minutes. */
export type IncidentBaseline = 'history' | 'median' | null

export interface FoundIncidents {
  baseline: IncidentBaseline
  /** As they were at the end of the log, by their start. */
  incidents: Incident[]
}

/** A part of the log without a hole of a day. */
interface Part {
  /** Minutes in which there was something, in order. */
  minutes: number[]
  from: number
  to: number
}

export function findIncidents(log: LogMinutes, options: AlertingOptions): FoundIncidents {
  const parts = partsOf(log)
  const isLong = parts.some(({ from, to }) => to - from >= SHORT_MINUTES)
  const isShort = parts.some(({ from, to }) => to - from > OTHERS_MIN)
  if (!isLong && !isShort) return { baseline: null, incidents: [] }
  const baseline = isLong ? 'history' : 'median'
  // Evidence is gathered of what was found alone: of nearly all that failed nothing is.
  const findings = isLong
    ? historyFindings(log, parts, options.profile)
    : parts.flatMap(part => shortFindings(log, part, options.profile))
  if (findings.length === 0) return { baseline, incidents: [] }
  const concerned = concernedPart(log, findings)
  const alerting = openAlerting(options, new KnownFindings(findings))
  const found = new Map<string, Incident>()
  for (const minute of parts.flatMap(({ minutes }) => minutes)) {
    addMinute(concerned, minute, alerting)
    for (const incident of alerting.advance((minute + 1) * MINUTE_MS).changed) found.set(incident.id, incident)
  }
  return { baseline, incidents: [...found.values()].sort(byStart) }
}

/** The services and causes of the findings. */
function concernedPart({ requests, failures }: LogMinutes, findings: readonly Finding[]): LogMinutes {
  const keys = new Set(findings.map(({ upstream, cause }) => seriesKey(upstream, cause)))
  const upstreams = new Set(findings.map(({ upstream }) => upstream))
  return {
    requests: new Map([...requests].filter(([upstream]) => upstreams.has(upstream))),
    failures: failures.filter(({ upstream, cause }) => keys.has(seriesKey(upstream, cause)))
  }
}

function addMinute({ requests, failures }: LogMinutes, minute: number, alerting: Alerting): void {
  const atMs = minute * MINUTE_MS
  for (const [upstream, minutes] of requests) {
    const count = minutes.get(minute)
    if (count !== undefined) alerting.addRequests(upstream, atMs, count)
  }
  for (const { upstream, cause, minutes } of failures) {
    const { kinds, unseen } = minutes.get(minute) ?? NOTHING
    for (const { sighting, count } of kinds) {
      const isOfMinute = Math.floor(sighting.timeMs / MINUTE_MS) === minute
      alerting.add(isOfMinute ? sighting : { ...sighting, timeMs: atMs }, count)
    }
    if (unseen > 0) alerting.addFailures(upstream, cause, atMs, unseen)
  }
}

/** Of a log that is long enough for the detector, oldest first. */
function historyFindings({ requests, failures }: LogMinutes, parts: readonly Part[], profile: Profile): Finding[] {
  const detector = new SpikeDetector({ profile })
  return parts
    .flatMap(({ minutes }) => minutes)
    .flatMap(minute => {
      for (const [upstream, minutes] of requests) detector.addRequests(upstream, minute, minutes.get(minute) ?? 0)
      for (const { upstream, cause, minutes } of failures) {
        const failed = minutes.get(minute)
        if (failed !== undefined) detector.addFailures(upstream, cause, minute, countOf(failed))
      }
      return detector.advance(minute + 1)
    })
}

/** Of a short part, oldest first. */
function shortFindings(log: LogMinutes, { from, to }: Part, profile: Profile): Finding[] {
  const requests = new Map<string, Float64Array>()
  const found = log.failures.flatMap(({ upstream, cause, minutes }) => {
    const failures = new Float64Array(to - from)
    for (const [minute, failed] of minutes) if (minute >= from && minute < to) failures[minute - from] = countOf(failed)
    if (!canFire(failures)) return []
    let counts = requests.get(upstream)
    if (counts === undefined) {
      requests.set(upstream, (counts = new Float64Array(to - from)))
      for (const [minute, count] of log.requests.get(upstream) ?? [])
        if (minute >= from && minute < to) counts[minute - from] = count
    }
    return shortLogFindings({ upstream, cause, fromMinute: from, failures, requests: counts }, profile)
  })
  return found.sort((a, b) => a.minute - b.minute)
}

/** A detector that was asked before. */
class KnownFindings implements Detector {
  readonly facts = { services: 0, series: 0, dropped: 0, late: 0 }
  readonly #findings: readonly Finding[]
  #next = 0

  /** Oldest first. */
  constructor(findings: readonly Finding[]) {
    this.#findings = findings
  }

  addRequests(): void {}

  addFailures(): void {}

  adopt(): void {}

  advance(untilMinute: number): Finding[] {
    const from = this.#next
    while (this.#next < this.#findings.length && this.#findings[this.#next]!.minute < untilMinute) this.#next++
    return this.#findings.slice(from, this.#next)
  }
}

function byStart(a: Incident, b: Incident): number {
  return a.startMs - b.startMs || a.detectedMs - b.detectedMs || (a.id < b.id ? -1 : 1)
}

export function countOf({ kinds, unseen }: FailureMinute): number {
  let sum = unseen
  for (const { count } of kinds) sum += count
  return sum
}

function partsOf({ requests, failures }: LogMinutes): Part[] {
  const minutes = new Set<number>()
  for (const counts of requests.values()) for (const minute of counts.keys()) minutes.add(minute)
  for (const series of failures) for (const minute of series.minutes.keys()) minutes.add(minute)
  const parts: Part[] = []
  for (const minute of [...minutes].sort((a, b) => a - b)) {
    const last = parts.at(-1)
    if (last === undefined || minute - last.to > HOLE_MINUTES)
      parts.push({ minutes: [minute], from: minute, to: minute + 1 })
    else {
      last.minutes.push(minute)
      last.to = minute + 1
    }
  }
  return parts
}

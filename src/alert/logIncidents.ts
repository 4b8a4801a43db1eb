/**
 * Incidents of a log that was read to its end, in whatever order of time: what was found in its counts is played to the alerts
 * minute by minute, with what the failures of these series tell, as if they had come live.
 */

import { type Alerting, type AlertingOptions, type Detector, openAlerting } from './alerting.ts'
import type { FailureMinute, FailureSeries } from './failureMinutes.ts'
import { type Finding, MINUTE_MS } from './finding.ts'
import type { Incident } from './incident.ts'
import { type CountedSeries, type IncidentBaseline, partsOf } from './logParts.ts'
import { findSpikes, type LogSpikes } from './logSpikes.ts'
import { seriesKey } from './minutes.ts'

const NOTHING: FailureMinute = { kinds: [], unseen: 0 }

export interface LogMinutes {
  /** By upstream name: minute since the epoch → requests. */
  requests: ReadonlyMap<string, ReadonlyMap<number, number>>
  failures: readonly FailureSeries[]
}

export interface FoundIncidents {
  baseline: IncidentBaseline
  /** As they were at the end of the log, by their start. */
  incidents: Incident[]
}

export function findIncidents(log: LogMinutes, options: AlertingOptions): FoundIncidents {
  const counts = { requests: log.requests, failures: log.failures.map(countedSeries) }
  const spikes = findSpikes(counts, partsOf(counts), options.profile)
  return { baseline: spikes.baseline, incidents: incidentsOf(spikes, log, options) }
}

export function countedSeries({ upstream, cause, minutes }: FailureSeries): CountedSeries {
  return { upstream, cause, minutes: new Map([...minutes].map(([minute, failed]) => [minute, countOf(failed)])) }
}

/** By their start. Evidence is gathered of what was found alone: `log` need not hold other failures. */
export function incidentsOf({ findings, parts }: LogSpikes, log: LogMinutes, options: AlertingOptions): Incident[] {
  if (findings.length === 0) return []
  const concerned = concernedPart(log, findings)
  const alerting = openAlerting(options, new KnownFindings(findings))
  const found = new Map<string, Incident>()
  for (const minute of parts.flatMap(({ minutes }) => minutes)) {
    addMinute(concerned, minute, alerting)
    for (const incident of alerting.advance((minute + 1) * MINUTE_MS).changed) found.set(incident.id, incident)
  }
  return [...found.values()].sort(byStart)
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

/** Of one that went on in the last line, read before `toMs`: what came later nobody knows. */
export function endWithLog(incident: Incident, toMs: number): void {
  incident.state = 'resolved'
  incident.endMs = Math.ceil(toMs / MINUTE_MS) * MINUTE_MS
  incident.timeline = [...incident.timeline, { atMs: incident.endMs, text: 'the log ends here, and it still went on' }]
}

function byStart(a: Incident, b: Incident): number {
  return a.startMs - b.startMs || a.detectedMs - b.detectedMs || (a.id < b.id ? -1 : 1)
}

function countOf({ kinds, unseen }: FailureMinute): number {
  let sum = unseen
  for (const { count } of kinds) sum += count
  return sum
}

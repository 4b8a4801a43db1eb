/** Incidents from what the detector finds: opened, kept up to date, resolved, and continued when they begin again. */

import { adoptStored, latestOf } from './adoption.ts'
import { chronicle, developments, isMoreSevere, openedText, resolvedText, severityOf } from './chronicle.ts'
import { Evidence } from './evidence.ts'
import { type Finding, type IncidentCause, type JudgedWindow, MINUTE_MS } from './finding.ts'
import type { Incident, IncidentChange } from './incident.ts'
import { KEPT_MINUTES, type RecentMinutes, seriesKey } from './minutes.ts'
import { isSamePlace, type Place } from './places.ts'
import type { Sighting } from './sighting.ts'
import { copyOfTold, isOwed, isSameTold } from './told.ts'

/** What begins again within that time of its end goes on. */
export const CONTINUE_MS = 30 * MINUTE_MS
/** How long those that ended are kept: for those that belong to them. */
export const ENDED_MS = 60 * MINUTE_MS
/** How long those are kept of whose end somebody has not been told yet. */
const OWED_MS = 24 * 60 * MINUTE_MS
/** So many of them, besides those that ended lately. */
const OWED_MAX = 1_000
/** How far back what changed is asked for. */
const CHANGES_MS = 15 * MINUTE_MS
/** Kubernetes learns late: what changed is asked for once more. */
const ASK_AGAIN_MS = 2 * MINUTE_MS
/** A step must not become long because everything fails: the others are asked for in the next ones. */
const ASKED_MAX = 50
const PLACES_MAX = 20_000

/** An incident and what it rests on. */
export interface Case {
  readonly key: string
  readonly incident: Incident
  evidence: Evidence
  /** First minute since it began, or began again. */
  fromMinute: number
  /** The last one whose failures it has. */
  takenTo: number
  /** null: it was asked twice. */
  askAgainMs: number | null
  /** `told` as it was handed out last. */
  told: Incident['told']
}

export interface IncidentBookOptions {
  idOf: (openedMs: number, upstream: string, cause: IncidentCause) => string
  changesBefore?: ((incident: Incident, fromMs: number, toMs: number) => IncidentChange[]) | undefined
  minutes: RecentMinutes
}

export class IncidentBook {
  readonly #options: IncidentBookOptions
  /** By id; those that ended too, while `isKept`. */
  readonly #cases = new Map<string, Case>()
  /** The last one of a series. */
  readonly #latest = new Map<string, Case>()
  readonly #byUpstream = new Map<string, Set<Case>>()
  /** In the order in which they began; null: since then some came or went. */
  #incidents: readonly Incident[] | null = null
  readonly #changed = new Set<Incident>()
  /** By upstream: what else is known of a service that may have no failures, or none that tells it. */
  readonly #places = new Map<string, Place>()

  /** How often it was asked what changed since the last step. */
  #asked = 0

  constructor(options: IncidentBookOptions) {
    this.#options = options
  }

  /** The same objects all the time: who tells them sets their `told`. In the order in which they began. */
  get incidents(): readonly Incident[] {
    return (this.#incidents ??= [...this.#cases.values()]
      .map(({ incident }) => incident)
      .sort((a, b) => a.startMs - b.startMs || a.detectedMs - b.detectedMs || (a.id < b.id ? -1 : 1)))
  }

  note(sighting: Sighting): void {
    const { upstream, service, namespace, ingress } = sighting
    if (namespace === null) return
    const known = this.#places.get(upstream)
    if (known === undefined ? this.#places.size >= PLACES_MAX : isSamePlace(known, sighting)) return
    this.#places.set(upstream, { service, namespace, ingress })
  }

  take(finding: Finding): void {
    const known = this.#latest.get(seriesKey(finding.upstream, finding.cause))
    const endedMs = known?.incident.endMs ?? null
    const isOpen = known !== undefined && endedMs === null
    if (finding.kind === 'resolved') {
      if (!isOpen) return
      this.#update(known, finding)
      this.#resolve(known.incident, (finding.minute + 1) * MINUTE_MS, finding.because)
    } else if (isOpen) this.#update(known, finding)
    else if (known !== undefined && endedMs !== null && (finding.minute + 1) * MINUTE_MS - endedMs <= CONTINUE_MS)
      this.#continue(known, finding)
    else this.#open(finding)
  }

  /** A failure of a minute that was judged already. */
  addLate(key: string, minute: number, sighting: Sighting, count: number): void {
    const found = this.#openCase(key, minute)
    if (found === null) return
    const evidence = new Evidence()
    evidence.add(sighting, count)
    evidence.settle()
    found.evidence.merge(evidence)
    this.#addToMinute(found, minute, count)
  }

  addLateFailures(key: string, minute: number, count: number): void {
    const found = this.#openCase(key, minute)
    if (found !== null) this.#addToMinute(found, minute, count)
  }

  addLateRequests(upstream: string, minute: number, count: number): void {
    for (const { incident, fromMinute, takenTo } of this.#byUpstream.get(upstream) ?? [])
      if (incident.endMs === null && minute >= fromMinute && minute <= takenTo) incident.requests += count
  }

  /** Asks again what changed before those that began lately. */
  askAgain(clockMs: number): void {
    this.#asked = 0
    for (const found of this.#cases.values())
      if (found.askAgainMs !== null && clockMs >= found.askAgainMs && this.#askChanges(found)) found.askAgainMs = null
  }

  /** Gives up what ended long ago, as do all that are told with it; what changed must have been taken. */
  tidy(clockMs: number): void {
    const needed = new Set<string>()
    let owed = 0
    for (const { incident } of this.#cases.values())
      if (isLately(incident, clockMs, ENDED_MS) || (isKept(incident, clockMs) && owed++ < OWED_MAX))
        needed.add(incident.parent ?? incident.id)
    for (const found of this.#cases.values()) {
      const { incident, key } = found
      if (needed.has(incident.parent ?? incident.id)) continue
      this.#remove(found)
      if (this.#latest.get(key) === found) this.#latest.delete(key)
    }
  }

  markChanged(incident: Incident): void {
    this.#changed.add(incident)
  }

  /** What is to be stored since it was called last; `judgedMs` is the end of the last minute judged. */
  takeChanged(judgedMs: number): Incident[] {
    for (const found of this.#cases.values()) {
      const { incident } = found
      if (isSameTold(incident.told, found.told)) continue
      // A mark of who was told must not get lost with a restart, and only a newer version replaces what is stored.
      if (incident.endMs !== null) this.#changed.add(incident)
      if (this.#changed.has(incident)) found.told = copyOfTold(incident.told)
    }
    if (this.#changed.size === 0) return []
    const changed = this.incidents.filter(incident => this.#changed.has(incident))
    for (const incident of changed) incident.updatedMs = Math.max(incident.updatedMs, judgedMs)
    this.#changed.clear()
    return changed
  }

  /** See `Alerting.adopt`. Returns open ones that the detector does not know of. */
  adopt(stored: readonly Incident[], clockMs: number): Incident[] {
    const firing = new Set<string>()
    for (const { key, incident } of this.#cases.values()) if (incident.endMs === null) firing.add(key)
    const { cases, changed } = adoptStored(stored, [...this.#cases.values()], clockMs, this.#options.minutes)
    this.#incidents = null
    this.#cases.clear()
    this.#byUpstream.clear()
    this.#latest.clear()
    this.#changed.clear()
    for (const found of cases) this.#keep(found)
    for (const [key, found] of latestOf(cases)) this.#latest.set(key, found)
    for (const found of changed) {
      this.#show(found, found.incident.failures)
      this.#changed.add(found.incident)
    }
    return this.incidents.filter(
      ({ endMs, upstream, cause }) => endMs === null && !firing.has(seriesKey(upstream, cause))
    )
  }

  #open(finding: Finding): void {
    const { upstream, cause, minute, startMinute, windows } = finding
    const detectedMs = (minute + 1) * MINUTE_MS
    const incident: Incident = {
      id: this.#options.idOf(detectedMs, upstream, cause),
      parent: null,
      group: null,
      state: 'open',
      severity: 'none',
      upstream,
      service: upstream,
      namespace: null,
      ingress: null,
      cause,
      startMs: startMinute * MINUTE_MS,
      detectedMs,
      updatedMs: detectedMs,
      endMs: null,
      continued: 0,
      failures: 0,
      masked: 0,
      requests: 0,
      peakPerMinute: 0,
      expected: finding.requestsExpected ?? 0,
      pValue: 1,
      windows,
      lately: windows,
      status: null,
      firstId: null,
      lastId: null,
      rootCause: null,
      rootCauseShare: { count: 0, of: 0 },
      example: null,
      pods: [],
      nodes: [],
      controllers: [],
      changes: [],
      timeline: [],
      told: {}
    }
    const key = seriesKey(upstream, cause)
    const found: Case = {
      key,
      incident,
      evidence: new Evidence(),
      fromMinute: startMinute,
      takenTo: startMinute - 1,
      askAgainMs: detectedMs + ASK_AGAIN_MS,
      told: {}
    }
    this.#keep(found)
    this.#latest.set(key, found)
    chronicle(incident, detectedMs, openedText(incident))
    this.#update(found, finding)
    this.#askChanges(found)
  }

  #keep(found: Case): void {
    const { id, upstream } = found.incident
    this.#incidents = null
    const before = this.#cases.get(id)
    if (before !== undefined) this.#remove(before)
    this.#cases.set(id, found)
    const same = this.#byUpstream.get(upstream)
    if (same === undefined) this.#byUpstream.set(upstream, new Set([found]))
    else same.add(found)
  }

  #remove(found: Case): void {
    const { id, upstream } = found.incident
    this.#incidents = null
    this.#cases.delete(id)
    const same = this.#byUpstream.get(upstream)
    same?.delete(found)
    if (same?.size === 0) this.#byUpstream.delete(upstream)
  }

  #continue(found: Case, finding: Finding): void {
    const { incident } = found
    incident.continued++
    incident.state = 'open'
    incident.endMs = null
    found.fromMinute = Math.max(finding.startMinute, found.takenTo + 1)
    chronicle(incident, (finding.minute + 1) * MINUTE_MS, 'began again')
    found.takenTo = found.fromMinute - 1
    this.#update(found, finding)
  }

  #resolve(incident: Incident, endMs: number, because: Finding['because']): void {
    incident.state = 'resolved'
    incident.endMs = endMs
    chronicle(incident, endMs, resolvedText(incident, because))
  }

  #update(found: Case, finding: Finding): void {
    const { incident } = found
    const { minute, windows } = finding
    const { failures, requests } = incident
    const minutes = takeMinutes(found, minute, this.#options.minutes)
    if (finding.cause === 'no_requests') incident.expected = finding.requestsExpected || incident.expected
    else incident.expected += expectedIn(finding, minutes, incident.requests - requests)
    incident.lately = windows
    for (const { pValue } of windows) incident.pValue = Math.min(incident.pValue, pValue)
    incident.updatedMs = Math.max(incident.updatedMs, (minute + 1) * MINUTE_MS)
    this.#show(found, failures)
    this.#changed.add(incident)
  }

  /** Brings the incident's fields up to what its evidence says; `failures`: as many as it had before. */
  #show({ incident, evidence }: Case, failures: number): void {
    const { severity, rootCause } = incident
    incident.masked = evidence.masked
    const place = evidence.place
    const known = this.#places.get(incident.upstream)
    const better = (place === null || place.namespace === null ? known : undefined) ?? place
    // Whoever was told knows it by these names: Alertmanager would take others for another alert.
    if (better !== null && Object.keys(incident.told).length === 0) {
      incident.service = better.service
      incident.namespace = better.namespace
      incident.ingress = better.ingress
    }
    const leading = evidence.rootCauses.leading()
    incident.rootCause = leading?.rootCause ?? null
    incident.rootCauseShare = { count: leading?.count ?? 0, of: evidence.rootCauses.judged }
    incident.status = evidence.status
    incident.firstId = evidence.firstId
    incident.lastId = evidence.lastId
    incident.example = evidence.example(incident.rootCause)
    incident.pods = evidence.pods.top()
    incident.nodes = evidence.nodes.top()
    incident.controllers = evidence.controllers.top()
    const now = severityOf(incident.cause, incident.failures, evidence)
    if (isMoreSevere(now, severity)) incident.severity = now
    // Its first severity is no news.
    const before = { failures, rootCause, severity: failures === 0 ? incident.severity : severity }
    for (const text of developments(before, incident)) chronicle(incident, incident.updatedMs, text)
  }

  /** False: so many were asked for that this one comes later. */
  #askChanges({ incident, evidence }: Case): boolean {
    const { changesBefore } = this.#options
    if (changesBefore === undefined) return true
    if (this.#asked++ >= ASKED_MAX) return false
    // A minute has a beginning: what happened in it before the first failure came before it.
    const toMs = Math.max(incident.startMs, evidence.firstMs ?? incident.startMs + MINUTE_MS)
    const changes = changesBefore(incident, incident.startMs - CHANGES_MS, toMs)
    if (changes.length === 0 || JSON.stringify(changes) === JSON.stringify(incident.changes)) return true
    incident.changes = changes
    this.#changed.add(incident)
    return true
  }

  #openCase(key: string, minute: number): Case | null {
    const found = this.#latest.get(key)
    if (found === undefined || found.incident.endMs !== null) return null
    return minute >= found.fromMinute && minute <= found.takenTo ? found : null
  }

  #addToMinute({ key, incident }: Case, minute: number, count: number): void {
    incident.failures += count
    incident.peakPerMinute = Math.max(incident.peakPerMinute, this.#options.minutes.failures(key, minute))
    this.#changed.add(incident)
  }
}

/** It is open, it ended lately, or it ended within a day and somebody still takes it for open. */
export function isKept(incident: Incident, clockMs: number): boolean {
  return isLately(incident, clockMs, ENDED_MS) || (isOwed(incident) && isLately(incident, clockMs, OWED_MS))
}

export function isLately({ endMs }: Incident, clockMs: number, withinMs: number): boolean {
  return endMs === null || clockMs - endMs < withinMs
}

/** Takes over what was counted in the minutes up to `minute`; how many these are. */
export function takeMinutes(found: Case, minute: number, recent: RecentMinutes): number {
  const { key, incident, evidence } = found
  const from = Math.max(found.takenTo + 1, minute - KEPT_MINUTES)
  for (let at = from; at <= minute; at++) {
    const more = recent.evidence(key, at)
    if (more !== null) evidence.merge(more)
    const { count, masked } = recent.unseen(key, at)
    evidence.addCounts(count, masked)
    const failures = recent.failures(key, at)
    incident.failures += failures
    incident.peakPerMinute = Math.max(incident.peakPerMinute, failures)
    incident.requests += recent.requests(incident.upstream, at)
  }
  const minutes = Math.max(0, minute - found.takenTo)
  found.takenTo = Math.max(found.takenTo, minute)
  return minutes
}

/** Failures to be expected in the last `minutes`, with so many requests: as in the shortest window that holds them. */
function expectedIn({ windows }: Finding, minutes: number, requests: number): number {
  let window: JudgedWindow | undefined
  for (const one of windows)
    if (window === undefined || (one.minutes < window.minutes ? one.minutes >= minutes : window.minutes < minutes))
      window = one
  if (window === undefined) return 0
  const share = window.requests > 0 ? requests / window.requests : minutes / window.minutes
  return window.expected * share
}

/** After a start: incidents of an earlier process, and what the detector found by itself in the history behind them. */

import { chronicle } from './chronicle.ts'
import { Evidence } from './evidence.ts'
import { MINUTE_MS } from './finding.ts'
import { foldOpen } from './folding.ts'
import type { Incident } from './incident.ts'
import { type Case, CONTINUE_MS, isKept, isLately, takeMinutes } from './incidents.ts'
import { type RecentMinutes, seriesKey } from './minutes.ts'
import { copyOfTold } from './told.ts'

export interface Adopted {
  cases: Case[]
  /** Of these, what is not stored as it is now. */
  changed: Set<Case>
}

/**
 * Where both know of an incident, the stored one stays: its id, and who was told. What history alone shows is new if it goes
 * on or has just ended; what ended before that was another process's to tell.
 */
export function adoptStored(
  stored: readonly Incident[],
  found: readonly Case[],
  clockMs: number,
  recent: RecentMinutes
): Adopted {
  const cases = wanted(stored, clockMs).map(caseOf).sort(byStart)
  const changed = foldOpen(cases)
  const latest = latestOf(cases)
  const ids = new Set(cases.map(({ incident }) => incident.id))

  for (const own of [...found].sort(byStart)) {
    const known = latest.get(own.key)
    if (known !== undefined && belongs(own.incident, known.incident)) {
      if (absorb(known, own, recent)) changed.add(known)
      continue
    }
    const { incident } = own
    const isOld = known !== undefined && incident.startMs < known.incident.startMs
    if (isOld || ids.has(incident.id) || !isLately(incident, clockMs, CONTINUE_MS)) continue
    incident.parent = null
    incident.group = null
    // What changed may not have been known when history was told.
    if (incident.endMs === null) own.askAgainMs = clockMs
    cases.push(own)
    changed.add(own)
    latest.set(own.key, own)
  }
  const known = new Set(cases.map(({ incident }) => incident.id))
  for (const { incident } of cases) if (incident.parent !== null && !known.has(incident.parent)) incident.parent = null
  return { cases, changed }
}

/** By series; what is open is what the detector finds something of, whatever began and ended behind it. */
export function latestOf(cases: readonly Case[]): Map<string, Case> {
  const latest = new Map<string, Case>()
  for (const found of [...cases].sort(byStart))
    if (found.incident.endMs === null || latest.get(found.key)?.incident.endMs !== null) latest.set(found.key, found)
  return latest
}

/** Those that are kept, and those that any of them belongs to. */
function wanted(stored: readonly Incident[], clockMs: number): Incident[] {
  const kept = stored.filter(incident => isKept(incident, clockMs))
  const parents = new Set(kept.map(({ parent }) => parent))
  const byId = new Map<string, Incident>()
  for (const incident of stored)
    if (isKept(incident, clockMs) || parents.has(incident.id)) byId.set(incident.id, incident)
  return [...byId.values()]
}

function caseOf(stored: Incident): Case {
  const incident: Incident = { ...stored, timeline: [...stored.timeline], told: { ...stored.told } }
  const evidence = new Evidence()
  evidence.restore(stored)
  return {
    key: seriesKey(stored.upstream, stored.cause),
    incident,
    evidence,
    fromMinute: Math.round(stored.startMs / MINUTE_MS),
    takenTo: Math.round((stored.endMs ?? stored.updatedMs) / MINUTE_MS) - 1,
    askAgainMs: stored.endMs === null && stored.changes.length === 0 ? stored.updatedMs : null,
    told: copyOfTold(incident.told)
  }
}

function byStart(a: Case, b: Case): number {
  return a.incident.startMs - b.incident.startMs || a.incident.detectedMs - b.incident.detectedMs
}

/** They overlap, or the one that history shows continues the other. */
function belongs(own: Incident, known: Incident): boolean {
  if ((own.endMs ?? Number.POSITIVE_INFINITY) <= known.startMs) return false
  return known.endMs === null || own.startMs < known.endMs || own.detectedMs - known.endMs <= CONTINUE_MS
}

/** Whether that changed the stored one. */
function absorb(known: Case, own: Case, recent: RecentMinutes): boolean {
  const { incident } = known
  const { endMs, updatedMs } = own.incident
  if (incident.endMs === null) {
    // The earlier process saw failures behind what history takes for the end: the detector goes on, and will see.
    if (endMs !== null && endMs < incident.updatedMs) return false
    takeOver(known, own, recent)
  } else {
    if (endMs !== null && endMs <= incident.endMs) return false
    const startsAgain = endMs === null || own.incident.startMs >= incident.endMs
    if (startsAgain) {
      incident.continued++
      chronicle(incident, updatedMs, 'began again')
    }
    known.fromMinute = Math.max(own.fromMinute, known.takenTo + 1)
    takeOver(known, own, recent)
  }
  if (endMs !== null) chronicle(incident, endMs, own.incident.timeline.at(-1)?.text ?? 'resolved')
  incident.endMs = endMs
  incident.state = own.incident.state
  return true
}

function takeOver(known: Case, own: Case, recent: RecentMinutes): void {
  const { incident } = known
  const { failures, expected, requests, updatedMs, pValue, lately, startMs, peakPerMinute } = own.incident
  const isNew = startMs >= incident.updatedMs
  const before = { failures: incident.failures, requests: incident.requests, expected: incident.expected }
  takeMinutes(known, own.takenTo, recent)
  // Minutes that are no longer kept are known by their sums alone.
  incident.failures = Math.max(incident.failures, failures + (isNew ? before.failures : 0))
  incident.peakPerMinute = Math.max(incident.peakPerMinute, peakPerMinute)
  incident.requests = Math.max(incident.requests, requests + (isNew ? before.requests : 0))
  incident.expected = Math.max(incident.expected, expected + (isNew ? before.expected : 0))
  incident.updatedMs = Math.max(incident.updatedMs, updatedMs)
  incident.pValue = Math.min(incident.pValue, pValue)
  incident.lately = lately
}

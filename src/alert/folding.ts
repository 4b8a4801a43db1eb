/** Of several open incidents of one series one is left: two processes that overlapped may have opened one each. */

import { chronicle, isMoreSevere } from './chronicle.ts'
import type { Incident } from './incident.ts'
import type { Case } from './incidents.ts'

/**
 * The earliest goes on, the others end where they were judged last. `cases` in the order in which they began. Returns what was
 * changed.
 */
export function foldOpen(cases: readonly Case[]): Set<Case> {
  const changed = new Set<Case>()
  const first = new Map<string, Case>()
  /** By id of one that ends: the one that goes on. */
  const goesOn = new Map<string, Incident>()
  for (const found of cases) {
    if (found.incident.endMs !== null) continue
    const known = first.get(found.key)
    if (known === undefined) first.set(found.key, found)
    else {
      fold(known, found)
      goesOn.set(found.incident.id, known.incident)
      changed.add(known).add(found)
    }
  }
  if (goesOn.size > 0) for (const moved of moveMembers(cases, goesOn)) changed.add(moved)
  return changed
}

/** Both have counted the same failures, or the second the later ones: whoever has seen more of them knows them better. */
function fold(known: Case, other: Case): void {
  const { incident } = known
  const { incident: folded } = other
  if (folded.failures > incident.failures) {
    incident.failures = folded.failures
    known.evidence = other.evidence
  }
  incident.requests = Math.max(incident.requests, folded.requests)
  incident.expected = Math.max(incident.expected, folded.expected)
  incident.peakPerMinute = Math.max(incident.peakPerMinute, folded.peakPerMinute)
  incident.pValue = Math.min(incident.pValue, folded.pValue)
  incident.updatedMs = Math.max(incident.updatedMs, folded.updatedMs)
  if (isMoreSevere(folded.severity, incident.severity)) incident.severity = folded.severity
  known.takenTo = Math.max(known.takenTo, other.takenTo)
  folded.state = 'resolved'
  folded.endMs = folded.updatedMs
  other.askAgainMs = null
  chronicle(folded, folded.updatedMs, `resolved: it is the same as ${incident.id}`)
}

/** What was told with one that ends is told with the one that goes on, or with that one's head. */
function* moveMembers(cases: readonly Case[], goesOn: ReadonlyMap<string, Incident>): Generator<Case> {
  const byId = new Map(cases.map(found => [found.incident.id, found]))
  for (const found of cases) {
    const { incident } = found
    const folded = incident.parent === null ? undefined : byId.get(incident.parent)
    const other = folded && goesOn.get(folded.incident.id)
    if (folded === undefined || other === undefined || goesOn.has(incident.id)) continue
    const isItself = other.parent === null || goesOn.has(other.parent)
    const head = isItself ? other : byId.get(other.parent!)?.incident
    const isHead = head === undefined || head === incident
    incident.parent = isHead ? null : head.id
    const above = isHead ? incident : head
    if (above.group === null && folded.incident.group !== null) {
      above.group = folded.incident.group
      yield byId.get(above.id)!
    }
    yield found
  }
}

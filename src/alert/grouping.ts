/**
 * Which incidents are told as one. Causes of one service that start together go under the earliest; what several services have
 * in common, under the earliest of them all. A group only grows: nothing that was told by itself is moved while it is open, and
 * nothing that has a parent changes it, unless that parent itself goes under another.
 */

import { MINUTE_MS } from './finding.ts'
import type { Incident } from './incident.ts'
import type { IncidentGroup } from './notice.ts'
import { isTold } from './told.ts'

/** How far apart incidents begin that have one reason. */
const TOGETHER_MS = 5 * MINUTE_MS
const SERVICES_MIN = 3
/** Of the failures: they blame one node, or come from one controller. */
const MOSTLY = 0.8

type GroupKey = NonNullable<Incident['group']>

/** An incident that nobody's parent is, with those under it. */
interface Unit {
  head: Incident
  members: Incident[]
}

/** The groups, in the order in which their heads began; without those nobody is told of. */
export function groupsOf(incidents: readonly Incident[]): IncidentGroup[] {
  return unitsOf(incidents).filter(({ head }) => head.severity !== 'none')
}

export function isOpenGroup({ head, members }: IncidentGroup): boolean {
  return head.endMs === null || members.some(({ endMs }) => endMs === null)
}

/**
 * Sets `parent` and `group` of what belongs together by now; `incidents` in the order in which they began. `controllers`: pods
 * of controllers seen lately. Returns what was changed.
 */
export function regroup(incidents: readonly Incident[], controllers: number): Set<Incident> {
  const changed = new Set<Incident>()
  const units = unitsOf(incidents)
  groupServices(units, changed)
  // By incident: the unit under which it is told, and where that stands.
  const places = new Map<Incident, number>()
  for (const [place, { head, members }] of units.entries()) {
    if (head.parent !== null) continue
    places.set(head, place)
    for (const member of members) places.set(member, place)
  }
  for (const [key, matches] of commonKeys(incidents, controllers)) {
    const touched = new Set<number>()
    for (const incident of matches) {
      const place = places.get(incident)
      if (place !== undefined) touched.add(place)
    }
    const inOrder = [...touched].sort((a, b) => a - b).map(place => units[place]!)
    const above = groupAbove(inOrder, key, matches, changed)
    if (above === null) continue
    const place = places.get(above.head)!
    for (const member of above.members) places.set(member, place)
  }
  return changed
}

/** What the grouping of an open incident depends on, as far as it changes. */
export interface GroupingMark {
  isOpen: boolean
  isListedOnly: boolean
  isTold: boolean
  node: string | null
  controller: string | null
}

export function groupingMark(incident: Incident): GroupingMark {
  return {
    isOpen: incident.endMs === null,
    isListedOnly: incident.severity === 'none',
    isTold: isTold(incident),
    node: mostly(incident.nodes, incident),
    controller: mostly(incident.controllers, incident)
  }
}

/** No other grouping comes of it. */
export function isAsMarked(incident: Incident, mark: GroupingMark): boolean {
  return (
    (incident.endMs === null) === mark.isOpen &&
    (incident.severity === 'none') === mark.isListedOnly &&
    isTold(incident) === mark.isTold &&
    mostly(incident.nodes, incident) === mark.node &&
    mostly(incident.controllers, incident) === mark.controller
  )
}

function unitsOf(incidents: readonly Incident[]): Unit[] {
  const heads = new Map<string, Unit>()
  for (const head of incidents) if (head.parent === null) heads.set(head.id, { head, members: [] })
  for (const incident of incidents) if (incident.parent !== null) heads.get(incident.parent)?.members.push(incident)
  for (const { members } of heads.values()) members.sort((a, b) => a.detectedMs - b.detectedMs || a.startMs - b.startMs)
  return [...heads.values()]
}

/** Units by upstream, with their incidents of it. */
type UnitsByUpstream = Map<string, Map<Unit, Incident[]>>

function groupServices(units: readonly Unit[], changed: Set<Incident>): void {
  const byUpstream: UnitsByUpstream = new Map()
  for (const unit of units) {
    const { head, members } = unit
    if (head.severity === 'none' || !isOpenGroup(unit)) continue
    for (const incident of [head, ...members]) {
      const known = byUpstream.get(incident.upstream) ?? new Map<Unit, Incident[]>()
      byUpstream.set(incident.upstream, known)
      const same = known.get(unit)
      if (same === undefined) known.set(unit, [incident])
      else same.push(incident)
    }
  }
  for (const unit of units) {
    const { head } = unit
    const above = aboveOf(unit, byUpstream.get(head.upstream))
    if (above === null || !canJoin(unit, above.head)) continue
    for (const one of [head, ...unit.members]) byUpstream.get(one.upstream)?.get(above)?.push(one)
    join(unit, above, { by: 'service', key: head.upstream }, changed)
  }
}

function aboveOf(unit: Unit, others: Map<Unit, Incident[]> | undefined): Unit | null {
  for (const [other, incidents] of others ?? [])
    if (other !== unit && takesCause(other, unit.head, incidents)) return other
  return null
}

/** A cause of the same service began together with it, and its head comes first, or was told, or stands above services. */
function takesCause({ head }: Unit, other: Incident, ofService: readonly Incident[]): boolean {
  const isAbove = head.group !== null && head.group.by !== 'service'
  if (head.parent !== null || !(other.severity === 'none' || isTold(head) || isAbove || before(head, other)))
    return false
  return ofService.some(one => Math.abs(other.startMs - one.startMs) <= TOGETHER_MS)
}

function before(a: Incident, b: Incident): boolean {
  return a.startMs !== b.startMs
    ? a.startMs < b.startMs
    : a.detectedMs !== b.detectedMs
      ? a.detectedMs < b.detectedMs
      : a.id < b.id
}

/** What was told by itself, or has its own group above services, stays what it is. */
function canJoin({ head }: Unit, above: Incident): boolean {
  if (head.endMs !== null || isTold(head) || head.parent !== null) return false
  return head.group === null || head.group.by === 'service' || isSame(head.group, above.group)
}

function join(unit: Unit, above: Unit, key: GroupKey, changed: Set<Incident>): void {
  for (const incident of [unit.head, ...unit.members]) {
    incident.parent = above.head.id
    incident.group = null
    changed.add(incident)
  }
  if (above.head.group === null) {
    above.head.group = key
    changed.add(above.head)
  }
  above.members.push(unit.head, ...unit.members)
  unit.members = []
}

/** What open incidents of several services may have in common, the most telling first. */
function commonKeys(incidents: readonly Incident[], controllers: number): [GroupKey, Set<Incident>][] {
  const byKey = new Map<string, [GroupKey, Set<Incident>]>()
  const add = (by: GroupKey['by'], key: string | null, incident: Incident): void => {
    if (key === null) return
    const text = `${by}\n${key}`
    const known = byKey.get(text)
    if (known === undefined) byKey.set(text, [{ by, key }, new Set([incident])])
    else known[1].add(incident)
  }
  const open = incidents.filter(({ endMs, severity }) => endMs === null && severity !== 'none')
  for (const incident of open) add('node', mostly(incident.nodes, incident), incident)
  if (controllers >= 2) for (const incident of open) add('controller', mostly(incident.controllers, incident), incident)
  for (const incident of open) add('cause', incident.cause, incident)
  return [...byKey.values()]
}

function mostly(counts: readonly [string, number][], { failures }: Incident): string | null {
  const first = counts[0]
  return first !== undefined && first[1] >= failures * MOSTLY ? first[0] : null
}

/** `touched`: units that nobody's parent is and that have a match, in order. Returns the one under which others came. */
function groupAbove(
  touched: readonly Unit[],
  key: GroupKey,
  matches: ReadonlySet<Incident>,
  changed: Set<Incident>
): Unit | null {
  const free = touched.filter(
    ({ head }) => head.group === null || head.group.by === 'service' || isSame(head.group, key)
  )
  const existing = free.find(({ head }) => isSame(head.group, key))
  const above = existing ?? firstTogether(free, matches)
  if (above === undefined) return null
  let hasGrown = false
  for (const unit of free) {
    if (unit === above || !canJoin(unit, above.head)) continue
    const afterMs = unit.head.startMs - above.head.startMs
    // To a group that is there whatever begins comes, also later.
    if (afterMs < -TOGETHER_MS || (existing === undefined && afterMs > TOGETHER_MS)) continue
    join(unit, above, key, changed)
    above.head.group = key
    changed.add(above.head)
    hasGrown = true
  }
  return hasGrown ? above : null
}

/** The earliest unit that begins together with those of enough services; `free` in the order in which they began. */
function firstTogether(free: readonly Unit[], matches: ReadonlySet<Incident>): Unit | undefined {
  return free.find((unit, i) => {
    if (unit.head.severity === 'none') return false
    const services = new Set<string>()
    for (let at = i; at < free.length && services.size < SERVICES_MIN; at++) {
      const { head, members } = free[at]!
      if (head.startMs - unit.head.startMs > TOGETHER_MS) break
      if (matches.has(head)) services.add(head.upstream)
      for (const one of members) {
        if (services.size >= SERVICES_MIN) break
        if (matches.has(one)) services.add(one.upstream)
      }
    }
    return services.size >= SERVICES_MIN
  })
}

function isSame(a: GroupKey | null, b: GroupKey | null): boolean {
  return a !== null && b !== null && a.by === b.by && a.key === b.key
}

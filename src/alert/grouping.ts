/**
 * Which incidents are told as one. Causes of one service that start together go under the earliest; what several services have
 * in common, under the earliest of them all. A group only grows: nothing that was told by itself is moved while it is open, and
 * nothing that has a parent changes it, unless that parent itself goes under another.
 */

import { MINUTE_MS } from './finding.ts'
import type { Incident } from './incident.ts'
import type { IncidentGroup } from './notice.ts'

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
  groupServices(unitsOf(incidents), changed)
  for (const [key, matches] of commonKeys(incidents, controllers)) groupAbove(unitsOf(incidents), key, matches, changed)
  return changed
}

function unitsOf(incidents: readonly Incident[]): Unit[] {
  const heads = new Map<string, Unit>()
  for (const head of incidents) if (head.parent === null) heads.set(head.id, { head, members: [] })
  for (const incident of incidents) if (incident.parent !== null) heads.get(incident.parent)?.members.push(incident)
  for (const { members } of heads.values()) members.sort((a, b) => a.detectedMs - b.detectedMs || a.startMs - b.startMs)
  return [...heads.values()]
}

function groupServices(units: readonly Unit[], changed: Set<Incident>): void {
  const byUpstream = new Map<string, Unit[]>()
  for (const unit of units) {
    const { head, members } = unit
    if (head.severity === 'none' || !isOpenGroup(unit)) continue
    for (const upstream of new Set([head, ...members].map(one => one.upstream))) {
      const known = byUpstream.get(upstream)
      if (known === undefined) byUpstream.set(upstream, [unit])
      else known.push(unit)
    }
  }
  for (const unit of units) {
    const { head } = unit
    const above = byUpstream.get(head.upstream)?.find(other => other !== unit && takesCause(other, head))
    if (above !== undefined && canJoin(unit, above.head))
      join(unit, above, { by: 'service', key: head.upstream }, changed)
  }
}

/** A cause of the same service began together with it, and its head comes first, or was told, or stands above services. */
function takesCause({ head, members }: Unit, other: Incident): boolean {
  const isAbove = head.group !== null && head.group.by !== 'service'
  if (head.parent !== null || !(other.severity === 'none' || isTold(head) || isAbove || before(head, other)))
    return false
  return [head, ...members].some(
    one => one.upstream === other.upstream && Math.abs(other.startMs - one.startMs) <= TOGETHER_MS
  )
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

function isTold({ told }: Incident): boolean {
  return Object.keys(told).length > 0
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

function groupAbove(
  units: readonly Unit[],
  key: GroupKey,
  matches: ReadonlySet<Incident>,
  changed: Set<Incident>
): void {
  const touched = units.filter(({ head, members }) => matches.has(head) || members.some(one => matches.has(one)))
  const free = touched.filter(
    ({ head }) => head.group === null || head.group.by === 'service' || isSame(head.group, key)
  )
  const existing = free.find(({ head }) => isSame(head.group, key))
  const above = existing ?? firstTogether(free, matches)
  if (above === undefined) return
  for (const unit of free) {
    if (unit === above || !canJoin(unit, above.head)) continue
    const afterMs = unit.head.startMs - above.head.startMs
    // To a group that is there whatever begins comes, also later.
    if (afterMs < -TOGETHER_MS || (existing === undefined && afterMs > TOGETHER_MS)) continue
    join(unit, above, key, changed)
    above.head.group = key
    changed.add(above.head)
  }
}

/** The earliest unit that begins together with those of enough services; `free` in the order in which they began. */
function firstTogether(free: readonly Unit[], matches: ReadonlySet<Incident>): Unit | undefined {
  return free.find((unit, i) => {
    if (unit.head.severity === 'none') return false
    const services = new Set<string>()
    for (let at = i; at < free.length && services.size < SERVICES_MIN; at++) {
      const { head, members } = free[at]!
      if (head.startMs - unit.head.startMs > TOGETHER_MS) break
      for (const one of [head, ...members]) if (matches.has(one)) services.add(one.upstream)
    }
    return services.size >= SERVICES_MIN
  })
}

function isSame(a: GroupKey | null, b: GroupKey | null): boolean {
  return a !== null && b !== null && a.by === b.by && a.key === b.key
}

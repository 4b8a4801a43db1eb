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
    const same = byUpstream.get(unit.head.upstream)
    if (same === undefined) byUpstream.set(unit.head.upstream, [unit])
    else same.push(unit)
  }
  for (const same of byUpstream.values()) {
    const heads = same.filter(({ head, members }) => head.severity !== 'none' && isOpenGroup({ head, members }))
    for (const unit of same) {
      const { head } = unit
      const above = heads.find(
        other =>
          other !== unit && canHead(other.head, head) && Math.abs(head.startMs - other.head.startMs) <= TOGETHER_MS
      )
      if (above === undefined || !canJoin(unit, above.head)) continue
      join(unit, above, { by: 'service', key: head.upstream }, changed)
      heads.splice(heads.indexOf(unit), heads.includes(unit) ? 1 : 0)
    }
  }
}

/** `head` comes first, or was told already. */
function canHead(head: Incident, other: Incident): boolean {
  if (head.parent !== null) return false
  return other.severity === 'none' || isTold(head) || before(head, other)
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
function commonKeys(incidents: readonly Incident[], controllers: number): [GroupKey, Incident[]][] {
  const byKey = new Map<string, [GroupKey, Incident[]]>()
  const add = (by: GroupKey['by'], key: string | null, incident: Incident): void => {
    if (key === null) return
    const text = `${by}\n${key}`
    const known = byKey.get(text)
    if (known === undefined) byKey.set(text, [{ by, key }, [incident]])
    else known[1].push(incident)
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

function groupAbove(units: readonly Unit[], key: GroupKey, matches: readonly Incident[], changed: Set<Incident>): void {
  const touched = units.filter(
    ({ head, members }) => matches.includes(head) || members.some(one => matches.includes(one))
  )
  const free = touched.filter(
    ({ head }) => head.group === null || head.group.by === 'service' || isSame(head.group, key)
  )
  const existing = free.find(({ head }) => isSame(head.group, key))
  const above = existing ?? firstTogether(free, matches)
  if (above === undefined) return
  for (const unit of free) {
    if (unit === above || !canJoin(unit, above.head)) continue
    if (existing === undefined && unit.head.startMs - above.head.startMs > TOGETHER_MS) continue
    join(unit, above, key, changed)
    above.head.group = key
    changed.add(above.head)
  }
}

/** The earliest unit that begins together with those of enough services. */
function firstTogether(free: readonly Unit[], matches: readonly Incident[]): Unit | undefined {
  return free.find(({ head }) => {
    if (head.severity === 'none') return false
    const near = free.filter(other => {
      const afterMs = other.head.startMs - head.startMs
      return afterMs >= 0 && afterMs <= TOGETHER_MS
    })
    const services = new Set(
      near.flatMap(unit => [unit.head, ...unit.members].filter(one => matches.includes(one)).map(one => one.upstream))
    )
    return services.size >= SERVICES_MIN
  })
}

function isSame(a: GroupKey | null, b: GroupKey | null): boolean {
  return a !== null && b !== null && a.by === b.by && a.key === b.key
}

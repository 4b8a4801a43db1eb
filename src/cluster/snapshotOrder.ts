/**
 * What files say → one history. Lists that were taken together count as one, several are replayed in order of their time.
 * Nobody wrote down when a list was taken: the newest time in it tells, where its objects change all the time.
 */

import type { ClusterEvent, ListEvent, ObjectEvent } from './event.ts'
import type { FileList, WatchedObject } from './fileContent.ts'
import { CLUSTER_KINDS, type Kind, type KubeObject } from './objects.ts'
import { newestTime } from './objectTime.ts'

/** As read from one file. */
export interface FileHistory {
  /** File time, Unix ms; null: not known. */
  modifiedMs: number | null
  lists: readonly FileList[]
  watched: readonly WatchedObject[]
  dated: readonly ClusterEvent[]
}

/** Files of one collection are written within this time. */
const TOGETHER_MS = 5 * 60_000
/** Their objects say every few minutes that they live. */
const CLOCK_KINDS: ReadonlySet<Kind> = new Set(['Node', 'Lease', 'PodMetrics'])

interface Part {
  list: FileList
  /** null: of all. */
  namespace: string | null
  newestMs: number
  modifiedMs: number | null
}

interface Snapshot {
  atMs: number
  modifiedMs: number | null
  parts: Part[]
}

/** Events that stay together. */
interface Unit {
  atMs: number
  events: ClusterEvent[]
}

/** All events in the order in which they happened. `nowMs`: when the newest snapshot was taken; null: not told. */
export function historyOf(files: readonly FileHistory[], nowMs: number | null): ClusterEvent[] {
  const parts: Part[] = []
  const units: Unit[] = []
  for (const file of files) {
    for (const list of file.lists) parts.push(partOf(list, file.modifiedMs))
    const { first, units: later } = recordingOf(file.watched)
    if (first.length > 0) parts.push(partOf(listOf(first), file.modifiedMs))
    units.push(...later, ...datedUnits(file.dated))
  }
  const snapshots = snapshotsOf(parts)
  if (nowMs !== null && snapshots.length > 0) snapshots.at(-1)!.atMs = nowMs
  for (const snapshot of snapshots) units.push({ atMs: snapshot.atMs, events: snapshotEvents(snapshot) })
  return units.sort((one, other) => one.atMs - other.atMs).flatMap(unit => unit.events)
}

function partOf(list: FileList, modifiedMs: number | null): Part {
  const namespaces = new Set<string>()
  let newestMs = Number.NEGATIVE_INFINITY
  for (const object of list.objects) {
    newestMs = Math.max(newestMs, newestTime(object))
    if (!CLUSTER_KINDS.has(object.kind)) namespaces.add(object.metadata.namespace ?? '')
  }
  // `-n shop` and `-A` print the same form: where there is one namespace only, others may not have been asked for.
  const namespace = namespaces.size === 1 ? [...namespaces][0]! : null
  return { list, namespace, newestMs, modifiedMs }
}

/** One object alone says nothing of others of its kind. */
function listOf(objects: readonly KubeObject[]): FileList {
  const kinds = new Set(objects.length > 1 ? objects.map(object => object.kind) : [])
  return { objects: [...objects], kinds, unreadable: new Map() }
}

/** Lists with clocks first, by time; then the others, newest first, each to the one that it fits. */
function snapshotsOf(parts: readonly Part[]): Snapshot[] {
  const snapshots: Snapshot[] = []
  const clocks = parts.filter(hasClock).sort((one, other) => one.newestMs - other.newestMs)
  const others = parts.filter(part => !hasClock(part)).sort((one, other) => other.newestMs - one.newestMs)
  for (const part of [...clocks, ...others]) {
    const fitting = snapshots.filter(snapshot => snapshot.parts.every(other => isDisjoint(part, other)))
    const snapshot =
      fitting.find(one => isNear(one.atMs, part.newestMs)) ??
      fitting.find(one => !(hasClock(part) && one.parts.some(hasClock)) && isWrittenWith(one, part)) ??
      (snapshots.length === 1 && !hasClock(part) ? fitting.find(one => part.newestMs <= one.atMs) : undefined)
    if (snapshot === undefined) {
      snapshots.push({ atMs: timeOfPart(part), modifiedMs: part.modifiedMs, parts: [part] })
    } else {
      snapshot.parts.push(part)
      snapshot.atMs = Math.max(snapshot.atMs, part.newestMs)
    }
  }
  return snapshots.sort((one, other) => one.atMs - other.atMs)
}

function hasClock(part: Part): boolean {
  return part.list.objects.some(object => CLOCK_KINDS.has(object.kind))
}

function timeOfPart(part: Part): number {
  return part.newestMs > Number.NEGATIVE_INFINITY ? part.newestMs : (part.modifiedMs ?? 0)
}

function isNear(one: number | null, other: number | null): boolean {
  return one !== null && other !== null && Math.abs(one - other) <= TOGETHER_MS
}

/** By the times of the files; but a list is never older than what is in it. */
function isWrittenWith(snapshot: Snapshot, part: Part): boolean {
  return (
    isNear(snapshot.modifiedMs, part.modifiedMs) && (part.newestMs <= snapshot.atMs || !snapshot.parts.some(hasClock))
  )
}

function isDisjoint(one: Part, other: Part): boolean {
  const isElsewhere = one.namespace !== null && other.namespace !== null && one.namespace !== other.namespace
  if (isElsewhere) return true
  if (one.list.kinds.size > 0 && other.list.kinds.size > 0)
    return [...one.list.kinds].every(kind => !other.list.kinds.has(kind))
  const identities = new Set(one.list.objects.map(identityOf))
  return other.list.objects.every(object => !identities.has(identityOf(object)))
}

function snapshotEvents({ atMs: at, parts }: Snapshot): ClusterEvent[] {
  const events: ClusterEvent[] = []
  const scopes = new Map<string | null, Part[]>()
  for (const part of parts) {
    const scope = part.namespace === '' ? null : part.namespace
    scopes.set(scope, [...(scopes.get(scope) ?? []), part])
  }
  for (const [namespace, together] of scopes) {
    const kinds = new Set(together.flatMap(part => [...part.list.kinds]))
    const unreadable = Object.fromEntries(
      together.flatMap(part => [...part.list.unreadable])
    ) as ListEvent['unreadable']
    const objects = together.flatMap(part => part.list.objects)
    // Nodes are in no namespace: of them the list says all, whatever else it holds.
    const global = namespace === null ? [] : [...kinds].filter(kind => CLUSTER_KINDS.has(kind))
    const inside = [...kinds].filter(kind => !global.includes(kind))
    const alone = objects.filter(object => !kinds.has(object.kind))
    if (global.length > 0)
      events.push(
        ...listEvents(
          at,
          global,
          {},
          null,
          objects.filter(object => global.includes(object.kind))
        )
      )
    if (inside.length > 0 || Object.keys(unreadable).length > 0)
      events.push(
        ...listEvents(
          at,
          inside,
          unreadable,
          namespace === null ? null : [namespace],
          objects.filter(object => inside.includes(object.kind))
        )
      )
    events.push(...alone.map(object => added(at, object)))
  }
  return events
}

/** The form in which events tell a list. */
export function listEvents(
  at: number,
  kinds: Kind[],
  unreadable: ListEvent['unreadable'],
  namespaces: string[] | null,
  objects: readonly KubeObject[]
): ClusterEvent[] {
  const list = { at, kinds, unreadable, namespaces }
  return [{ ...list, type: 'LIST_START' }, ...objects.map(object => added(at, object)), { ...list, type: 'LIST_END' }]
}

function added(at: number, object: KubeObject): ObjectEvent {
  return { at, type: 'ADDED', object }
}

/**
 * What a watch printed has no times, but an order. It begins with a list: everything up to the first object that comes again.
 * From then on the newest time seen so far is the clock.
 */
function recordingOf(watched: readonly WatchedObject[]): { first: KubeObject[]; units: Unit[] } {
  const seen = new Set<string>()
  const first: KubeObject[] = []
  const units: Unit[] = []
  let clockMs = Number.NEGATIVE_INFINITY
  for (const { type, object } of watched) {
    const identity = identityOf(object)
    const isNew = !seen.has(identity)
    clockMs = Math.max(clockMs, newestTime(object))
    if (units.length === 0 && isNew && (type === null || type === 'ADDED')) first.push(object)
    else units.push({ atMs: clockMs, events: [{ at: clockMs, type: type ?? (isNew ? 'ADDED' : 'MODIFIED'), object }] })
    if (type === 'DELETED') seen.delete(identity)
    else seen.add(identity)
  }
  return { first, units: units.filter(unit => unit.atMs > Number.NEGATIVE_INFINITY) }
}

function identityOf({ kind, metadata }: KubeObject): string {
  return JSON.stringify([kind, metadata.namespace, metadata.name, metadata.uid])
}

/** A recorded list is one unit; without its end it says nothing of what is not in it. */
function datedUnits(dated: readonly ClusterEvent[]): Unit[] {
  const units: Unit[] = []
  let list: ClusterEvent[] | null = null
  const giveUp = () => {
    for (const event of list?.slice(1) ?? []) units.push({ atMs: event.at, events: [event] })
    list = null
  }
  for (const event of dated) {
    if (event.type === 'LIST_START') {
      giveUp()
      list = [event]
    } else if (list === null) {
      if (event.type !== 'LIST_END') units.push({ atMs: event.at, events: [event] })
    } else {
      list.push(event)
      if (event.type !== 'LIST_END') continue
      units.push({ atMs: event.at, events: list })
      list = null
    }
  }
  giveUp()
  return units
}

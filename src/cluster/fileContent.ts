/**
 * Values of one file → what they say of a cluster. A file may hold lists, single objects, what `kubectl get -w` printed, an
 * audit log or our own record, also one after the other.
 */

import { auditEvent, isAuditLine, kindOfResource } from './auditLine.ts'
import type { ClusterEvent, ObjectEvent } from './event.ts'
import { isRecord, ownField } from './fieldShape.ts'
import { type KeepOptions, keptObject, kindOf } from './keptFields.ts'
import type { Kind, KubeObject } from './objects.ts'
import { isRecordedEvent, recordedEvent } from './recordedEvent.ts'

/** What one list held. */
export interface FileList {
  objects: KubeObject[]
  /** All there was of these kinds. */
  kinds: Set<Kind>
  unreadable: Map<Kind, string>
}

/** An object as `kubectl get -w` printed it, in order and without a time. */
export interface WatchedObject {
  /** null: without `--output-watch-events`. */
  type: ObjectEvent['type'] | null
  object: KubeObject
}

export interface Counts {
  /** Values of Kubernetes, of whatever kind. */
  recognised: number
  objects: number
  /** By kind as written; at most 100. */
  unknownKinds: Map<string, number>
  /** Of our kinds, but without a name or in parts unreadable; lines of an audit log that changed nothing of ours. */
  leftOut: number
  /** No JSON, or cut off in the middle. */
  broken: number
}

const UNKNOWN_MAX = 100
const WATCH_TYPES = new Set<unknown>(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'])

export class FileContent {
  readonly lists: FileList[] = []
  /** Objects that stand alone, and watched ones. */
  readonly watched: WatchedObject[] = []
  /** With times of their own. */
  readonly dated: ClusterEvent[] = []
  readonly counts: Counts = { recognised: 0, objects: 0, unknownKinds: new Map(), leftOut: 0, broken: 0 }
  readonly #options: KeepOptions
  /** Items of the list that is being read. */
  #items: FileList = newList()
  /** Their kind is that of the list, which comes after them or before. */
  #nameless: Record<string, unknown>[] = []
  /** Kinds of which an item could not be read: it must not be missed. */
  #incomplete = new Set<Kind>()

  constructor(options: KeepOptions) {
    this.#options = options
  }

  item(value: unknown): void {
    if (isRecord(value) && ownField(value, 'kind') === undefined && isRecord(ownField(value, 'metadata')))
      this.#nameless.push(value)
    else if (isRecordedEvent(value) || isAuditLine(value) || isWatchEvent(value)) this.value(value, false)
    else this.#listed(value)
  }

  /** Anything between lists, or a list whose items came before. */
  value(value: unknown, isList: boolean): void {
    if (isList) return this.#endList(value)
    if (isAuditLine(value)) this.#dated(auditEvent(value, this.#options))
    else if (isRecordedEvent(value)) this.#dated(recordedEvent(value, this.#options))
    else if (isWatchEvent(value)) this.#watchEvent(value)
    else if (ownField(value, 'kind') === 'Status') {
      const list = newList()
      this.#status(value, list)
      if (list.unreadable.size > 0) this.lists.push(list)
    } else {
      const object = this.#kept(value)
      if (object !== null) this.watched.push({ type: null, object })
    }
  }

  /** After the last value: items of a list that was cut off are objects all the same. */
  end(): void {
    if (this.#items.objects.length > 0) this.lists.push({ ...newList(), objects: this.#items.objects })
    this.counts.broken += this.#nameless.length
  }

  #dated(event: ClusterEvent | null): void {
    this.counts.recognised += 1
    if (event === null) this.counts.leftOut += 1
    else {
      this.dated.push(event)
      if ('object' in event) this.counts.objects += 1
    }
  }

  #watchEvent(value: unknown): void {
    const type = ownField(value, 'type')
    if (type === 'BOOKMARK' || type === 'ERROR') {
      this.counts.recognised += 1
      return
    }
    const object = this.#kept(ownField(value, 'object'))
    if (object !== null) this.watched.push({ type: type as ObjectEvent['type'], object })
  }

  #listed(value: unknown): void {
    if (ownField(value, 'kind') === 'Status') return this.#status(value, this.#items)
    const kind = kindOf(ownField(value, 'kind'), ownField(value, 'apiVersion'))
    if (kind !== null) this.#items.kinds.add(kind)
    const object = this.#kept(value)
    if (object !== null) this.#items.objects.push(object)
    else if (kind !== null) this.#incomplete.add(kind)
  }

  #endList(value: unknown): void {
    const written = ownField(value, 'kind')
    const apiVersion = ownField(value, 'apiVersion')
    const name = typeof written === 'string' && written.endsWith('List') ? written.slice(0, -'List'.length) : ''
    const kind = kindOf(name, apiVersion)
    // A list of one kind says so also where it is empty.
    if (kind !== null) this.#items.kinds.add(kind)
    for (const item of this.#nameless) {
      const whole = { ...item, kind: name, apiVersion }
      if (isAuditLine(whole)) this.value(whole, false)
      else this.#listed(whole)
    }
    for (const missed of this.#incomplete) this.#items.kinds.delete(missed)
    if (typeof written === 'string' || this.#items.kinds.size > 0) this.counts.recognised += 1
    const { objects, kinds, unreadable } = this.#items
    if (objects.length > 0 || kinds.size > 0 || unreadable.size > 0) this.lists.push(this.#items)
    this.#items = newList()
    this.#nameless = []
    this.#incomplete = new Set()
  }

  /** What the API answers instead of a list: `{"kind":"Status","reason":"Forbidden","details":{"kind":"pods"}}`. */
  #status(value: unknown, list: FileList): void {
    this.counts.recognised += 1
    const kind = kindOfResource(ownField(ownField(value, 'details'), 'kind'))
    const reason = ownField(value, 'message') ?? ownField(value, 'reason')
    if (kind !== null && ownField(value, 'status') === 'Failure')
      list.unreadable.set(kind, typeof reason === 'string' ? reason.slice(0, 300) : 'the API refused it')
  }

  #kept(value: unknown): KubeObject | null {
    const kind = ownField(value, 'kind')
    if (typeof kind !== 'string') {
      this.counts.broken += 1
      return null
    }
    if (typeof ownField(value, 'apiVersion') === 'string' || isRecord(ownField(value, 'metadata')))
      this.counts.recognised += 1
    const object = keptObject(value, this.#options)
    if (object !== null) this.counts.objects += 1
    else if (kindOf(kind, ownField(value, 'apiVersion')) !== null) this.counts.leftOut += 1
    else countKind(this.counts.unknownKinds, kind)
    return object
  }
}

function countKind(kinds: Map<string, number>, kind: string): void {
  const name = kind.slice(0, 100)
  if (kinds.size < UNKNOWN_MAX || kinds.has(name)) kinds.set(name, (kinds.get(name) ?? 0) + 1)
}

function isWatchEvent(value: unknown): boolean {
  return WATCH_TYPES.has(ownField(value, 'type')) && isRecord(ownField(value, 'object'))
}

function newList(): FileList {
  return { objects: [], kinds: new Set(), unreadable: new Map() }
}

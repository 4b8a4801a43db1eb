/**
 * What the watches of one record have written → one stream of events that state can take. Pure.
 *
 *   sent twice            dropped, by the number that each watch gives its events
 *   two watches at once   the newer version of an object stays; a list of one is told whole, what others say meanwhile waits
 *   nobody was there      no heartbeat for a while: GAP_START and GAP_END around it
 *
 * Versions are compared between watches that live at the same time, and only there: of one watch the order is right as it
 * is, and an API server that was restored from a backup counts anew.
 */

import type { ClusterEvent, GapEvent, ListEvent, ObjectEvent } from './event.ts'
import { CLUSTER_KINDS, type KubeObject } from './objects.ts'
import type { RecordedEvent } from './record.ts'

/** A watch says something every 2 s. */
const SILENCE_MS = 15_000
const ALIVE_MS = 30_000
/** What waits for the end of another's list. */
const WAITING_MAX = 200_000
const WRITERS_MAX = 100

interface Writer {
  lastNumber: number
  lastAtMs: number
}

interface Known {
  writer: string
  version: bigint | null
  /** null: it was deleted. */
  object: KubeObject | null
  /** Lists that had begun when it was told. */
  lists: number
}

export class RecordMerge {
  /** Events that were there before, or older than what is known. */
  dropped = 0
  readonly #emit: (event: ClusterEvent) => void
  /** By id, the one heard last at the end. */
  readonly #writers = new Map<string, Writer>()
  /** Newest version of each object, while two watches live. */
  readonly #known = new Map<string, Known>()
  /** By kind: whose gap has not ended. */
  readonly #gaps = new Map<GapEvent['kind'], string>()
  #list: { writer: string } | null = null
  #lists = 0
  #waiting: RecordedEvent[] = []
  #lastAtMs = Number.POSITIVE_INFINITY

  constructor(emit: (event: ClusterEvent) => void) {
    this.#emit = emit
  }

  add(event: RecordedEvent): void {
    if (!this.#hear(event)) {
      this.dropped++
      return
    }
    if (this.#list === null || this.#list.writer === event.writer) this.#take(event)
    else this.#waiting.push(event)
    // A watch that died in its list never ends it.
    while (this.#waiting.length > 0 && (this.#list === null || this.#isGivenUp(this.#list.writer, event.at)))
      this.#takeWaiting()
  }

  /** False: it was heard before. */
  #hear({ writer: id, number, at }: RecordedEvent): boolean {
    const writer = this.#writers.get(id)
    if (writer !== undefined && number <= writer.lastNumber) return false
    this.#writers.delete(id)
    this.#writers.set(id, { lastNumber: number, lastAtMs: Math.max(at, writer?.lastAtMs ?? at) })
    if (this.#writers.size > WRITERS_MAX) this.#writers.delete(this.#writers.keys().next().value!)
    return true
  }

  #isGivenUp(writer: string, atMs: number): boolean {
    return !this.#isAlive(writer, atMs) || this.#waiting.length > WAITING_MAX
  }

  /** Until one of them begins a list. */
  #takeWaiting(): void {
    this.#list = null
    const waiting = this.#waiting
    this.#waiting = []
    for (const event of waiting) {
      const list = this.#list as { writer: string } | null
      if (list === null || list.writer === event.writer) this.#take(event)
      else this.#waiting.push(event)
    }
  }

  #take(event: RecordedEvent): void {
    if (event.at - this.#lastAtMs > SILENCE_MS) {
      this.#emit({ at: this.#lastAtMs, type: 'GAP_START', kind: null })
      this.#emit({ at: event.at, type: 'GAP_END', kind: null })
    }
    this.#lastAtMs = this.#lastAtMs === Number.POSITIVE_INFINITY ? event.at : Math.max(this.#lastAtMs, event.at)
    switch (event.type) {
      case 'LIST_START':
        this.#list = { writer: event.writer }
        this.#lists++
        if (!event.isPartial) this.#endGapsOfOthers(event)
        this.#emit(event)
        break
      case 'LIST_END':
        // Its begin was given up, or lies before what was read.
        if (this.#list === null) return
        this.#list = null
        this.#forgetUnlisted(event)
        this.#emit(event)
        break
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        this.#takeObject(event)
        break
      case 'GAP_START':
        this.#gaps.set(event.kind, event.writer)
        this.#emit(event)
        break
      case 'GAP_END':
        this.#gaps.delete(event.kind)
        this.#emit(event)
        break
      default:
        this.#emit(event)
    }
  }

  /** One that ended while it did not see something never says that it sees it again. */
  #endGapsOfOthers({ at, writer }: RecordedEvent): void {
    for (const [kind, of] of this.#gaps) {
      if (of === writer) continue
      this.#gaps.delete(kind)
      this.#emit({ at, type: 'GAP_END', kind })
    }
  }

  #takeObject(event: ObjectEvent & { writer: string }): void {
    if (!this.#isShared(event)) {
      if (this.#known.size > 0) this.#known.clear()
      this.#emit(event)
      return
    }
    const { object, writer, type } = event
    const key = JSON.stringify([object.kind, object.metadata.namespace ?? '', object.metadata.name])
    const known = this.#known.get(key)
    const version = versionOf(object)
    if (known !== undefined && known.writer !== writer && this.#isAlive(known.writer, event.at)) {
      const isOlder = version !== null && known.version !== null && version < known.version
      const isKnown = version !== null && version === known.version && (type !== 'DELETED' || known.object === null)
      if (isOlder || isKnown) {
        known.lists = this.#lists
        // A list must name everything that is there, and what it names is its newest version.
        if (this.#list !== null && type === 'ADDED' && known.object !== null)
          this.#emit({ ...event, object: known.object })
        else this.dropped++
        return
      }
    }
    this.#known.set(key, { writer, version, object: type === 'DELETED' ? null : object, lists: this.#lists })
    this.#emit(event)
  }

  /** Another watch was heard a moment ago. */
  #isShared({ writer, at }: ObjectEvent & { writer: string }): boolean {
    if (this.#writers.size < 2) return false
    for (const id of this.#writers.keys()) if (id !== writer && this.#isAlive(id, at)) return true
    return false
  }

  #isAlive(writer: string, atMs: number): boolean {
    return atMs - (this.#writers.get(writer)?.lastAtMs ?? Number.NEGATIVE_INFINITY) <= ALIVE_MS
  }

  /** What a whole list does not name is gone. */
  #forgetUnlisted({ kinds, namespaces }: ListEvent): void {
    const listed = new Set(kinds)
    for (const [key, { lists, object }] of this.#known) {
      if (lists >= this.#lists) continue
      const isListed =
        object === null ||
        (listed.has(object.kind) &&
          (namespaces === null ||
            CLUSTER_KINDS.has(object.kind) ||
            namespaces.includes(object.metadata.namespace ?? '')))
      if (isListed) this.#known.delete(key)
    }
  }
}

/** null: it has none that can be compared. */
function versionOf({ metadata }: KubeObject): bigint | null {
  const text = metadata.resourceVersion
  return text !== undefined && /^\d{1,20}$/.test(text) ? BigInt(text) : null
}

/** What was looked at, and when: lists, heartbeats and gaps. It decides what absence means. */

import type { GapEvent, HeartbeatEvent, ListEvent } from './event.ts'
import { CLUSTER_KINDS, type Kind } from './objects.ts'
import type { Gap } from './state.ts'

/** A whole list: everything of these kinds that there was. */
export interface ClusterList {
  startMs: number
  endMs: number
  kinds: ReadonlySet<Kind>
  /** null: all. */
  namespaces: ReadonlySet<string> | null
}

/** A watch says every two seconds that it lives; after this silence it did not. */
const SILENCE_MS = 60_000
const LIST_MARKS_MAX = 4_000
const GAP_MARKS_MAX = 10_000
const HEARTBEATS_MAX = 200_000

export class Coverage {
  /** Rises with everything that can change what is worked out from objects. */
  revision = 0
  #marks: ListEvent[] = []
  #lists: ClusterList[] = []
  /** Of the lists: no list is longer, so that a look-up knows how far to go back. */
  #longestMs = 0
  #lastEndMs = Number.NEGATIVE_INFINITY
  #gapMarks: GapEvent[] = []
  #gaps = new Map<Kind | null, Gap[]>()
  #heartbeats: number[] = []
  /** Silences between heartbeats. */
  #silences: Gap[] = []
  /** Gaps and silences of a kind, until one of them changes. */
  readonly #ofKinds = new Map<Kind, readonly Gap[]>()

  get lists(): readonly ClusterList[] {
    return this.#lists
  }

  /** Begin of the first list of anything: where no kind could be read, none. Oldest begin first. */
  get firstListMs(): number {
    return this.#lists.find(({ kinds }) => kinds.size > 0)?.startMs ?? Number.POSITIVE_INFINITY
  }

  get lastListEndMs(): number {
    return this.#lastEndMs
  }

  /** False: it is known already. */
  addList(event: ListEvent): boolean {
    if (this.#marks.some(mark => mark.at === event.at && mark.type === event.type && isSameScope(mark, event)))
      return false
    insert(this.#marks, event)
    if (this.#marks.length > LIST_MARKS_MAX) this.#marks.shift()
    this.#lists = pairLists(this.#marks)
    this.#lastEndMs = this.#lists.reduce((last, list) => Math.max(last, list.endMs), Number.NEGATIVE_INFINITY)
    this.#longestMs = this.#lists.reduce((longest, list) => Math.max(longest, list.endMs - list.startMs), 0)
    this.revision++
    return true
  }

  addGap(event: GapEvent): boolean {
    if (this.#gapMarks.some(mark => mark.at === event.at && mark.type === event.type && mark.kind === event.kind))
      return false
    insert(this.#gapMarks, event)
    if (this.#gapMarks.length > GAP_MARKS_MAX) this.#gapMarks.shift()
    this.#gaps = pairGaps(this.#gapMarks)
    this.#ofKinds.clear()
    this.revision++
    return true
  }

  addHeartbeat({ at }: HeartbeatEvent): boolean {
    const times = this.#heartbeats
    let index = times.length
    while (index > 0 && times[index - 1]! > at) index--
    const before = times[index - 1]
    const after = times[index]
    if (before === at) return false
    times.splice(index, 0, at)
    const silences = this.#silences.length
    if (after !== undefined) this.#silences = this.#silences.filter(({ startMs }) => startMs !== before)
    if (before !== undefined && at - before > SILENCE_MS) this.#silences.push({ startMs: before, endMs: at })
    if (after !== undefined && after - at > SILENCE_MS) this.#silences.push({ startMs: at, endMs: after })
    if (after !== undefined || this.#silences.at(-1)?.endMs === at) this.revision++
    if (after !== undefined || this.#silences.length !== silences || times.length > HEARTBEATS_MAX)
      this.#ofKinds.clear()
    if (times.length > HEARTBEATS_MAX) {
      times.splice(0, HEARTBEATS_MAX / 10)
      this.#silences = this.#silences.filter(({ startMs }) => startMs >= times[0]!)
    }
    return true
  }

  /** A list was being read at that moment, and this was in it. */
  isInList(kind: Kind, namespace: string, at: number): boolean {
    for (let i = this.#firstAfter(at) - 1; i >= 0 && this.#lists[i]!.startMs >= at - this.#longestMs; i--)
      if (at <= this.#lists[i]!.endMs && covers(this.#lists[i]!, kind, namespace)) return true
    return false
  }

  /** Begin of the first list after that moment in which an object of the kind would be; Infinity: none. */
  nextListMs(kind: Kind, namespace: string, after: number): number {
    for (let i = this.#firstAfter(after); i < this.#lists.length; i++)
      if (covers(this.#lists[i]!, kind, namespace)) return this.#lists[i]!.startMs
    return Number.POSITIVE_INFINITY
  }

  isInGap(kind: Kind, at: number): boolean {
    return this.gapsOf(kind).some(({ startMs, endMs }) => startMs <= at && at <= endMs)
  }

  /** Something may have happened between the two moments that nobody saw. */
  hasGap(kind: Kind, from: number, to: number): boolean {
    return this.gapsOf(kind).some(({ startMs, endMs }) => startMs < to && endMs > from)
  }

  /**
   * Until when an object is known to have been as it was last seen, where it was found changed or gone at `until`: up to
   * the gap in which that happened, else up to the last heartbeat, else when it was seen.
   */
  lastKnownMs(kind: Kind, seenMs: number, until: number): number {
    const gapMs = this.gapsOf(kind)
      .filter(({ startMs, endMs }) => startMs < until && endMs > seenMs)
      .reduce((first, { startMs }) => Math.min(first, startMs), Number.POSITIVE_INFINITY)
    if (gapMs !== Number.POSITIVE_INFINITY) return Math.max(seenMs, gapMs)
    const before = this.#heartbeats[lowerBound(this.#heartbeats, until) - 1]
    return before === undefined ? seenMs : Math.max(seenMs, before)
  }

  /** The newest list that says something of the kind decides; null: none does. */
  isReadable(kind: Kind, namespace: string): boolean | null {
    for (let i = this.#marks.length - 1; i >= 0; i--) {
      const mark = this.#marks[i]!
      if (!isInScope(mark.namespaces, kind, namespace)) continue
      if (mark.kinds.includes(kind)) return true
      if (Object.hasOwn(mark.unreadable, kind)) return false
    }
    return null
  }

  /** Some list, of whatever namespaces, had the kind or should have had it. */
  wasAskedFor(kind: Kind): boolean {
    return this.#marks.some(mark => mark.kinds.includes(kind) || Object.hasOwn(mark.unreadable, kind))
  }

  unreadableBecause(kind: Kind): string | null {
    const newest = this.#marks.findLast(mark => mark.kinds.includes(kind) || Object.hasOwn(mark.unreadable, kind))
    if (newest === undefined || newest.kinds.includes(kind)) return null
    return String(newest.unreadable[kind])
  }

  /** All times in which nothing of the kind was seen, in no order. */
  gapsOf(kind: Kind): readonly Gap[] {
    const known = this.#ofKinds.get(kind)
    if (known !== undefined) return known
    const spans = [...(this.#gaps.get(kind) ?? []), ...(this.#gaps.get(null) ?? []), ...this.#silences]
    this.#ofKinds.set(kind, spans)
    return spans
  }

  /** Index of the first list that begins after that moment. */
  #firstAfter(at: number): number {
    let low = 0
    let high = this.#lists.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#lists[middle]!.startMs > at) high = middle
      else low = middle + 1
    }
    return low
  }
}

export function covers(list: ClusterList, kind: Kind, namespace: string): boolean {
  return list.kinds.has(kind) && (list.namespaces === null || CLUSTER_KINDS.has(kind) || list.namespaces.has(namespace))
}

function isInScope(namespaces: readonly string[] | null, kind: Kind, namespace: string): boolean {
  return namespaces === null || CLUSTER_KINDS.has(kind) || namespaces.includes(namespace)
}

/** Index of the first that is not below. */
function lowerBound(times: readonly number[], at: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (times[middle]! < at) low = middle + 1
    else high = middle
  }
  return low
}

/** By time; of equal times what came first. */
function insert<E extends { at: number }>(events: E[], event: E): void {
  let index = events.length
  while (index > 0 && events[index - 1]!.at > event.at) index--
  events.splice(index, 0, event)
}

function scopeOf({ kinds, namespaces }: ListEvent): string {
  return `${kinds.toSorted().join()} ${namespacesText(namespaces)}`
}

function namespacesText(namespaces: readonly string[] | null): string {
  return JSON.stringify(namespaces?.toSorted() ?? null)
}

function isSameScope(a: ListEvent, b: ListEvent): boolean {
  return scopeOf(a) === scopeOf(b) && JSON.stringify(a.unreadable) === JSON.stringify(b.unreadable)
}

/**
 * An end belongs to the newest open begin of its namespaces, best of the same kinds: lists of different kinds may run at the
 * same time, and what cannot be read may turn out on the way. A begin without an end was cut off, and says nothing.
 */
function pairLists(marks: readonly ListEvent[]): ClusterList[] {
  const lists: ClusterList[] = []
  let open: ListEvent[] = []
  // Of one moment the begin comes first: a snapshot is taken at one.
  const byTime = marks.toSorted((a, b) => a.at - b.at || (a.type === b.type ? 0 : a.type === 'LIST_START' ? -1 : 1))
  for (const mark of byTime) {
    if (mark.type === 'LIST_START') {
      open.push(mark)
      continue
    }
    const candidates = open.filter(({ namespaces }) => namespacesText(namespaces) === namespacesText(mark.namespaces))
    const start =
      candidates.findLast(one => scopeOf(one) === scopeOf(mark)) ??
      candidates.findLast(one => one.kinds.some(kind => mark.kinds.includes(kind)))
    if (start === undefined) continue
    open = open.filter(one => one !== start && (scopeOf(one) !== scopeOf(start) || one.at > start.at))
    const kinds = new Set(mark.kinds.filter(kind => start.kinds.includes(kind)))
    const namespaces = mark.namespaces === null ? null : new Set(mark.namespaces)
    lists.push({ startMs: start.at, endMs: mark.at, kinds, namespaces })
  }
  return lists.sort((a, b) => a.startMs - b.startMs)
}

/** Gaps of a kind, and of all of them (null). One that was noticed late began before; one that has not ended lasts. */
function pairGaps(marks: readonly GapEvent[]): Map<Kind | null, Gap[]> {
  const gaps = new Map<Kind | null, Gap[]>()
  const open = new Map<Kind | null, Gap>()
  for (const { at, type, kind, since } of marks) {
    if (type === 'GAP_START') {
      const startMs = Math.min(since ?? at, at)
      const lasting = open.get(kind)
      if (lasting !== undefined) {
        lasting.startMs = Math.min(lasting.startMs, startMs)
        continue
      }
      const span = { startMs, endMs: Number.POSITIVE_INFINITY }
      open.set(kind, span)
      gaps.set(kind, [...(gaps.get(kind) ?? []), span])
    } else {
      for (const ended of kind === null ? [...open.keys()] : [kind]) {
        const span = open.get(ended)
        if (span !== undefined) span.endMs = at
        open.delete(ended)
      }
    }
  }
  return gaps
}

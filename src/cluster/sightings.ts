/** When one object was seen, and how it looked then: the raw truth that histories are worked out from. */

import type { ObjectEvent } from './event.ts'
import type { Kind, KubeObject } from './objects.ts'
import type { Packed } from './packing.ts'
import { type SharedParts, shareWith } from './sharing.ts'
import {
  type Added,
  cutSightings,
  insertSighting,
  type ResourceVersion,
  type Sighting,
  versionOf
} from './sightingOrder.ts'

/** An object that changes all the time keeps its first version and the last of these. */
const SIGHTINGS_MAX = 200
/** How far it may grow beyond it before it is cut. */
const SIGHTINGS_SLACK = 50
/** Lists of a month; of more the oldest are forgotten. */
const AGAIN_MAX = 1_000
const TYPES = ['ADDED', 'MODIFIED', 'DELETED'] as const
/** Marks of a sighting: when, its version as a number (NaN: it is none), and flags. */
const MARKS = 3
const TYPE_FLAGS = 3
const REPEATS_FLAG = 4
const NO_PARTS: readonly unknown[] = []

/** The sightings of one object, by time whatever their order of arrival; packed, but for how it was seen last. */
export class SightingLog {
  readonly kind: Kind
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** The object has no uid: what comes back under its name cannot be told from it. */
  readonly isUidMadeUp: boolean
  #marks: number[] = []
  /** Of each sighting its version where that is no number, then its difference to the one before. */
  #packed: Packed = []
  /** Index of a sighting and when it was seen again, in this order. */
  #again: number[] | null = null
  /** As it was seen last; null: it is to be unpacked. */
  #newest: KubeObject | null = null
  #newestVersion: ResourceVersion = null
  readonly #parts: SharedParts

  constructor(kind: Kind, namespace: string, name: string, uid: string, isUidMadeUp: boolean, parts: SharedParts) {
    this.kind = kind
    this.namespace = namespace
    this.name = name
    this.uid = uid
    this.isUidMadeUp = isUidMadeUp
    this.#parts = parts
  }

  /** Unpacked with every call. */
  sightings(): Sighting[] {
    const sightings: Sighting[] = []
    let place = 0
    let object: unknown
    const marks = this.#marks
    for (let i = 0; i < marks.length; i += MARKS) {
      const [at, number, flags] = [marks[i]!, marks[i + 1]!, marks[i + 2]!]
      const version = Number.isNaN(number) ? (this.#packed[place++] as string | null) : number
      const read = this.#parts.packing.unpack(object, this.#packed, place)
      object = read.object
      place = read.end
      const repeats = (flags & REPEATS_FLAG) !== 0
      sightings.push({
        at,
        type: TYPES[flags & TYPE_FLAGS]!,
        object: object as KubeObject,
        version,
        repeats,
        again: null
      })
    }
    const again = this.#again ?? []
    for (let i = 0; i < again.length; i += 2) (sightings[again[i]!]!.again ??= []).push(again[i + 1]!)
    return sightings
  }

  get length(): number {
    return this.#marks.length / MARKS
  }

  /** By time, then by `resourceVersion`, then by arrival. */
  add({ at, type, object: seen }: ObjectEvent): Added {
    const version = versionOf(seen.metadata.resourceVersion)
    const isNewer = at > this.lastAt
    if (isNewer && version !== null && version === this.#newestVersion && this.#canBeAgain(type))
      return this.#seenAgain(at)
    const { resourceVersion: _version, ...metadata } = seen.metadata
    const object = { ...seen, metadata }
    if (isNewer) return this.#append(at, type, object, version)
    const sightings = this.sightings()
    const added = insertSighting(sightings, { at, type, object }, version, this.isUidMadeUp, this.#parts)
    if (added !== 'nothing') this.#replace(sightings)
    return added
  }

  /** As it was seen last; null: never. */
  newest(): KubeObject | null {
    this.#newest ??= this.sightings().at(-1)?.object ?? null
    return this.#newest
  }

  /** As it was seen last; null: never, or it is not at hand. */
  get newestIfWarm(): KubeObject | null {
    return this.#newest
  }

  /** Nobody asked for it lately: it is to take as little room as it can. */
  rest(): void {
    this.#newest = null
    this.#marks = this.#marks.slice()
    this.#packed = this.#packed.slice()
    this.#again &&= this.#again.slice()
  }

  /** Too long: `cut` would drop something. */
  get isLong(): boolean {
    return this.length > SIGHTINGS_MAX + SIGHTINGS_SLACK
  }

  /** Repetitions go first, then what is oldest but for the very first. */
  cut(): void {
    this.#replace(cutSightings(this.sightings(), SIGHTINGS_MAX))
  }

  get firstAt(): number {
    return this.#marks[0] ?? Number.POSITIVE_INFINITY
  }

  get lastAt(): number {
    if (this.length === 0) return Number.NEGATIVE_INFINITY
    return Math.max(this.#marks.at(-MARKS)!, this.#again?.at(-1) ?? Number.NEGATIVE_INFINITY)
  }

  /** The first sight of it after that moment; Infinity: none. */
  firstAfter(at: number): number {
    let first = Number.POSITIVE_INFINITY
    for (let i = 0; i < this.#marks.length; i += MARKS)
      if (this.#marks[i]! > at) first = Math.min(first, this.#marks[i]!)
    const again = this.#again ?? []
    for (let i = 1; i < again.length; i += 2) if (again[i]! > at) first = Math.min(first, again[i]!)
    return first
  }

  /** Nearly always: newer than all that was seen. */
  #append(at: number, type: ObjectEvent['type'], object: KubeObject, version: ResourceVersion): Added {
    const before = this.newest()
    const shared = before === null ? this.#parts.share(object) : shareWith(before, object, this.#parts.texts)
    const isSame = shared === before || (version !== null && version === this.#newestVersion)
    const repeats = isSame && this.#wasThere
    if (repeats && this.#canBeAgain(type)) return this.#seenAgain(at)
    this.#push({ at, type, object: shared, version, repeats, again: null }, before)
    return repeats ? 'again' : 'change'
  }

  get #wasThere(): boolean {
    return this.length > 0 && TYPES[this.#marks.at(-1)! & TYPE_FLAGS] !== 'DELETED'
  }

  /** Seen so once more it needs no sighting of its own. */
  #canBeAgain(type: ObjectEvent['type']): boolean {
    return type === 'ADDED' && !this.isUidMadeUp && this.#wasThere
  }

  #seenAgain(at: number): Added {
    this.#again ??= []
    if (this.#again.length >= AGAIN_MAX * 2) this.#again.splice(0, 2)
    this.#again.push(this.length - 1, at)
    return 'again'
  }

  #push({ at, type, object, version, repeats, again }: Sighting, before: KubeObject | null): void {
    const isNumber = typeof version === 'number'
    if (!isNumber) this.#packed.push(version)
    const whole = before === null ? commonPartsOf(object) : NO_PARTS
    this.#parts.packing.pack(before ?? undefined, object, whole, this.#packed)
    this.#marks.push(at, isNumber ? version : Number.NaN, TYPES.indexOf(type) + (repeats ? REPEATS_FLAG : 0))
    for (const time of again ?? []) (this.#again ??= []).push(this.length - 1, time)
    this.#newest = object
    this.#newestVersion = version
  }

  #replace(sightings: readonly Sighting[]): void {
    this.#marks = []
    this.#packed = []
    this.#again = null
    let before: KubeObject | null = null
    for (const sighting of sightings) {
      this.#push(sighting, before)
      before = sighting.object
    }
  }
}

/** What `SharedParts` shares with other objects: kept as it is, it costs nothing. */
function commonPartsOf(object: KubeObject): readonly unknown[] {
  const { labels, annotations, ownerReferences } = object.metadata
  return [labels, annotations, ownerReferences, (object as { spec?: unknown }).spec]
}

/** The sightings of one object as a plain list, and how one more finds its place among them. */

import type { ObjectEvent } from './event.ts'
import type { KubeObject } from './objects.ts'
import type { SharedTexts } from './sharedTexts.ts'
import { type SharedParts, shareWith } from './sharing.ts'

/** A number where it is one, a text where it can only be compared for equality; null: none is told. */
export type ResourceVersion = number | string | null

/** One sight of the object, or several with nothing new between them. */
export interface Sighting {
  at: number
  type: ObjectEvent['type']
  /** Without its `resourceVersion`, which would make each of them another. */
  object: KubeObject
  version: ResourceVersion
  /** The sighting before shows the same. */
  repeats: boolean
  /** Later lists that showed the same again, ascending: an object that never changes is in every one of them. */
  again: number[] | null
}

/** What a sighting tells: nothing, that the object is still so, or that it is not so any more. */
export type Added = 'nothing' | 'again' | 'change'

/** By time, then by `resourceVersion`, then by arrival. `isUidMadeUp`: what comes back under the name cannot be told from it. */
export function insertSighting(
  sightings: Sighting[],
  { at, type, object }: ObjectEvent,
  version: ResourceVersion,
  isUidMadeUp: boolean,
  parts: SharedParts
): Added {
  const { texts } = parts
  let index = sightings.length
  while (index > 0 && isBefore(at, version, sightings[index - 1]!)) index--
  const before = sightings[index - 1]
  const shared = before === undefined ? parts.share(object) : shareWith(before.object, object, texts)
  for (let i = index - 1; i >= 0 && sightings[i]!.at === at; i--)
    if (sightings[i]!.type === type && isSame(sightings[i]!, object, version, texts)) return 'nothing'
  const repeats = before !== undefined && before.type !== 'DELETED' && isSame(before, shared, version, texts)
  if (repeats && type === 'ADDED' && !isUidMadeUp) return addAgain(before, at) ? 'again' : 'nothing'
  const rest = before === undefined ? null : cutAgain(before, at, version)
  sightings.splice(index, 0, { at, type, object: shared, version, repeats, again: null })
  if (rest !== null) {
    const [first, ...more] = rest as [number, ...number[]]
    const again = more.length === 0 ? null : more
    sightings.splice(index + 1, 0, { ...before!, at: first, type: 'ADDED', repeats: false, again })
  }
  const next = sightings[index + 1]
  if (next !== undefined)
    next.repeats = type !== 'DELETED' && isSame(sightings[index]!, next.object, next.version, texts)
  return repeats ? 'again' : 'change'
}

/** Repetitions go first, then what is oldest but for the very first. */
export function cutSightings(sightings: readonly Sighting[], max: number): Sighting[] {
  const last = sightings.length - 1
  const kept = sightings.filter((sighting, i) => i === 0 || i === last || !sighting.repeats)
  kept.splice(1, Math.max(0, kept.length - max))
  return kept
}

/** When the object was last seen so. */
export function seenTo(sighting: Sighting): number {
  return sighting.again?.at(-1) ?? sighting.at
}

/** Negative: `a` is older; 0: they cannot be told apart. */
export function compareVersions(a: ResourceVersion, b: ResourceVersion): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : 0
}

export function versionOf(text: unknown): ResourceVersion {
  if (typeof text !== 'string' || text === '') return null
  const number = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(number) ? number : text
}

function isBefore(at: number, version: ResourceVersion, other: Pick<Sighting, 'at' | 'version'>): boolean {
  return at < other.at || (at === other.at && compareVersions(version, other.version) < 0)
}

function isSame(previous: Sighting, object: KubeObject, version: ResourceVersion, texts: SharedTexts): boolean {
  if (version !== null && version === previous.version) return true
  return shareWith(previous.object, object, texts) === previous.object
}

function addAgain(sighting: Sighting, at: number): boolean {
  if (sighting.at === at) return false
  sighting.again ??= []
  const { again } = sighting
  let index = again.length
  while (index > 0 && again[index - 1]! > at) index--
  if (again[index - 1] === at) return false
  again.splice(index, 0, at)
  return true
}

/** Takes away and returns the repetitions that come after a change which became known late; null: none does. */
function cutAgain(sighting: Sighting, at: number, version: ResourceVersion): number[] | null {
  const { again } = sighting
  if (again === null || again.at(-1)! < at) return null
  const index = again.findIndex(time => isBefore(at, version, { at: time, version: sighting.version }))
  if (index === -1) return null
  const rest = again.splice(index)
  if (again.length === 0) sighting.again = null
  return rest
}

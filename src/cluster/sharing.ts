/**
 * Objects that share what is equal in them. Versions of one object differ in a line or two, and pods of one ReplicaSet in
 * their names: kept apart, a day of 10,000 pods would not fit.
 */

import { isRecord, setOwn } from './fieldShape.ts'
import type { KubeObject } from './objects.ts'
import { Packing } from './packing.ts'
import { SharedTexts } from './sharedTexts.ts'

/** No object of Kubernetes is deeper; what lies below is cut off, so that nobody's file can exhaust the stack. */
const DEPTH_MAX = 40
/** Of one generation. Two are kept, so at most about 15 MiB of parts that nobody may use any more. */
const PARTS_MAX = 20_000
/** Longer texts are not likely to come again, and would fill the table. */
const KEY_LENGTH_MAX = 2_000

/** `next`, with every part that equals its counterpart in `previous` replaced by that; `previous` itself when all is equal. */
export function shareWith<T>(previous: unknown, next: T, texts: SharedTexts, depth = 0): T {
  if (Object.is(previous, next)) return next
  if (typeof next === 'string') return (previous === next ? previous : texts.share(next)) as T
  if (typeof next !== 'object' || next === null) return next
  if (depth > DEPTH_MAX) return null as T
  if (Array.isArray(next)) return shareItems(Array.isArray(previous) ? previous : [], next, texts, depth) as T
  const old = isRecord(previous) ? previous : {}
  const fields = next as Record<string, unknown>
  const keys = Object.keys(fields)
  // A copy of the same shape costs less than one that is built key by key; where all is equal, none is needed.
  let copy: Record<string, unknown> | null = null
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    const has = Object.hasOwn(old, key)
    const before = has ? old[key] : undefined
    const one = shareWith(before, fields[key], texts, depth + 1)
    if (copy === null && (!has || !Object.is(one, before))) {
      copy = { ...fields }
      for (let same = 0; same < i; same++) setOwn(copy, keys[same]!, old[keys[same]!])
    }
    // Also where it is equal: another copy of a text is what is not to be kept.
    if (copy !== null) setOwn(copy, key, one)
  }
  if (copy !== null) return copy as T
  if (isRecord(previous) && Object.keys(old).length === keys.length) return previous as T
  copy = { ...fields }
  for (const key of keys) setOwn(copy, key, old[key])
  return copy as T
}

/** Counted from the front, and what is left from the back: so one item more or less does not move all others. */
function shareItems(
  previous: readonly unknown[],
  next: readonly unknown[],
  texts: SharedTexts,
  depth: number
): readonly unknown[] {
  const shift = previous.length - next.length
  const items = next.map((item, i) => {
    const one = shareWith(previous[i], item, texts, depth + 1)
    if (shift === 0 || Object.is(one, previous[i]) || i + shift < 0) return one
    const other = shareWith(previous[i + shift], item, texts, depth + 1)
    return Object.is(other, previous[i + shift]) ? other : one
  })
  return shift === 0 && items.every((item, i) => Object.is(item, previous[i])) ? previous : items
}

/** Parts that many objects have in common, found again by what they say. */
export class SharedParts {
  readonly texts = new SharedTexts()
  readonly packing = new Packing()
  #young = new Map<string, Part>()
  #old = new Map<string, Part>()
  #count = 0

  /** The object with its labels, annotations, owners and `spec` shared with all other objects that came here. */
  share<O extends KubeObject>(object: O): O {
    const copy = shareWith(undefined, object, this.texts)
    for (const key of ['labels', 'annotations', 'ownerReferences'])
      this.#sharePart(copy.metadata as unknown as Record<string, unknown>, key)
    this.#sharePart(copy as unknown as Record<string, unknown>, 'spec')
    return copy
  }

  #sharePart(owner: Record<string, unknown>, key: string): void {
    if (Object.hasOwn(owner, key)) owner[key] = this.#part(owner[key], 0).value
  }

  /** Its key names its parts by their numbers, so that equal parts cost no text of their own. */
  #part(value: unknown, depth: number): Part {
    if (typeof value !== 'object' || value === null) return { value, key: JSON.stringify(value) ?? 'null' }
    if (depth > DEPTH_MAX) return { value: null, key: 'null' }
    let text: string
    let copy: unknown
    if (Array.isArray(value)) {
      const parts = value.map(item => this.#part(item, depth + 1))
      copy = parts.map(part => part.value)
      text = `[${parts.map(part => part.key).join(',')}]`
    } else {
      const parts = Object.entries(value).map(([key, item]) => [key, this.#part(item, depth + 1)] as const)
      copy = Object.fromEntries(parts.map(([key, part]) => [key, part.value]))
      text = `{${parts.map(([key, part]) => `${JSON.stringify(key)}:${part.key}`).join(',')}}`
    }
    if (text.length > KEY_LENGTH_MAX) return { value: copy, key: `#${++this.#count}` }
    const known = this.#young.get(text) ?? this.#old.get(text)
    const part = known ?? { value: copy, key: `#${++this.#count}` }
    if (this.#young.size >= PARTS_MAX) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(text, part)
    return part
  }
}

interface Part {
  value: unknown
  key: string
}

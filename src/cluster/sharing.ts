/**
 * Objects that share what is equal in them. Versions of one object differ in a line or two, and pods of one ReplicaSet in
 * their names: kept apart, a day of 10,000 pods would not fit.
 */

import type { KubeObject } from './objects.ts'

/** No object of Kubernetes is deeper; what lies below is cut off, so that nobody's file can exhaust the stack. */
const DEPTH_MAX = 40
/** Of one generation. Two are kept, so at most about 20 MiB of parts that nobody may use any more. */
const PARTS_MAX = 30_000
/** Longer texts are not likely to come again, and would fill the table. */
const KEY_LENGTH_MAX = 2_000

/** `next`, with every part that equals its counterpart in `previous` replaced by that; `previous` itself when all is equal. */
export function shareWith<T>(previous: unknown, next: T, depth = 0): T {
  if (Object.is(previous, next) || typeof next !== 'object' || next === null) return next
  if (depth > DEPTH_MAX) return null as T
  if (Array.isArray(next)) return shareItems(Array.isArray(previous) ? previous : [], next, depth) as T
  const old = isRecord(previous) ? previous : {}
  const shared: [string, unknown][] = []
  let isSame = isRecord(previous)
  for (const [key, value] of Object.entries(next)) {
    const before = Object.hasOwn(old, key) ? old[key] : undefined
    const one = shareWith(before, value, depth + 1)
    if (!Object.is(one, before) || !Object.hasOwn(old, key)) isSame = false
    shared.push([key, one])
  }
  if (isSame && Object.keys(old).length === shared.length) return previous as T
  return Object.fromEntries(shared) as T
}

/** Counted from the front, and what is left from the back: so one item more or less does not move all others. */
function shareItems(previous: readonly unknown[], next: readonly unknown[], depth: number): readonly unknown[] {
  const items = next.map((item, i) => shareWith(previous[i], item, depth + 1))
  if (items.length === previous.length) return items.every((item, i) => Object.is(item, previous[i])) ? previous : items
  const shift = previous.length - next.length
  return items.map((item, i) =>
    Object.is(item, previous[i]) || i + shift < 0 ? item : shareWith(previous[i + shift], item, depth + 1)
  )
}

/** Equal but for `resourceVersion`, which says nothing about the object. The second went through `shareWith` the first. */
export function isEqualContent(previous: KubeObject, shared: KubeObject): boolean {
  if (previous === shared) return true
  return isEqualBut(previous, shared, 'metadata') && isEqualBut(previous.metadata, shared.metadata, 'resourceVersion')
}

function isEqualBut(a: object, b: object, exempt: string): boolean {
  const one = new Map(Object.entries(a))
  const other = new Map(Object.entries(b))
  one.delete(exempt)
  other.delete(exempt)
  return one.size === other.size && [...one].every(([key, value]) => other.has(key) && Object.is(other.get(key), value))
}

/** Parts that many objects have in common, found again by what they say. */
export class SharedParts {
  #young = new Map<string, Part>()
  #old = new Map<string, Part>()
  #count = 0

  /** The object with its labels, annotations, owners and `spec` shared with all other objects that came here. */
  share<O extends KubeObject>(object: O): O {
    const { metadata } = object
    const parts: Record<string, unknown> = { ...metadata }
    const shared = Object.fromEntries<unknown>([...Object.entries(object), ['metadata', parts]])
    for (const key of ['labels', 'annotations', 'ownerReferences'])
      if (Object.hasOwn(parts, key)) parts[key] = this.#part(parts[key], 0).value
    if (Object.hasOwn(shared, 'spec')) shared.spec = this.#part(shared.spec, 0).value
    return shared as unknown as O
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

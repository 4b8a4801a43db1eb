/**
 * Versions of objects as little as they can be: each as its difference to the one before, in a text that most objects of a
 * cluster share, and beside it the values that are this object's own.
 *
 *   {"kind":"Pod","metadata":{"name":0,"labels":1},"status":{"phase":"Pending"}}     'web-1', { app: 'web' }
 *   [-3,"status",[-3,"phase","Running"]]
 *
 * A number is the place of a value; short words stand in the text itself. -1: as in the version before. -2: as in the version
 * before, but counted from the end. An array that begins with -3 holds keys and what has become of them.
 */

import { isRecord, setOwn } from './fieldShape.ts'
import { SharedTexts } from './sharedTexts.ts'

const SAME = -1
const SAME_FROM_END = -2
const PATCH = -3
/** Words of Kubernetes: types, reasons, phases. What has digits or dots is likely some object's own. */
const WORD = /^[A-Za-z]{1,40}$/
/** Values are looked for among this many before them. */
const LOOK_BACK = 24

/** Differences that are shared, and those that are kept parsed. */
const TEXTS_MAX = 10_000
const TEXT_LENGTH_MAX = 4_000
const PARSED_MAX = 2_000

/** Of each version: the text of its difference, the number of its values, its values. */
export type Packed = unknown[]

type Values = unknown[]

export class Packing {
  readonly #texts = new SharedTexts(TEXTS_MAX, TEXT_LENGTH_MAX)
  #parsed = new Map<string, unknown>()

  /** Adds what makes `next` out of `previous` (undefined: out of nothing). What is in `whole` is kept as it is. */
  pack(previous: unknown, next: unknown, whole: readonly unknown[], packed: Packed): void {
    const values: Values = []
    const text = differenceOf(previous, next, whole, values)
    packed.push(this.#texts.share(text), values.length)
    for (const value of values) packed.push(value)
  }

  /** Reads what `pack` has added at `index`; `end`: where the next begins. */
  unpack(previous: unknown, packed: Packed, index: number): { object: unknown; end: number } {
    const tree = this.#tree(packed[index] as string)
    return { object: rebuilt(previous, tree, packed, index + 2), end: index + 2 + (packed[index + 1] as number) }
  }

  #tree(text: string): unknown {
    const known = this.#parsed.get(text)
    if (known !== undefined) return known
    const tree: unknown = JSON.parse(text)
    if (this.#parsed.size >= PARSED_MAX) this.#parsed = new Map()
    this.#parsed.set(text, tree)
    return tree
  }
}

function differenceOf(previous: unknown, next: unknown, whole: readonly unknown[], values: Values): string {
  if (next === previous && next !== undefined) return String(SAME)
  if (typeof next === 'string' && WORD.test(next)) return `"${next}"`
  if (next === null || typeof next === 'boolean') return String(next)
  if (typeof next !== 'object' || whole.includes(next)) return String(placeOf(next, values))
  if (Array.isArray(next)) return itemsText(Array.isArray(previous) ? previous : [], next, whole, values)
  const keys = Object.keys(next)
  const record = next as Record<string, unknown>
  const old = isRecord(previous) ? previous : {}
  const isPatch =
    isRecord(previous) && keys.length === Object.keys(old).length && keys.every(key => Object.hasOwn(old, key))
  let text = ''
  for (const key of keys) {
    const value = record[key]
    const before = Object.hasOwn(old, key) ? old[key] : undefined
    if (isPatch && value === before) continue
    text += `,${JSON.stringify(key)}${isPatch ? ',' : ':'}${differenceOf(before, value, whole, values)}`
  }
  return isPatch ? `[${PATCH}${text}]` : `{${text.slice(1)}}`
}

function itemsText(
  previous: readonly unknown[],
  next: readonly unknown[],
  whole: readonly unknown[],
  values: Values
): string {
  const shift = previous.length - next.length
  const items = next.map((item, i) => {
    const isFromEnd = shift !== 0 && item !== previous[i] && i + shift >= 0 && item === previous[i + shift]
    return isFromEnd && typeof item === 'object' && item !== null
      ? String(SAME_FROM_END)
      : differenceOf(previous[i], item, whole, values)
  })
  return `[${items.join(',')}]`
}

function placeOf(value: unknown, values: Values): number {
  for (let i = values.length - 1; i >= 0 && i >= values.length - LOOK_BACK; i--)
    if (Object.is(values[i], value)) return i
  return values.push(value) - 1
}

function rebuilt(previous: unknown, tree: unknown, packed: readonly unknown[], first: number): unknown {
  if (typeof tree === 'number') return tree === SAME ? previous : packed[first + tree]
  if (typeof tree !== 'object' || tree === null) return tree
  if (!Array.isArray(tree)) {
    const old = isRecord(previous) ? previous : {}
    const object: Record<string, unknown> = {}
    for (const key of Object.keys(tree))
      setOwn(
        object,
        key,
        rebuilt(Object.hasOwn(old, key) ? old[key] : undefined, tree[key as keyof typeof tree], packed, first)
      )
    return object
  }
  if (tree[0] === PATCH) {
    const old = previous as Record<string, unknown>
    const object = { ...old }
    for (let i = 1; i < tree.length; i += 2) setOwn(object, tree[i], rebuilt(old[tree[i]], tree[i + 1], packed, first))
    return object
  }
  const old = Array.isArray(previous) ? previous : []
  const shift = old.length - tree.length
  return tree.map((item, i) => (item === SAME_FROM_END ? old[i + shift] : rebuilt(old[i], item, packed, first)))
}

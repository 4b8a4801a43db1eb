/**
 * Which fields of foreign JSON are kept, as a description that is a table: `fields<Pod>({ … })` names every field of the type and
 * nothing else. Whatever comes in, a description answers with a value of its type, `undefined` (left out) or `BROKEN`; its
 * depth is the table's own, so no input makes it recurse.
 */

import { withoutSecrets } from '../mask.ts'

/**
 * What is wrong here changes the meaning of the whole object: a NetworkPolicy whose peer is left out admits more than it
 * did. The object is left out instead.
 */
export const BROKEN = Symbol('broken')

/** One description: a foreign value → the kept one. Kept values go through it unchanged. */
export type Field = (value: unknown) => unknown

const TEXT_MAX = 300
const MESSAGE_MAX = 1_000
const LOG_MAX = 200
const MASKED_MAX = 4_000
/** More than thirty years. */
const SECONDS_MAX = 1e9
const LIST_MAX = 1_000
const MAP_MAX = 300
const KEY_MAX = 400
const TREE_DEPTH_MAX = 6
const TREE_LIST_MAX = 50

/** A JSON object, and no array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An assignment, also where somebody has named a key so that it would be something else. */
export function setOwn(object: object, key: string, value: unknown): void {
  if (key !== '__proto__') (object as Record<string, unknown>)[key] = value
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}

/** An own field of a foreign value; undefined: it has none, or is no object. */
export function ownField(value: unknown, key: string): unknown {
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

/** At most so many UTF-16 units, and no half of a pair at the end. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text
  const last = text.charCodeAt(max - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? max - 1 : max)
}

/** `scheme://user:password@host` in running text loses what stands before the host. */
export function withoutUserinfo(text: string): string {
  return text.includes('@') ? text.replace(/:\/\/[^\s/]*@/g, '://') : text
}

/** Names, versions, reasons. */
export const text: Field = value => (typeof value === 'string' ? cutText(value, TEXT_MAX) : undefined)

/** Sentences of Kubernetes and of programs: these quote addresses with passwords. */
export const message: Field = value =>
  typeof value === 'string' ? cutText(withoutUserinfo(value), MESSAGE_MAX) : undefined

/** The end of a program's own log, as `terminationMessagePolicy: FallbackToLogsOnError` puts it there. */
export const logText: Field = value =>
  typeof value === 'string' ? cutText(withoutSecrets(withoutUserinfo(cutText(value, MASKED_MAX))), LOG_MAX) : undefined

export const number: Field = value => (typeof value === 'number' && Number.isFinite(value) ? value : undefined)

/** Durations that are added to times: the sum has to be one. */
export const seconds: Field = value => (typeof value === 'number' && Math.abs(value) <= SECONDS_MAX ? value : undefined)

export const flag: Field = value => (typeof value === 'boolean' ? value : undefined)

/** A port or a count: `8080`, `http`, `25%`. */
export const numberOrText: Field = value => (typeof value === 'number' ? number(value) : text(value))

/** `500m`, `1Gi`; YAML writes whole ones as numbers. */
export const quantity: Field = value => (typeof value === 'number' ? String(value) : text(value))

/** RFC 3339, as it stands. */
export const time: Field = value =>
  typeof value === 'string' &&
  value.length <= 40 &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(value) &&
  !Number.isNaN(Date.parse(value))
    ? value
    : undefined

/** All that is described is kept, `null` is absent. Without one of `required` there is no object. */
export function fields<T extends object>(
  table: { readonly [Key in keyof Required<T>]: Field },
  required: readonly (keyof T & string)[] = []
): Field {
  const entries = Object.entries(table) as [string, Field][]
  return value => {
    if (!isRecord(value)) return undefined
    const kept: Record<string, unknown> = {}
    for (const [key, field] of entries) {
      if (!Object.hasOwn(value, key)) continue
      const found = value[key]
      if (found === null || found === undefined) continue
      const answer = field(found)
      if (answer === BROKEN) return BROKEN
      if (answer !== undefined) kept[key] = answer
    }
    return required.every(key => Object.hasOwn(kept, key)) ? kept : undefined
  }
}

/** What does not fit is left out, and so is what is beyond the limit. */
export function list(item: Field, max = LIST_MAX): Field {
  return value => {
    if (!Array.isArray(value)) return undefined
    const kept: unknown[] = []
    for (const element of value) {
      if (kept.length === max) break
      const answer = item(element)
      if (answer === BROKEN) return BROKEN
      if (answer !== undefined) kept.push(answer)
    }
    return kept
  }
}

/** Every key with a value that fits. `__proto__` is no label of anybody. */
export function mapOf(item: Field, max = MAP_MAX): Field {
  return value => {
    if (!isRecord(value)) return undefined
    const kept: Record<string, unknown> = {}
    let size = 0
    for (const key of Object.keys(value)) {
      if (size === max) break
      if (key === '__proto__' || key.length > KEY_MAX) continue
      const answer = item(value[key])
      if (answer === BROKEN) return BROKEN
      if (answer === undefined) continue
      kept[key] = answer
      size += 1
    }
    return kept
  }
}

/** Where leaving it out would mean something else: it fits, or all is BROKEN. */
export function must(field: Field): Field {
  return value => field(value) ?? BROKEN
}

/** A list or map of which a part would mean something else: every entry of it, or BROKEN. */
export function whole(listOrMap: Field): Field {
  return value => {
    const answer = listOrMap(value)
    if (typeof answer !== 'object' || answer === null) return BROKEN
    return Object.keys(answer).length === Object.keys(value as object).length ? answer : BROKEN
  }
}

/** Free JSON, as the metrics of an autoscaler: cut in depth and width. */
export const tree: Field = value => branch(value, TREE_DEPTH_MAX)

function branch(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return text(value)
  if (typeof value === 'number') return number(value)
  if (typeof value === 'boolean') return value
  if (typeof value !== 'object' || value === null || depth === 0) return undefined
  const below: Field = inner => branch(inner, depth - 1)
  return (Array.isArray(value) ? list(below, TREE_LIST_MAX) : mapOf(below, TREE_LIST_MAX))(value)
}

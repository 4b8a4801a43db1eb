/** What a table may do with a field: by its type in the index, and whether documents hold one value of it. */

import type { MappingType } from './elasticsearch/fields.ts'
import { FIELDS, IDENTITY_CHARS_MAX, KEYWORD_CHARS_MAX } from './elasticsearch/fields.ts'
import { at } from './storedValue.ts'
import { TABLE_KINDS, type TableKind } from './table.ts'

/** As a table gives it. `date` is RFC 3339 text in rows, and Unix ms before. */
export type ValueType = 'text' | 'number' | 'date' | 'boolean'

export interface TableField {
  path: string
  mapping: MappingType
  type: ValueType
  /** Groups, `is` and `isNot`: values that are equal or not, and stand in the index. */
  isExact: boolean
  /** Least and greatest value. */
  isOrdered: boolean
  /** Whether the index knows if there is a value. */
  isIndexed: boolean
}

/** Fields with several values: a row has one. */
export const LISTS: ReadonlySet<string> = new Set([
  'event.category',
  'event.type',
  'nginx_ingress_controller.access.remote_ip_list',
  'nginx_ingress_controller.access.upstream_address_list',
  'nginx_ingress_controller.access.upstream.response.length_list',
  'nginx_ingress_controller.access.upstream.response.time_list',
  'nginx_ingress_controller.access.upstream.response.status_code_list',
  'why5xx.alternatives',
  'why5xx.attempts.addresses',
  'why5xx.attempts.statuses',
  'why5xx.evidence_kinds',
  'why5xx.root_cause.chain',
  'why5xx.ruled_out',
  'why5xx.rollup.containers'
])

const TYPES: ReadonlyMap<MappingType, ValueType> = new Map([
  ['keyword', 'text'],
  ['identity', 'text'],
  ['unindexed', 'text'],
  ['text', 'text'],
  ['ip', 'text'],
  ['date', 'date'],
  ['long', 'number'],
  ['integer', 'number'],
  ['short', 'number'],
  ['half_float', 'number'],
  ['double', 'number'],
  ['boolean', 'boolean']
])

const INTEGERS: readonly MappingType[] = ['long', 'integer', 'short']
const EXACT: readonly MappingType[] = ['keyword', 'identity', 'boolean', ...INTEGERS]
const ORDERED: readonly MappingType[] = ['keyword', 'identity', 'date', 'half_float', 'double', ...INTEGERS]

const BY_KIND = new Map(
  TABLE_KINDS.map(kind => [kind, new Map(FIELDS[kind].flatMap(([path, mapping]) => fieldOf(path, mapping)))])
)

function fieldOf(path: string, mapping: MappingType): [string, TableField][] {
  const type = TYPES.get(mapping)
  if (type === undefined || LISTS.has(path)) return []
  const field = {
    path,
    mapping,
    type,
    isExact: EXACT.includes(mapping),
    isOrdered: ORDERED.includes(mapping),
    isIndexed: mapping !== 'unindexed'
  }
  return [[path, field]]
}

/** undefined: documents of this kind have no such field, or none that a table can show. */
export function tableField(kind: TableKind, path: string): TableField | undefined {
  return BY_KIND.get(kind)!.get(path)
}

export function tableFields(kind: TableKind): readonly TableField[] {
  return [...BY_KIND.get(kind)!.values()]
}

export function isKeyword({ mapping }: TableField): boolean {
  return mapping === 'keyword' || mapping === 'identity'
}

export function isInteger({ mapping }: TableField): boolean {
  return INTEGERS.includes(mapping)
}

/** Longer ones are in no index, and no value in a table of either store; null: any length. */
export function charsMax({ mapping }: TableField): number | null {
  return mapping === 'keyword' ? KEYWORD_CHARS_MAX : mapping === 'identity' ? IDENTITY_CHARS_MAX : null
}

/** Digits behind the point of a `half_float`, which holds three and a bit. */
export const HALF_FLOAT_DIGITS = 3

export function roundedHalf(value: number): number {
  return Math.round(value * 10 ** HALF_FLOAT_DIGITS) / 10 ** HALF_FLOAT_DIGITS
}

/** The value as a table takes it: dates as Unix ms. null: none. */
export function valueIn(document: Record<string, unknown>, field: TableField): string | number | boolean | null {
  const value = at(document, field.path)
  switch (field.type) {
    case 'text':
      return typeof value === 'string' && value.length <= (charsMax(field) ?? Number.POSITIVE_INFINITY) ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? finite(Date.parse(value)) : null
    case 'number':
      return typeof value === 'number' ? numberIn(value, field) : null
  }
}

function numberIn(value: number, field: TableField): number | null {
  if (isInteger(field)) return finite(Math.trunc(value))
  return finite(field.mapping === 'half_float' ? roundedHalf(value) : value)
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

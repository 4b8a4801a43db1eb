/** One line of the record, read with care: others may write into the topic, or edit the folder. */

import type { ClusterEvent } from './event.ts'
import { keptObject } from './keptFields.ts'
import type { RecordedHead } from './listSearch.ts'
import { KINDS, type Kind } from './objects.ts'
import type { RecordedEvent } from './record.ts'

const KIND_SET: ReadonlySet<unknown> = new Set(KINDS)
/** What a Date can hold, ms. */
const TIME_MS_MAX = 8.64e15

/** What a search for lists needs, without the care that an object costs; null: it is no event of a record. */
export function parseHead(json: string): RecordedHead | null {
  const fields = fieldsOf(json)
  if (fields === null || typeof fields.type !== 'string') return null
  const { writer, at, type, isPartial } = fields
  return { writer, at, type, ...(isPartial === true && { isPartial }) }
}

/** null: it is no event of a record, or its object cannot be read. What it holds beside that is left out. */
export function parseRecorded(json: string): RecordedEvent | null {
  const fields = fieldsOf(json)
  if (fields === null) return null
  const { writer, number, at } = fields
  const event = eventOf(at, fields)
  return event && { ...event, writer, number }
}

interface Fields extends Record<string, unknown> {
  writer: string
  number: number
  at: number
}

function fieldsOf(json: string): Fields | null {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const { writer, number, at } = value as Record<string, unknown>
  return typeof writer === 'string' && Number.isSafeInteger(number) && isTime(at) ? (value as Fields) : null
}

function eventOf(at: number, fields: Record<string, unknown>): ClusterEvent | null {
  const { type } = fields
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED': {
      const object = keptObject(fields.object)
      return object && { at, type, object }
    }
    case 'LIST_START':
    case 'LIST_END': {
      const { kinds, unreadable, namespaces, isPartial } = fields
      if (!Array.isArray(kinds) || typeof unreadable !== 'object' || unreadable === null) return null
      if (namespaces !== null && !isTexts(namespaces)) return null
      const reasons = Object.entries(unreadable).filter(([kind, reason]) => isKind(kind) && typeof reason === 'string')
      const list = { kinds: kinds.filter(isKind), unreadable: Object.fromEntries(reasons), namespaces }
      return { at, type, ...list, ...(isPartial === true && { isPartial }) }
    }
    case 'HEARTBEAT':
      return { at, type }
    case 'GAP_START':
    case 'GAP_END': {
      const { kind, since } = fields
      if (kind !== null && !isKind(kind)) return null
      return { at, type, kind, ...(isTime(since) && { since }) }
    }
    default:
      return null
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= TIME_MS_MAX
}

function isKind(value: unknown): value is Kind {
  return KIND_SET.has(value)
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string')
}

/** A line of a record (`ClusterEvent`), or of the `watch` of a case → a checked event. */

import type { ClusterEvent, ListEvent } from './event.ts'
import { isRecord, ownField } from './fieldShape.ts'
import { type KeepOptions, keptObject } from './keptFields.ts'
import { KINDS, type Kind } from './objects.ts'

const KIND_SET: ReadonlySet<unknown> = new Set(KINDS)
const REASON_MAX = 300

/** It has a time of its own, so it is no event of `kubectl get --output-watch-events`. */
export function isRecordedEvent(value: unknown): boolean {
  return typeof ownField(value, 'type') === 'string' && ownField(value, 'at') !== undefined
}

/** `at` in Unix ms or RFC 3339. null: no event, or of an object that is not kept. */
export function recordedEvent(value: unknown, options: KeepOptions): ClusterEvent | null {
  const at = timeOf(ownField(value, 'at'))
  const type = ownField(value, 'type')
  if (at === null) return null
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED': {
      const object = keptObject(ownField(value, 'object'), options)
      return object === null ? null : { at, type, object }
    }
    case 'LIST_START':
    case 'LIST_END':
      return listEvent(at, type, value)
    case 'HEARTBEAT':
      return { at, type }
    case 'GAP_START':
    case 'GAP_END': {
      const kind = ownField(value, 'kind') ?? null
      return kind === null || KIND_SET.has(kind) ? { at, type, kind: kind as Kind | null } : null
    }
    default:
      return null
  }
}

function timeOf(at: unknown): number | null {
  const ms = typeof at === 'string' ? Date.parse(at) : at
  return typeof ms === 'number' && Number.isFinite(ms) ? ms : null
}

function listEvent(at: number, type: ListEvent['type'], value: unknown): ListEvent {
  const kinds = ownField(value, 'kinds')
  const namespaces = ownField(value, 'namespaces')
  return {
    at,
    type,
    kinds: Array.isArray(kinds) ? (kinds.filter(kind => KIND_SET.has(kind)) as Kind[]) : [],
    unreadable: reasonsOf(ownField(value, 'unreadable')),
    namespaces: Array.isArray(namespaces) ? namespaces.filter(name => typeof name === 'string') : null
  }
}

function reasonsOf(value: unknown): ListEvent['unreadable'] {
  const reasons: ListEvent['unreadable'] = {}
  if (!isRecord(value)) return reasons
  for (const kind of KINDS) {
    const reason = ownField(value, kind)
    if (typeof reason === 'string') reasons[kind] = reason.slice(0, REASON_MAX)
  }
  return reasons
}

/** What to do with which answer to a bulk request: pure. */

import type { Kind } from './names.ts'

/** One document on its way: two lines of a bulk request, without their line feeds. */
export interface BulkItem {
  kind: Kind
  id: string
  index: string
  action: string
  document: string
}

/** What a server says of one item, as far as it is asked for (`BULK_FILTER`). */
export interface ItemAnswer {
  _id?: string
  status?: number
  error?: { type?: string; reason?: string; caused_by?: { reason?: string } }
  _seq_no?: number
  _primary_term?: number
}

export const BULK_FILTER = [
  'errors',
  'items.*._id',
  'items.*.status',
  'items.*.error.type',
  'items.*.error.reason',
  'items.*.error.caused_by.reason',
  'items.*._seq_no',
  'items.*._primary_term'
]

/** Why a document will never be taken as it is. */
export interface Refusal {
  status: number
  type: string
  reason: string
}

export type ItemVerdict =
  | { kind: 'written'; seqNo: number | null; primaryTerm: number | null }
  /** The same or a newer version is there. */
  | { kind: 'known' }
  /** Overloaded, or moving: soon again. */
  | { kind: 'retry'; because: string }
  /** The index takes nothing for now: not the document is wrong. Again until somebody has mended it. */
  | { kind: 'blocked'; because: string }
  /** We may not: every 30 s again. */
  | { kind: 'denied'; because: string }
  | ({ kind: 'refused' } & Refusal)

/** An index that takes no document, whatever is in it. */
const BLOCKED = new Set([
  'cluster_block_exception',
  'index_not_found_exception',
  'index_closed_exception',
  'unavailable_shards_exception',
  'no_shard_available_action_exception'
])

export function judgeItem(answer: ItemAnswer, index: string): ItemVerdict {
  const { status = 0, error } = answer
  if (status === 200 || status === 201)
    return { kind: 'written', seqNo: answer._seq_no ?? null, primaryTerm: answer._primary_term ?? null }
  const type = error?.type ?? 'no error type'
  const reason = [error?.reason, error?.caused_by?.reason].filter(text => text !== undefined).join(': ')
  if (BLOCKED.has(type)) return { kind: 'blocked', because: blockedText(type, index, reason) }
  if (status === 409) return { kind: 'known' }
  if (status === 401 || status === 403)
    return { kind: 'denied', because: `Elasticsearch does not let us write to ${index} (${status}): ${reason}` }
  if (status === 429 || status < 400 || status >= 500)
    return { kind: 'retry', because: `Elasticsearch answers ${status} for ${index}: ${type}` }
  return { kind: 'refused', status, type, reason }
}

function blockedText(type: string, index: string, reason: string): string {
  if (type === 'index_not_found_exception')
    return `${index} is not there and cannot be made: action.auto_create_index must allow why5xx-*`
  if (type === 'index_closed_exception') return `${index} is closed`
  return `${index} takes no documents: ${reason || type}`
}

export type RequestVerdict = {
  kind: 'retry' | 'denied' | 'too_large'
  because: string
}

/** `status`: of the answer; null: there was none. `because`: what went wrong, behind "Elasticsearch". */
export function judgeRequest(status: number | null, because: string): RequestVerdict {
  const text = `Elasticsearch ${because}`
  if (status === 413) return { kind: 'too_large', because: text }
  if (status === null || status === 408 || status === 429 || status >= 500) return { kind: 'retry', because: text }
  // 401, 403, and whatever else speaks against every request: nothing that waiting a moment would mend.
  return { kind: 'denied', because: text }
}

/** Full jitter; `attempt` from 1, `random` in [0, 1). */
export function backoffMs(attempt: number, random: number): number {
  return Math.floor(random * Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** Math.min(attempt - 1, 20)))
}

const BACKOFF_MS = 200
const BACKOFF_MS_MAX = 30_000
/** How often we ask again where somebody has to do something first. */
export const DENIED_MS = 30_000

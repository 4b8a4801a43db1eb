/** Documents as they are found → the rows of the contract. */

import type { SourceGap } from '../../source/source.ts'
import { controllerRow } from '../controllerDocument.ts'
import type { FailureDocument } from '../document.ts'
import { type ControllerRow, type FailureRow, failureRow } from '../store.ts'

export interface Hit {
  _id: string
  _version: number
  _source: FailureDocument
  /** Of documents with values that are too long for the index: the fields. */
  _ignored?: string[]
  /** In the order of time: time, Unix ms, and event.id. `search_after` of the next page. */
  sort: [number, string]
}

/**
 * What the columns of a failure are made of. From `_source`, because only there numbers are what was written and no text is
 * too long; everything else of it stays at the server.
 */
export const FAILURE_COLUMNS = [
  '@timestamp',
  'why5xx.cause',
  'why5xx.confidence',
  'why5xx.masked',
  'why5xx.upstream.name',
  'why5xx.upstream.address',
  'why5xx.root_cause.kind',
  'service.name',
  'kubernetes.pod.name',
  'http.response.status_code',
  'http.request.method',
  'url.domain',
  'url.path',
  'source.address',
  'error.message'
]

export function failureHit({ _id, _version, _source }: Hit): FailureRow {
  return failureRow({ id: _id, version: _version, timeMs: timeOf(_source), document: _source })
}

export function controllerHit({ _id, _version, _source, sort }: Hit): ControllerRow {
  return controllerRow({ id: _id, version: _version, timeMs: sort[0], document: _source })
}

/** A gap of the source: it lies with the controller lines. */
export const GAP = { term: { 'event.dataset': 'why5xx.gap' } }

export function gapHit({ _source, sort }: Hit): SourceGap {
  const { message, why5xx } = _source as {
    message: string
    why5xx: { gap: { name: string; bytes?: number | null; reason: SourceGap['reason'] } }
  }
  const { name, bytes, reason } = why5xx.gap
  return { name, atMs: sort[0], bytes: bytes ?? null, reason, text: message }
}

function timeOf(document: FailureDocument): number {
  return Date.parse(document['@timestamp'] as string)
}

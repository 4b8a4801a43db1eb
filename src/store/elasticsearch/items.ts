/** Documents as items of a bulk request: `index` with our own id into the index of the document's day, with our version. */

import type { SourceGap } from '../../source/source.ts'
import { BuiltDocument, DOCUMENT_SCHEMA, type StoredDocument } from '../document.ts'
import { wellFormedJson } from '../wellFormed.ts'
import type { BulkItem, Refusal } from './bulkAnswer.ts'
import { type DailyKind, gapId, type IndexNames, type Kind } from './names.ts'

/** What `why5xx.gap` holds, beside the sentence in `message`. */
export interface GapSource {
  name: string
  bytes?: number
  reason: SourceGap['reason']
}

/**
 * The higher version stays. Sending the same again is a conflict and harmless, whoever does it, and whenever.
 * `create` would not do: it knows no versions. `external_gte`: of equal versions the last stays, not the first.
 */
export function versionedItem(
  kind: Kind,
  index: string,
  id: string,
  version: number,
  json: string,
  versionType: 'external' | 'external_gte' = 'external'
): BulkItem {
  const action = { index: { _index: index, _id: id, version, version_type: versionType } }
  return {
    kind,
    id: wellFormed(id),
    index,
    action: wellFormedJson(JSON.stringify(action)),
    document: wellFormedJson(json)
  }
}

export function documentItem(names: IndexNames, kind: DailyKind, stored: StoredDocument): BulkItem {
  return versionedItem(kind, names.daily(kind, stored.timeMs), stored.id, stored.version, jsonOf(stored))
}

/** The document's text, with the time that its index needs. */
export function jsonOf(stored: StoredDocument): string {
  if (stored instanceof BuiltDocument) return stored.json
  const { document, timeMs } = stored
  return JSON.stringify('@timestamp' in document ? document : { '@timestamp': iso(timeMs), ...document })
}

/** A gap lies with the controller lines: it may explain what is missing between them. */
export function gapDocument({ name, atMs, bytes, reason, text }: SourceGap, clusterName: string): StoredDocument {
  const id = gapId(name, atMs, text)
  const gap: GapSource = { name, ...(bytes !== null && { bytes }), reason }
  const document = {
    '@timestamp': iso(atMs),
    event: { id, kind: 'event', dataset: 'why5xx.gap', module: 'why5xx', action: reason },
    message: text,
    orchestrator: { type: 'kubernetes', cluster: { name: clusterName } },
    why5xx: { schema: DOCUMENT_SCHEMA, gap }
  }
  return { id, version: 1, timeMs: atMs, document }
}

/** Of a document that Elasticsearch refused: so little that it cannot be refused itself. */
export function refusedDocument(
  stored: StoredDocument,
  item: BulkItem,
  refusal: Refusal & { attempts: number },
  clusterName: string
): StoredDocument {
  const { id, timeMs, document } = stored
  const { status, type, reason, attempts } = refusal
  const { why5xx } = document as { why5xx?: { origin?: unknown } }
  return {
    id,
    version: 1,
    timeMs,
    document: {
      '@timestamp': iso(timeMs),
      event: {
        id,
        kind: 'event',
        dataset: 'why5xx.reject',
        module: 'why5xx',
        original: item.document.slice(0, ORIGINAL_CHARS_MAX)
      },
      error: { type: 'sink', code: type, message: reason.slice(0, REASON_CHARS_MAX) },
      orchestrator: { type: 'kubernetes', cluster: { name: clusterName } },
      why5xx: {
        schema: DOCUMENT_SCHEMA,
        reject: { stage: 'sink', status, attempts, bytes: Buffer.byteLength(item.document), index: item.index },
        ...(why5xx?.origin !== undefined && { origin: why5xx.origin })
      }
    }
  }
}

const ORIGINAL_CHARS_MAX = 200
const REASON_CHARS_MAX = 500

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

/** As it comes back in an answer. */
function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, '\ufffd')
}

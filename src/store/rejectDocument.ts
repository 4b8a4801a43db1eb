/** The document of a line nobody could read: so little that no store can refuse it. */

import type { RecordLine } from '../../parsers/reader.ts'
import type { ParseErrorCode } from '../../parsers/record.ts'
import type { Position } from '../model.ts'
import { DOCUMENT_SCHEMA, type DocumentOptions } from './document.ts'
import { lineId, sourceOf } from './identity.ts'
import type { StoredReject } from './store.ts'

export interface Rejected {
  code: ParseErrorCode
  /** From 1. */
  column: number
  line: RecordLine
  position: Position
  /** The Kafka message it came in, Latin-1; null: it came as bytes. */
  value: string | null
  /** Id of its stream. */
  stream: string
  /** The envelope's stamp, else that of the lines before it. Unix ms. */
  timeMs: number
}

export function buildRejectDocument(rejected: Rejected, options: DocumentOptions): StoredReject {
  const { code, column, line, stream, position, value } = rejected
  const timeMs = Math.floor(rejected.timeMs)
  const id = lineId(sourceOf(options.clusterName, line, options.sourceOf(stream, line.byteOffset)), line)
  const document = {
    '@timestamp': new Date(timeMs).toISOString(),
    event: {
      id,
      kind: 'event',
      dataset: 'why5xx.reject',
      module: 'why5xx',
      original: options.masker.rejected(line.raw, 200)
    },
    error: { type: 'parse', code, message: `${code} at column ${column}` },
    orchestrator: { type: 'kubernetes', cluster: { name: options.clusterName } },
    why5xx: {
      schema: DOCUMENT_SCHEMA,
      reject: { stage: 'parse', bytes: line.raw.length, column },
      origin: { access: null, errors: [position] }
    }
  }
  return { id, version: 1, timeMs, document, raw: value ?? line.raw, position }
}

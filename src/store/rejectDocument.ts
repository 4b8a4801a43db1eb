/** The document of a line nobody could read: so little that no store can refuse it. */

import type { RecordLine } from '../../parsers/reader.ts'
import type { ParseErrorCode } from '../../parsers/record.ts'
import { DOCUMENT_SCHEMA, type DocumentOptions } from './document.ts'
import { lineId, sourceOf } from './identity.ts'
import type { StoredReject } from './store.ts'

export interface Rejected {
  code: ParseErrorCode
  /** From 1. */
  column: number
  line: RecordLine
  /** Name and id of its stream. */
  file: string
  stream: string
  /** The envelope's stamp, else that of the lines before it. Unix ms. */
  timeMs: number
}

export function buildRejectDocument(rejected: Rejected, options: DocumentOptions): StoredReject {
  const { code, column, line, file, stream } = rejected
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
      origin: { access: null, errors: [{ file, line: line.number }] }
    }
  }
  return { id, version: 1, timeMs, document, raw: line.raw }
}

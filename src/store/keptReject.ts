/** What is kept of a line nobody could read, or of a document the store refused: enough to read it again after a fix. */

import type { Position } from '../model.ts'
import { VERSION } from '../version.ts'
import type { StoredDocument } from './document.ts'
import type { StoredReject } from './store.ts'

export interface KeptReject {
  /** Of what could not be read the original bytes; of a refused document its JSON. */
  value: Buffer
  /** `why5xx.stage`, `.code`, `.version`, and where it was read as far as it was a partition: `.topic`, `.partition`, `.offset`. */
  headers: Record<string, string>
}

/** Durable when it resolves, but for as many as it says: those will never be taken. */
export type KeepRejects = (rejects: KeptReject[]) => Promise<number>

/** Of a line nobody could read. */
export function keptLine({ raw, document, position }: StoredReject): KeptReject {
  const { error } = document as { error?: { code?: string } }
  return { value: Buffer.from(raw, 'latin1'), headers: headersOf('parse', error?.code ?? '', position) }
}

/** Of a document that was refused with `code`. */
export function keptDocument({ document }: StoredDocument, json: string, code: string): KeptReject {
  const { why5xx } = document as { why5xx?: { origin?: { access?: Position | null; errors?: Position[] } } }
  const position = why5xx?.origin?.access ?? why5xx?.origin?.errors?.[0] ?? null
  return { value: Buffer.from(json), headers: headersOf('sink', code, position) }
}

function headersOf(stage: 'parse' | 'sink', code: string, position: Position | null): Record<string, string> {
  return {
    'why5xx.stage': stage,
    'why5xx.code': code,
    'why5xx.version': VERSION,
    ...(position !== null &&
      'offset' in position && {
        'why5xx.topic': position.topic,
        'why5xx.partition': String(position.partition),
        'why5xx.offset': String(position.offset)
      })
  }
}

/**
 * Where a page of failures ended: time and id of its last row, which never change for a document. So a cursor stays right
 * while more is written, and in another process. Opaque to callers.
 */

import { Why5xxError } from '../errors.ts'

export interface Cursor {
  /** Unix ms. */
  timeMs: number
  id: string
}

export function cursorText({ timeMs, id }: Cursor): string {
  return Buffer.from(JSON.stringify([timeMs, id])).toString('base64url')
}

/** Throws Why5xxError `WHY5XX_USAGE` for a text that `cursorText` did not make. */
export function parseCursor(text: string): Cursor {
  try {
    const [timeMs, id] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [unknown, unknown]
    if (Number.isSafeInteger(timeMs) && typeof id === 'string') return { timeMs: timeMs as number, id }
  } catch {
    // Said below, like everything else that is no cursor.
  }
  throw new Why5xxError('WHY5XX_USAGE', `${JSON.stringify(text.slice(0, 100))} is not what a page gave as its next`)
}

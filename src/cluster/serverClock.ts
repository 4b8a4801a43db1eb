/** What the API server's clock says, by the Date of an answer. */

import type { IncomingMessage } from 'node:http'
import { ApiError, type Connection, get } from './apiRequest.ts'

const SILENT_MS = 10_000
/** `Date` is cut to whole seconds. */
const HALF_SECOND_MS = 500

/** Ms by which its clock is ahead of ours, to about a second; null: it does not tell. Throws ApiError when nobody answers. */
export async function serverClockAheadMs(
  connection: Connection,
  now: () => number,
  signal?: AbortSignal
): Promise<number | null> {
  const askedMs = now()
  let response: IncomingMessage
  try {
    response = await get(connection, '/version', {}, { silentMs: SILENT_MS, signal })
  } catch (error) {
    // Whoever may not ask for it may ask for other things.
    if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return null
    throw error
  }
  const answeredMs = now()
  response.resume()
  const atMs = Date.parse(response.headers.date ?? '')
  return Number.isNaN(atMs) ? null : atMs + HALF_SECOND_MS - (askedMs + answeredMs) / 2
}

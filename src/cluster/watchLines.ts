/** The body of a watch → its events: one JSON object a line, cut anywhere by the network. */
import { ApiError, asApiError, type Connection } from './apiRequest.ts'
import { isRecord } from './fieldShape.ts'

export interface WatchLine {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: Record<string, unknown>
}

/** The API takes no object beyond 1.5 MB of its own storage format; as JSON it is larger, but never by this much. */
const LINE_BYTES_MAX = 32 * 1024 * 1024
const TYPES: ReadonlySet<unknown> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'])

/**
 * All whole lines of each chunk. What stands behind the last newline when the stream ends was cut and is left out: it comes
 * again when the watch goes on from the last version. Throws ApiError with status 200 for a line that is no event.
 */
export async function* watchLines(
  body: AsyncIterable<Buffer>,
  connection: Connection,
  signal?: AbortSignal
): AsyncGenerator<WatchLine[]> {
  let parts: Buffer[] = []
  let held = 0
  try {
    for await (const chunk of body) {
      const end = chunk.lastIndexOf(0x0a)
      if (end === -1) {
        parts.push(chunk)
        held += chunk.length
      } else {
        const whole = Buffer.concat([...parts, chunk.subarray(0, end)]).toString('utf8')
        parts = [chunk.subarray(end + 1)]
        held = chunk.length - end - 1
        const lines = whole.split('\n').filter(line => line.trim() !== '')
        yield lines.map(line => parseLine(line, connection))
      }
      if (held > LINE_BYTES_MAX)
        throw new ApiError(connection, `a line of a watch has more than ${LINE_BYTES_MAX} bytes`, 200)
    }
  } catch (error) {
    throw asApiError(error, connection, signal)
  }
}

function parseLine(line: string, connection: Connection): WatchLine {
  try {
    const { type, object } = JSON.parse(line) as { type?: unknown; object?: unknown }
    if (TYPES.has(type) && isRecord(object)) return { type, object } as WatchLine
  } catch {
    // Said below, as for JSON that is no event.
  }
  throw new ApiError(connection, 'a line of a watch is no event', 200)
}

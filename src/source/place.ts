/** What finds a file again after a restart, as the store keeps it. */

import { z } from 'zod'
import type { StreamState } from './source.ts'

const placeSchema = z.object({
  kind: z.literal('file'),
  /** The path by which it was found, and where that led to. */
  path: z.string(),
  realPath: z.string(),
  device: z.number(),
  inode: z.number(),
  /** Time of its last write, Unix ms. */
  mtimeMs: z.number(),
  /** How many of its first bytes were there when it was met: `SourceStream.head` stays what it was. */
  headBytes: z.number(),
  content: z.enum(['access', 'errors', 'mixed']).nullable(),
  head: z.object({ bytes: z.number(), sha256: z.string() }),
  tail: z.object({ at: z.number(), bytes: z.number(), sha256: z.string() })
})

export type Place = z.infer<typeof placeSchema>

/** A file that was read before: by an earlier process, or by this one until it ended. */
export interface KnownFile {
  id: string
  place: Place
  isDone: boolean
  /** null: read by this process, which has no position to go on from. */
  state: StreamState | null
}

/** null: the state of a stream that is no file. */
export function knownFile(state: StreamState): KnownFile | null {
  const place = placeSchema.safeParse(state.place)
  return place.success ? { id: state.stream, place: place.data, isDone: state.isDone, state } : null
}

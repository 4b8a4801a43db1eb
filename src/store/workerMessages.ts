/** What the thread that reads and the thread that stores say to each other. */

import type { StreamState } from '../source/source.ts'
import type { RawBatch } from './sink.ts'
import type { ClaimedStreams, WriteResult } from './store.ts'

export type Request =
  | { kind: 'write'; id: number; batch: RawBatch }
  | { kind: 'countedMinutes'; id: number; containers: string[]; stream: string }
  | { kind: 'claim'; id: number; streams: string[] }
  | { kind: 'close'; id: number }

/** An error as data: of a Why5xxError its code goes with it. */
export interface Failed {
  code: string | null
  message: string
}

export type Answer =
  | { kind: 'open'; streams: readonly StreamState[]; engine: Record<string, unknown> | null }
  | { kind: 'done'; id: number; result: WriteResult | Set<string> | ClaimedStreams | null }
  | { kind: 'failed'; id: number | null; error: Failed }
  | { kind: 'notify'; text: string }
  | { kind: 'paused'; because: string | null }

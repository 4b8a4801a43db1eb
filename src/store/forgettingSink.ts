/** A sink that stores nothing: whoever reads for the alerts alone needs to know where it was, and only as long as it lives. */

import type { StreamState } from '../source/source.ts'
import type { Sink } from './sink.ts'
import type { ClaimedStreams, WriteResult } from './store.ts'

export class ForgettingSink implements Sink {
  readonly isThread = false
  readonly isForgetting = true
  readonly engine = null
  readonly facts = null
  readonly pausedBecause = null
  readonly #states = new Map<string, StreamState>()

  get streams(): readonly StreamState[] {
    return [...this.#states.values()]
  }

  async write({ streams }: { streams: readonly StreamState[] }): Promise<WriteResult> {
    for (const state of streams) this.#states.set(state.stream, state)
    return { written: 0, known: 0 }
  }

  /** Partitions that were dealt out again go on where they were. */
  async claim(streams: string[]): Promise<ClaimedStreams> {
    return { streams: streams.flatMap(stream => this.#states.get(stream) ?? []), engines: [] }
  }

  async countedMinutes(): Promise<Set<string>> {
    return new Set()
  }

  async close(): Promise<void> {}
}

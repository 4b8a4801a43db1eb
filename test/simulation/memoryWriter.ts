/** A store that keeps batches whole or not at all, in memory: what any real one promises. */
import type { StreamState } from '../../src/source/source.ts'
import type { Batch, StoreWriter, WriteResult } from '../../src/store/store.ts'

export class MemoryStore {
  readonly batches: Batch[] = []

  open(mayCrash: (where: string) => void): StoreWriter {
    const streams = new Map<string, StreamState>()
    let engine: Record<string, unknown> | null = null
    // As read back from a disk.
    for (const batch of structuredClone(this.batches)) {
      for (const state of batch.streams) streams.set(state.stream, state)
      engine = batch.engine ?? engine
    }
    return {
      streams: [...streams.values()],
      engine,
      pausedBecause: null,
      write: async (batch: Batch): Promise<WriteResult> => {
        mayCrash('before the write')
        this.batches.push(JSON.parse(JSON.stringify(batch)) as Batch)
        mayCrash('behind the write')
        return { written: batch.failures.length, known: 0 }
      },
      countedMinutes: async () => new Set(),
      close: async () => {}
    }
  }
}

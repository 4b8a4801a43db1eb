/** A sink that takes everything at once and keeps nothing; a test may look at what it takes. */
import type { RawBatch, Sink } from '../../src/store/sink.ts'

export function forgetfulSink(look: (batch: RawBatch) => void = () => {}): Sink {
  return {
    streams: [],
    engine: null,
    pausedBecause: null,
    async write(batch) {
      look(batch)
      return { written: 0, known: 0 }
    },
    facts: null,
    isThread: true,
    claim: () => Promise.resolve({ streams: [], engines: [] }),
    countedMinutes: async () => new Set(),
    close: async () => {}
  }
}

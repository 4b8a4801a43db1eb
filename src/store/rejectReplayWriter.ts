/** A store as a replay of rejects sees it: every line counts under a key of its own, and what fails again is there already. */

import { countsFrom } from '../totals.ts'
import type { RawBatch, Sink } from './sink.ts'
import type { ClaimedStreams, TotalsRow, WriteResult } from './store.ts'

export class RejectReplayWriter implements Sink {
  readonly #store: Sink

  constructor(store: Sink) {
    this.#store = store
  }

  get isThread(): boolean {
    return this.#store.isThread
  }

  get streams(): Sink['streams'] {
    return this.#store.streams
  }

  /** What the workers know stays theirs: no position of them is moved, so nothing that belongs to one is taken or written. */
  get engine(): Sink['engine'] {
    return null
  }

  get facts(): Sink['facts'] {
    return this.#store.facts
  }

  get pausedBecause(): string | null {
    return this.#store.pausedBecause
  }

  write(batch: RawBatch): Promise<WriteResult> {
    return this.#store.write({
      ...batch,
      rejects: [],
      engine: null,
      totals: batch.totals.flatMap(row => this.#byLine(row))
    })
  }

  countedMinutes(containers: string[], stream: string): Promise<Set<string>> {
    return this.#store.countedMinutes(containers, stream)
  }

  claim(streams: string[]): Promise<ClaimedStreams> {
    return this.#store.claim(streams)
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  /** A key for each line, by the place where it was read first: replayed twice, it counts once. */
  #byLine(row: TotalsRow): TotalsRow[] {
    const byPosition = new Map<number, number[]>()
    const lines = row.lines ?? []
    for (let i = 0; i < lines.length; i += 3) {
      const [position, ...rest] = lines.slice(i, i + 3) as [number, number, number]
      byPosition.set(position, [...(byPosition.get(position) ?? []), 0, ...rest])
    }
    return [...byPosition].map(([position, own]) => ({
      ...row,
      ...countsFrom(own, 0),
      stream: `${row.stream}@${position}`,
      lines: own
    }))
  }
}

/** A store as a replay of rejects sees it: every line counts under a key of its own, and what fails again is there already. */

import { countsFrom } from '../totals.ts'
import type { RawBatch } from './sink.ts'
import { SinkAround } from './sinkAround.ts'
import type { TotalsRow, WriteResult } from './store.ts'

export class RejectReplayWriter extends SinkAround {
  /** What the workers know stays theirs: no position of them is moved, so nothing that belongs to one is taken or written. */
  override get engine(): null {
    return null
  }

  write(batch: RawBatch): Promise<WriteResult> {
    return this.store.write({
      ...batch,
      rejects: [],
      engine: null,
      totals: batch.totals.flatMap(row => this.#byLine(row))
    })
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

/** A store as a replay sees it: what other streams have counted before is not counted again. */

import type { RawBatch } from './sink.ts'
import { SinkAround } from './sinkAround.ts'
import type { TotalsRow, WriteResult } from './store.ts'

/**
 * Lines of one container come in many files: kubelet's, a shipper's, what somebody saved of `kubectl logs`. Totals of a
 * container and minute are written only where no other stream has any; lines of a file that was read before are told by its
 * position. Documents need no such care: they have ids.
 */
export class ReplayWriter extends SinkAround {
  /** Container × minute of others, by container and stream; asked for once. */
  readonly #counted = new Map<string, Promise<Set<string>>>()
  /** Those that we count: two files of one container share the minute of its rotation. */
  readonly #own = new Set<string>()
  /** Settles when every batch so far was asked for. */
  #asked: Promise<unknown> = Promise.resolve()
  /** Requests that were counted before. */
  requestsKnown = 0

  /** In the order of calls, although the first question about a container takes longer than the next. */
  async write(batch: RawBatch): Promise<WriteResult> {
    const before = this.#asked
    const asked = this.#uncounted(batch)
    this.#asked = Promise.allSettled([before, asked])
    await before
    return this.store.write({ ...batch, totals: await asked })
  }

  async #uncounted(batch: RawBatch): Promise<TotalsRow[]> {
    const totals: TotalsRow[] = []
    for (const row of batch.totals) {
      const counted = await this.#countedBy(row)
      const key = `${row.container}\n${row.minuteMs}`
      if (counted.has(key) && !this.#own.has(key)) {
        this.requestsKnown += row.requests
        continue
      }
      this.#own.add(key)
      totals.push(row)
    }
    return totals
  }

  #countedBy({ container, stream }: TotalsRow): Promise<Set<string>> {
    const key = `${container}\n${stream}`
    let counted = this.#counted.get(key)
    if (counted === undefined) this.#counted.set(key, (counted = this.store.countedMinutes([container], stream)))
    return counted
  }
}

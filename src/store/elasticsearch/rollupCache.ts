/** The totals that this process adds to: read from the store when they are met first, written whole each time. */

import type { Client } from '@elastic/elasticsearch'
import type { StreamState } from '../../source/source.ts'
import type { TotalsRow } from '../store.ts'
import type { BulkItem } from './bulkAnswer.ts'
import { versionedItem } from './items.ts'
import { type IndexNames, rollupId } from './names.ts'
import type { Patience } from './patience.ts'
import { getDocuments } from './requests.ts'
import {
  addRow,
  type Rollup,
  type RollupSource,
  rollupDocument,
  rollupOf,
  rollupVersion,
  type StreamPlace
} from './rollups.ts'

interface CacheParts {
  client: Client
  patience: Patience
  names: IndexNames
  clusterName: string
  /** More keys than this are not kept, unless they are being written. */
  keysMax: number
}

/** Items to write, and what to call once they are durable. */
export interface RollupWrites {
  items: BulkItem[]
  durable: () => void
}

export class RollupCache {
  readonly #parts: CacheParts
  readonly #rollups = new Map<string, Rollup>()
  /** As far as the streams have told. */
  readonly #places = new Map<string, StreamState>()

  /** Of other processes by now. */
  readonly #stopped = new Set<string>()

  constructor(parts: CacheParts) {
    this.#parts = parts
  }

  /** Every key of these rows is here: `add` may follow at once. */
  has(rows: readonly TotalsRow[]): boolean {
    return rows.every(row => this.#rollups.has(keyOf(row)) || this.#stopped.has(row.stream))
  }

  /** Reads the keys that are not here, of streams that stand where `streams` say. One call at a time. */
  async load(rows: readonly TotalsRow[], streams: readonly StreamState[]): Promise<void> {
    const { client, patience, names } = this.#parts
    for (const state of streams) this.#places.set(state.stream, state)
    const missing = new Map<string, TotalsRow>()
    for (const row of rows) {
      const key = keyOf(row)
      if (!this.#rollups.has(key) && !this.#stopped.has(row.stream)) missing.set(key, row)
    }
    const refs = [...missing.values()].map(({ stream, minuteMs, upstream }) => ({
      index: names.daily('rollup', minuteMs),
      id: rollupId(countedOf(stream, this.#places), minuteMs, upstream)
    }))
    const found = await getDocuments(client, patience, refs, ['why5xx.rollup'])
    let at = 0
    for (const [key, row] of missing) {
      const stored = found[at++]
      const source = stored ? (stored.source.why5xx as { rollup: RollupSource }).rollup : null
      this.#rollups.set(key, rollupOf(row, source, countedOf(row.stream, this.#places)))
    }
  }

  /** Adds the rows, whose keys are here, as of where `streams` stand; what has changed is to be written. */
  add(rows: readonly TotalsRow[], streams: readonly StreamState[]): RollupWrites {
    for (const state of streams) this.#places.set(state.stream, state)
    const dirty = new Set<Rollup>()
    for (const row of rows) {
      if (this.#stopped.has(row.stream)) continue
      const rollup = this.#rollups.get(keyOf(row))!
      const place: StreamPlace | null = this.#places.get(row.stream)?.read ?? null
      if (addRow(rollup, row, place)) dirty.add(rollup)
    }
    for (const { stream, isDone } of streams) if (isDone) this.#places.delete(stream)
    for (const rollup of dirty) rollup.pending++
    this.#evict()
    const durable = (): void => {
      for (const rollup of dirty) rollup.pending--
    }
    return { items: [...dirty].map(rollup => this.#item(rollup)), durable }
  }

  /**
   * Others have these streams now, and more of their lines: nothing is counted any more. Read anew from the store, the next
   * line here would claim for a total what lies between the two and was counted by nobody.
   */
  stop(streams: readonly string[]): void {
    if (streams.length === 0) return
    this.forget(streams)
    for (const stream of streams) this.#stopped.add(stream)
  }

  /** These streams are ours from now on, where `states` say as far as they are known: what was read of them before is not true any more. */
  forget(streams: readonly string[], states: readonly StreamState[] = []): void {
    const gone = new Set(streams)
    for (const stream of gone) {
      this.#places.delete(stream)
      this.#stopped.delete(stream)
    }
    for (const [key, { stream }] of this.#rollups) if (gone.has(stream)) this.#rollups.delete(key)
    for (const state of states) this.#places.set(state.stream, state)
  }

  #item(rollup: Rollup): BulkItem {
    const { names, clusterName } = this.#parts
    const json = JSON.stringify(rollupDocument(rollup, clusterName, partitionOf(this.#places.get(rollup.stream))))
    return versionedItem('rollup', names.daily('rollup', rollup.minuteMs), rollup.id, rollupVersion(rollup), json)
  }

  /** The oldest minutes go first, a tenth at a time: they come back from the store when a late line asks for them. */
  #evict(): void {
    const { keysMax } = this.#parts
    if (this.#rollups.size <= keysMax) return
    const idle = [...this.#rollups].filter(([, { pending }]) => pending === 0)
    idle.sort(([, a], [, b]) => a.minuteMs - b.minuteMs)
    for (const [key] of idle.slice(0, this.#rollups.size - Math.floor(keysMax * 0.9))) this.#rollups.delete(key)
  }
}

function keyOf({ stream, minuteMs, upstream }: TotalsRow): string {
  return `${minuteMs} ${stream.length} ${stream}${upstream}`
}

/** What names the lines of a stream in totals: a partition by itself, so that whichever group reads it counts a line once. */
function countedOf(stream: string, places: ReadonlyMap<string, StreamState>): string {
  const partition = partitionOf(places.get(stream))
  return partition === null ? stream : `${partition.topic}/${partition.partition}`
}

/** Of a partition's place (`{topic, partition}`); null: the stream is none. */
function partitionOf(state: StreamState | undefined): { topic: string; partition: number } | null {
  const { topic, partition } = state?.place ?? {}
  return typeof topic === 'string' && typeof partition === 'number' ? { topic, partition } : null
}

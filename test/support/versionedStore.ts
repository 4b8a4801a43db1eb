/** A store in memory that keeps the highest version of a failure, of equal ones the first: its writer and its reader. */

import type { StreamState } from '../../src/source/source.ts'
import type { FailureDocument, StoredDocument } from '../../src/store/document.ts'
import { matchesFilter } from '../../src/store/matchesFilter.ts'
import type { RawBatch, Sink } from '../../src/store/sink.ts'
import { failureRow, type Page, type SearchOptions, type StoreFilter, type WriteResult } from '../../src/store/store.ts'

export class VersionedStore implements Sink {
  readonly isThread: boolean
  readonly engine = null
  readonly facts = null
  pausedBecause: string | null = null
  readonly kept = new Map<string, StoredDocument>()
  readonly states = new Map<string, StreamState>()
  readonly batches: RawBatch[] = []
  /** Of every search, but for its pages. */
  readonly filters: StoreFilter[] = []
  /** Called before a batch is durable. */
  beforeWrite: () => Promise<void> | void = () => {}
  /** Called before a page is given. */
  beforePage: (number: number) => void = () => {}
  isClosed = false
  #pages = 0
  readonly #documentsOf: (texts: string[]) => readonly StoredDocument[]

  /** `documentsOf`: makes documents of texts, as a thread does; left out: it gets none. */
  constructor(documentsOf: ((texts: string[]) => readonly StoredDocument[]) | null = null) {
    this.isThread = documentsOf !== null
    this.#documentsOf = documentsOf ?? (() => [])
  }

  get streams(): readonly StreamState[] {
    return [...this.states.values()]
  }

  async write(batch: RawBatch): Promise<WriteResult> {
    await this.beforeWrite()
    this.batches.push(batch)
    const result = { written: 0, known: 0 }
    for (const document of [...this.#documentsOf(batch.failures), ...batch.built]) {
      const before = this.kept.get(document.id)
      const isBetter = before === undefined || before.version < document.version
      if (isBetter) this.kept.set(document.id, document)
      result[isBetter ? 'written' : 'known']++
    }
    for (const state of batch.streams) this.states.set(state.stream, state)
    return result
  }

  async search(filter: StoreFilter, { limit, after }: SearchOptions): Promise<Page> {
    if (after === null) this.filters.push(filter)
    this.beforePage(this.#pages++)
    const rows = [...this.kept.values()]
      .map(stored => ({ ...failureRow(stored), document: stored.document }))
      .filter(row => matchesFilter(filter, row) && isOf(filter, row.document))
      .sort((a, b) => a.timeMs - b.timeMs || (a.id < b.id ? -1 : 1))
    const start = after === null ? 0 : rows.findIndex(({ id }) => id === after) + 1
    const page = rows.slice(start, start + limit)
    return { rows: page, next: start + limit < rows.length ? page.at(-1)!.id : null }
  }

  get documents(): FailureDocument[] {
    return [...this.kept.values()].map(({ document }) => document)
  }

  countedMinutes = (): Promise<Set<string>> => Promise.resolve(new Set())
  claim = (): Promise<{ streams: StreamState[]; engines: [] }> => Promise.resolve({ streams: [], engines: [] })

  async close(): Promise<void> {
    this.isClosed = true
  }
}

function isOf({ partitions, ingested }: StoreFilter, document: FailureDocument): boolean {
  const writtenMs = Date.parse((document.event as { ingested: string }).ingested)
  if (ingested !== undefined && !(writtenMs >= ingested.fromMs && writtenMs <= ingested.toMs)) return false
  const { origin } = document.why5xx as { origin: { partition?: number } }
  return partitions === undefined || partitions.includes(origin.partition ?? -1)
}

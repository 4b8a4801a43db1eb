/** The contract of a store's reader over arrays: what commands are tested with. */
import { readFileSync } from 'node:fs'
import type { Incident } from '../../src/alert/incident.ts'
import { Counters } from '../../src/counters.ts'
import { Engine } from '../../src/engine.ts'
import { MASK_ALL, Masker } from '../../src/mask.ts'
import { defaultConfig } from '../../src/optionTable.ts'
import { Outbox } from '../../src/outbox.ts'
import type { SourceGap } from '../../src/source/source.ts'
import { controllerRow } from '../../src/store/controllerDocument.ts'
import type { FailureDocument, StoredDocument } from '../../src/store/document.ts'
import { tableOfDocuments } from '../../src/store/documentTable.ts'
import { gapDocument } from '../../src/store/elasticsearch/items.ts'
import { addRow, type Rollup, rollupDocument, rollupOf } from '../../src/store/elasticsearch/rollups.ts'
import { fingerprint } from '../../src/store/identity.ts'
import { incidentDocument } from '../../src/store/incidentDocument.ts'
import { compareIncidents, matchesIncident } from '../../src/store/incidentFilter.ts'
import { isWithin, matchesFilter } from '../../src/store/matchesFilter.ts'
import { documentOf } from '../../src/store/sink.ts'
import {
  type Batch,
  type ControllerRow,
  type CountRow,
  type FailureRow,
  failureRow,
  type IncidentFilter,
  matchesService,
  type Page,
  type SearchOptions,
  type StoreFilter,
  type StoreReader,
  type TotalsRow,
  type TotalsSum
} from '../../src/store/store.ts'
import type { TableKind, TableQuery, TableRow, TableWindow } from '../../src/store/table.ts'

export type StoredRow = FailureRow & { document: FailureDocument }

export class MemoryStore implements StoreReader {
  readonly rows: StoredRow[] = []
  readonly controllerRows: ControllerRow[] = []
  readonly totalsRows: TotalsRow[] = []
  readonly sourceGaps: SourceGap[] = []
  readonly rejected: { timeMs: number; code: string }[] = []
  /** Each once. */
  readonly kept: Incident[] = []
  /** What tables are made of, by kind; failures as in `rows`. */
  readonly documentsOf = { controller: [], reject: [] } as Record<'controller' | 'reject', FailureDocument[]>
  /** Sentences of `incidents`. */
  unread: string | null = null
  isClosed = false
  /** Asked-for pages, for tests of streaming. */
  searches = 0

  add(batch: Batch): void {
    for (const stored of batch.failures) this.rows.push({ ...failureRow(stored), document: stored.document })
    this.controllerRows.push(...batch.controllers.map(controllerRow))
    this.documentsOf.controller.push(
      ...[...batch.controllers, ...batch.gaps.map(gap => gapDocument(gap, 'prod'))].map(dated)
    )
    this.documentsOf.reject.push(...batch.rejects.map(dated))
    this.totalsRows.push(...batch.totals)
    this.sourceGaps.push(...batch.gaps)
    for (const { timeMs, document } of batch.rejects)
      this.rejected.push({ timeMs, code: (document.error as { code: string }).code })
  }

  async counts(filter: StoreFilter, stepMs: number): Promise<CountRow[]> {
    const sums = new Map<string, CountRow>()
    for (const row of this.#matching(filter)) {
      const timeMs = Number.isFinite(stepMs) ? Math.floor(row.timeMs / stepMs) * stepMs : filter.fromMs
      const key = JSON.stringify([timeMs, row.upstream, row.cause])
      const sum = sums.get(key) ?? { timeMs, upstream: row.upstream, cause: row.cause, failed: 0, masked: 0, other: 0 }
      sum[row.counted ? 'failed' : row.masked ? 'masked' : 'other']++
      sums.set(key, sum)
    }
    return [...sums.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
  }

  async search(filter: StoreFilter, { limit, order, after }: SearchOptions): Promise<Page> {
    this.searches++
    const sign = order === 'oldest' ? 1 : -1
    const all = this.#matching(filter).sort((a, b) => sign * (a.timeMs - b.timeMs) || (a.id < b.id ? -1 : 1))
    const start = after === null ? 0 : all.findIndex(row => row.id === after) + 1
    const rows = all.slice(start, start + limit)
    return { rows, next: start + limit < all.length ? rows.at(-1)!.id : null }
  }

  async *scan(filter: StoreFilter): AsyncGenerator<FailureRow> {
    for (const { document: _, ...row } of this.#matching(filter).reverse()) yield row
  }

  async documents(ids: string[], filter: StoreFilter): Promise<FailureDocument[]> {
    return this.#matching(filter)
      .filter(row => ids.includes(row.id))
      .map(row => row.document)
  }

  async totals(filter: StoreFilter, stepMs: number): Promise<TotalsSum[]> {
    const sums = new Map<string, TotalsSum>()
    for (const { minuteMs, container: _, stream: __, ...counts } of this.totalsRows) {
      if (!isWithin(filter, minuteMs) || !matchesService(filter.services, { ...counts, service: '' })) continue
      const timeMs = Number.isFinite(stepMs) ? Math.floor(minuteMs / stepMs) * stepMs : filter.fromMs
      const key = JSON.stringify([timeMs, counts.upstream])
      const sum = sums.get(key)
      if (sum === undefined) sums.set(key, { timeMs, ...counts })
      else
        for (const [name, value] of Object.entries(counts))
          if (typeof value === 'number') (sum as unknown as Record<string, number>)[name]! += value
    }
    return [...sums.values()]
  }

  async *controllers(filter: StoreFilter): AsyncGenerator<ControllerRow> {
    yield* this.controllerRows.filter(row => isWithin(filter, row.timeMs)).sort((a, b) => a.timeMs - b.timeMs)
  }

  async gaps(filter: StoreFilter): Promise<SourceGap[]> {
    return this.sourceGaps.filter(gap => isWithin(filter, gap.atMs))
  }

  async rejects(filter: StoreFilter): Promise<Map<string, number>> {
    const counts = new Map<string, number>()
    for (const { timeMs, code } of this.rejected)
      if (isWithin(filter, timeMs)) counts.set(code, (counts.get(code) ?? 0) + 1)
    return counts
  }

  async table(query: TableQuery, window: TableWindow): Promise<TableRow[]> {
    return tableOfDocuments(query, window, this.#documents(query.from))
  }

  async tables(queries: readonly TableQuery[], window: TableWindow): Promise<TableRow[][]> {
    return Promise.all(queries.map(query => this.table(query, window)))
  }

  async span(): Promise<{ fromMs: number; toMs: number } | null> {
    const times = [...this.rows.map(row => row.timeMs), ...this.totalsRows.map(row => row.minuteMs)]
    return times.length === 0 ? null : { fromMs: Math.min(...times), toMs: Math.max(...times) }
  }

  async incidents(filter: IncidentFilter, say?: (text: string) => void): Promise<Incident[]> {
    if (this.unread !== null) say?.(this.unread)
    return this.kept.filter(one => matchesIncident(filter, one)).sort(compareIncidents)
  }

  async close(): Promise<void> {
    this.isClosed = true
  }

  #documents(kind: TableKind): FailureDocument[] {
    if (kind === 'failure') return this.rows.map(({ document }) => document)
    if (kind === 'incident') return this.kept.map(incident => incidentDocument(incident, 'prod'))
    if (kind !== 'rollup') return this.documentsOf[kind]
    const rollups = new Map<string, Rollup>()
    for (const { lines: _, ...row } of this.totalsRows) {
      const key = JSON.stringify([row.stream, row.minuteMs, row.upstream])
      const rollup = rollups.get(key) ?? rollupOf(row, null)
      addRow(rollup, row, null)
      rollups.set(key, rollup)
    }
    return [...rollups.values()].map(rollup => rollupDocument(rollup, 'prod', null))
  }

  #matching(filter: StoreFilter): StoredRow[] {
    return this.rows.filter(row => matchesFilter(filter, row))
  }
}

/** As Elasticsearch gets it. */
function dated(stored: StoredDocument): FailureDocument {
  return { '@timestamp': new Date(stored.timeMs).toISOString(), ...stored.document }
}

/** A store that has read these files, as `run` would. */
export function storeOf(files: string[], masking = MASK_ALL, nameOf = (file: string) => file): MemoryStore {
  const store = new MemoryStore()
  store.add(batchOf(files, masking, nameOf))
  return store
}

/** All that reading these files gives a store, but where it stands in them. */
export function batchOf(files: string[], masking = MASK_ALL, nameOf = (file: string) => file): Batch {
  const { clusterName, join } = defaultConfig()
  const contents = new Map(files.map(file => [nameOf(file), readFileSync(file)]))
  const options = {
    clusterName,
    sourceOf: (name: string, byteOffset: number) => fingerprint(contents.get(name)!.subarray(0, 1_024), byteOffset),
    masker: new Masker(masking),
    runbookUrl: null
  }
  const outbox = new Outbox(options, new Counters(0), () => {})
  const engine = new Engine(
    {
      join,
      timeZone: 'UTC',
      logFormat: null,
      fromMs: Number.NEGATIVE_INFINITY,
      toMs: Number.POSITIVE_INFINITY,
      isWantedName: null,
      withMinutes: true
    },
    outbox
  )
  for (const [name, content] of contents) {
    const source = engine.open({ name, modifiedMs: null })
    source.push(content)
    source.end()
  }
  engine.finish()
  const { classified, ...batch } = outbox.take(engine, [])!
  return { ...batch, failures: classified.map(raw => documentOf(raw, options)) }
}

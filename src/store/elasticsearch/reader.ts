/** Reads what workers wrote into Elasticsearch, from any place, also while they write. */

import type { Client } from '@elastic/elasticsearch'
import type { Incident } from '../../alert/incident.ts'
import type { SourceGap } from '../../source/source.ts'
import { cursorText, parseCursor } from '../cursor.ts'
import type { FailureDocument } from '../document.ts'
import { NewestIncidents } from '../incidentFilter.ts'
import { matchesFilter } from '../matchesFilter.ts'
import { matchesService } from '../serviceFilter.ts'
import type {
  ControllerRow,
  CountRow,
  FailureRow,
  IncidentFilter,
  Page,
  SearchOptions,
  StoreFilter,
  StoreReader,
  TotalsSum
} from '../store.ts'
import { at } from '../storedValue.ts'
import type { TableQuery, TableRow, TableWindow } from '../table.ts'
import { compareText } from '../textOrder.ts'
import { askedIndices } from './askedIndices.ts'
import { countRow, countsBy, merged, REJECTS_BY_CODE, totalsBy, totalsOf, totalsSum } from './countQuery.ts'
import {
  both,
  butNot,
  candidateQuery,
  failureQuery,
  IGNORED,
  incidentQuery,
  type Query,
  timeQuery,
  totalsQuery
} from './filterQuery.ts'
import { controllerHit, FAILURE_COLUMNS, failureHit, GAP, gapHit, type Hit } from './hits.ts'
import { DAILY_KINDS, type DailyKind, type IndexNames } from './names.ts'
import { type HitsQuestion, Searches } from './searches.ts'

/** Rows of columns: some 500 bytes each. */
const ROWS_A_PAGE = 5_000
/** Whole documents: 2.7 kB each, a few of them far more. By time they lie scattered: large pages unpack less. */
const DOCUMENTS_A_PAGE = 5_000
/** Whole ones, about 5 kB each. */
const INCIDENTS_A_PAGE = 1_000
/** In one question. */
const IDS_MAX = 1_000

export class ElasticsearchReader implements StoreReader {
  readonly #client: Client
  readonly #names: IndexNames
  readonly #searches: Searches

  /** `where`: the addresses of the nodes without what logs in, for sentences. Closes the client when it is closed. */
  constructor(client: Client, names: IndexNames, where: string, searches = new Searches(client, where)) {
    this.#client = client
    this.#names = names
    this.#searches = searches
  }

  async counts(filter: StoreFilter, stepMs: number): Promise<CountRow[]> {
    const indices = await this.#asked(['failure'], filter)
    const buckets = await this.#searches.buckets(indices, butNot(failureQuery(filter), IGNORED), countsBy(stepMs))
    const rows = buckets.map(bucket => countRow(bucket, filter.fromMs))
    for await (const hits of this.#searches.pages(indices, everything(both(timeQuery(filter), IGNORED))))
      for (const { row } of matching(hits, filter))
        rows.push({
          timeMs: bucketOf(row.timeMs, stepMs, filter),
          upstream: row.upstream,
          cause: row.cause,
          failed: row.counted ? 1 : 0,
          masked: !row.counted && row.masked ? 1 : 0,
          other: row.counted || row.masked ? 0 : 1
        })
    return merged(rows, row => [row.timeMs, row.upstream, row.cause]).sort(
      (a, b) => a.timeMs - b.timeMs || compareText(a.upstream, b.upstream) || compareText(a.cause, b.cause)
    )
  }

  async search(filter: StoreFilter, { limit, order, after }: SearchOptions): Promise<Page> {
    const last = after === null ? null : parseCursor(after)
    const indices = await this.#asked(['failure'], filter)
    const wanted = Math.max(0, Math.trunc(limit))
    const found: (FailureRow & { document: FailureDocument })[] = []
    const pages = this.#searches.pages(indices, {
      query: candidateQuery(filter),
      order: order === 'oldest' ? 'asc' : 'desc',
      after: last === null ? null : [last.timeMs, last.id],
      // One more than asked for tells whether there is a next page.
      size: Math.min(wanted + 1, DOCUMENTS_A_PAGE)
    })
    for await (const hits of pages) {
      for (const { hit, row } of matching(hits, filter)) found.push({ ...row, document: hit._source })
      if (found.length > wanted) break
    }
    const rows = found.slice(0, wanted)
    const end = rows.at(-1)
    return { rows, next: end !== undefined && found.length > wanted ? cursorText(end) : null }
  }

  async *scan(filter: StoreFilter): AsyncGenerator<FailureRow> {
    const indices = await this.#asked(['failure'], filter)
    const pages = this.#searches.everyPage(indices, candidateQuery(filter), FAILURE_COLUMNS, ROWS_A_PAGE)
    for await (const hits of pages) for (const { row } of matching(hits, filter)) yield row
  }

  async documents(ids: string[], filter: StoreFilter): Promise<FailureDocument[]> {
    const indices = await this.#asked(['failure'], filter)
    const unique = [...new Set(ids)]
    const found: FailureDocument[] = []
    for (let start = 0; start < unique.length; start += IDS_MAX) {
      const query = both(timeQuery(filter), { ids: { values: unique.slice(start, start + IDS_MAX) } })
      for await (const hits of this.#searches.pages(indices, everything(query)))
        found.push(...hits.map(hit => hit._source))
    }
    return found
  }

  async totals(filter: StoreFilter, stepMs: number): Promise<TotalsSum[]> {
    const indices = await this.#asked(['rollup'], filter)
    const buckets = await this.#searches.buckets(indices, butNot(totalsQuery(filter), IGNORED), totalsBy(stepMs))
    const rows = buckets.map(bucket => totalsSum(bucket, filter.fromMs))
    for await (const hits of this.#searches.pages(indices, everything(both(timeQuery(filter), IGNORED))))
      for (const { _source, sort } of hits) {
        const { why5xx } = _source as { why5xx: { upstream: { name: string }; rollup: Record<string, number> } }
        const upstream = why5xx.upstream.name
        if (matchesService(filter.services, { upstream, service: '' }))
          rows.push({ timeMs: bucketOf(sort[0], stepMs, filter), upstream, ...totalsOf(why5xx.rollup) })
      }
    return merged(rows, row => [row.timeMs, row.upstream]).sort(
      (a, b) => a.timeMs - b.timeMs || compareText(a.upstream, b.upstream)
    )
  }

  async *controllers(filter: StoreFilter): AsyncGenerator<ControllerRow> {
    const query = butNot(timeQuery(filter), GAP)
    const indices = await this.#asked(['controller'], filter)
    for await (const hits of this.#searches.pages(indices, everything(query))) yield* hits.map(controllerHit)
  }

  async gaps(filter: StoreFilter): Promise<SourceGap[]> {
    const query = both(timeQuery(filter), GAP)
    const indices = await this.#asked(['controller'], filter)
    const gaps: SourceGap[] = []
    for await (const hits of this.#searches.pages(indices, everything(query))) gaps.push(...hits.map(gapHit))
    return gaps.sort((a, b) => a.atMs - b.atMs || compareText(a.name, b.name))
  }

  async rejects(filter: StoreFilter): Promise<Map<string, number>> {
    const indices = await this.#asked(['reject'], filter)
    const counts = new Map<string, number>()
    for (const { key, doc_count } of await this.#searches.buckets(indices, timeQuery(filter), REJECTS_BY_CODE)) {
      const code = String(key.code ?? key.type ?? 'unknown')
      counts.set(code, (counts.get(code) ?? 0) + doc_count)
    }
    return new Map([...counts].sort(([a], [b]) => compareText(a, b)))
  }

  async table(query: TableQuery, window: TableWindow): Promise<TableRow[]> {
    const { readTable } = await import('./tableReader.ts')
    return readTable(this.#searches, this.#names, query, window)
  }

  async tables(queries: readonly TableQuery[], window: TableWindow): Promise<TableRow[][]> {
    const tables: TableRow[][] = []
    for (const query of queries) tables.push(await this.table(query, window))
    return tables
  }

  async span(): Promise<{ fromMs: number; toMs: number } | null> {
    const always = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }
    return this.#searches.span(await this.#asked(DAILY_KINDS, always), butNot(timeQuery(always), GAP))
  }

  async incidents(filter: IncidentFilter, say?: (text: string) => void): Promise<Incident[]> {
    // The checks are dear to load, and nobody else needs them.
    const { incidentOf, unreadText } = await import('../incidentRecord.ts')
    const indices = [this.#names.incident]
    await this.#searches.refresh(indices)
    const found = new NewestIncidents()
    let unread = 0
    const columns = ['why5xx.schema', 'why5xx.incident.record']
    const pages = this.#searches.everyPage(indices, incidentQuery(filter), columns, INCIDENTS_A_PAGE)
    for await (const hits of pages)
      for (const { _source } of hits) {
        const incident = incidentOf(at(_source, 'why5xx.schema'), at(_source, 'why5xx.incident.record'))
        if (incident === null) unread++
        else found.add(incident)
      }
    if (unread > 0) say?.(unreadText(this.#names.incident, unread))
    return found.matching(filter)
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  async #asked(kinds: readonly DailyKind[], time: Pick<StoreFilter, 'fromMs' | 'toMs'>): Promise<string[]> {
    const indices = askedIndices(this.#names, kinds, time)
    await this.#searches.refresh(indices)
    return indices
  }
}

/** Oldest first. */
function everything(query: Query): HitsQuestion {
  return { query, order: 'asc', after: null, size: DOCUMENTS_A_PAGE }
}

/** The query has judged what is in the index; of documents with values too long for it, it has not. */
function* matching(hits: readonly Hit[], filter: StoreFilter): Generator<{ hit: Hit; row: FailureRow }> {
  for (const hit of hits) {
    const row = failureHit(hit)
    if (hit._ignored === undefined || matchesFilter(filter, row)) yield { hit, row }
  }
}

/** Begin of the bucket of a moment, Unix ms. */
function bucketOf(timeMs: number, stepMs: number, { fromMs }: StoreFilter): number {
  return stepMs === Number.POSITIVE_INFINITY ? fromMs : Math.floor(timeMs / stepMs) * stepMs
}

/**
 * Asks Elasticsearch, page by page, and takes nothing but whole answers: a shard that failed, a search that was cut short or
 * indices we may not see are errors, never fewer rows.
 *
 * Pages go on behind the time and id of the last document, which never change for a document, so what is written or judged
 * again meanwhile is neither lost nor repeated, and nothing is kept at the server between two pages (no point in time that
 * expires while somebody reads). Counts need one: a document whose cause changes would move from one bucket to another. So do
 * documents in no order.
 */

import { randomUUID } from 'node:crypto'
import { type Client, errors, type estypes } from '@elastic/elasticsearch'
import { Why5xxError } from '../../errors.ts'
import type { Aggregations, Bucket, Counted } from './countQuery.ts'
import { both, type Query, timeQuery } from './filterQuery.ts'
import type { Hit } from './hits.ts'
import { notAllowed, readError } from './readError.ts'

export interface HitsQuestion {
  query: Query
  order: 'asc' | 'desc'
  /** Behind this time and id; null: from the first. */
  after: Hit['sort'] | null
  /** Documents a page. */
  size: number
}

interface BucketPage {
  buckets: Bucket[]
  after: Bucket['key'] | null
  /** All that the query finds. */
  documents: number
  /** Id of the point in time from now on. */
  pit: string | null
}

/** Below `search.max_buckets` (65,536). */
const BUCKETS_A_PAGE = 10_000
const KEEP_ALIVE = '2m'
/** Reading again does no harm: a connection that was cut is not worth an error. Seconds between. */
const ATTEMPTS = { maxRetries: 2, retryBackoff: () => 0.3 }
const LENIENT = { ignore_unavailable: true, allow_no_indices: true } as const

type SearchResponse = estypes.SearchResponse<unknown, Record<string, unknown>>

export class Searches {
  readonly #client: Client
  /** Addresses, for sentences. */
  readonly #where: string
  /** The same copies of the shards for all questions: two copies show what was written last at different moments. */
  readonly #preference = randomUUID()
  readonly #bucketsAPage: number
  #mayRefresh = true
  readonly #allowed = new Set<string>()

  constructor(client: Client, where: string, bucketsAPage = BUCKETS_A_PAGE) {
    this.#client = client
    this.#where = where
    this.#bucketsAPage = bucketsAPage
  }

  /** Shows what is durable but not yet searchable. It costs nothing where nothing was written since the last time. */
  async refresh(indices: string[]): Promise<void> {
    if (!this.#mayRefresh || indices.length === 0) return
    try {
      await this.#client.indices.refresh({ index: indices, ...LENIENT }, ATTEMPTS)
    } catch (error) {
      // Not everybody who may read may do this (privilege `maintenance`); then the index shows it some seconds later.
      if (!(error instanceof errors.ResponseError) || error.statusCode === 401) throw this.#failed(error, indices)
      if (error.statusCode === 403) this.#mayRefresh = false
    }
  }

  /** Documents by time and id, a page at a time; not empty. */
  async *pages(indices: string[], question: HitsQuestion): AsyncGenerator<Hit[]> {
    if (indices.length === 0) return
    let after = question.after
    for (;;) {
      const answer = await this.#search(indices, {
        query: question.query,
        size: question.size,
        version: true,
        track_total_hits: false,
        sort: [
          { '@timestamp': { order: question.order, unmapped_type: 'date' } },
          { 'event.id': { order: question.order, unmapped_type: 'keyword' } }
        ],
        ...(after !== null && { search_after: after })
      })
      const hits = answer.hits.hits as unknown as Hit[]
      if (hits.length > 0) yield hits
      if (hits.length < question.size) return
      after = hits.at(-1)!.sort
    }
  }

  /**
   * Documents as they lie in the index, as of one moment, a page at a time; not empty, and their `sort` means nothing here.
   * By time they would lie scattered, and the server would unpack a block of documents for each.
   */
  async *everyPage(indices: string[], query: Query, columns: readonly string[], size: number): AsyncGenerator<Hit[]> {
    if (indices.length === 0) return
    const target = { pit: await this.#openPointInTime(indices), indices }
    try {
      for (let after: estypes.SortResults | null = null; ; ) {
        const answer: SearchResponse = await this.#search(
          indices,
          {
            query,
            size,
            version: true,
            track_total_hits: false,
            _source: [...columns],
            sort: ['_shard_doc'],
            ...(after !== null && { search_after: after })
          },
          target.pit
        )
        target.pit = answer.pit_id ?? target.pit
        const hits = answer.hits.hits as unknown as Hit[]
        if (hits.length > 0) yield hits
        if (hits.length < size) return
        after = hits.at(-1)!.sort
      }
    } finally {
      await this.#closePointInTime(target.pit)
    }
  }

  /** Every bucket, as of one moment, in their order. */
  async buckets(indices: string[], query: Query, counted: Counted): Promise<Bucket[]> {
    const all: Bucket[] = []
    for await (const page of this.bucketPages(indices, query, counted)) for (const bucket of page) all.push(bucket)
    return all
  }

  /** The same a page at a time. */
  async *bucketPages(indices: string[], query: Query, counted: Counted): AsyncGenerator<Bucket[]> {
    if (indices.length === 0) return
    const size = Math.max(1, Math.trunc(this.#bucketsAPage / (1 + (counted.innerBuckets ?? 0))))
    // Mostly one page has it all.
    const first = await this.#bucketPage({ indices }, query, counted, { size, after: null })
    if (first.buckets.length < size) {
      this.#checkWhole(documentsIn(first.buckets), first.documents)
      yield first.buckets
      return
    }
    const target = { pit: await this.#openPointInTime(indices), indices }
    try {
      let inBuckets = 0
      let documents: number | null = null
      for (let after: Bucket['key'] | null = null; ; ) {
        const page = await this.#bucketPage(target, behind(query, after), counted, { size, after })
        target.pit = page.pit ?? target.pit
        inBuckets += documentsIn(page.buckets)
        documents ??= page.documents
        const isLast = page.buckets.length < size || page.after === null
        if (isLast) this.#checkWhole(inBuckets, documents)
        yield page.buckets
        if (isLast) return
        after = page.after
      }
    } finally {
      await this.#closePointInTime(target.pit)
    }
  }

  /** All that the query finds as one bucket without a key. */
  async whole(indices: string[], query: Query, aggregations: Aggregations): Promise<Bucket> {
    const answer = await this.#search(indices, { query, size: 0, track_total_hits: true, aggs: aggregations })
    return { ...answer.aggregations, key: {}, doc_count: (answer.hits.total as estypes.SearchTotalHits).value }
  }

  /** The first documents in an order, at most 10,000, of which only some columns. */
  async first(
    indices: string[],
    query: Query,
    { columns, sort, size }: { columns: readonly string[]; sort: estypes.SortCombinations[]; size: number }
  ): Promise<Pick<Hit, '_source'>[]> {
    const answer = await this.#search(indices, { query, size, track_total_hits: false, _source: [...columns], sort })
    return answer.hits.hits as unknown as Hit[]
  }

  /** First and last `@timestamp`, Unix ms; null: no document. */
  async span(indices: string[], query: Query): Promise<{ fromMs: number; toMs: number } | null> {
    const { aggregations } = await this.#search(indices, {
      query,
      size: 0,
      track_total_hits: false,
      aggs: { first: { min: { field: '@timestamp' } }, last: { max: { field: '@timestamp' } } }
    })
    const { first, last } = (aggregations ?? {}) as Record<string, { value: number | null } | undefined>
    if (first?.value == null || last?.value == null) return null
    return { fromMs: first.value, toMs: last.value }
  }

  async #bucketPage(
    target: { indices: string[]; pit?: string },
    query: Query,
    { sources, aggregations }: Counted,
    { size, after }: { size: number; after: Bucket['key'] | null }
  ): Promise<BucketPage> {
    const composite = { sources, size, ...(after !== null && { after }) }
    const answer = await this.#search(
      target.indices,
      {
        query,
        size: 0,
        track_total_hits: true,
        aggs: { buckets: { composite, ...(Object.keys(aggregations).length > 0 && { aggs: aggregations }) } }
      },
      target.pit
    )
    const found = answer.aggregations?.buckets as { buckets: Bucket[]; after_key?: Bucket['key'] } | undefined
    return {
      buckets: found?.buckets ?? [],
      after: found?.after_key ?? null,
      documents: (answer.hits.total as estypes.SearchTotalHits).value,
      pit: answer.pit_id ?? null
    }
  }

  /** 9.4.0 to 9.4.6 give no bucket of a time that is not the first field of the index sort (elastic/elasticsearch#158008). */
  #checkWhole(counted: number, documents: number): void {
    if (counted === documents) return
    throw new Why5xxError(
      'WHY5XX_STORE',
      `Elasticsearch at ${this.#where} counts ${counted} of ${documents} documents: its versions 9.4.0 to 9.4.6 count wrongly by time; update it to 9.4.7 or later`
    )
  }

  async #openPointInTime(indices: string[]): Promise<string> {
    try {
      const opened = await this.#client.openPointInTime(
        { index: indices, keep_alive: KEEP_ALIVE, ignore_unavailable: true, preference: this.#preference },
        ATTEMPTS
      )
      return opened.id
    } catch (error) {
      throw this.#failed(error, indices)
    }
  }

  /** One that cannot be closed ends by itself. */
  async #closePointInTime(id: string): Promise<void> {
    await this.#client.closePointInTime({ id }).catch(() => {})
  }

  async #search(indices: string[], body: estypes.SearchRequest, pit?: string): Promise<SearchResponse> {
    const target: estypes.SearchRequest =
      pit === undefined
        ? { index: indices, ...LENIENT, preference: this.#preference }
        : { pit: { id: pit, keep_alive: KEEP_ALIVE } }
    let answer: SearchResponse
    try {
      answer = await this.#client.search({ ...target, ...body, allow_partial_search_results: false }, ATTEMPTS)
    } catch (error) {
      throw this.#failed(error, indices)
    }
    if (answer.timed_out || answer._shards.failed > 0)
      throw new Why5xxError(
        'WHY5XX_STORE',
        `Elasticsearch at ${this.#where} gave a part of the answer only: ${answer._shards.failed} of ${answer._shards.total} shards failed`
      )
    if (answer._shards.total === 0) await this.#checkAllowed(indices)
    return answer
  }

  /** Indices that we may not see look like indices that are not there. */
  async #checkAllowed(indices: string[]): Promise<void> {
    const asked = indices.join()
    if (this.#allowed.has(asked)) return
    let answer: estypes.SecurityHasPrivilegesResponse
    try {
      answer = await this.#client.security.hasPrivileges(
        { index: [{ names: indices, privileges: ['read'] }] },
        ATTEMPTS
      )
    } catch (error) {
      // A cluster without security has no such question.
      if (error instanceof errors.ResponseError && error.statusCode !== 401) {
        this.#allowed.add(asked)
        return
      }
      throw this.#failed(error, indices)
    }
    if (!answer.has_all_requested) throw notAllowed(this.#where, indices)
    this.#allowed.add(asked)
  }

  #failed(error: unknown, indices: readonly string[]): Why5xxError {
    return readError(error, this.#where, indices)
  }
}

function documentsIn(buckets: readonly Bucket[]): number {
  return buckets.reduce((sum, bucket) => sum + bucket.doc_count, 0)
}

/** What lies before the bucket that a page begins behind needs not be looked at again. */
function behind(query: Query, after: Bucket['key'] | null): Query {
  const time = after?.time
  return typeof time === 'number' ? both(query, timeQuery({ fromMs: time, toMs: Number.POSITIVE_INFINITY })) : query
}

/**
 * The contract of what keeps failures, totals and positions. Two implementations: a folder on this machine, Elasticsearch.
 * One suite tests both (test/store/contract.ts). Free of any client's types.
 */

import type { Cause } from '../../parsers/causes.ts'
import type { Incident } from '../alert/incident.ts'
import { isCountedFailure } from '../classify/accessTable.ts'
import type { Position } from '../model.ts'
import type { SourceGap, StreamState } from '../source/source.ts'

export { matchesService } from './serviceFilter.ts'

import { BuiltDocument, type FailureDocument, type StoredDocument } from './document.ts'
import type { TableQuery, TableRow, TableWindow } from './table.ts'

/** A line nobody could parse. */
export interface StoredReject extends StoredDocument {
  /** The original bytes, Latin-1 (of a Kafka message its whole value): they go where only the owner reads. */
  raw: string
  position: Position
}

/** Counts of every client's request of one minute, upstream name, container and stream. Deltas: they add up. */
export interface TotalsRow {
  /** Begin of the minute, Unix ms. */
  minuteMs: number
  /** Upstream name, the identity of a service; '' when the line has none. */
  upstream: string
  /** `cluster/namespace/pod/container` where known, else the stream's id. */
  container: string
  /** Id of the stream it was counted from. */
  stream: string
  requests: number
  /** 5xx, 000, 009. */
  failures: number
  masked: number
  clientClosed: number
  status500: number
  status502: number
  status503: number
  status504: number
  /** Sum of `$request_time`. */
  durationMsSum: number
  /**
   * The same, line by line, for a store that cannot make totals and positions durable in one step: it skips lines that its
   * total holds already. Triples: position in the stream, status (-1: none), `$request_time` in ms; a status of `MASKED` or
   * `CLIENT_CLOSED` (totals.ts) marks the request that was counted at this position. Left out: nobody will read these lines again.
   */
  lines?: number[]
}

/** What becomes durable together, or not at all. */
export interface Batch {
  failures: StoredDocument[]
  /** Reloads, endpoints, certificates, leader elections. */
  controllers: StoredDocument[]
  rejects: StoredReject[]
  gaps: SourceGap[]
  totals: TotalsRow[]
  /** Streams whose state has changed. As of this batch and all before it. */
  streams: StreamState[]
  /** What else a restart needs of the engine, as JSON; null: as before. */
  engine: Record<string, unknown> | null
}

export interface WriteResult {
  /** Documents that are new, or better than what was there. */
  written: number
  /** Documents that were there in the same or a better version. */
  known: number
  /** Streams whose states were not kept: another process has claimed them since. Left out: none. */
  lost?: string[]
}

/** What a reader asks for; empty lists ask for all. */
export interface StoreFilter {
  /** `[fromMs, toMs)`, Unix ms; ±Infinity for open ends. */
  fromMs: number
  toMs: number
  /** Upstream names, or `namespace/service`. See `matchesService`. */
  services: string[]
  causes: string[]
  /** Pod names of the blamed upstream, or its address with or without the port. */
  pods: string[]
  /** Status codes the client saw. */
  statuses: number[]
  /** Of `search`: only failures that were read in these partitions, where the store knows it; left out: all. */
  partitions?: readonly number[]
  /** Of `search`: only failures that were written in `[fromMs, toMs]`, Unix ms, where the store can tell; left out: all. */
  ingested?: { fromMs: number; toMs: number }
}

/** The columns of a failure: what tables, counts and timelines are made of. */
export interface FailureRow {
  id: string
  version: number
  timeMs: number
  cause: Cause
  /** '' when unknown. */
  upstream: string
  /** `service.name`: namespace/service when known, else the upstream name; '' when unknown. */
  service: string
  /** What the client saw; null without an access line. */
  status: number | null
  /** 5xx, 000, 009: what rates count. */
  counted: boolean
  /** A retry saved it. */
  masked: boolean
  method: string | null
  host: string | null
  path: string | null
  client: string | null
  /** The blamed upstream address. */
  address: string | null
  /** The blamed upstream pod; null: not known. */
  pod: string | null
  rootCause: string | null
  confidence: number
  /** An error line decided. */
  hasErrorLine: boolean
}

export interface Page {
  rows: (FailureRow & { document: FailureDocument })[]
  /** Ask with it for the next page; null: that was all. */
  next: string | null
}

export interface SearchOptions {
  /** At most this many rows. */
  limit: number
  /** Oldest or newest first; equal times by id. */
  order: 'oldest' | 'newest'
  /** `next` of the page before; null: the first. */
  after: string | null
}

export interface CountRow {
  /** Begin of the bucket, Unix ms; of `stepMs` Infinity: the begin of the filter. */
  timeMs: number
  upstream: string
  cause: Cause
  /** Documents by what they are: failed in rates, saved by a retry, everything else. */
  failed: number
  masked: number
  other: number
}

export type TotalsSum = Omit<TotalsRow, 'minuteMs' | 'container' | 'stream' | 'lines'> & { timeMs: number }

/** A controller line as stored. */
export interface ControllerRow {
  id: string
  timeMs: number
  /** What kind of line: `reload`, …; see `controllerDocument.ts`. */
  kind: string
  /** `namespace/name` when the line names one. */
  service: string | null
  /** The controller pod; null: not known. */
  pod: string | null
  level: string | null
  cause: Cause | null
  message: string
}

/** Which incidents; empty lists ask for all. */
export interface IncidentFilter {
  /** Those that were going on at any time in `[fromMs, toMs)`, Unix ms; ±Infinity for open ends. */
  fromMs: number
  toMs: number
  /** As in `StoreFilter`. */
  services: string[]
  causes: string[]
  /** null: all. */
  state: Incident['state'] | null
}

export interface IncidentReader {
  /**
   * As they were written last, open ones first, then by their start, newest first. `say` is told in a sentence of those that
   * are damaged or of another schema, and are left out.
   */
  incidents(filter: IncidentFilter, say?: (text: string) => void): Promise<Incident[]>
}

export interface StoreReader extends IncidentReader {
  /** Documents by bucket × upstream × cause, ordered by these. `stepMs` a multiple of a minute, or Infinity for one bucket. */
  counts(filter: StoreFilter, stepMs: number): Promise<CountRow[]>
  search(filter: StoreFilter, options: SearchOptions): Promise<Page>
  /** Every failure's columns, in no order. */
  scan(filter: StoreFilter): AsyncIterable<FailureRow>
  /** The documents with these ids, in no order; unknown ids are left out. */
  documents(ids: string[], filter: StoreFilter): Promise<FailureDocument[]>
  /** Sums by bucket × upstream, ordered by these; of filters only time and services count. */
  totals(filter: StoreFilter, stepMs: number): Promise<TotalsSum[]>
  /** Oldest first; of filters only time counts. */
  controllers(filter: StoreFilter): AsyncIterable<ControllerRow>
  /** Oldest first, by the time they were noticed; of filters only time counts. */
  gaps(filter: StoreFilter): Promise<SourceGap[]>
  /** Rejects by code; of filters only time counts. */
  rejects(filter: StoreFilter): Promise<Map<string, number>>
  /**
   * Rows of a table in its order, at most its limit; without groupings one, also of an empty store. Throws Why5xxError
   * `WHY5XX_USAGE` where `columnsOf` or `checkWindow` (tableCheck.ts) does: a field that documents of this kind have not, or that
   * cannot be asked so. The same in every store, and in the ES|QL that `esqlText` makes of it:
   * - Of an id the newest version counts. Gaps of the source are controller documents, as in Elasticsearch.
   * - No value is null, also what is longer than the index takes; an empty text is a text. Nulls make a group. `sum`, `avg`, `min`
   *   and `max` of no value are null, a count is 0.
   * - Nulls come last in either direction; equal rows are ordered by their other columns, ascending; texts by their UTF-8.
   * - Dates are RFC 3339 text, UTC, milliseconds. A `half_float` has three digits behind the point.
   */
  table(query: TableQuery, window: TableWindow): Promise<TableRow[]>
  /** The rows of each: several that need documents cost a folder little more together than one of them. */
  tables(queries: readonly TableQuery[], window: TableWindow): Promise<TableRow[][]>
  /** First and last moment of what is stored, by documents and totals; null: nothing is. */
  span(): Promise<{ fromMs: number; toMs: number } | null>
  close(): Promise<void>
}

/** Incidents are written by whoever looks for them, beside batches: they hold no position. */
export interface IncidentWriter {
  /**
   * Resolves when they are durable: the newest `updatedMs` of an id stays, whoever comes last; of equal ones the last, which
   * may know more of who was told. Rejects with a Why5xxError when the store cannot be reached: the caller tries again. One
   * that is refused for itself is said in the log and not asked for again.
   */
  put(incidents: readonly Incident[]): Promise<void>
  close(): Promise<void>
}

export interface ClaimedStreams {
  streams: StreamState[]
  /** What their engines knew when they wrote last. */
  engines: Record<string, unknown>[]
}

/** Of a writer that sends bulk requests, for metrics. Counts are since the process started. */
export interface BulkFacts {
  /** Items by outcome: `written`, `known`, `rejected`, `retried`. */
  items: ReadonlyMap<string, number>
  /** Requests that were sent again. */
  retries: number
  /** Seconds that requests took, since `take` was called last. */
  takeSeconds(): number[]
  /** Documents that were refused, by code. */
  rejects: ReadonlyMap<string, number>
}

export interface StoreWriter {
  /** What the last durable batches said, for a restart. */
  readonly streams: readonly StreamState[]
  readonly engine: Record<string, unknown> | null
  /**
   * Resolves when the batch is durable, in the order of calls. A store that cannot write for now (full disk, a server that
   * is away) waits and tries again: `pausedBecause` says why. Rejects only when it never will.
   */
  write(batch: Batch): Promise<WriteResult>
  readonly pausedBecause: string | null
  /**
   * Takes streams over, behind everything that was written here before, and returns what is known of them: from now on the
   * states that other processes write of them are refused.
   */
  claim(streams: string[]): Promise<ClaimedStreams>
  /** null: nothing to tell beside what the pipeline counts. */
  readonly facts: BulkFacts | null
  /** Container × minute that have totals from other streams than `stream`, as `container\nminuteMs`. */
  countedMinutes(containers: string[], stream: string): Promise<Set<string>>
  /** Waits for what is being written. */
  close(): Promise<void>
}

/** The columns of a failure document. */
export function failureRow(stored: StoredDocument): FailureRow {
  if (stored instanceof BuiltDocument) return stored.row
  const { id, version, timeMs, document } = stored
  const at = (path: string): unknown =>
    path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document)
  const text = (path: string): string | null => (at(path) as string | undefined) ?? null
  const status = (at('http.response.status_code') as number | undefined) ?? null
  return {
    id,
    version,
    timeMs,
    cause: at('why5xx.cause') as Cause,
    upstream: text('why5xx.upstream.name') ?? '',
    service: text('service.name') ?? '',
    status,
    counted: status !== null && isCountedFailure(status),
    masked: at('why5xx.masked') === true,
    method: text('http.request.method'),
    host: text('url.domain'),
    path: text('url.path'),
    client: text('source.address'),
    address: text('why5xx.upstream.address'),
    pod: text('kubernetes.pod.name'),
    rootCause: text('why5xx.root_cause.kind'),
    confidence: (at('why5xx.confidence') as number | undefined) ?? 0,
    hasErrorLine: at('error.message') !== undefined
  }
}

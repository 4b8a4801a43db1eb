/**
 * A table that is asked of stored documents: grouped and counted, or columns of the documents themselves. One description gives
 * the rows of every store (`StoreReader.table`) and the text of ES|QL that Kibana runs, so that a panel and its twin are one.
 *
 * Fields are those of the documents in Elasticsearch (`elasticsearch/fields.ts`), of one value each.
 */

export const TABLE_KINDS = ['failure', 'controller', 'reject', 'rollup', 'incident'] as const
/** Which documents: the kinds that are indexed, without `state`. */
export type TableKind = (typeof TABLE_KINDS)[number]

export type Condition =
  /** One of these values. */
  | { field: string; is: readonly (string | number | boolean)[] }
  /** None of these values, or no value at all. */
  | { field: string; isNot: readonly (string | number | boolean)[] }
  | { field: string; atLeast: number }
  | { field: string; exists: boolean }
  /**
   * What `TableWindow.params` says when the table is asked for; without a word of it, or `*`: everything. In ES|QL `?name`,
   * which always has a value: `*` is the one for everything.
   */
  | { field: string; isParam: string }

/** What makes a group, and a column of it. Groups without a value are groups, too. */
export type Grouping = { as: string; field: string } | { as: string; bucketOf: string }

/** A number of a group. `where`: only of documents for which all of it holds. */
export type Measure =
  | { as: string; count: true; where?: readonly Condition[] }
  | { as: string; sum: string }
  | { as: string; avg: string }
  /** Of numbers, dates, and keywords by their bytes. */
  | { as: string; min: string }
  | { as: string; max: string }
  /** 100 × the first column / the second; null where that is 0 or null. */
  | { as: string; percent: readonly [part: string, whole: string] }
  /** Seconds from one date column to another of the row. */
  | { as: string; secondsBetween: readonly [from: string, to: string] }

export interface Order {
  /** The name of a column. Nulls come last; equal rows are in the order of the other columns, ascending. */
  by: string
  order: 'ascending' | 'descending'
}

interface TableOf {
  from: TableKind
  /** All of them hold. */
  where: readonly Condition[]
  /** By which date documents belong to the window. */
  timeField: '@timestamp' | 'event.ingested' | 'event.start'
  sort: readonly Order[]
  /** Rows, after sorting. */
  limit: number
}

/** Groups and their numbers; without groupings one row. */
export interface CountedTable extends TableOf {
  by: readonly Grouping[]
  /** Later ones may name earlier ones. */
  measures: readonly Measure[]
}

/** The documents' own columns. */
export interface ListedTable extends TableOf {
  columns: readonly { as: string; field: string }[]
}

export type TableQuery = CountedTable | ListedTable

export interface TableWindow {
  /** `[fromMs, toMs)`, Unix ms, both finite. */
  fromMs: number
  toMs: number
  /** Of `bucketOf`: a multiple of a second. Buckets begin at multiples of it since the epoch, UTC. */
  stepMs: number
  /** Values of `isParam` by name: one, or any of several. */
  params: Readonly<Record<string, string | readonly string[]>>
}

/** By name of the column. Dates are RFC 3339 text, UTC, milliseconds. */
export type TableRow = Record<string, string | number | boolean | null>

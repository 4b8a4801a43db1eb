/** Tables out of Elasticsearch: groups as composite aggregations, every page; documents' columns from what was written. */

import type { estypes } from '@elastic/elasticsearch'
import type { CountedTable, ListedTable, Order, TableQuery, TableRow, TableWindow } from '../table.ts'
import { checkWindow, columnsOf, type TableColumn } from '../tableCheck.ts'
import { isKeyword, type TableField, tableField, valueIn } from '../tableFields.ts'
import { finishedRows, firstRows, fullOrder, type RawRow, rowOrder } from '../tableRows.ts'
import { askedIndices } from './askedIndices.ts'
import type { IndexNames } from './names.ts'
import type { Searches } from './searches.ts'
import { countedTable, innerBuckets, rawRow, tableQuery } from './tableQuery.ts'

/** `max_result_window` of an index. */
const HITS_MAX = 10_000
/** Documents beyond the limit that are asked for at once: among them are mostly all that share the last place. */
const HITS_BEYOND = 500
const ROWS_A_PAGE = 5_000
const ALWAYS = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }

export async function readTable(
  searches: Searches,
  names: IndexNames,
  query: TableQuery,
  window: TableWindow
): Promise<TableRow[]> {
  const columns = columnsOf(query)
  checkWindow(window)
  const indices = indicesOf(names, query, window)
  await searches.refresh(indices)
  const rows =
    'columns' in query
      ? await listed(searches, indices, query, columns, window)
      : await counted(searches, indices, query, columns, window)
  return finishedRows(query, columns, rows)
}

/** Documents lie in the index of the day of their `@timestamp`: another date says nothing about it. */
function indicesOf(names: IndexNames, { from, timeField }: TableQuery, window: TableWindow): string[] {
  if (from === 'incident') return [names.incident]
  return askedIndices(names, [from], timeField === '@timestamp' ? window : ALWAYS)
}

async function counted(
  searches: Searches,
  indices: string[],
  query: CountedTable,
  columns: readonly TableColumn[],
  window: TableWindow
): Promise<RawRow[]> {
  const { sources, aggregations } = countedTable(query, window)
  const asked = tableQuery(query, window)
  if (query.by.length === 0) return [rawRow(query, await searches.whole(indices, asked, aggregations))]
  const groups = { sources, aggregations, innerBuckets: innerBuckets(query) }
  let kept: RawRow[] = []
  // There may be far more groups than fit into memory: paths, addresses.
  for await (const buckets of searches.bucketPages(indices, asked, groups))
    kept = firstRows(query, columns, [...kept, ...buckets.map(bucket => rawRow(query, bucket))])
  return kept
}

/**
 * The server orders by all columns that it can. It cannot by `text`: documents that are equal but for it are ordered here, if
 * all of them came along; if not, every document is looked at.
 */
async function listed(
  searches: Searches,
  indices: string[],
  query: ListedTable,
  columns: readonly TableColumn[],
  window: TableWindow
): Promise<RawRow[]> {
  const asked = tableQuery(query, window)
  const paths = query.columns.map(({ field }) => field)
  const order = fullOrder(query.sort, columns)
  const isSortable = ({ by }: Order): boolean => isSorted(columns.find(({ as }) => as === by)!.field!)
  const given = order.slice(
    0,
    Math.max(
      query.sort.length,
      order.findIndex(one => !isSortable(one))
    )
  )
  const isWhole = order.every(isSortable)
  const served = isWhole ? order : given
  if (served.every(isSortable)) {
    const size = Math.min(HITS_MAX, query.limit + (isWhole ? 0 : HITS_BEYOND))
    const sort = served.map(({ by, order: direction }) => sortBy(query, by, direction))
    const hits = await searches.first(indices, asked, { columns: paths, sort, size })
    const rows = hits.map(({ _source }) => rowOf(query, _source))
    if (isWhole || rows.length < size) return rows
    const compare = rowOrder(
      served,
      columns.filter(({ as }) => served.some(({ by }) => by === as))
    )
    if (rows.length > query.limit && compare(rows[query.limit - 1]!, rows.at(-1)!) !== 0) return rows
  }
  return firstOfAll(searches, indices, asked, query, columns)
}

async function firstOfAll(
  searches: Searches,
  indices: string[],
  asked: ReturnType<typeof tableQuery>,
  query: ListedTable,
  columns: readonly TableColumn[]
): Promise<RawRow[]> {
  const compare = rowOrder(query.sort, columns)
  const paths = query.columns.map(({ field }) => field)
  let kept: RawRow[] = []
  for await (const hits of searches.everyPage(indices, asked, paths, ROWS_A_PAGE)) {
    for (const { _source } of hits) kept.push(rowOf(query, _source))
    kept = kept.sort(compare).slice(0, query.limit)
  }
  return kept
}

function rowOf({ from, columns }: ListedTable, source: Record<string, unknown>): RawRow {
  return new Map(columns.map(({ as, field }) => [as, valueIn(source, tableField(from, field)!)]))
}

function isSorted(field: TableField): boolean {
  return field.isIndexed && field.mapping !== 'text' && field.mapping !== 'ip'
}

function sortBy({ from, columns }: ListedTable, by: string, order: Order['order']): estypes.SortCombinations {
  const { field } = columns.find(({ as }) => as === by)!
  const known = tableField(from, field)!
  const type = isKeyword(known) ? 'keyword' : known.mapping
  return {
    [field]: {
      order: order === 'ascending' ? 'asc' : 'desc',
      missing: '_last',
      unmapped_type: type as estypes.MappingFieldType
    }
  }
}

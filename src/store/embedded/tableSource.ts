/** What tables are asked of: rows of a kind with the fields that are asked for, as SQL over a snapshot. */

import type { TableKind, TableQuery, TableWindow } from '../table.ts'
import { type TableField, tableField } from '../tableFields.ts'
import { timeCondition } from './filterSql.ts'
import type { Snapshot } from './snapshot.ts'
import { documentField, hasDocuments, needsDocument, ROW_KINDS, type RowKind, valueSql } from './tableColumns.ts'
import { quoted, TOTALS_KEY, TOTALS_SUMS } from './tables.ts'

/** Of a kind that is stored as rows: incidents are not. */
export type StoredKind = Exclude<TableKind, 'incident'>
export type StoredTable = TableQuery & { from: StoredKind }

/** Fields as columns with names of our own. */
export class FieldNames {
  readonly #names = new Map<string, string>()

  of(path: string): string {
    const known = this.#names.get(path)
    if (known !== undefined) return known
    const name = `field_${this.#names.size}`
    this.#names.set(path, name)
    return name
  }

  get all(): [path: string, name: string][] {
    return [...this.#names]
  }
}

/** Every field that a table names. */
export function fieldsOf(query: TableQuery): string[] {
  const paths = [query.timeField as string, ...query.where.map(({ field }) => field)]
  if ('columns' in query) return [...paths, ...query.columns.map(({ field }) => field)]
  for (const grouping of query.by) paths.push('field' in grouping ? grouping.field : grouping.bucketOf)
  for (const measure of query.measures)
    if ('count' in measure) paths.push(...(measure.where ?? []).map(({ field }) => field))
    else for (const key of ['sum', 'avg', 'min', 'max'] as const) if (key in measure) paths.push(measure[key as never])
  return paths
}

/** Whether documents must be opened, which is what a table costs. */
export function needsDocuments(from: StoredKind, paths: readonly string[]): boolean {
  return ROW_KINDS[from].some(kind => paths.some(path => needsDocument(kind, tableField(from, path)!)))
}

export interface SourceOptions {
  /** Files hold days of `@timestamp`; of another date they say nothing. */
  isByDay: boolean
  window: Pick<TableWindow, 'fromMs' | 'toMs'>
  /** Of documents that are stored without it; null: not known. */
  clusterName: string | null
}

/** Rows of a kind with all fields that have a name by now. */
export function sourceSql(snapshot: Snapshot, from: StoredKind, names: FieldNames, options: SourceOptions): string {
  const fields = names.all.map(([path, name]) => ({ field: tableField(from, path)!, name }))
  return ROW_KINDS[from].map(kind => rowsSql(snapshot, kind, fields, options)).join(' UNION ALL ')
}

function rowsSql(
  snapshot: Snapshot,
  kind: RowKind,
  fields: readonly { field: TableField; name: string }[],
  { isByDay, window, clusterName }: SourceOptions
): string {
  const cluster = clusterName === null ? 'NULL' : quoted(clusterName)
  const [fromMs, toMs] = isByDay ? [window.fromMs, window.toMs] : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  const time = timeCondition(kind === 'totals' ? 'minute' : 'time', { fromMs, toMs })
  const inside = fields.filter(({ field }) => needsDocument(kind, field))
  const columns = fields
    .filter(({ field }) => !needsDocument(kind, field))
    .map(({ field, name }) => `${valueSql(kind, field, cluster)} AS ${name}`)
  if (hasDocuments(kind) && inside.length > 0) {
    const paths = inside.map(({ field }) => quoted(jsonPath(field.path)))
    // A document is read once, whatever is asked of it.
    const opened = [...columns, `json_extract_string(document, [${paths.join(', ')}]) AS extracted`]
    const rows = snapshot.documentRows(kind, fromMs, toMs, opened.join(', '), time)
    const given = fields.map(({ field, name }) => {
      const index = inside.findIndex(other => other.name === name)
      return index < 0 ? name : `${documentField(field, `extracted[${index + 1}]`)} AS ${name}`
    })
    return `SELECT ${given.join(', ')} FROM (${rows})`
  }
  const rows = snapshot.rows(kind, fromMs, toMs, time)
  if (kind === 'totals') return `SELECT ${columns.join(', ')} FROM (${totalsSql(rows)})`
  // A gap that is told again is the same.
  if (kind === 'gaps')
    return `SELECT ${columns.join(', ')} FROM (SELECT DISTINCT ON (name, time, text) * FROM (${rows}))`
  return `SELECT ${columns.join(', ')} FROM (${rows})`
}

/** One row for what is one document in Elasticsearch: a stream's minute of an upstream name. */
function totalsSql(rows: string): string {
  const key = TOTALS_KEY.filter(name => name !== 'container')
  const sums = TOTALS_SUMS.map(name => `sum(${name})::DOUBLE AS ${name}`)
  const keys = key.map(name => (name === 'minute' ? 'minute AS time' : name))
  return `SELECT ${[...keys, ...sums].join(', ')} FROM (${rows}) GROUP BY ${key.join(', ')}`
}

function jsonPath(path: string): string {
  return `$${path
    .split('.')
    .map(part => `."${part}"`)
    .join('')}`
}

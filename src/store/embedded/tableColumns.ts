/** Fields of documents as SQL: from a column where there is one, else out of the document's text. */

import { DOCUMENT_SCHEMA } from '../document.ts'
import type { TableKind } from '../table.ts'
import { charsMax, HALF_FLOAT_DIGITS, isInteger, type TableField } from '../tableFields.ts'
import { TOTALS_SUMS } from './tables.ts'

/** What tables are made of, beside incidents. Gaps are documents of controllers in Elasticsearch. */
export type RowKind = 'failures' | 'controllers' | 'rejects' | 'totals' | 'gaps'

/** Without those of `totals`, a document is what knows the other fields; null: there is none. */
type Columns = ReadonlyMap<string, string>

const EVENT: readonly [string, string][] = [
  ['@timestamp', 'time'],
  ['event.id', 'id']
]

const FAILURES: Columns = new Map([
  ...EVENT,
  ['why5xx.cause', 'cause'],
  // Of a failure without a name it is empty.
  ['why5xx.upstream.name', `nullif(upstream, '')`],
  ['service.name', `nullif(service, '')`],
  ['http.response.status_code', 'status'],
  ['why5xx.masked', 'masked'],
  ['http.request.method', 'method'],
  ['url.domain', 'host'],
  ['url.path', 'path'],
  ['source.address', 'client'],
  ['why5xx.upstream.address', 'address'],
  ['kubernetes.pod.name', 'pod'],
  ['why5xx.root_cause.kind', 'root_cause']
])

const CONTROLLERS: Columns = new Map([
  ...EVENT,
  ['event.action', 'event'],
  ['service.name', 'service'],
  ['why5xx.controller.pod.name', 'pod'],
  ['log.level', 'level'],
  ['why5xx.cause', 'cause'],
  ['message', 'message']
])

const GAPS: Columns = new Map([
  ['@timestamp', 'time'],
  ['event.kind', `'event'`],
  ['event.dataset', `'why5xx.gap'`],
  ['event.module', `'why5xx'`],
  ['event.action', 'reason'],
  ['message', 'text'],
  ['orchestrator.type', `'kubernetes'`],
  ['why5xx.schema', String(DOCUMENT_SCHEMA)],
  ['why5xx.gap.name', 'name'],
  ['why5xx.gap.bytes', 'bytes'],
  ['why5xx.gap.reason', 'reason']
])

const TOTALS: Columns = new Map([
  ['@timestamp', 'time'],
  ['event.kind', `'metric'`],
  ['event.dataset', `'why5xx.rollup'`],
  ['event.module', `'why5xx'`],
  ['orchestrator.type', `'kubernetes'`],
  ['service.name', 'upstream'],
  ['why5xx.schema', String(DOCUMENT_SCHEMA)],
  ['why5xx.upstream.name', 'upstream'],
  ['why5xx.rollup.interval_s', '60'],
  ['why5xx.rollup.stream', 'stream'],
  ...TOTALS_SUMS.map((name): [string, string] => [`why5xx.rollup.${name}`, name])
])

const COLUMNS: Record<RowKind, Columns> = {
  failures: FAILURES,
  controllers: CONTROLLERS,
  rejects: new Map(EVENT),
  totals: TOTALS,
  gaps: GAPS
}

export const ROW_KINDS: Record<Exclude<TableKind, 'incident'>, readonly RowKind[]> = {
  failure: ['failures'],
  controller: ['controllers', 'gaps'],
  reject: ['rejects'],
  rollup: ['totals']
}

export function hasDocuments(kind: RowKind): kind is 'failures' | 'controllers' | 'rejects' {
  return kind === 'failures' || kind === 'controllers' || kind === 'rejects'
}

/** Whether a field can be had of these rows only from their documents. */
export function needsDocument(kind: RowKind, { path }: TableField): boolean {
  return hasDocuments(kind) && !COLUMNS[kind].has(path)
}

/** A field that needs no document as SQL: VARCHAR, DOUBLE, BOOLEAN; of dates Unix ms. `clusterName`: SQL of it. */
export function valueSql(kind: RowKind, field: TableField, clusterName: string): string {
  const { path, type } = field
  const column = COLUMNS[kind].get(path)
  if (column === undefined) return path === 'orchestrator.cluster.name' ? clusterName : typed('NULL', field)
  return type === 'date' ? `epoch_ms(${column})::DOUBLE` : typed(column, field)
}

/** The same of a field out of a document; `text`: SQL of what stands there. */
export function documentField(field: TableField, text: string): string {
  return field.type === 'date' ? `epoch_ms(TRY_CAST(${text} AS TIMESTAMP))::DOUBLE` : typed(text, field)
}

function typed(given: string, field: TableField): string {
  switch (field.type) {
    case 'text':
      return kept(`${given}::VARCHAR`, charsMax(field))
    case 'boolean':
      return `TRY_CAST(${given} AS BOOLEAN)`
    case 'date':
      return `${given}::DOUBLE`
    case 'number':
      return numberSql(`TRY_CAST(${given} AS DOUBLE)`, field)
  }
}

function numberSql(given: string, field: TableField): string {
  if (isInteger(field)) return `trunc(${given})`
  return field.mapping === 'half_float' ? `round(${given}, ${HALF_FLOAT_DIGITS})` : given
}

/** What is longer than an index takes is no value. It counts characters as Java does: those of four bytes are two. */
function kept(text: string, charsAtMost: number | null): string {
  if (charsAtMost === null) return text
  const inPairs = `length(regexp_replace(${text}, '[^\\x{10000}-\\x{10FFFF}]', '', 'g'))`
  const isShort = `strlen(${text}) <= ${charsAtMost} OR length(${text}) + ${inPairs} <= ${charsAtMost}`
  return `CASE WHEN ${isShort} THEN ${text} END`
}

/**
 * A table as the text of ES|QL, which Kibana runs over the window that it shows: `?_tstart` and `?_tend` are its ends. Rows are
 * those of `StoreReader.table`, but for the width of buckets, which Elasticsearch chooses by itself there. Pure.
 *
 *   FROM why5xx-failure-*
 *   | WHERE @timestamp >= ?_tstart AND @timestamp < ?_tend AND http.response.status_code == 502
 *   | STATS n = COUNT(*) BY why5xx.cause
 *   | SORT n DESC NULLS LAST, why5xx.cause ASC NULLS LAST
 *   | LIMIT 10
 */

import type {
  Condition,
  CountedTable,
  Grouping,
  ListedTable,
  Measure,
  TableKind,
  TableQuery,
  TableWindow
} from './table.ts'
import { columnsOf } from './tableCheck.ts'
import { HALF_FLOAT_DIGITS, type TableField, tableField } from './tableFields.ts'
import { EVERY_VALUE, givenParam } from './tableParam.ts'
import { fullOrder } from './tableRows.ts'

export interface EsqlOptions {
  /** Which indices, as `FROM` names them. See `indexPattern`. */
  pattern: string
  /** Conditions by which other documents of these indices are left out. See `besideTotals`. */
  only?: readonly string[]
  /** Values in the place of parameters, as `TableWindow.params` has them; left out: parameters stay. */
  params?: TableWindow['params']
}

/** Of a chart as wide as a screen: Elasticsearch takes the next round width that makes no more. */
const BUCKETS = 75
/** `event.dataset` of totals. */
const TOTALS = 'why5xx.rollup'
/** Words that mean something where a column may stand. */
const RESERVED = new Set(
  'and as asc by desc false first in is last like metadata not null nulls on or rlike true where with'.split(' ')
)

/** The indices of a kind; `namespace` null: of all. */
export function indexPattern(kind: TableKind, namespace: string | null = null): string {
  const name = `why5xx-${kind}-${namespace ?? '*'}`
  // Incidents lie in one index, everything else in one a day.
  return namespace === null || kind === 'incident' ? name : `${name}-*`
}

/**
 * The indices of a kind and those of totals, which there are from the first minute on: ES|QL refuses a query of which no index is
 * there, and most have never seen a reject or an incident. Every one of our indices has the fields of all kinds.
 */
export function besideTotals(
  kind: TableKind,
  namespace: string | null = null
): Required<Pick<EsqlOptions, 'pattern' | 'only'>> {
  const pattern = indexPattern(kind, namespace)
  return kind === 'rollup'
    ? { pattern, only: [] }
    : { pattern: `${pattern},${indexPattern('rollup', namespace)}`, only: [`event.dataset != ${literal(TOTALS)}`] }
}

/**
 * Throws Why5xxError `WHY5XX_USAGE` for what `columnsOf` refuses. Parameters are `?name`, whose control must offer `*` for all. It
 * was never run: there is no ES|QL where this is tested, only its grammar.
 */
export function esqlText(given: TableQuery, { pattern, only = [], params }: EsqlOptions): string {
  const columns = columnsOf(given)
  const query = params === undefined ? given : withValues(given, params)
  const sort = fullOrder(query.sort, columns).map(
    ({ by, order }) => `${identifier(by)} ${order === 'ascending' ? 'ASC' : 'DESC'} NULLS LAST`
  )
  const time = identifier(query.timeField)
  const where = [
    `${time} >= ?_tstart`,
    `${time} < ?_tend`,
    ...only,
    ...query.where.map(condition => conditionText(query, condition))
  ]
  return [
    `FROM ${pattern}`,
    `WHERE ${where.join(' AND ')}`,
    ...('columns' in query ? listedCommands(query) : countedCommands(query)),
    // One row has no order.
    ...('by' in query && query.by.length === 0 ? [] : [`SORT ${sort.join(', ')}`]),
    `LIMIT ${query.limit}`,
    `KEEP ${columns.map(({ as }) => identifier(as)).join(', ')}`
  ].join('\n| ')
}

function withValues(query: TableQuery, params: TableWindow['params']): TableQuery {
  const filled = (conditions: readonly Condition[]): Condition[] =>
    conditions.flatMap(condition => {
      if (!('isParam' in condition)) return [condition]
      const is = givenParam(params, condition.isParam)
      return is === null ? [] : [{ field: condition.field, is }]
    })
  const where = filled(query.where)
  if ('columns' in query) return { ...query, where }
  const measures = query.measures.map(measure =>
    'count' in measure && measure.where !== undefined ? { ...measure, where: filled(measure.where) } : measure
  )
  return { ...query, where, measures }
}

function listedCommands({ from, columns }: ListedTable): string[] {
  const renamed = columns
    .filter(({ as, field }) => as !== field || tableField(from, field)!.mapping === 'half_float')
    .map(({ as, field }) => `${identifier(as)} = ${rounded(identifier(field), tableField(from, field)!)}`)
  return renamed.length === 0 ? [] : [`EVAL ${renamed.join(', ')}`]
}

function countedCommands(query: CountedTable): string[] {
  const stored = query.measures.flatMap(measure => {
    const text = measureText(query, measure)
    return text === null ? [] : [`${identifier(measure.as)} = ${text}`]
  })
  const derived = query.measures.flatMap(measure => {
    const text = derivedText(measure)
    return text === null ? [] : [`${identifier(measure.as)} = ${text}`]
  })
  const by = query.by.length === 0 ? '' : ` BY ${query.by.map(groupingText).join(', ')}`
  const stats = `STATS ${stored.join(', ')}${by}`.replace('STATS  BY', 'STATS BY')
  return derived.length === 0 ? [stats] : [stats, `EVAL ${derived.join(', ')}`]
}

function groupingText(grouping: Grouping): string {
  const as = identifier(grouping.as)
  if ('bucketOf' in grouping) return `${as} = BUCKET(${identifier(grouping.bucketOf)}, ${BUCKETS}, ?_tstart, ?_tend)`
  return grouping.as === grouping.field ? as : `${as} = ${identifier(grouping.field)}`
}

/** null: it is made of other columns. */
function measureText(query: CountedTable, measure: Measure): string | null {
  if ('count' in measure) {
    const where = (measure.where ?? []).map(condition => conditionText(query, condition))
    return where.length === 0 ? 'COUNT(*)' : `COUNT(*) WHERE ${where.join(' AND ')}`
  }
  if ('sum' in measure) return aggregated('SUM', query, measure.sum)
  if ('avg' in measure) return aggregated('AVG', query, measure.avg)
  if ('min' in measure) return aggregated('MIN', query, measure.min)
  return 'max' in measure ? aggregated('MAX', query, measure.max) : null
}

function aggregated(name: string, { from }: CountedTable, path: string): string {
  return rounded(`${name}(${identifier(path)})`, tableField(from, path)!)
}

/** A `half_float` has more digits than it knows. */
function rounded(text: string, { mapping }: TableField): string {
  return mapping === 'half_float' ? `ROUND(${text}, ${HALF_FLOAT_DIGITS})` : text
}

function derivedText(measure: Measure): string | null {
  if ('percent' in measure) {
    const [part, whole] = measure.percent.map(identifier)
    // Without another branch it is null, also where the condition is.
    return `CASE(${whole} != 0, 100.0 * ${part} / ${whole})`
  }
  if ('secondsBetween' in measure) {
    const [from, to] = measure.secondsBetween.map(identifier)
    // DATE_DIFF gives whole numbers of 32 bits.
    return `(TO_LONG(${to}) - TO_LONG(${from})) / 1000.0`
  }
  return null
}

/** In ES|QL a comparison with null is null, which is as good as false; `isNot` takes documents without a value, too. */
function conditionText({ from }: TableQuery, condition: Condition): string {
  const field = tableField(from, condition.field)!
  const name = identifier(condition.field)
  if ('is' in condition) return condition.is.length === 0 ? 'false' : equals(name, condition.is)
  if ('isNot' in condition)
    return condition.isNot.length === 0 ? 'true' : `(${name} IS NULL OR ${differs(name, condition.isNot)})`
  if ('atLeast' in condition) return `${rounded(name, field)} >= ${literal(condition.atLeast)}`
  if ('exists' in condition) return `${name} IS ${condition.exists ? 'NOT ' : ''}NULL`
  return `(?${condition.isParam} == ${literal(EVERY_VALUE)} OR ${name} == ?${condition.isParam})`
}

function equals(name: string, values: readonly (string | number | boolean)[]): string {
  if (values.length === 1) return `${name} == ${literal(values[0]!)}`
  return `${name} IN (${values.map(literal).join(', ')})`
}

function differs(name: string, values: readonly (string | number | boolean)[]): string {
  if (values.length === 1) return `${name} != ${literal(values[0]!)}`
  return `${name} NOT IN (${values.map(literal).join(', ')})`
}

/** Parts of a name by themselves; what is no plain word between backquotes. */
function identifier(path: string): string {
  return path
    .split('.')
    .map(part =>
      /^(?:[A-Za-z]|[_@]\w)\w*$/.test(part) && !RESERVED.has(part.toLowerCase())
        ? part
        : `\`${part.replaceAll('`', '``')}\``
    )
    .join('.')
}

/** A string between quotes knows five escapes; other characters stand for themselves. */
function literal(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value)
  const escapes = new Map([
    ['\\', '\\\\'],
    ['"', '\\"'],
    ['\n', '\\n'],
    ['\r', '\\r'],
    ['\t', '\\t']
  ])
  return `"${value.replace(/[\\"\n\r\t]/g, character => escapes.get(character)!)}"`
}

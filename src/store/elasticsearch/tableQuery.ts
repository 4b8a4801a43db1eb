/** A table as queries and aggregations that any node has: no scripts, nothing that keeps only the largest groups. */

import type { estypes } from '@elastic/elasticsearch'
import type { Condition, CountedTable, Measure, TableQuery, TableWindow } from '../table.ts'
import { HALF_FLOAT_DIGITS, isKeyword, roundedHalf, type TableField, tableField } from '../tableFields.ts'
import { givenParam } from '../tableParam.ts'
import type { RawRow, Value } from '../tableRows.ts'
import type { Aggregations, Bucket, Counted } from './countQuery.ts'
import { oneOf, type Query } from './filterQuery.ts'

const NOTHING: Query = { match_none: {} }

export function tableQuery(query: TableQuery, window: TableWindow): Query {
  const { fromMs, toMs } = window
  const range = { gte: Math.ceil(fromMs), lt: Math.ceil(toMs), format: 'epoch_millis' }
  return {
    bool: {
      filter: [
        { range: { [query.timeField]: range } },
        ...query.where.map(where => conditionQuery(query, where, window))
      ]
    }
  }
}

function conditionQuery(query: TableQuery, condition: Condition, { params }: Pick<TableWindow, 'params'>): Query {
  const field = condition.field
  const isText = tableField(query.from, field)!.type === 'text'
  const values = (given: readonly (string | number | boolean)[]): Query =>
    given.length === 0
      ? NOTHING
      : isText
        ? oneOf(field, given as readonly string[])
        : { terms: { [field]: [...given] as estypes.FieldValue[] } }
  if ('is' in condition) return values(condition.is)
  if ('isNot' in condition) return { bool: { must_not: [values(condition.isNot)] } }
  if ('atLeast' in condition) return { range: { [field]: { gte: bound(query, condition) } } }
  if ('exists' in condition)
    return condition.exists ? { exists: { field } } : { bool: { must_not: [{ exists: { field } }] } }
  const given = givenParam(params, condition.isParam)
  return given === null ? { match_all: {} } : values(given)
}

/** Of a `half_float` the index holds the nearest that it can, and takes bounds as they are. */
function bound({ from }: TableQuery, { field, atLeast }: Extract<Condition, { atLeast: number }>): number {
  const isHalf = tableField(from, field)!.mapping === 'half_float'
  return isHalf ? atLeast - 0.5 * 10 ** -HALF_FLOAT_DIGITS : atLeast
}

/** How many of its measures make a bucket of their own in each group. */
export function innerBuckets({ from, measures }: CountedTable): number {
  const extremes = measures.map(extremeOf).filter(extreme => extreme !== null)
  return extremes.filter(({ field }) => isKeyword(tableField(from, field)!)).length
}

/** Groups as composite sources by number: names of columns are free, those of sources are not. */
export function countedTable(query: CountedTable, window: TableWindow): Counted {
  const sources = query.by.map((grouping, i): Counted['sources'][number] => ({
    [`by${i}`]:
      'bucketOf' in grouping
        ? {
            date_histogram: {
              field: grouping.bucketOf,
              fixed_interval: `${window.stepMs}ms`,
              missing_bucket: true
            }
          }
        : { terms: { field: grouping.field, missing_bucket: true } }
  }))
  const aggregations = query.measures.flatMap((measure, i) => {
    const aggregation = measureAggregation(query, measure, window)
    return aggregation === null ? [] : [[`m${i}`, aggregation] as const]
  })
  return { sources, aggregations: Object.fromEntries(aggregations) as Aggregations }
}

function measureAggregation(
  query: CountedTable,
  measure: Measure,
  window: TableWindow
): estypes.AggregationsAggregationContainer | null {
  if ('count' in measure) {
    if (measure.where === undefined) return null
    return { filter: { bool: { filter: measure.where.map(where => conditionQuery(query, where, window)) } } }
  }
  const numeric = 'sum' in measure ? measure.sum : 'avg' in measure ? measure.avg : null
  // A sum alone is 0 also where there is no value.
  if (numeric !== null) return { stats: { field: numeric } }
  const extreme = extremeOf(measure)
  if (extreme === null) return null
  if (!isKeyword(tableField(query.from, extreme.field)!)) return { stats: { field: extreme.field } }
  return { terms: { field: extreme.field, size: 1, order: { _key: extreme.isLeast ? 'asc' : 'desc' } } }
}

function extremeOf(measure: Measure): { field: string; isLeast: boolean } | null {
  if ('min' in measure) return { field: measure.min, isLeast: true }
  return 'max' in measure ? { field: measure.max, isLeast: false } : null
}

interface Stats {
  count: number
  min: number
  max: number
  avg: number
  sum: number
}

/** Of a bucket, or of an answer without groups as one. */
export function rawRow(query: CountedTable, bucket: Bucket): RawRow {
  const row = new Map<string, Value>()
  for (const [i, grouping] of query.by.entries()) {
    const key = bucket.key[`by${i}`] ?? null
    const isBoolean = 'field' in grouping && tableField(query.from, grouping.field)!.type === 'boolean'
    row.set(grouping.as, isBoolean && key !== null ? isTrue(key) : key)
  }
  for (const [i, measure] of query.measures.entries()) {
    const found = bucket[`m${i}`]
    if ('count' in measure) row.set(measure.as, measure.where === undefined ? bucket.doc_count : countIn(found))
    else if (found !== undefined) row.set(measure.as, measured(query, measure, found))
  }
  return row
}

/** Where there is no index there is no aggregation either. */
function countIn(found: unknown): number {
  return (found as { doc_count: number } | undefined)?.doc_count ?? 0
}

function isTrue(key: string | number | boolean): boolean {
  return key === true || key === 1 || key === 'true'
}

function measured(query: CountedTable, measure: Measure, found: unknown): Value {
  const path = 'sum' in measure ? measure.sum : 'avg' in measure ? measure.avg : extremeOf(measure)!.field
  const field = tableField(query.from, path)!
  if (isKeyword(field) && !('sum' in measure) && !('avg' in measure))
    return (found as { buckets: { key: string }[] }).buckets[0]?.key ?? null
  const stats = found as Stats
  if (stats.count === 0) return null
  const name = 'sum' in measure ? 'sum' : 'avg' in measure ? 'avg' : 'min' in measure ? 'min' : 'max'
  return rounded(stats[name], field)
}

function rounded(value: number, { mapping }: TableField): number {
  return mapping === 'half_float' ? roundedHalf(value) : value
}

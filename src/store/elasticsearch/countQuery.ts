/**
 * What is counted by bucket of time and by names: as composite aggregations, which give every bucket, page by page; an
 * aggregation of terms gives the largest only.
 */

import type { estypes } from '@elastic/elasticsearch'
import type { Cause } from '../../../parsers/causes.ts'
import type { CountRow, TotalsSum } from '../store.ts'
import { COUNTED, MASKED, UPSTREAM } from './filterQuery.ts'

export type Aggregations = Record<string, estypes.AggregationsAggregationContainer>
export type Sources = NonNullable<estypes.AggregationsCompositeAggregation['sources']>

/** A composite aggregation without its page. */
export interface Counted {
  sources: Sources
  aggregations: Aggregations
  /** Buckets inside of each of its buckets; left out: none. */
  innerBuckets?: number
}

export interface Bucket {
  key: Record<string, string | number | null>
  doc_count: number
  [name: string]: unknown
}

/** `stepMs` Infinity: one bucket of time. */
function bySteps(stepMs: number): Sources {
  if (stepMs === Number.POSITIVE_INFINITY) return []
  return [{ time: { date_histogram: { field: '@timestamp', fixed_interval: `${Math.trunc(stepMs)}ms` } } }]
}

/** Documents without a value are a bucket too, the first. */
function byTerm(name: string, field: string): Sources[number] {
  return { [name]: { terms: { field, missing_bucket: true } } }
}

export function countsBy(stepMs: number): Counted {
  return {
    sources: [...bySteps(stepMs), byTerm('upstream', UPSTREAM), byTerm('cause', 'why5xx.cause')],
    aggregations: { failed: { filter: COUNTED }, masked: { filter: MASKED } }
  }
}

export function countRow({ key, doc_count, ...counted }: Bucket, fromMs: number): CountRow {
  const failed = (counted.failed as { doc_count: number }).doc_count
  const masked = (counted.masked as { doc_count: number }).doc_count
  return {
    timeMs: (key.time as number | undefined) ?? fromMs,
    upstream: (key.upstream as string | null) ?? '',
    cause: key.cause as Cause,
    failed,
    masked,
    other: doc_count - failed - masked
  }
}

/** Our names of a rollup's numbers, and the document's. */
export const TOTALS = {
  requests: 'requests',
  failures: 'failures',
  masked: 'masked',
  clientClosed: 'client_closed',
  status500: 'status_500',
  status502: 'status_502',
  status503: 'status_503',
  status504: 'status_504',
  durationMsSum: 'duration_ms_sum'
} as const satisfies Record<Exclude<keyof TotalsSum, 'timeMs' | 'upstream'>, string>

const TOTALS_NAMES = Object.entries(TOTALS) as [keyof typeof TOTALS, string][]

export function totalsBy(stepMs: number): Counted {
  const sums = TOTALS_NAMES.map(([name, field]) => [name, { sum: { field: `why5xx.rollup.${field}` } }])
  return {
    sources: [...bySteps(stepMs), byTerm('upstream', UPSTREAM)],
    aggregations: Object.fromEntries(sums) as Aggregations
  }
}

export function totalsSum({ key, ...sums }: Bucket, fromMs: number): TotalsSum {
  const numbers = TOTALS_NAMES.map(([name]) => [name, (sums[name] as { value: number }).value])
  return {
    timeMs: (key.time as number | undefined) ?? fromMs,
    upstream: (key.upstream as string | null) ?? '',
    ...(Object.fromEntries(numbers) as Omit<TotalsSum, 'timeMs' | 'upstream'>)
  }
}

/** Of a rollup document as a whole: what an aggregation cannot name because it is too long. */
export function totalsOf(rollup: Record<string, number>): Omit<TotalsSum, 'timeMs' | 'upstream'> {
  const numbers = TOTALS_NAMES.map(([name, field]) => [name, rollup[field] ?? 0])
  return Object.fromEntries(numbers) as Omit<TotalsSum, 'timeMs' | 'upstream'>
}

export const REJECTS_BY_CODE: Counted = {
  sources: [byTerm('code', 'error.code'), byTerm('type', 'error.type')],
  aggregations: {}
}

/** Adds up rows of one bucket: the empty name and no name are one, and so are those that came another way. */
export function merged<Row extends CountRow | TotalsSum>(rows: Iterable<Row>, keyOf: (row: Row) => unknown[]): Row[] {
  const byKey = new Map<string, Row>()
  for (const row of rows) {
    const key = JSON.stringify(keyOf(row))
    const sum = byKey.get(key)
    if (sum === undefined) byKey.set(key, { ...row })
    else
      for (const [name, value] of Object.entries(row))
        if (name !== 'timeMs' && typeof value === 'number') (sum as unknown as Record<string, number>)[name]! += value
  }
  return [...byKey.values()]
}

/** Rows of a store from what differs between two of them. */
import type { FailureRow, TotalsSum } from '../../src/store/store.ts'
import type { Timeline } from '../../src/timeline/model.ts'
import { TimelineBuilder, type TimelineFilter } from '../../src/timeline/timeline.ts'
import { at } from '../support/lines.ts'

export const HOUR = { fromMs: at('10:00:00'), toMs: at('11:00:00'), services: [], causes: [] }

let count = 0

/** A failed request at a time of day. */
export function failed(time: string, more: Partial<FailureRow> = {}): FailureRow {
  return failedAt(at(time), more)
}

export function failedAt(timeMs: number, more: Partial<FailureRow> = {}): FailureRow {
  return {
    id: `id-${String(++count).padStart(6, '0')}`,
    version: 1,
    timeMs,
    cause: 'connection_refused',
    upstream: 'shop-cart-80',
    service: 'shop-cart-80',
    status: 502,
    counted: true,
    masked: false,
    method: 'GET',
    host: 'shop.example.com',
    path: '/cart/1',
    client: '203.0.113.9',
    address: '10.0.0.7:80',
    pod: null,
    rootCause: null,
    confidence: 0.97,
    hasErrorLine: true,
    ...more
  }
}

export function saved(time: string, more: Partial<FailureRow> = {}): FailureRow {
  return failed(time, { status: 200, counted: false, masked: true, ...more })
}

/** Requests of one minute. */
export function requests(time: string, sum: number, failures = 0, upstream = 'shop-cart-80'): TotalsSum {
  const statuses = { status500: 0, status502: failures, status503: 0, status504: 0 }
  return {
    timeMs: at(time),
    upstream,
    requests: sum,
    failures,
    masked: 0,
    clientClosed: 0,
    ...statuses,
    durationMsSum: 0
  }
}

/** A hundred requests in each minute from 10:00 to 10:59. */
export function traffic(builder: TimelineBuilder, failures: Record<string, number> = {}): void {
  for (let minute = 0; minute < 60; minute++) {
    const time = `10:${String(minute).padStart(2, '0')}`
    builder.totals(requests(`${time}:00`, 100, failures[time] ?? 0))
  }
}

export function timelineOf(rows: FailureRow[], filter: Partial<TimelineFilter> = {}): Timeline {
  const builder = new TimelineBuilder({ ...HOUR, ...filter })
  traffic(builder)
  for (const row of rows) builder.failure(row, null)
  return builder.finish([], { span: null, upstreams: [] })
}

export function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

/** A filter over one row: what every store's query must mean. */

import { matchesService } from './serviceFilter.ts'
import type { FailureRow, StoreFilter } from './store.ts'

/** `[fromMs, toMs)`. */
export function isWithin({ fromMs, toMs }: Pick<StoreFilter, 'fromMs' | 'toMs'>, ms: number): boolean {
  return ms >= fromMs && ms < toMs
}

export function matchesFilter(filter: StoreFilter, row: FailureRow): boolean {
  const { causes, pods, statuses } = filter
  return (
    isWithin(filter, row.timeMs) &&
    matchesService(filter.services, row) &&
    (causes.length === 0 || causes.includes(row.cause)) &&
    (pods.length === 0 ||
      (row.pod !== null && pods.includes(row.pod)) ||
      (row.address !== null && (pods.includes(row.address) || pods.includes(row.address.replace(/:[0-9]+$/, ''))))) &&
    (statuses.length === 0 || (row.status !== null && statuses.includes(row.status)))
  )
}

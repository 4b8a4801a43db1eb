/** What the alerts begin with: a day of counts, and the incidents that may still go on. */

import { setImmediate } from 'node:timers/promises'
import type { Alerting } from './alert/alerting.ts'
import type { Incident } from './alert/incident.ts'
import type { IncidentFilter, IncidentReader, StoreFilter, StoreReader } from './store/store.ts'

export const HISTORY_MS = 24 * 3_600_000
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

export type HistoryReader = Pick<StoreReader, 'counts' | 'totals'> & IncidentReader

export interface HistoryTelling {
  /** Whole minutes: all in `[fromMs, toMs)` are told. */
  fromMs: number
  toMs: number
  /** The store has answered, or a minute was told. */
  onStep?: () => void
  /** Nobody waits for it any more. */
  isOver?: () => boolean
}

/**
 * Tells `alerting` of every minute, and lets it judge them up to the last in which there was anything: behind it nothing was
 * read yet. Nobody is told of what it finds. The store is asked hour by hour; between two minutes others have their turn, for
 * thousands of services are some milliseconds of work each.
 * Resolves to the first minute with a request, Unix ms; Infinity: there was none.
 */
export async function tellHistory(
  reader: HistoryReader,
  alerting: Alerting,
  { fromMs, toMs, onStep = () => {}, isOver = () => false }: HistoryTelling
): Promise<number> {
  let oldestMs = Number.POSITIVE_INFINITY
  let newestMs = fromMs
  for (let hourMs = fromMs; hourMs < toMs && !isOver(); hourMs += HOUR_MS) {
    const endMs = Math.min(hourMs + HOUR_MS, toMs)
    const filter: StoreFilter = { fromMs: hourMs, toMs: endMs, services: [], causes: [], pods: [], statuses: [] }
    const requests = byMinute(await reader.totals(filter, MINUTE_MS))
    onStep()
    const failures = byMinute(await reader.counts(filter, MINUTE_MS))
    onStep()
    for (const minuteMs of [...new Set([...requests.keys(), ...failures.keys()])].sort((a, b) => a - b)) {
      for (const row of requests.get(minuteMs) ?? [])
        if (row.requests > 0) alerting.addRequests(row.upstream, minuteMs, row.requests)
      for (const { upstream, cause, failed, masked, other } of failures.get(minuteMs) ?? [])
        alerting.addFailures(upstream, cause, minuteMs, failed + masked + other, masked)
      if (requests.has(minuteMs)) {
        oldestMs = Math.min(oldestMs, minuteMs)
        newestMs = Math.max(newestMs, minuteMs)
      }
      alerting.advance(newestMs)
      await setImmediate()
      if (isOver()) break
      onStep()
    }
  }
  return oldestMs
}

function byMinute<Row extends { timeMs: number }>(rows: readonly Row[]): Map<number, Row[]> {
  const minutes = new Map<number, Row[]>()
  for (const row of rows) {
    const same = minutes.get(row.timeMs)
    if (same === undefined) minutes.set(row.timeMs, [row])
    else same.push(row)
  }
  return minutes
}

/** Of several places that keep incidents, each one's newest version. */
export function newestOf(...lists: readonly (readonly Incident[])[]): Incident[] {
  const newest = new Map<string, Incident>()
  for (const incident of lists.flat()) {
    const known = newest.get(incident.id)
    if (known === undefined || known.updatedMs < incident.updatedMs) newest.set(incident.id, incident)
  }
  return [...newest.values()]
}

export function incidentsSince(fromMs: number): IncidentFilter {
  return { fromMs, toMs: Number.POSITIVE_INFINITY, services: [], causes: [], state: null }
}

export function minuteOf(ms: number): number {
  return Math.floor(ms / MINUTE_MS) * MINUTE_MS
}

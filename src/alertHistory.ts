/** What the alerts begin with: a day of counts, and the incidents that may still go on. */

import type { Alerting } from './alert/alerting.ts'
import type { Incident } from './alert/incident.ts'
import type { IncidentFilter, IncidentReader, StoreFilter, StoreReader } from './store/store.ts'

export const HISTORY_MS = 24 * 3_600_000
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

export type HistoryReader = Pick<StoreReader, 'counts' | 'totals'> & IncidentReader

/**
 * Tells `alerting` of every minute in `[fromMs, toMs)`, hour by hour, and lets it judge them up to the last in which there was
 * anything: behind it nothing was read yet. Nobody is told of what it finds. Both are whole minutes.
 * Resolves to the first minute with a request, Unix ms; Infinity: there was none.
 */
export async function tellHistory(
  reader: HistoryReader,
  alerting: Alerting,
  fromMs: number,
  toMs: number
): Promise<number> {
  let oldestMs = Number.POSITIVE_INFINITY
  let newestMs = fromMs
  for (let hourMs = fromMs; hourMs < toMs; hourMs += HOUR_MS) {
    const endMs = Math.min(hourMs + HOUR_MS, toMs)
    const filter: StoreFilter = { fromMs: hourMs, toMs: endMs, services: [], causes: [], pods: [], statuses: [] }
    for (const { upstream, timeMs, requests } of await reader.totals(filter, MINUTE_MS)) {
      if (requests > 0) alerting.addRequests(upstream, timeMs, requests)
      oldestMs = Math.min(oldestMs, timeMs)
      newestMs = Math.max(newestMs, timeMs)
    }
    for (const { upstream, cause, timeMs, failed, masked, other } of await reader.counts(filter, MINUTE_MS))
      alerting.addFailures(upstream, cause, timeMs, failed + masked + other)
    alerting.advance(newestMs)
  }
  return oldestMs
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

/** Incidents of logs that were replayed, worked out from what the store holds of them by now. Nobody is told of these. */

import { FailureMinutes, type FailureSeries } from './alert/failureMinutes.ts'
import { type IncidentCause, MINUTE_MS } from './alert/finding.ts'
import type { Incident } from './alert/incident.ts'
import { endWithLog, findIncidents, type LogMinutes } from './alert/logIncidents.ts'
import { seriesKey } from './alert/minutes.ts'
import { controllerPodName, type Sighting } from './alert/sighting.ts'
import { HISTORY_MS } from './alertHistory.ts'
import { wordsOf } from './sighting.ts'
import { diagnosisOfDocument } from './store/diagnosisOfDocument.ts'
import type { FailureDocument } from './store/document.ts'
import { incidentId } from './store/identity.ts'
import type { FailureRow, IncidentWriter, StoreFilter, StoreReader } from './store/store.ts'
import { at, text } from './store/storedValue.ts'

const HOUR_MS = 3_600_000
/** Service × minute, and series × minute with failures: 200 bytes each. */
const CELLS_MAX = 1_000_000
/** Failures that are looked at for what an incident tells of them: the first, and as many of the last. */
const SEARCHED = 500
const INCIDENTS_MAX = 1_000

export interface ReplayedSpan {
  /** Record time of the first line, and behind the last one, Unix ms. */
  fromMs: number
  toMs: number
}

export interface ReplayIncidentOptions extends ReplayedSpan {
  reader: Pick<StoreReader, 'counts' | 'totals' | 'search' | 'incidents'>
  writer: Pick<IncidentWriter, 'put'>
  clusterName: string
  warn: (text: string) => void
}

export interface ReplayedIncidents {
  found: number
  /** Of these; the others overlap one of their service and cause that was there before. */
  stored: number
}

/**
 * Looks at a day before the span, too, for what is normal. Incidents that go on at the end of the span end there: what came
 * later nobody knows. Throws what the store throws.
 */
export async function storeReplayedIncidents(options: ReplayIncidentOptions): Promise<ReplayedIncidents> {
  const { reader, writer, clusterName, warn } = options
  const fromMs = Math.floor(options.fromMs / MINUTE_MS) * MINUTE_MS
  const toMs = Math.ceil(options.toMs / MINUTE_MS) * MINUTE_MS
  const log = await readMinutes(reader, fromMs - HISTORY_MS, toMs)
  if (log === null) {
    warn('incidents were not looked for: there are too many services for so many minutes; replay fewer files at once')
    return { found: 0, stored: 0 }
  }
  const alerts = {
    profile: 'normal' as const,
    idOf: (openedMs: number, upstream: string, cause: IncidentCause) =>
      incidentId(clusterName, openedMs, upstream, cause)
  }
  const isOfSpan = ({ startMs, endMs }: Incident): boolean => startMs < toMs && (endMs ?? toMs) > fromMs
  const found = findIncidents(log, alerts).incidents.filter(isOfSpan)
  const before = await reader.incidents({ fromMs, toMs, services: [], causes: [], state: null })
  const fresh = found.filter(incident => !before.some(other => isSame(incident, other, toMs))).slice(0, INCIDENTS_MAX)
  if (fresh.length === 0) return { found: found.length, stored: 0 }
  const series = new Map(log.failures.map(one => [seriesKey(one.upstream, one.cause), one]))
  for (const incident of fresh) {
    const failures = series.get(seriesKey(incident.upstream, incident.cause))
    if (failures !== undefined) await showFailures(reader, incident, failures, toMs)
  }
  // The same once more, with failures to look at.
  const ids = new Set(fresh.map(({ id }) => id))
  const told = findIncidents(log, alerts).incidents.filter(({ id }) => ids.has(id))
  for (const incident of told) if (incident.endMs === null) endWithLog(incident, toMs)
  await writer.put(told)
  return { found: found.length, stored: told.length }
}

/** What is normal, and what was replayed; null: too much. */
async function readMinutes(
  reader: ReplayIncidentOptions['reader'],
  fromMs: number,
  toMs: number
): Promise<LogMinutes | null> {
  const requests = new Map<string, Map<number, number>>()
  const failures = new FailureMinutes({ cells: CELLS_MAX, kinds: 0 })
  let cells = 0
  for (let hourMs = fromMs; hourMs < toMs; hourMs += HOUR_MS) {
    const filter = filterOf(hourMs, Math.min(hourMs + HOUR_MS, toMs))
    for (const row of await reader.totals(filter, MINUTE_MS)) {
      if (row.requests === 0) continue
      let minutes = requests.get(row.upstream)
      if (minutes === undefined) requests.set(row.upstream, (minutes = new Map()))
      minutes.set(row.timeMs / MINUTE_MS, row.requests)
      if (++cells > CELLS_MAX) return null
    }
    for (const { upstream, cause, timeMs, failed, masked, other } of await reader.counts(filter, MINUTE_MS))
      failures.addCount(upstream, cause, timeMs, failed + masked + other)
    if (failures.isFull) return null
  }
  return { requests, failures: failures.series }
}

/** Some of the failures of an incident take the place of their counts: the first ones and the last ones. */
async function showFailures(
  reader: ReplayIncidentOptions['reader'],
  { upstream, cause, startMs, endMs }: Incident,
  { minutes }: FailureSeries,
  toMs: number
): Promise<void> {
  const filter = { ...filterOf(startMs, endMs ?? toMs), services: [upstream], causes: [cause] }
  const seen = new Set<string>()
  for (const order of ['oldest', 'newest'] as const) {
    const { rows } = await reader.search(filter, { limit: SEARCHED, order, after: null })
    for (const row of rows) {
      // `namespace/service` may be the same text as an upstream name.
      if (row.upstream !== upstream || seen.has(row.id)) continue
      seen.add(row.id)
      const minute = minutes.get(Math.floor(row.timeMs / MINUTE_MS))
      if (minute === undefined || minute.unseen === 0) continue
      minute.unseen--
      minute.kinds.push({ sighting: sightingOfRow(row), count: 1 })
    }
  }
}

/** A failure as it is stored, as the alerts see it. */
function sightingOfRow(row: FailureRow & { document: FailureDocument }): Sighting {
  const { id, timeMs, upstream, service, cause, status, masked, counted, method, host, path, address, document } = row
  const diagnosis = diagnosisOfDocument(document)
  const field = (name: string): string | null => text(at(document, name))
  const controller = field('why5xx.controller.pod.name')
  return {
    timeMs,
    upstream,
    service,
    namespace: service.includes('/') ? service.slice(0, service.indexOf('/')) : null,
    ingress: field('orchestrator.resource.name'),
    cause,
    status,
    masked,
    counted,
    method,
    host,
    path,
    address,
    pod: row.pod,
    node: field('kubernetes.node.name'),
    controllerPod: controller === null ? null : controllerPodName(field('why5xx.controller.namespace'), controller),
    rootCause: diagnosis && wordsOf(diagnosis),
    id: () => id
  }
}

function isSame(incident: Incident, other: Incident, toMs: number): boolean {
  if (incident.upstream !== other.upstream || incident.cause !== other.cause) return false
  return incident.startMs < (other.endMs ?? toMs) && other.startMs < (incident.endMs ?? toMs)
}

function filterOf(fromMs: number, toMs: number): StoreFilter {
  return { fromMs, toMs, services: [], causes: [], pods: [], statuses: [] }
}

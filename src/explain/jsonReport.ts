import type { FoundIncidents } from '../alert/logIncidents.ts'
import type { Engine } from '../engine.ts'
import type { Summary } from './summary.ts'

/** What `explain --format json` prints: stable, one object. `formats`: lines per format met, all sources together. */
export function jsonReport(
  engine: Engine,
  summary: Summary,
  formats: Map<string, number>,
  found: FoundIncidents
): Record<string, unknown> {
  const { totals, counts } = engine
  const byStatus: Record<string, number> = {}
  for (const [status, count] of totals.byStatus.entries())
    if (count > 0) byStatus[String(status).padStart(3, '0')] = count
  const byUpstream: Record<string, { requests: number; failures: number; byCause: Record<string, number> }> =
    Object.create(null)
  for (const [id, requests] of totals.requestsByName.entries()) {
    if (requests !== undefined)
      byUpstream[engine.names.names[id]!] = { requests, failures: totals.failuresByName[id] ?? 0, byCause: {} }
  }
  for (const group of summary.groups.values()) {
    if (group.upstreamName === null) continue
    const upstream = (byUpstream[group.upstreamName] ??= { requests: 0, failures: 0, byCause: {} })
    upstream.byCause[group.cause] = group.documents
  }
  return {
    lines: counts.lines,
    records: counts.records,
    rejects: counts.rejects,
    requests: totals.requests,
    failures: totals.failures,
    masked: counts.masked,
    clientClosed: counts.clientClosed,
    refusedByNginx: counts.refusedByNginx,
    errorOnly: counts.errorOnly,
    continuations: counts.continuations,
    byStatus,
    byCause: sortedByCount(summary.byCause),
    ...(summary.byRootCause.size > 0 && { byRootCause: sortedByCount(summary.byRootCause) }),
    byUpstream: { ...byUpstream },
    // Here lines count, in `errorOnly` above documents.
    join: { ...summary.join, errorOnly: counts.errorsAlone },
    formats: [...formats].map(([format, lines]) => ({ format, lines })),
    from: isoTime(engine.fromMs),
    to: isoTime(engine.toMs),
    incidents: found.incidents.map(incident => ({
      id: incident.id,
      upstreamName: incident.upstream,
      service: incident.service,
      cause: incident.cause,
      rootCause: incident.rootCause?.kind ?? null,
      start: isoTime(incident.startMs),
      detectedAt: isoTime(incident.detectedMs),
      end: incident.endMs === null ? null : isoTime(incident.endMs),
      failures: incident.failures,
      peakPerMinute: incident.peakPerMinute,
      expected: Number(incident.expected.toPrecision(4)),
      pValue: Number(incident.pValue.toPrecision(2))
    })),
    incidentBaseline: found.baseline
  }
}

function sortedByCount(counts: Map<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)))
}

function isoTime(ms: number): string | null {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : null
}

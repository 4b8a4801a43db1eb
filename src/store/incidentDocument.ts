/** An incident as a document: ECS names to search by, and the whole of it beside them, to be read again. */

import { causeTable, isCause } from '../../parsers/causes.ts'
import type { Incident } from '../alert/incident.ts'
import { decimal, plural } from '../text.ts'
import type { FailureDocument } from './document.ts'
import { INCIDENT_SCHEMA } from './incidentLine.ts'

/** What is absent in one is left out of its document. */
export function incidentDocument(incident: Incident, clusterName: string): FailureDocument {
  const { cause, status, namespace, rootCause } = incident
  const info = isCause(cause) ? causeTable[cause] : null
  return {
    '@timestamp': iso(incident.updatedMs),
    event: {
      id: incident.id,
      kind: 'alert',
      dataset: 'why5xx.incident',
      module: 'why5xx',
      created: iso(incident.detectedMs),
      start: iso(incident.startMs),
      ...(incident.endMs !== null && { end: iso(incident.endMs) }),
      // Nanoseconds.
      duration: Math.max(0, Math.round((incident.endMs ?? incident.updatedMs) - incident.startMs)) * 1_000_000
    },
    message: incidentSentence(incident),
    ...(status !== null && { http: { response: { status_code: status } } }),
    orchestrator: { type: 'kubernetes', cluster: { name: clusterName } },
    ...(namespace !== null && { kubernetes: { namespace } }),
    service: { name: incident.service },
    why5xx: {
      schema: INCIDENT_SCHEMA,
      cause,
      ...(info !== null && { category: info.category, blame: info.blame }),
      upstream: { name: incident.upstream },
      ...(rootCause !== null && {
        root_cause: { kind: rootCause.kind, ...(rootCause.ref !== null && { ref: rootCause.ref }) }
      }),
      incident: ownFields(incident)
    }
  }
}

/** `connection_refused on shop/cart: 41 failures, 1.2 expected: shop/cart-1 was OOM-killed`. */
export function incidentSentence(incident: Incident): string {
  const { cause, service, failures, rootCause } = incident
  const numbers =
    cause === 'no_requests'
      ? 'no requests any more'
      : `${plural(failures, 'failure')}, ${decimal(incident.expected)} expected`
  const end = incident.state === 'resolved' ? ', resolved' : ''
  return `${cause} on ${service}: ${numbers}${end}${rootCause === null ? '' : `: ${rootCause.sentence}`}`
}

function ownFields(incident: Incident): Record<string, unknown> {
  const { parent, group, firstId, lastId, timeline } = incident
  return {
    id: incident.id,
    state: incident.state,
    severity: incident.severity,
    ...(parent !== null && { parent }),
    ...(group !== null && { group: { by: group.by, key: group.key } }),
    continued: incident.continued,
    failures: incident.failures,
    masked: incident.masked,
    requests: incident.requests,
    peak_per_minute: incident.peakPerMinute,
    expected: incident.expected,
    p_value: incident.pValue,
    ...(firstId !== null && { first_id: firstId }),
    ...(lastId !== null && { last_id: lastId }),
    windows: incident.windows,
    timeline: timeline.map(({ atMs, text }) => ({ at: iso(atMs), text })),
    record: incident
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

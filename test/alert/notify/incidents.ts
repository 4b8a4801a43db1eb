/** Incidents as the notifier is given them. */
import type { Incident } from '../../../src/alert/incident.ts'
import type { IncidentGroup, Notice } from '../../../src/alert/notice.ts'
import { failuresOf, isOpen, severityOf } from '../../../src/alert/notify/due.ts'
import { sampleNotices } from '../../../src/alert/notify/sampleNotices.ts'

export const START_MS = Date.UTC(2026, 10, 21, 10, 0)

export function incident(id: string, fields: Partial<Incident> = {}): Incident {
  return {
    id,
    parent: null,
    group: null,
    state: 'open',
    severity: 'page',
    upstream: id,
    service: id,
    namespace: null,
    ingress: null,
    cause: 'connection_refused',
    startMs: START_MS,
    detectedMs: START_MS,
    updatedMs: START_MS,
    endMs: null,
    continued: 0,
    failures: 10,
    masked: 0,
    requests: 1_000,
    peakPerMinute: 10,
    expected: 1,
    pValue: 1e-9,
    windows: [],
    lately: [],
    status: 502,
    firstId: null,
    lastId: null,
    rootCause: null,
    rootCauseShare: { count: 0, of: 0 },
    example: null,
    pods: [],
    nodes: [],
    controllers: [],
    changes: [],
    timeline: [],
    told: {},
    ...fields
  }
}

export function single(head: Incident): IncidentGroup {
  return { head, members: [] }
}

/** A notice with what tests look at. */
export function noticeOf(group: IncidentGroup, kind: Notice['kind']): Notice {
  const { head } = group
  return {
    ...sampleNotices()[1]![1],
    kind,
    key: head.id,
    severity: severityOf(group),
    service: head.service,
    upstream: head.upstream,
    failures: failuresOf(group),
    since: new Date(head.startMs).toISOString(),
    until: isOpen(group) ? null : new Date(head.endMs ?? head.updatedMs).toISOString()
  }
}

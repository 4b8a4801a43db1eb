/** Incidents as the notifier is given them. */

import { isOpenGroup } from '../../../src/alert/grouping.ts'
import type { Incident } from '../../../src/alert/incident.ts'
import type { IncidentGroup, Notice } from '../../../src/alert/notice.ts'
import { severityOfGroup } from '../../../src/alert/noticeText.ts'
import { failuresOf } from '../../../src/alert/notify/due.ts'
import { sampleNotices } from '../../../src/alert/notify/sampleNotices.ts'
import { unknown } from '../../support/incidents.ts'

export const START_MS = Date.UTC(2026, 10, 21, 10, 0)

export function incident(id: string, fields: Partial<Incident> = {}): Incident {
  return {
    ...unknown(),
    id,
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
    failures: 10,
    requests: 1_000,
    peakPerMinute: 10,
    expected: 1,
    pValue: 1e-9,
    windows: [],
    lately: [],
    status: 502,
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
    severity: severityOfGroup(group),
    service: head.service,
    upstream: head.upstream,
    failures: failuresOf(group),
    since: new Date(head.startMs).toISOString(),
    until: isOpenGroup(group) ? null : new Date(head.endMs ?? head.updatedMs).toISOString()
  }
}

/** What `check --alerts` sends: a notice that nobody can take for a real one. */

import type { Notice } from './notice.ts'
import { linkOf, runbookOf } from './noticeLinks.ts'
import { field, iso, type NoticeOptions } from './noticeText.ts'

/** `atMs`: now. `severity`: what the receiver wants. */
export function testNotice(options: NoticeOptions, atMs: number, severity: 'page' | 'ticket' = 'ticket'): Notice {
  const cluster = field(options.clusterName)
  const place = {
    id: 'why5xx-test',
    service: 'why5xx-test/test',
    upstream: 'why5xx-test-test-80',
    cause: 'unclassified' as const,
    startMs: atMs,
    endMs: null,
    updatedMs: atMs
  }
  return {
    kind: 'test',
    key: place.id,
    severity,
    alertname: 'Why5xxTest',
    cluster,
    namespace: null,
    service: place.service,
    upstream: place.upstream,
    cause: place.cause,
    causeTitle: 'a test, nothing failed',
    status: null,
    title: `TEST: why5xx of cluster ${cluster} reaches this receiver`.slice(0, 200),
    text: 'TEST: this is a test of why5xx check --alerts. Nothing failed, there is nothing to do.',
    numbers: '0 failures, 0 expected: a test',
    since: iso(atMs),
    until: null,
    failures: 0,
    masked: 0,
    requests: 0,
    expected: 0,
    peakPerMinute: 0,
    pValue: 1,
    windows: [],
    why: null,
    rootCause: null,
    example: null,
    changes: [],
    grouped: null,
    runbook: runbookOf(place, options.runbook),
    link: linkOf(place, options.incidentLink)
  }
}

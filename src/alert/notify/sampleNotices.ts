/** Notices that are nobody's incident: the test that `check --alerts` sends, and samples on which templates are tried at start. */

import type { Notice } from '../notice.ts'

const SAMPLE_MS = Date.UTC(2026, 10, 21, 10, 2)
const MINUTE_MS = 60_000

/** Says of itself that it is a test. `resolved` ends it again. */
export function testNotice(kind: 'test' | 'resolved', key: string, sinceMs: number, cluster: string): Notice {
  return {
    ...bareNotice(kind, sinceMs),
    key,
    alertname: 'Why5xxTest',
    cluster,
    severity: 'ticket',
    service: 'why5xx-test',
    upstream: 'why5xx-test',
    cause: 'test',
    causeTitle: 'a test',
    title: `TEST: why5xx check --alerts${kind === 'test' ? ' reaches you' : ', over again'}`,
    text: 'This is a test alert of why5xx. Nothing is wrong, nothing is to be done; it is resolved at once.',
    numbers: 'no failures, this is a test',
    runbook: 'why5xx check --help',
    link: 'why5xx check --alerts'
  }
}

/** Every kind, with all that may be known and with nothing of it; what it is in words, for messages. */
export function sampleNotices(): [string, Notice][] {
  const kinds: Notice['kind'][] = ['open', 'update', 'resolved']
  return [
    ...kinds.flatMap((kind): [string, Notice][] => [
      [`a notice of kind ${kind}`, fullNotice(kind)],
      [`a notice of kind ${kind} of which little is known`, bareNotice(kind, SAMPLE_MS)]
    ]),
    ['a notice of kind test', testNotice('test', 'test-20261121-1002', SAMPLE_MS, 'prod')]
  ]
}

function bareNotice(kind: Notice['kind'], sinceMs: number): Notice {
  return {
    kind,
    key: 'inc-20261121-1002-hTz0Zy4a',
    severity: 'page',
    alertname: 'Why5xxFailureSpike',
    cluster: 'prod',
    namespace: null,
    service: 'shop-cart-80',
    upstream: 'shop-cart-80',
    cause: 'connection_refused',
    causeTitle: 'connection refused',
    status: null,
    title: 'connection_refused on shop-cart-80: 41 failures in 5 min, 1.2 expected',
    text: '41 failures in 5 min, 1.2 expected.',
    numbers: '41 failures in 5 min, 1.2 expected (0.02 % of 6,010 requests, spread 1.8), p = 3e-44',
    since: new Date(sinceMs).toISOString(),
    until: kind === 'resolved' ? new Date(sinceMs + 20 * MINUTE_MS).toISOString() : null,
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
    runbook: 'why5xx causes connection_refused',
    link: 'why5xx incidents inc-20261121-1002-hTz0Zy4a'
  }
}

function fullNotice(kind: Notice['kind']): Notice {
  const cite = 'Pod shop/cart-7d9f-1 status.containerStatuses[app].lastState.terminated.reason=OOMKilled'
  const at = new Date(SAMPLE_MS - 3 * MINUTE_MS).toISOString()
  return {
    ...bareNotice(kind, SAMPLE_MS),
    namespace: 'shop',
    service: 'shop/cart',
    status: 502,
    text: '41 failures in 5 min, 1.2 expected.\nThe container app ran out of memory.\nBefore: rollout of shop/cart.',
    failures: 41,
    masked: 3,
    requests: 6_010,
    expected: 1.2,
    peakPerMinute: 17,
    pValue: 3e-44,
    windows: [{ minutes: 5, failures: 41, requests: 6_010, expected: 1.2, spread: 1.8, pValue: 3e-44 }],
    why: 'The container app of shop/cart-7d9f-1 was killed because it ran out of memory.',
    rootCause: {
      kind: 'oom_killed',
      ref: 'Pod shop/cart-7d9f-1',
      confidence: 0.95,
      evidence: [{ cite, text: 'app was OOMKilled at 10:01:58' }],
      advice: 'raise the memory limit of app, or find its leak'
    },
    example: {
      id: 'R0a1b2c3d4e5f6g7h8i9jk',
      time: at,
      status: 502,
      method: 'GET',
      host: 'shop.example.com',
      path: '/cart',
      address: '10.0.0.7:8080',
      pod: 'shop/cart-7d9f-1',
      request: 'GET shop.example.com/cart 502'
    },
    changes: [{ at, kind: 'rollout', text: 'Deployment shop/cart rolled out revision 12' }],
    grouped: {
      by: 'service',
      key: 'shop/cart',
      members: [
        {
          id: 'inc-20261121-1004-Zy4ahTz0',
          service: 'shop/cart',
          cause: 'upstream_timeout',
          failures: 7,
          since: new Date(SAMPLE_MS + 2 * MINUTE_MS).toISOString(),
          title: 'upstream_timeout on shop/cart: 7 failures in 5 min, 0.1 expected'
        }
      ]
    },
    runbook: 'https://runbooks.example.com/connection_refused',
    link: 'https://why5xx.example.com/incidents/inc-20261121-1002-hTz0Zy4a?a=1&b=2'
  }
}

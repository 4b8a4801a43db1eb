import { expect, test } from 'vitest'
import type { Incident } from '../../src/alert/incident.ts'
import type { Notice } from '../../src/alert/notice.ts'
import { linkOf, runbookOf } from '../../src/alert/noticeLinks.ts'
import { type NoticeOptions, noticeOf } from '../../src/alert/noticeText.ts'
import { numbersText, probabilityText } from '../../src/alert/numbers.ts'
import { durationText } from '../../src/text.ts'
import { UNSAFE } from '../support/hostileText.ts'
import { atMs, incident, OOM, UNDETERMINED, windowOf } from './samples.ts'

const OPTIONS: NoticeOptions = { clusterName: 'prod', runbook: null, incidentLink: null }
const EXAMPLE = {
  id: 'hTz0Zy4aQ1',
  timeMs: atMs(2, 11),
  status: 502,
  method: 'GET',
  host: 'shop.example.com',
  path: '/cart',
  address: '10.0.0.7:8080',
  pod: 'cart-1'
}
const ROLLOUT = {
  atMs: atMs(1, 12),
  kind: 'rollout' as const,
  text: 'Deployment shop/cart was rolled out at 10:01:12 (image cart:1 → cart:2)'
}

function noticeFor(
  changes: Partial<Incident>,
  kind: 'open' | 'update' | 'resolved' = 'open',
  members: Incident[] = []
) {
  return noticeOf({ head: incident(changes), members }, kind, OPTIONS)
}

test('pods were OOM-killed behind a rollout', () => {
  const notice = noticeFor({
    example: EXAMPLE,
    rootCause: OOM,
    rootCauseShare: { count: 38, of: 41 },
    changes: [ROLLOUT],
    masked: 7
  })
  expect(notice.title).toBe('connection_refused on shop/cart: 41 failures in 5 min, 1.2 expected')
  expect(notice.text).toMatchInlineSnapshot(`
    "connection_refused on shop/cart (nothing listened on the pod's port), status 502: 41 failures in 5 min, 1.2 expected (0.02 % of 6,010 requests, spread 1.8), p = 3e-44.
    Since 2026-11-21T10:02:00Z, detected 2026-11-21T10:04:00Z: 0.68 % of the requests in 5 min.
    Retries saved 7 of 41.
    Why: shop/cart-1 was OOM-killed at 10:02:00 (limit 256Mi) (oom_killed, confidence 0.93, 38 of 41 failures judged): the last state of container app is OOMKilled
    What to do: Raise the memory limit, or find what fills it.
    Example: GET shop.example.com/cart → 502 (10.0.0.7:8080, pod cart-1) at 2026-11-21T10:02:11.000Z, failure hTz0Zy4aQ1
    Runbook: why5xx causes connection_refused
    More: why5xx timeline --service shop/cart --from 2026-11-21T09:47:00Z --to 2026-11-21T10:04:00Z
    Changed before:
    - Deployment shop/cart was rolled out at 10:01:12 (image cart:1 → cart:2)"
  `)
  expect(notice).toMatchObject({
    kind: 'open',
    severity: 'page',
    alertname: 'Why5xxFailureSpike',
    cluster: 'prod',
    namespace: 'shop',
    service: 'shop/cart',
    numbers: '41 failures in 5 min, 1.2 expected (0.02 % of 6,010 requests, spread 1.8), p = 3e-44',
    since: '2026-11-21T10:02:00.000Z',
    until: null,
    changes: [{ at: '2026-11-21T10:01:12.000Z', kind: 'rollout', text: ROLLOUT.text }],
    example: { request: 'GET shop.example.com/cart' },
    grouped: null
  })
})

test('retries saved them all', () => {
  const notice = noticeFor({ severity: 'ticket', masked: 41, status: 200 })
  expect(notice).toMatchObject({ alertname: 'Why5xxMaskedSpike', severity: 'ticket', why: null })
  expect(notice.title).toBe('connection_refused on shop/cart: 41 failures in 5 min, 1.2 expected, all saved by retries')
  expect(notice.text).toMatchInlineSnapshot(`
    "connection_refused on shop/cart (nothing listened on the pod's port), status 200: 41 failures in 5 min, 1.2 expected (0.02 % of 6,010 requests, spread 1.8), p = 3e-44.
    Since 2026-11-21T10:02:00Z, detected 2026-11-21T10:04:00Z: 0.68 % of the requests in 5 min.
    Retries saved all of them: no client saw one.
    Why: not known.
    Runbook: why5xx causes connection_refused
    More: why5xx timeline --service shop/cart --from 2026-11-21T09:47:00Z --to 2026-11-21T10:04:00Z"
  `)
})

test('no requests', () => {
  const notice = noticeFor({
    cause: 'no_requests',
    startMs: atMs(0),
    detectedMs: atMs(10),
    updatedMs: atMs(10),
    failures: 0,
    expected: 1_200,
    status: null,
    windows: [],
    lately: [],
    pValue: 1
  })
  expect(notice).toMatchObject({ alertname: 'Why5xxNoRequests', expected: 0, failures: 0 })
  expect(notice.title).toBe('no_requests on shop/cart: no requests for 10 min, 1,200 expected')
  expect(notice.text).toMatchInlineSnapshot(`
    "no_requests on shop/cart (a service that always had requests has none): no requests for 10 min, 1,200 expected.
    Since 2026-11-21T10:00:00Z, detected 2026-11-21T10:10:00Z.
    Why: not known.
    Runbook: why5xx causes no_requests
    More: why5xx timeline --service shop/cart --from 2026-11-21T09:45:00Z --to 2026-11-21T10:10:00Z"
  `)
})

const others = ['pay', 'web'].map((name, i) =>
  incident({
    id: name,
    parent: 'inc',
    upstream: `shop-${name}-80`,
    service: `shop/${name}`,
    cause: i === 0 ? 'connection_refused' : 'connect_timeout',
    startMs: atMs(1),
    failures: 10,
    masked: 1,
    severity: 'page'
  })
)

test('three services on one node', () => {
  const notice = noticeFor({ group: { by: 'node', key: 'worker-1' }, severity: 'ticket' }, 'open', others)
  expect(notice.title).toBe(
    'connection_refused on shop/cart and 2 more services, pods on node worker-1: 41 failures in 5 min, 1.2 expected'
  )
  expect(notice).toMatchObject({
    severity: 'page',
    failures: 61,
    masked: 2,
    requests: 6_000,
    since: '2026-11-21T10:01:00.000Z'
  })
  expect(notice.text).toMatchInlineSnapshot(`
    "connection_refused on shop/cart (nothing listened on the pod's port), status 502: 41 failures in 5 min, 1.2 expected (0.02 % of 6,010 requests, spread 1.8), p = 3e-44.
    Since 2026-11-21T10:01:00Z, detected 2026-11-21T10:04:00Z: 0.68 % of the requests in 5 min, 61 failures in all by now.
    Retries saved 2 of 61.
    Why: not known.
    Told together (pods on node worker-1):
    - connection_refused on shop/pay: 41 failures in 5 min, 1.2 expected
    - connect_timeout on shop/web: 41 failures in 5 min, 1.2 expected
    Runbook: why5xx causes connection_refused
    More: why5xx timeline --service shop/cart --from 2026-11-21T09:47:00Z --to 2026-11-21T10:04:00Z"
  `)
})

test('an update has the numbers of now', () => {
  const notice = noticeFor({ failures: 1_204, lately: [windowOf(5, 300)], status: 502 }, 'update')
  expect(notice.title).toBe('connection_refused on shop/cart: 300 failures in 5 min, 1 expected')
  expect(notice.text.split('\n').slice(0, 2)).toMatchInlineSnapshot(`
    [
      "connection_refused on shop/cart (nothing listened on the pod's port), status 502: 300 failures in 5 min, 1 expected (0.02 % of 5,000 requests, spread 1), p = 1e-9.",
      "Since 2026-11-21T10:02:00Z: 1,204 failures in all, at most 30 a minute.",
    ]
  `)
})

test('resolved: how long, how many in all, what it was', () => {
  const ended = { state: 'resolved' as const, endMs: atMs(49), updatedMs: atMs(49) }
  const notice = noticeFor(
    { ...ended, failures: 1_204, requests: 60_100, rootCause: OOM, rootCauseShare: { count: 900, of: 1_000 } },
    'resolved'
  )
  expect(notice.title).toBe('resolved: connection_refused on shop/cart')
  expect(notice.until).toBe('2026-11-21T10:49:00.000Z')
  expect(notice.text).toMatchInlineSnapshot(`
    "Resolved after 47 min: connection_refused on shop/cart (nothing listened on the pod's port), 2026-11-21T10:02:00Z to 2026-11-21T10:49:00Z.
    1,204 failures in all, of 60,100 requests; at most 30 a minute.
    Why: shop/cart-1 was OOM-killed at 10:02:00 (limit 256Mi) (oom_killed, confidence 0.93, 900 of 1,000 failures judged): the last state of container app is OOMKilled
    What to do: Raise the memory limit, or find what fills it.
    Runbook: why5xx causes connection_refused
    More: why5xx timeline --service shop/cart --from 2026-11-21T09:47:00Z --to 2026-11-21T10:49:00Z"
  `)
  // It is not over while one of its group goes on.
  expect(noticeFor(ended, 'update', others).until).toBeNull()
})

test('nothing is known of the reason', () => {
  expect(noticeFor({}).text).toContain('\nWhy: not known.\n')
  expect(noticeFor({ rootCause: UNDETERMINED, rootCauseShare: { count: 9, of: 9 } }).why).toBe(
    'the state of the cluster tells no reason (undetermined, confidence 0.00, 9 of 9 failures judged)'
  )
})

test('more than ten are counted', () => {
  const many = Array.from({ length: 60 }, (_, i) => ({
    ...others[0]!,
    id: `${i}`,
    service: `shop/s${i}`,
    upstream: `s${i}`
  }))
  const { text, grouped } = noticeFor({ group: { by: 'cause', key: 'connection_refused' } }, 'open', many)
  expect(text).toContain('- connection_refused on shop/s9: ')
  expect(text).not.toContain('shop/s10')
  expect(text).toContain('\n- and 50 more\n')
  expect(grouped?.members).toHaveLength(50)
})

const HOSTILE = `<script>@here 'x'\n\u001b[31m\u202e[a](http://evil.example) {{x}} $(reboot) \ud800 "${'é'.repeat(2_000)}`

function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (value === null || typeof value !== 'object') return []
  return Object.values(value).flatMap(texts)
}

test('texts of strangers are safe and bounded everywhere', () => {
  const rootCause = {
    ...OOM,
    ref: HOSTILE,
    sentence: HOSTILE,
    advice: HOSTILE,
    evidence: Array.from({ length: 9 }, () => ({ cite: HOSTILE, text: HOSTILE }))
  }
  const hostile: Partial<Incident> = {
    id: 'inc-1',
    upstream: HOSTILE,
    service: HOSTILE,
    namespace: HOSTILE,
    ingress: HOSTILE,
    rootCause,
    example: { ...EXAMPLE, id: HOSTILE, method: HOSTILE, host: HOSTILE, path: HOSTILE, address: HOSTILE, pod: HOSTILE },
    changes: Array.from({ length: 9 }, () => ({ ...ROLLOUT, text: HOSTILE })),
    group: { by: 'node', key: HOSTILE }
  }
  const members = Array.from({ length: 12 }, (_, i) => incident({ ...hostile, id: `${i}`, upstream: `${i}` }))
  for (const incidentLink of [null, 'https://x.example/{service}/{cause}?from={from}'])
    for (const kind of ['open', 'update', 'resolved'] as const) {
      const notice: Notice = noticeOf({ head: incident(hostile), members }, kind, {
        ...OPTIONS,
        clusterName: HOSTILE,
        incidentLink
      })
      expect(notice.title.length).toBeLessThanOrEqual(200)
      expect(notice.text.length).toBeLessThanOrEqual(3_000)
      expect(notice.text).toMatch(/\n- and \d+ more\n/)
      expect(notice.text).toContain(kind === 'resolved' ? 'failures in all' : 'p = 3e-44')
      expect(notice.text.split('\n').slice(-7, -5)).toEqual(['Changed before:', expect.stringMatching(/^- <script>/)])
      for (const text of texts(notice)) expect(text.replaceAll('\n', '')).not.toMatch(UNSAFE)
      for (const text of texts({ ...notice, text: '' })) expect(text).not.toContain('\n')
      if (incidentLink !== null)
        expect(notice.link).toMatch(/^https:\/\/x\.example\/[\w%.!~*'()-]+\/connection_refused\?from=[\w%.-]+$/)
    }
})

test.each([
  [null, 'why5xx causes connection_refused'],
  ['https://wiki/{cause}', 'https://wiki/connection_refused'],
  ['https://wiki/{other}/{constructor}', 'https://wiki/{other}/{constructor}']
])('runbook %s', (template, want) => {
  expect(runbookOf(incident(), template)).toBe(want)
})

test('links', () => {
  const ended = incident({ endMs: atMs(9), id: 'inc-1' })
  expect(linkOf(ended, null)).toBe(
    'why5xx timeline --service shop/cart --from 2026-11-21T09:47:00Z --to 2026-11-21T10:09:00Z'
  )
  expect(linkOf(ended, 'https://k/{id}?s={service}&u={upstream}&c={cause}&f={from}&t={to}')).toBe(
    'https://k/inc-1?s=shop%2Fcart&u=shop-cart-80&c=connection_refused&f=2026-11-21T09%3A47%3A00Z&t=2026-11-21T10%3A09%3A00Z'
  )
  expect(linkOf({ ...ended, service: "a'; reboot" }, null)).toContain(` --service 'a'\\''; reboot' --from`)
  expect(linkOf({ ...ended, service: '' }, null)).toMatch(/^why5xx timeline --from/)
})

test.each([
  [3e-44, 'p = 3e-44'],
  [0, 'p < 1e-300'],
  [0.0213, 'p = 0.02'],
  [1, 'p = 1']
])('probability %s', (pValue, want) => {
  expect(probabilityText(pValue)).toBe(want)
})

test.each([
  [30_000, '1 min'],
  [47 * 60_000, '47 min'],
  [3_600_000, '1 h'],
  [65 * 60_000, '1 h 5 min']
])('%s ms last %s', (durationMs, want) => {
  expect(durationText(durationMs / 60_000)).toBe(want)
})

test('without a window the whole is told', () => {
  expect(numbersText(incident(), [])).toBe('41 failures, 0.4 expected')
})

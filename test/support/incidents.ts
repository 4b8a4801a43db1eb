/** Incidents for tests: one to vary, and any that there may be. */
import fc from 'fast-check'
import { CAUSES } from '../../parsers/causes.ts'
import { type JudgedWindow, WINDOWS } from '../../src/alert/finding.ts'
import type { Incident } from '../../src/alert/incident.ts'
import { ROOT_CAUSES } from '../../src/diagnose/rootCauses.ts'
import type { IncidentFilter } from '../../src/store/store.ts'

export const MINUTE_MS = 60_000
/** 2026-11-21T10:03:00Z. */
export const BEGIN = Date.UTC(2026, 10, 21, 10, 3)

export const EVERY_INCIDENT: IncidentFilter = {
  fromMs: Number.NEGATIVE_INFINITY,
  toMs: Number.POSITIVE_INFINITY,
  services: [],
  causes: [],
  state: null
}

/** What an incident has of which nothing is known; new each time, because marks are set in it. */
export const unknown = () => ({
  parent: null,
  group: null,
  endMs: null,
  continued: 0,
  masked: 0,
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
  told: {}
})

/** Open, at shop/cart, detected after two minutes. */
export function incident(given: Partial<Incident> = {}): Incident {
  const startMs = given.startMs ?? BEGIN
  const endMs = given.endMs ?? null
  return {
    id: 'inc-20261121-1005-hTz0Zy4a',
    parent: null,
    group: null,
    state: endMs === null ? 'open' : 'resolved',
    severity: 'page',
    upstream: 'shop-cart-80',
    service: 'shop/cart',
    namespace: 'shop',
    ingress: 'shop',
    cause: 'connection_refused',
    startMs,
    detectedMs: startMs + 2 * MINUTE_MS,
    updatedMs: endMs ?? startMs + 5 * MINUTE_MS,
    endMs,
    continued: 0,
    failures: 41,
    masked: 7,
    requests: 6_010,
    peakPerMinute: 23,
    expected: 1.2,
    pValue: 3e-44,
    windows: [{ minutes: 5, failures: 41, requests: 6_010, expected: 1.2, spread: 1.8, pValue: 3e-44 }],
    lately: [{ minutes: 1, failures: 0, requests: 1_200, expected: 0.2, spread: 1.1, pValue: 1 }],
    status: 502,
    firstId: 'first-failure',
    lastId: 'last-failure',
    rootCause: {
      kind: 'oom_killed',
      variant: null,
      ref: 'Pod shop/cart-1',
      atMs: startMs - 4_000,
      confidence: 0.93,
      sentence: 'shop/cart-1 was OOM-killed at 10:02:56 (limit 256Mi)',
      evidence: [{ cite: 'Pod shop/cart-1 status.reason=OOMKilled', text: 'the container was killed' }],
      advice: 'raise the memory limit'
    },
    rootCauseShare: { count: 38, of: 41 },
    example: {
      id: 'first-failure',
      timeMs: startMs + 1_500,
      status: 502,
      method: 'GET',
      host: 'shop.example.com',
      path: '/cart',
      address: '10.2.3.14:8080',
      pod: 'cart-1'
    },
    pods: [['cart-1', 38]],
    nodes: [['node-1', 41]],
    controllers: [['ingress-nginx/controller-1', 41]],
    changes: [{ atMs: startMs - 2 * MINUTE_MS, kind: 'rollout', text: 'shop/cart was rolled out' }],
    timeline: [{ atMs: startMs + 2 * MINUTE_MS, text: 'opened' }],
    told: { alertmanager: { state: 'open', atMs: startMs + 2 * MINUTE_MS, failures: 41 } },
    ...given
  }
}

const HOSTILE = [
  '',
  '\u202Egol',
  '\u001b[31mred\u0007',
  '<script>alert(1)</script>',
  '[x](http://evil.example)|@everyone `a`',
  '"\\ud800"',
  '{"schema":1}',
  '__proto__',
  'line\nfeed\r\n\u2028',
  '../../etc/passwd',
  "'; DROP TABLE incidents; --"
]

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 20 })
)
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null })
const time = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2099, 0) })
const count = fc.nat(1_000_000)
/** JSON knows no -0. */
const real = fc.double({ min: 0, max: 1e12, noNaN: true }).map(value => value + 0)
const share = fc.double({ min: 0, max: 1, noNaN: true }).map(value => value + 0)
const counted = fc.array(fc.tuple(hostileText, count), { maxLength: 3 })
const windows: fc.Arbitrary<JudgedWindow[]> = fc.array(
  fc.record({
    minutes: fc.constantFrom(...WINDOWS),
    failures: count,
    requests: count,
    expected: real,
    spread: real,
    pValue: share
  }),
  { maxLength: 3 }
)

/** Any at all; the id is left to the test. */
export const anyIncident: fc.Arbitrary<Incident> = fc
  .record({
    parent: maybe(hostileText),
    group: maybe(fc.record({ by: fc.constantFrom('service', 'cause', 'node', 'controller'), key: hostileText })),
    severity: fc.constantFrom('page', 'ticket', 'none'),
    upstream: hostileText,
    service: hostileText,
    namespace: maybe(hostileText),
    ingress: maybe(hostileText),
    cause: fc.constantFrom(...CAUSES, 'no_requests' as const),
    startMs: time,
    lasted: maybe(fc.nat(86_400_000)),
    continued: count,
    failures: count,
    masked: count,
    requests: count,
    peakPerMinute: count,
    expected: real,
    pValue: share,
    windows,
    lately: windows,
    status: maybe(fc.integer({ min: 0, max: 999 })),
    firstId: maybe(hostileText),
    lastId: maybe(hostileText),
    rootCause: maybe(
      fc.record({
        kind: fc.constantFrom(...ROOT_CAUSES),
        variant: maybe(hostileText),
        ref: maybe(hostileText),
        atMs: maybe(time),
        confidence: share,
        sentence: hostileText,
        evidence: fc.array(fc.record({ cite: hostileText, text: hostileText }), { maxLength: 2 }),
        advice: maybe(hostileText)
      })
    ),
    rootCauseShare: fc.record({ count, of: count }),
    example: maybe(
      fc.record({
        id: hostileText,
        timeMs: time,
        status: maybe(fc.nat(999)),
        method: maybe(hostileText),
        host: maybe(hostileText),
        path: maybe(hostileText),
        address: maybe(hostileText),
        pod: maybe(hostileText)
      })
    ),
    pods: counted,
    nodes: counted,
    controllers: counted,
    changes: fc.array(
      fc.record({
        atMs: time,
        kind: fc.constantFrom('reload', 'rollout', 'scale', 'configuration'),
        text: hostileText
      }),
      { maxLength: 2 }
    ),
    timeline: fc.array(fc.record({ atMs: time, text: hostileText }), { maxLength: 2 }),
    told: fc.dictionary(
      fc.constantFrom('alertmanager', 'slack', 'a.b', 'constructor', ' '),
      fc.record(
        {
          state: fc.constantFrom('open', 'resolved'),
          atMs: time,
          failures: count,
          severity: fc.constantFrom('page', 'ticket', 'none')
        },
        { requiredKeys: ['state', 'atMs', 'failures'] }
      ),
      { maxKeys: 3 }
    )
  })
  .map(({ lasted, ...rest }) => {
    const endMs = lasted === null ? null : rest.startMs + lasted
    const updatedMs = endMs ?? rest.startMs + 60_000
    return {
      ...rest,
      id: '',
      endMs,
      state: endMs === null ? 'open' : 'resolved',
      detectedMs: updatedMs,
      updatedMs
    } as Incident
  })

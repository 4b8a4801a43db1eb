import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FIELDS } from '../../src/store/elasticsearch/fields.ts'
import { incidentDocument, incidentSentence } from '../../src/store/incidentDocument.ts'
import { incidentLine } from '../../src/store/incidentLine.ts'
import { incidentOf, incidentOfLine } from '../../src/store/incidentRecord.ts'
import '../support/seed.ts'
import { anyIncident, BEGIN, incident, MINUTE_MS } from '../support/incidents.ts'

test('an open incident as a document', () => {
  const { why5xx, ...ecs } = incidentDocument(incident(), 'prod')
  expect(ecs).toEqual({
    '@timestamp': '2026-11-21T10:08:00.000Z',
    event: {
      id: 'inc-20261121-1005-hTz0Zy4a',
      kind: 'alert',
      dataset: 'why5xx.incident',
      module: 'why5xx',
      created: '2026-11-21T10:05:00.000Z',
      start: '2026-11-21T10:03:00.000Z',
      duration: 300_000_000_000
    },
    message:
      'connection_refused on shop/cart: 41 failures, 1.2 expected: shop/cart-1 was OOM-killed at 10:02:56 (limit 256Mi)',
    http: { response: { status_code: 502 } },
    orchestrator: { type: 'kubernetes', cluster: { name: 'prod' } },
    kubernetes: { namespace: 'shop' },
    service: { name: 'shop/cart' }
  })
  expect(why5xx).toMatchObject({
    schema: 1,
    cause: 'connection_refused',
    category: 'connect',
    blame: 'upstream',
    upstream: { name: 'shop-cart-80' },
    root_cause: { kind: 'oom_killed', ref: 'Pod shop/cart-1' },
    incident: {
      state: 'open',
      severity: 'page',
      failures: 41,
      masked: 7,
      requests: 6_010,
      peak_per_minute: 23,
      expected: 1.2,
      p_value: 3e-44,
      first_id: 'first-failure',
      timeline: [{ at: '2026-11-21T10:05:00.000Z', text: 'opened' }],
      record: incident()
    }
  })
})

test.each([
  [
    'over',
    incident({ endMs: BEGIN + MINUTE_MS, rootCause: null, failures: 1, expected: 340.4 }),
    /: 1 failure, 340 expected, resolved$/
  ],
  [
    'without requests',
    incident({ cause: 'no_requests', rootCause: null }),
    /^no_requests on shop\/cart: no requests any more$/
  ]
])('the sentence of one that is %s', (_name, given, want) => {
  expect(incidentSentence(given)).toMatch(want)
})

test('every field that is built is mapped', () => {
  const mapped = new Map(FIELDS.incident)
  const unmapped: string[] = []
  const look = (value: unknown, path: string): void => {
    const type = mapped.get(path)
    if (type !== undefined) return
    if (typeof value !== 'object' || value === null || Array.isArray(value)) unmapped.push(path)
    else for (const [key, inner] of Object.entries(value)) look(inner, path === '' ? key : `${path}.${key}`)
  }
  const full = incident({ endMs: BEGIN + 1, parent: 'inc-1', group: { by: 'service', key: 'shop/cart' } })
  look(incidentDocument(full, 'prod'), '')
  expect(unmapped).toEqual([])
})

test('a line gives back what was written, whatever it was', () => {
  fc.assert(
    fc.property(anyIncident, fc.string({ minLength: 1 }), (given, id) => {
      const one = { ...given, id }
      const line = incidentLine(one)
      expect(line).not.toContain('\n')
      expect(incidentOfLine(line)).toEqual(one)
    }),
    { numRuns: 100 }
  )
})

test('half of a surrogate pair is no text', () => {
  expect(incidentOfLine(incidentLine(incident({ service: 'a\ud800b' })))!.service).toBe('a\ufffdb')
})

test.each<[string, unknown, unknown]>([
  ['another schema', 2, incident()],
  ['no schema', undefined, incident()],
  ['nothing', 1, undefined],
  ['a list', 1, [incident()]],
  ['no id', 1, incident({ id: '' })],
  ['a time that no calendar has', 1, incident({ updatedMs: 1e300 })],
  ['a count that is text', 1, { ...incident(), failures: '41' }],
  ['a field too few', 1, { ...incident(), pods: undefined }],
  ['evidence that is none', 1, { ...incident(), rootCause: { ...incident().rootCause, evidence: 'x' } }]
])('what cannot be read is left out: %s', (_name, schema, record) => {
  expect(incidentOf(schema, record)).toBeNull()
})

test.each(['', 'null', '[]', '{', '{"schema":1}', '{"schema":1,"incident":{"id":"x"}}', '\u0000'])(
  'no incident: %j',
  line => {
    expect(incidentOfLine(line)).toBeNull()
  }
)

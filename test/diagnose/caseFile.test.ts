import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { certificateFacts } from '../../src/cluster/certificate.ts'
import { KINDS } from '../../src/cluster/objects.ts'
import { readCase } from '../../src/diagnose/caseFile.ts'
import { NO_DETAIL } from '../../src/diagnose/input.ts'
import { Why5xxError } from '../../src/errors.ts'

const CASES = readFileSync(join(import.meta.dirname, '../../samples/diagnosis/visible.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line))

const SMALL = {
  id: 'a',
  now: '2025-01-01T10:00:10Z',
  failure: { symptom: 'connection_refused', time: '2025-01-01T10:00:00Z' },
  objects: [{ kind: 'Service', metadata: { name: 'cart', namespace: 'shop' } }]
}

test('a case is its failure, what was watched, and a list of all there is', () => {
  const watch = [
    {
      type: 'ADDED',
      at: '2025-01-01T09:00:00Z',
      object: { kind: 'Pod', metadata: { name: 'a-1', namespace: 'shop' } }
    },
    {
      type: 'DELETED',
      at: '2025-01-01T09:59:00Z',
      object: { kind: 'Pod', metadata: { name: 'a-1', namespace: 'shop' } }
    }
  ]
  const failure = {
    ...SMALL.failure,
    namespace: 'shop',
    service: 'cart',
    port: 80,
    upstream_addr: '10.0.0.7:80, [fd00::1]:80',
    status: 502,
    path: '/x',
    detail: {
      request_time: 1.5,
      upstream_response_time: '0.020, 0.001',
      upstream_status: '502, 504',
      upstream_name: '-'
    }
  }
  const { id, title, input, events } = readCase({ ...SMALL, failure, watch })
  expect({ id, title }).toEqual({ id: 'a', title: null })
  expect(input).toEqual({
    symptom: 'connection_refused',
    timeMs: Date.parse('2025-01-01T10:00:00Z'),
    namespace: 'shop',
    service: 'cart',
    port: '80',
    upstreamAddress: '[fd00::1]:80',
    status: 502,
    ingress: null,
    host: null,
    path: '/x',
    controllerNamespace: null,
    controllerPod: null,
    detail: { ...NO_DETAIL, requestTimeMs: 1_500, upstreamResponseTimeMs: 1, upstreamStatus: 504, upstreamName: '-' }
  })
  const at = Date.parse(SMALL.now)
  const list = { at, kinds: [...KINDS], unreadable: {}, namespaces: null }
  expect(events).toEqual([
    { type: 'ADDED', at: Date.parse(watch[0]!.at), object: watch[0]!.object },
    { type: 'DELETED', at: Date.parse(watch[1]!.at), object: watch[1]!.object },
    { ...list, type: 'LIST_START' },
    { type: 'ADDED', at, object: SMALL.objects[0] },
    { ...list, type: 'LIST_END' }
  ])
})

test('what a case could not read is not absent', () => {
  const broken = { kind: 'NetworkPolicy', metadata: { name: 'a' }, spec: { ingress: 7 } }
  const { events } = readCase({ ...SMALL, unreadable: ['Secret'], objects: [broken] })
  expect(events).toHaveLength(2)
  expect(events[0]).toMatchObject({
    kinds: KINDS.filter(kind => kind !== 'Secret' && kind !== 'NetworkPolicy'),
    unreadable: { Secret: expect.any(String), NetworkPolicy: expect.any(String) }
  })
})

test('all visible cases can be read, with every object', () => {
  for (const one of CASES) {
    const { id, input, events } = readCase(one, { certificateFacts })
    expect(id).toBe(one.id)
    expect(input.symptom).toBe(one.failure.symptom)
    expect(events).toHaveLength(one.objects.length + (one.watch ?? []).length + 2)
  }
  expect(CASES).toHaveLength(15)
})

describe('a case that is wrong names the field', () => {
  test.each([
    ['no object', [], /^case: expected an object, found a list/],
    ['no id', { ...SMALL, id: undefined }, /^case: id: expected a text; it is missing/],
    ['no failure', { ...SMALL, failure: null }, /^case a: failure: expected an object; it is missing/],
    [
      'symptom',
      { ...SMALL, failure: { ...SMALL.failure, symptom: 'boom' } },
      /^case a: failure.symptom: .* found "boom"/
    ],
    [
      'time',
      { ...SMALL, failure: { ...SMALL.failure, time: 'noon' } },
      /failure.time: expected a time .* found "noon"/
    ],
    ['now', { ...SMALL, now: 17 }, /^case a: now: expected a time .* found 17/],
    ['status', { ...SMALL, failure: { ...SMALL.failure, status: 'bad' } }, /failure.status: expected a number/],
    [
      'service',
      { ...SMALL, failure: { ...SMALL.failure, service: {} } },
      /failure.service: expected a text, found an object/
    ],
    ['detail', { ...SMALL, failure: { ...SMALL.failure, detail: 'x' } }, /failure.detail: expected an object/],
    ['objects', { ...SMALL, objects: {} }, /^case a: objects: expected a list, found an object/],
    [
      'watch',
      { ...SMALL, watch: [{ type: 'ADDED', object: SMALL.objects[0] }] },
      /watch\[0\]: expected a type, a time/
    ],
    ['unreadable', { ...SMALL, unreadable: ['Gateway'] }, /unreadable\[0\]: expected one of Pod, Service/]
  ])('%s', (_name, value, message) => {
    expect(() => readCase(value)).toThrow(message)
    expect(() => readCase(value)).toThrow(Why5xxError)
  })
})

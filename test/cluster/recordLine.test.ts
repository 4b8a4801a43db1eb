/** Lines of a record: what is written comes back, what is too large is cut, and anything else is no line. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ClusterEvent } from '../../src/cluster/event.ts'
import type { KubeObject } from '../../src/cluster/objects.ts'
import { EVENT_BYTES_MAX, nameOnly, recordedJson } from '../../src/cluster/recordedJson.ts'
import { parseRecorded } from '../../src/cluster/recordLine.ts'
import { heartbeat, mark, pod, told } from '../support/recordedEvents.ts'
import '../support/seed.ts'

test.each<[string, ClusterEvent]>([
  ['an object', told(5, 'MODIFIED', pod('x', 3))],
  ['a list', { ...mark(5, 'LIST_START'), unreadable: { Node: 'forbidden' }, namespaces: ['shop'] }],
  ['a list of some kinds', { ...mark(5, 'LIST_END'), isPartial: true }],
  ['a heartbeat', heartbeat(5)],
  ['a gap that was noticed late', { at: 5, type: 'GAP_START', kind: 'Pod', since: 2 }],
  ['the end of a gap of everything', { at: 5, type: 'GAP_END', kind: null }]
])('%s comes back', (_name, event) => {
  const { json, bytes, isCut } = recordedJson(event, 'a', 7)
  expect(parseRecorded(json)).toEqual({ ...event, writer: 'a', number: 7 })
  expect({ bytes, isCut }).toEqual({ bytes: Buffer.byteLength(json), isCut: false })
})

describe('too large', () => {
  const large = (fields: object): ClusterEvent => told(5, 'ADDED', { ...pod('x', 3), ...fields } as KubeObject)

  test.each<[string, ClusterEvent, object]>([
    [
      'texts and lists are cut',
      large({
        spec: { nodeName: 'n'.repeat(2e6), volumes: Array.from({ length: 500 }, (_, i) => ({ name: `v${i}` })) }
      }),
      { spec: { nodeName: 'n'.repeat(1_000), volumes: { length: 100 } } }
    ],
    [
      'many entries: what is left is that it is there',
      large({ spec: Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => [`entry ${i}`, i])) }),
      { metadata: { uid: 'x-uid', resourceVersion: '3' } }
    ],
    [
      'even there',
      told(5, 'ADDED', {
        ...pod('x', 3),
        metadata: {
          ...pod('x', 3).metadata,
          ...Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => [`m${i}`, i]))
        }
      }),
      { metadata: { name: 'x', namespace: 'shop' } }
    ]
  ])('%s', (_name, event, object) => {
    const { json, bytes, isCut } = recordedJson(event, 'a', 7)
    expect(isCut).toBe(true)
    expect(bytes).toBeLessThan(EVENT_BYTES_MAX)
    expect(JSON.parse(json)).toMatchObject({ writer: 'a', number: 7, at: 5, type: 'ADDED', object })
  })

  test('a topic that takes less gets the name and the version', () => {
    const { json } = recordedJson(told(5, 'ADDED', pod('x', 3)), 'a', 7)
    expect(parseRecorded(nameOnly(json))).toEqual({
      ...told(5, 'ADDED', {
        kind: 'Pod',
        metadata: { name: 'x', namespace: 'shop', uid: 'x-uid', resourceVersion: '3' }
      }),
      writer: 'a',
      number: 7
    })
  })
})

test.each([
  ['no JSON', '{'],
  ['no event', '{"writer":"a","number":1,"at":5}'],
  ['of nobody', '{"number":1,"at":5,"type":"HEARTBEAT"}'],
  ['no time', '{"writer":"a","number":1,"at":1e300,"type":"HEARTBEAT"}'],
  ['no object', '{"writer":"a","number":1,"at":5,"type":"ADDED","object":null}'],
  [
    'a kind that is none',
    '{"writer":"a","number":1,"at":5,"type":"ADDED","object":{"kind":"X","metadata":{"name":"x"}}}'
  ],
  ['a list of no namespaces', '{"writer":"a","number":1,"at":5,"type":"LIST_START","kinds":[],"unreadable":{}}'],
  ['a gap of nothing', '{"writer":"a","number":1,"at":5,"type":"GAP_START","kind":"__proto__"}']
])('%s is no line', (_name, json) => {
  expect(parseRecorded(json)).toBe(null)
})

test('of a list only kinds of ours count', () => {
  const json =
    '{"writer":"a","number":1,"at":5,"type":"LIST_END","kinds":["Pod",7,"constructor"],"unreadable":{"__proto__":"x","Node":1,"Secret":"no"},"namespaces":null}'
  expect(parseRecorded(json)).toMatchObject({ kinds: ['Pod'], unreadable: { Secret: 'no' } })
})

test('nothing that is JSON makes it throw', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom('ADDED', 'LIST_START', 'GAP_END'), (json, type) => {
      const value = JSON.parse(json) as unknown
      const line = JSON.stringify({
        writer: 'a',
        number: 1,
        at: 5,
        type,
        object: value,
        kinds: [value],
        unreadable: value,
        namespaces: value,
        kind: value
      })
      const event = parseRecorded(line)
      expect(event === null || event.type === type).toBe(true)
    })
  )
})

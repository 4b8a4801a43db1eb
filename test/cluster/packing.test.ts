import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KubeObject } from '../../src/cluster/objects.ts'
import { Packing } from '../../src/cluster/packing.ts'
import { SharedParts, shareWith } from '../../src/cluster/sharing.ts'
import { SightingLog } from '../../src/cluster/sightings.ts'
import { WorkedOut } from '../../src/cluster/workedOut.ts'
import { runs } from '../support/seed.ts'

/** Small enough that versions have something in common; with keys and texts that look like what the packing itself writes. */
const { value } = fc.letrec(tie => ({
  leaf: fc.oneof(
    fc.constantFrom('True', 'web-1', '-1', '', '10.0.0.7', '"', 'ü', null, true, false, 0, -1, -2, -3, 1.5),
    fc.string({ maxLength: 3 })
  ),
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    tie('leaf'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'constructor', '', 'status'), tie('value'), {
      maxKeys: 4,
      noNullPrototype: true
    })
  )
}))
/** As text, whatever the order of keys. */
const sorted = (one: unknown) =>
  JSON.stringify(one, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))
      : inner
  )
const versions = fc.array(value, { minLength: 1, maxLength: 6 })

test('what was packed comes back, version by version', () => {
  fc.assert(
    fc.property(versions, objects => {
      const packing = new Packing()
      const { texts } = new SharedParts()
      const packed: unknown[] = []
      let before: unknown
      for (const object of objects) {
        const shared = shareWith(before, object, texts)
        expect(shared).toEqual(object)
        packing.pack(before, shared, [], packed)
        before = shared
      }
      let place = 0
      let read: unknown
      for (const object of objects) {
        const next = packing.unpack(read, packed, place)
        read = next.object
        place = next.end
        expect(sorted(read)).toBe(sorted(object))
      }
      expect(place).toBe(packed.length)
      expect(({} as Record<string, unknown>).status).toBeUndefined()
    }),
    runs(1_000)
  )
})

test('versions that share a part still do after they were packed', () => {
  const parts = new SharedParts()
  const log = new SightingLog('Pod', 'shop', 'a', 'uid-a', false, parts)
  const pod = (phase: string) =>
    ({ kind: 'Pod', metadata: { name: 'a', labels: { app: 'web' } }, status: { phase, conditions: [] } }) as KubeObject
  log.add({ at: 1, type: 'ADDED', object: pod('Pending') })
  log.add({ at: 2, type: 'MODIFIED', object: pod('Running') })
  const [first, second] = log.sightings() as unknown as { object: { metadata: object; status: { conditions: [] } } }[]
  expect(second!.object.metadata).toBe(first!.object.metadata)
  expect(second!.object.status.conditions).toBe(first!.object.status.conditions)
})

test('a log that was at rest in between has seen the same', () => {
  const moment = fc.record({
    at: fc.nat(8),
    type: fc.constantFrom('ADDED' as const, 'MODIFIED' as const, 'DELETED' as const),
    version: fc.option(fc.constantFrom('1', '2', '3', 'x')),
    status: value,
    rests: fc.boolean()
  })
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 10 }), fc.boolean(), (moments, isUidMadeUp) => {
      const parts = new SharedParts()
      const [awake, resting] = [0, 1].map(() => new SightingLog('Pod', 'shop', 'a', 'uid-a', isUidMadeUp, parts))
      for (const { at, type, version, status, rests } of moments) {
        const metadata = { name: 'a', ...(version !== null && { resourceVersion: version }) }
        const event = { at, type, object: { kind: 'Pod', metadata, status } as KubeObject }
        expect(resting!.add(event)).toBe(awake!.add(event))
        if (rests) resting!.rest()
      }
      expect(resting!.sightings()).toEqual(awake!.sightings())
      expect([resting!.firstAt, resting!.lastAt]).toEqual([awake!.firstAt, awake!.lastAt])
    })
  )
})

test('what was asked for longest ago is worked out again', () => {
  const parts = new SharedParts()
  const logs = ['a', 'b', 'c'].map(name => new SightingLog('Pod', 'shop', name, name, false, parts))
  const kept = new WorkedOut<number>(10, value => value)
  kept.set(logs[0]!, 4)
  kept.set(logs[1]!, 5)
  expect(kept.get(logs[0]!)).toBe(4)
  kept.set(logs[2]!, 3)
  expect(logs.map(log => kept.get(log))).toEqual([4, undefined, 3])
  kept.set(logs[1]!, 50)
  expect(logs.map(log => kept.get(log))).toEqual([undefined, 50, undefined])
  kept.delete(logs[1]!)
  kept.set(logs[0]!, 10)
  expect(kept.get(logs[0]!)).toBe(10)
})

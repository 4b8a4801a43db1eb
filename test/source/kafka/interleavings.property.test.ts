import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SourceStream } from '../../../src/source/source.ts'
import { ScriptedRun } from '../../support/scriptedDriver.ts'
import '../../support/seed.ts'

const PARTITIONS = 3

/** What may happen to a member of a group, in any order. */
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('assign' as const), mask: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('revoke' as const), mask: fc.nat(7) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('deliver' as const), partition: fc.nat(2), count: fc.nat(4) })
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('stale' as const), partition: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('durable' as const), pick: fc.nat(50), part: fc.nat(100) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('seconds' as const), count: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fault' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rebalancing' as const) }) }
)

const partitionsOf = (mask: number) => Array.from({ length: PARTITIONS }, (_, i) => i).filter(i => mask & (1 << i))

test('commits never pass what is durable, and nothing of an earlier generation is told', {
  timeout: 60_000
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async steps => {
      const run = new ScriptedRun({ limits: { partitionMessages: 6 } })
      const { driver } = run
      await run.assign(0)
      const owned = new Set([0])
      /** By stream object: offsets that were told; generations are objects. */
      const told = new Map<SourceStream, number[]>()
      const lost = new Set<SourceStream>()
      const durable = new Map<number, number>()
      let seen = 0

      const takeIn = () => {
        for (const event of run.events.slice(seen)) {
          if (event.kind === 'lost') lost.add(event.stream)
          if (event.kind !== 'messages') continue
          expect(lost.has(event.stream), 'nothing comes of what is lost').toBe(false)
          const offsets = told.get(event.stream) ?? []
          offsets.push(...event.batch.offsets)
          told.set(event.stream, offsets)
        }
        seen = run.events.length
      }

      for (const one of steps) {
        if (one.kind === 'assign') {
          driver.revoke(...owned)
          owned.clear()
          for (const partition of partitionsOf(one.mask)) owned.add(partition)
          driver.assign(...owned)
        } else if (one.kind === 'revoke') {
          const gone = partitionsOf(one.mask).filter(partition => owned.has(partition))
          for (const partition of gone) owned.delete(partition)
          driver.revoke(...gone)
        } else if (one.kind === 'deliver') {
          const values = Array.from({ length: one.count + 1 }, (_, i) => String(i))
          if (driver.nextOffsets.has(one.partition)) driver.deliver(one.partition, values)
        } else if (one.kind === 'stale') driver.deliver(one.partition, ['stale'], driver.generation - 1)
        else if (one.kind === 'read') await run.settle()
        else if (one.kind === 'durable') {
          const current = [...told.keys()].filter(stream => !lost.has(stream))
          const stream = current[one.pick % Math.max(1, current.length)]
          const offsets = stream && told.get(stream)!
          if (stream === undefined || offsets!.length === 0) continue
          const offset = offsets![Math.floor((offsets!.length - 1) * (one.part / 100))]! + 1
          const state = run.stateOf(stream, offset)
          const { partition } = stream.partition!
          run.states.set(stream.id, state)
          run.source.durable([state])
          durable.set(partition, Math.max(durable.get(partition) ?? 0, offset))
        } else if (one.kind === 'seconds') for (let i = 0; i < one.count; i++) await run.second()
        else if (one.kind === 'fault') driver.fault = new Error('no broker')
        else driver.handlers!.rebalancing()
        takeIn()
        for (const [partition, offset] of driver.committedOffsets)
          expect(offset, `commit of ${partition}`).toBeLessThanOrEqual(durable.get(partition) ?? -1)
      }
      await run.settle()
      takeIn()
      for (const [stream, offsets] of told) {
        const from = stream.resume?.from ?? 0
        expect(offsets, 'whole, in order, from where it was left').toEqual(offsets.map((_, i) => from + i))
      }
      const committed = new Map(driver.committedOffsets)
      const commits = driver.calls.length
      await run.stop()
      await run.source.close()
      for (const call of driver.calls.slice(commits).filter(text => text.startsWith('commit')))
        for (const pair of call.slice(7).split(' ')) {
          const [partition, offset] = pair.split(':').map(Number) as [number, number]
          expect(owned.has(partition)).toBe(true)
          expect(offset).toBeGreaterThan(committed.get(partition) ?? -1)
        }
    }),
    { numRuns: 150 }
  )
})

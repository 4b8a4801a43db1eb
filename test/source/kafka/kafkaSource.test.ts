import { expect, test } from 'vitest'
import { START } from '../../../src/checkpoint.ts'
import { Why5xxError } from '../../../src/errors.ts'
import { GROUP, ScriptedRun, streamOf, TOPIC, told, turns } from '../../support/scriptedDriver.ts'

function latch(): { open: () => void; opened: Promise<void> } {
  let open = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { open, opened }
}

test('a partition stands still until the store has given it to us', async () => {
  const run = new ScriptedRun()
  const store = latch()
  run.storeIsAway = store.opened
  run.driver.marks.set(1, { low: 3, high: 9 })
  await run.assign(0, 1)
  expect(run.claims).toEqual([[`${GROUP}/${TOPIC}/0`, `${GROUP}/${TOPIC}/1`]])
  expect(run.driver.calls).toEqual([])
  store.open()
  await run.settle()
  expect(run.driver.calls).toEqual(['start 0 at 0', 'start 1 at 3'])
})

test('facts before the group has dealt anything out', () => {
  // Counters of Prometheus take nothing below 0: one would take all metrics with it.
  expect(new ScriptedRun().source.facts).toMatchObject({ partitions: [], resends: 0, rebalances: 0, offsetResets: 0 })
})

test('messages come as they were read, fairly, and with their place', async () => {
  const run = new ScriptedRun()
  await run.assign(0, 1)
  run.driver.deliver(0, ['a', null, 'b'])
  run.driver.deliver(0, ['c'])
  run.driver.deliver(1, ['x'])
  expect(told(await run.settle())).toEqual(['0@0 a,null,b', '1@0 x', '0@3 c'])
  const stream = streamOf(run.events, 0)
  expect(stream).toMatchObject({
    id: `${GROUP}/${TOPIC}/0`,
    name: `${TOPIC}/0`,
    group: null,
    modifiedMs: null,
    resume: null
  })
  expect(stream.place(4)).toMatchObject({ topic: TOPIC, partition: 0, committed: null })
})

test('reading goes on where the durable state says', async () => {
  const run = new ScriptedRun()
  run.driver.marks.set(0, { low: 0, high: 50 })
  run.driver.committedOffsets.set(0, 20)
  const read = { ...START, from: 20, readTo: 30, held: [20] }
  const id = `${GROUP}/${TOPIC}/0`
  run.states.set(id, {
    stream: id,
    place: { topic: TOPIC, partition: 0, runs: null, committed: 10 },
    read,
    isDone: false
  })
  await run.assign(0)
  expect(run.driver.calls).toEqual(['start 0 at 20'])
  run.driver.deliver(0, ['a'])
  expect(told(await run.settle())).toEqual(['0@20 a'])
  expect(streamOf(run.events, 0).resume).toEqual(read)
})

test('what is lost is told first, and nothing of it comes afterwards', async () => {
  const run = new ScriptedRun()
  await run.assign(0, 1)
  run.driver.deliver(0, ['a'])
  await run.settle()
  const first = streamOf(run.events, 0)
  run.driver.deliver(0, ['b'])
  run.driver.revoke(0, 1)
  run.driver.assign(0)
  run.driver.deliver(0, ['stale'], 1)
  await run.settle()
  run.driver.deliver(0, ['a', 'b'])
  expect(told(await run.settle())).toEqual(['0@0 a,b'])
  expect(told(run.events)).toEqual(['0@0 a', 'lost 0', '0@0 a,b'])
  expect(streamOf(run.events, 0)).not.toBe(first)
  expect(run.source.facts.rebalances).toBe(1)
})

test('a partition that comes back is claimed when the reader knows that it went', async () => {
  const run = new ScriptedRun()
  await run.assign(0)
  run.driver.deliver(0, ['a'])
  await turns()
  const claims = run.claims.length
  // The reader waits for room at the store, perhaps for minutes: what it is about to write belongs in front of the claim.
  run.driver.revoke(0)
  run.driver.assign(0)
  await turns()
  expect(run.claims).toHaveLength(claims)
  await run.settle()
  expect(run.events.at(-1)).toMatchObject({ kind: 'lost' })
  expect(run.claims).toHaveLength(claims + 1)
})

test('a partition that goes while its state is claimed is not started', async () => {
  const run = new ScriptedRun()
  const store = latch()
  run.storeIsAway = store.opened
  await run.assign(0)
  run.driver.revoke(0)
  run.driver.assign(1)
  store.open()
  await run.settle()
  expect(run.driver.calls).toEqual(['start 1 at 0'])
})

test('who owns what is told when it begins, and when it ends, also of what nothing was read of', async () => {
  const told: string[] = []
  const begins = (stream: string): void => void told.push(`begins ${stream.at(-1)}`)
  const ends = (stream: string): void => void told.push(`ends ${stream.at(-1)}`)
  const run = new ScriptedRun({ begins, ends })
  const store = latch()
  run.storeIsAway = store.opened
  await run.assign(0)
  run.driver.revoke(0)
  run.driver.assign(1)
  store.open()
  await run.settle()
  expect(told).toEqual(['begins 1'])
  run.driver.revoke(1)
  expect(told).toEqual(['begins 1', 'ends 1'])
  expect(run.events).toEqual([])
})

test('a full buffer pauses its partition, and goes on below half', async () => {
  const run = new ScriptedRun({ limits: { partitionMessages: 4 } })
  await run.assign(0, 1)
  run.driver.calls.length = 0
  // Nobody reads meanwhile.
  for (const value of ['a', 'b', 'c', 'd', 'e']) run.driver.deliver(0, [value])
  run.driver.deliver(1, ['x'])
  expect(run.driver.calls).toEqual(['pause 0'])
  expect(run.source.facts.partitions.map(({ isPaused }) => isPaused)).toEqual([true, false])
  expect(told(await run.settle())).toHaveLength(6)
  expect(run.driver.calls).toEqual(['pause 0', 'resume 0'])
})

test('all together have a limit, too', async () => {
  const run = new ScriptedRun({ limits: { bytes: 3_000 } })
  await run.assign(0, 1, 2)
  run.driver.calls.length = 0
  run.driver.deliver(0, ['a'.repeat(2_000)])
  run.driver.deliver(1, ['b'.repeat(2_000)])
  expect(run.driver.calls).toEqual(['pause 0', 'pause 1', 'pause 2'])
  await run.settle()
  expect(run.driver.calls.slice(3)).toEqual(['resume 0', 'resume 1', 'resume 2'])
})

test('silence is what the brokers confirm, tick by tick', async () => {
  const run = new ScriptedRun()
  await run.assign(0)
  run.driver.deliver(0, ['a'])
  await run.settle()
  const stream = streamOf(run.events, 0)
  // In the second in which something came, it was not silent.
  expect(told(await run.second())).toEqual([])
  expect(told(await run.second())).toEqual(['idle 1000'])
  expect(stream.isAtEnd).toBe(true)
  // A process that stood still for an hour has heard one second of silence.
  run.ticker.advance(3_600_000)
  expect(told(await run.settle())).toEqual(['idle 2000'])
  // Something is there that has not come yet.
  run.driver.marks.set(0, { low: 0, high: 2 })
  expect(told(await run.second())).toEqual([])
  // Whoever reads still gets its turn, and nothing with it.
  expect(told(await run.second())).toEqual(['0@ '])
  expect(stream.isAtEnd).toBe(false)
  expect(run.source.facts.partitions).toMatchObject([{ lagOffsets: 1, committedLagOffsets: 2 }])
  run.driver.deliver(0, ['b'])
  await run.settle()
  await run.second()
  // Brokers that do not answer are not silent.
  run.driver.fault = new Error('no broker')
  expect(told(await run.second())).toEqual(['0@ '])
  expect(told(await run.second())).toEqual(['idle 1000'])
})

test('who has no partition is idle, who has not joined is not', async () => {
  const run = new ScriptedRun()
  await run.settle()
  expect(told(await run.second())).toEqual([])
  await run.assign()
  expect(told(await run.second())).toEqual(['idle 1000'])
  expect(told(await run.second())).toEqual(['idle 2000'])
})

test('an offset that has expired is a gap with the number of messages', async () => {
  const run = new ScriptedRun()
  run.driver.marks.set(0, { low: 100, high: 200 })
  run.driver.committedOffsets.set(0, 40)
  await run.assign(0)
  expect(run.driver.calls).toEqual(['start 0 at 100'])
  expect(told(run.events)).toEqual([`gap expired ${TOPIC}/0`])
  const [event] = run.events
  expect(event?.kind === 'gap' && event.gap.text).toContain('60 offsets')
  expect(run.source.facts.offsetResets).toBe(1)
})

test('what expires while a partition is paused is a gap, and reading goes on in the same stream', async () => {
  const run = new ScriptedRun()
  run.driver.marks.set(0, { low: 0, high: 10 })
  await run.assign(0)
  run.driver.deliver(0, ['a'])
  await run.settle()
  run.driver.marks.set(0, { low: 7, high: 10 })
  run.driver.handlers!.outOfRange(1, 0)
  await run.settle()
  run.driver.deliver(0, ['b'])
  expect(told(await run.settle())).toEqual(['0@7 b'])
  expect(told(run.events)).toEqual(['0@0 a', `gap expired ${TOPIC}/0`, '0@7 b'])
  expect(run.driver.calls).toEqual(['start 0 at 0', 'start 0 at 7'])
})

test('a topic that was made anew is read from its beginning, as a new stream', async () => {
  const run = new ScriptedRun()
  run.driver.marks.set(0, { low: 5, high: 10 })
  await run.assign(0)
  run.driver.deliver(0, ['a'])
  await run.settle()
  run.driver.marks.set(0, { low: 0, high: 2 })
  run.driver.handlers!.outOfRange(1, 0)
  await run.settle()
  expect(run.driver.calls).toEqual(['start 0 at 5', 'start 0 at 0'])
  expect(told(run.events)).toEqual(['0@5 a', 'lost 0'])
})

test('a driver that has stopped ends the reading with its error, and leaves', async () => {
  const run = new ScriptedRun()
  await run.assign(0)
  run.driver.handlers!.failed(new Why5xxError('WHY5XX_KAFKA', 'the consumer has stopped'))
  await run.settle()
  expect(run.failure).toMatchObject({ code: 'WHY5XX_KAFKA', message: 'the consumer has stopped' })
  expect(run.driver.calls.at(-1)).toBe('leave')
})

test('a store that never takes the streams ends the reading', async () => {
  const run = new ScriptedRun({ claim: () => Promise.reject(new Error('refused')) })
  await run.assign(0)
  expect(run.failure).toMatchObject({ code: 'WHY5XX_KAFKA', message: expect.stringContaining('refused') as string })
})

test('brokers that do not tell offsets are asked again', async () => {
  const run = new ScriptedRun()
  run.driver.fault = new Error('no broker')
  await run.assign(0)
  expect(run.driver.calls).toEqual([])
  await run.second()
  expect(run.driver.calls).toEqual(['start 0 at 0'])
})

test('a partition that another process has claimed is claimed anew while the group says it is ours', async () => {
  const run = new ScriptedRun()
  await run.assign(0)
  run.driver.deliver(0, ['a', 'b'])
  const stream = streamOf(await run.settle(), 0)
  const state = run.stateOf(stream, 1)
  run.source.lost([state])
  run.states.set(state.stream, state)
  expect(told(await run.second())).toEqual(['lost 0'])
  expect(run.claims).toHaveLength(2)
  expect(run.driver.calls.at(-1)).toBe('start 0 at 1')
  // Of an earlier reading, and of a partition that went.
  run.source.lost([{ ...state, place: { ...state.place, generation: 0 } }])
  run.driver.revoke(0)
  run.source.lost([state])
  await run.second()
  expect(run.claims).toHaveLength(2)
})

test('a partition that comes back is claimed when what was lost is known to whoever reads', async () => {
  const run = new ScriptedRun()
  await run.assign(0)
  run.driver.deliver(0, ['a'])
  await run.settle()
  run.driver.revoke(0)
  run.driver.assign(0)
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  expect(run.claims, 'until then positions of it may be written').toHaveLength(1)
  expect(told(await run.settle())).toEqual(['lost 0'])
  expect(run.claims).toHaveLength(2)
})

import { expect, test } from 'vitest'
import { START } from '../../../src/checkpoint.ts'
import { GROUP, ScriptedRun, streamOf, TOPIC } from '../../support/scriptedDriver.ts'

async function runWith(...partitions: number[]): Promise<ScriptedRun> {
  const run = new ScriptedRun()
  await run.assign(...partitions)
  for (const partition of partitions) run.driver.deliver(partition, ['a', 'b', 'c', 'd'])
  await run.settle()
  run.driver.calls.length = 0
  return run
}

async function seconds(run: ScriptedRun, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await run.second()
}

test('every five seconds what has become durable is committed, and only when it is new', async () => {
  const run = await runWith(0, 1)
  run.durable(streamOf(run.events, 0), 2)
  await seconds(run, 4)
  expect(run.driver.calls).toEqual([])
  await seconds(run, 6)
  expect(run.driver.calls).toEqual(['commit 0:2'])
  expect(streamOf(run.events, 0).place(4)).toMatchObject({ committed: 2 })
  run.durable(streamOf(run.events, 0), 3)
  run.durable(streamOf(run.events, 1), 4)
  await seconds(run, 5)
  expect(run.driver.calls).toEqual(['commit 0:2', 'commit 0:3 1:4'])
})

test('a commit never goes back', async () => {
  const run = await runWith(0)
  run.durable(streamOf(run.events, 0), 3)
  await seconds(run, 5)
  run.durable(streamOf(run.events, 0), 1)
  await seconds(run, 5)
  expect(run.driver.calls).toEqual(['commit 0:3'])
})

test('the newest state counts, not the highest position', async () => {
  const run = await runWith(0)
  run.durable(streamOf(run.events, 0), 3)
  run.durable(streamOf(run.events, 0), 1)
  await seconds(run, 5)
  expect(run.driver.calls).toEqual(['commit 0:1'])
})

test('a commit that fails is made again later, and nothing depends on it', async () => {
  const run = await runWith(0)
  run.durable(streamOf(run.events, 0), 3)
  await seconds(run, 4)
  // The first question of the fifth second is the commit.
  run.driver.fault = new Error('REBALANCE_IN_PROGRESS')
  await seconds(run, 6)
  expect(run.driver.calls).toEqual(['commit 0:3', 'commit 0:3'])
  expect(run.logged).toContain('the group did not take a commit')
  expect(run.driver.committedOffsets.get(0)).toBe(3)
  expect(run.failure).toBe(null)
})

test('the last moment before a rebalance is used', async () => {
  const run = await runWith(0)
  run.durable(streamOf(run.events, 0), 2)
  run.driver.handlers!.rebalancing()
  // Sent before the call returned.
  expect(run.driver.calls).toEqual(['commit 0:2'])
})

test('states of an earlier generation and of partitions that went move nothing', async () => {
  const run = await runWith(0, 1)
  const before = streamOf(run.events, 0)
  const gone = streamOf(run.events, 1)
  run.driver.revoke(0, 1)
  run.driver.assign(0)
  await run.settle()
  run.durable(before, 4)
  run.durable(gone, 4)
  await seconds(run, 6)
  expect(run.driver.calls.filter(call => call.startsWith('commit'))).toEqual([])
})

test('after a stop what became durable meanwhile is committed, then the group is left', async () => {
  const run = await runWith(0)
  await run.stop()
  expect(run.isOver).toBe(true)
  expect(run.driver.calls).toEqual(['pause 0'])
  run.durable(streamOf(run.events, 0), 4)
  await run.source.close()
  expect(run.driver.calls).toEqual(['pause 0', 'commit 0:4', 'leave'])
})

test('brokers that are away do not hold up the end', async () => {
  const run = await runWith(0)
  run.driver.commit = () => new Promise(() => {})
  run.durable(streamOf(run.events, 0), 4)
  await run.stop()
  const closing = run.source.close()
  await run.settle()
  run.ticker.advance(5_000)
  await closing
  expect(run.logged).toContain('the last commit took too long and is given up')
  expect(run.driver.calls.at(-1)).toBe('leave')
})

test('who reads no more leaves at once and commits nothing', async () => {
  const run = await runWith(0)
  run.durable(streamOf(run.events, 0), 4)
  run.driver.deliver(0, ['e'])
  await run.settle()
  run.driver.deliver(0, ['f'])
  // A generator that waits for its next event ends with that event.
  const abandoned = run.abandon()
  await run.second()
  await abandoned
  expect(run.driver.calls.filter(call => !call.startsWith('pause'))).toEqual(['leave'])
})

test('what was durable before us is committed, also when nothing more comes', async () => {
  const run = new ScriptedRun()
  const id = `${GROUP}/${TOPIC}/0`
  run.driver.marks.set(0, { low: 0, high: 30 })
  run.driver.committedOffsets.set(0, 10)
  const place = { topic: TOPIC, partition: 0, runs: null, committed: 10 }
  run.states.set(id, { stream: id, place, read: { ...START, from: 30, readTo: 30 }, isDone: false })
  await run.assign(0)
  await run.settle()
  await seconds(run, 5)
  expect(run.driver.calls).toEqual(['start 0 at 30', 'commit 0:30'])
})

/** Batches in flight: limited by bytes, never by one write; a stop does not wait for ever; a replay counts nothing twice. */
import { expect, test, vi } from 'vitest'
import { Counters } from '../../src/counters.ts'
import type { StreamState } from '../../src/source/source.ts'
import { ReplayWriter } from '../../src/store/replayWriter.ts'
import type { RawBatch, Sink } from '../../src/store/sink.ts'
import type { TotalsRow, WriteResult } from '../../src/store/store.ts'
import { BatchWriter } from '../../src/store/writer.ts'
import { stream } from './failures.ts'

const EMPTY: RawBatch = {
  failures: [],
  built: [],
  controllers: [],
  rejects: [],
  gaps: [],
  totals: [],
  streams: [],
  engine: null
}
const never = new AbortController().signal

/** A store whose writes end when the test says so. */
function slowStore(counted: string[] = []) {
  const writes: { batch: RawBatch; done: (result: WriteResult) => void; fail: (error: Error) => void }[] = []
  const store: Sink = {
    streams: [],
    engine: null,
    pausedBecause: 'no space left',
    write: batch =>
      new Promise((done, fail) => {
        writes.push({ batch, done, fail })
      }),
    facts: null,
    isThread: true,
    claim: () => Promise.resolve({ streams: [], engines: [] }),
    countedMinutes: async () => new Set(counted),
    close: async () => {}
  }
  return { writes, store }
}

/** Settled within some turns of the event loop? */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const note = (): void => {
    settled = true
  }
  promise.then(note, note)
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  return settled
}

test('a batch waits for room, not for the write before it', async () => {
  const { writes, store } = slowStore()
  const counters = new Counters(0)
  const writer = new BatchWriter(store, counters, 100, () => {})
  await writer.offer(EMPTY, 60, never)
  await writer.offer(EMPTY, 40, never)
  expect(counters.bytesInFlight).toBe(100)
  const third = writer.offer(EMPTY, 1, never)
  expect(await isSettled(third)).toBe(false)
  writes[0]!.done({ written: 3, known: 2 })
  await third
  expect(writes).toHaveLength(3)
  expect(counters.written).toEqual({ batches: 1, documents: 3, known: 2 })
})

test('a batch above the limit goes when it is alone', async () => {
  const { writes, store } = slowStore()
  await new BatchWriter(store, new Counters(0), 100, () => {}).offer(EMPTY, 5_000, never)
  expect(writes).toHaveLength(1)
})

test('a write that fails is told to the next offer and at the end', async () => {
  const { writes, store } = slowStore()
  const writer = new BatchWriter(store, new Counters(0), 100, () => {})
  await writer.offer(EMPTY, 10, never)
  writes[0]!.fail(new Error('disk gone'))
  await expect(writer.finish(never, 1_000)).rejects.toThrow('disk gone')
  await expect(writer.offer(EMPTY, 10, never)).rejects.toThrow('disk gone')
})

test('a stop waits for the store so long, and then says what will be', async () => {
  const { store } = slowStore()
  const writer = new BatchWriter(store, new Counters(0), 100, () => {})
  const stop = new AbortController()
  await writer.offer(EMPTY, 10, never)
  const finished = writer.finish(stop.signal, 5)
  expect(await isSettled(finished)).toBe(false)
  stop.abort()
  await expect(finished).rejects.toThrow('not everything could be written: no space left; the next run reads it again')
})

test('a stop ends the wait for room', async () => {
  const { store } = slowStore()
  const writer = new BatchWriter(store, new Counters(0), 100, () => {})
  const stop = new AbortController()
  await writer.offer(EMPTY, 100, stop.signal)
  const waiting = writer.offer(EMPTY, 100, stop.signal)
  expect(await isSettled(waiting)).toBe(false)
  stop.abort()
  await waiting
})

test('a replay writes totals of a container and minute only where no other stream has some', async () => {
  const { writes, store } = slowStore(['prod/a\n60000'])
  const asked = vi.spyOn(store, 'countedMinutes')
  const replay = new ReplayWriter(store)
  const row = (minuteMs: number, upstream: string): TotalsRow =>
    ({ minuteMs, upstream, container: 'prod/a', stream: 's', requests: 5 }) as TotalsRow
  void replay.write({ ...EMPTY, totals: [row(60_000, 'x'), row(120_000, 'x'), row(60_000, 'y')] })
  await vi.waitFor(() => expect(writes).toHaveLength(1))
  expect(writes[0]!.batch.totals).toEqual([row(120_000, 'x')])
  expect(replay.requestsKnown).toBe(10)
  void replay.write({ ...EMPTY, totals: [row(180_000, 'x')] })
  await vi.waitFor(() => expect(writes).toHaveLength(2))
  expect(asked).toHaveBeenCalledTimes(1)
})

test('the minute in which a log was rotated counts from both files of one replay', async () => {
  const counted = new Set<string>()
  const { writes, store } = slowStore()
  store.countedMinutes = async () => counted
  const replay = new ReplayWriter(store)
  const row = (stream: string): TotalsRow =>
    ({ minuteMs: 60_000, upstream: 'x', container: 'a', stream, requests: 1 }) as TotalsRow
  void replay.write({ ...EMPTY, totals: [row('old')] })
  await vi.waitFor(() => expect(writes).toHaveLength(1))
  // By now it is durable, and the store tells of it.
  counted.add('a\n60000')
  void replay.write({ ...EMPTY, totals: [row('new')] })
  await vi.waitFor(() => expect(writes).toHaveLength(2))
  expect(writes.map(({ batch }) => batch.totals.length)).toEqual([1, 1])
})

test('batches of a replay keep their order, whatever the store takes to answer about the first', async () => {
  const { writes, store } = slowStore()
  let answer: (counted: Set<string>) => void = () => {}
  store.countedMinutes = ([container]) =>
    container === 'slow' ? new Promise(resolve => (answer = resolve)) : Promise.resolve(new Set())
  const replay = new ReplayWriter(store)
  const row = (container: string): TotalsRow =>
    ({ minuteMs: 0, upstream: 'x', container, stream: 's', requests: 1 }) as TotalsRow
  void replay.write({ ...EMPTY, totals: [row('slow')] })
  void replay.write({ ...EMPTY, totals: [row('fast')] })
  expect(writes).toHaveLength(0)
  answer(new Set())
  await vi.waitFor(() => expect(writes.map(({ batch }) => batch.totals[0]!.container)).toEqual(['slow', 'fast']))
})

test('what has become durable is told in order, without the streams that another process has claimed', async () => {
  const { writes, store } = slowStore()
  const told: string[] = []
  const writer = new BatchWriter(store, new Counters(0), 100, states => told.push(states.map(s => s.stream).join()))
  for (const names of [['a', 'b'], ['b']])
    await writer.offer({ ...EMPTY, streams: names.map(name => stream(name, 1)) }, 10, never)
  writes[0]!.done({ written: 0, known: 0, lost: ['a'] })
  writes[1]!.done({ written: 0, known: 0 })
  await writer.finish(never, 1_000)
  expect(told).toEqual(['b', 'b'])
})

test('of states that were not kept the source is told', async () => {
  const { writes, store } = slowStore()
  const names = (states: readonly StreamState[]): string => states.map(state => state.stream).join()
  const told: string[] = []
  const writer = new BatchWriter(
    store,
    new Counters(0),
    100,
    states => told.push(`durable ${names(states)}`),
    states => told.push(`lost ${names(states)}`)
  )
  await writer.offer({ ...EMPTY, streams: [stream('a', 1), stream('b', 1)] }, 1, never)
  writes[0]!.done({ written: 0, known: 0, lost: ['b'] })
  await writer.finish(never, 1_000)
  expect(told).toEqual(['durable a', 'lost b'])
})

test('what was offered is waited for until it is durable, or has failed; what comes later is not', async () => {
  const { writes, store } = slowStore()
  const writer = new BatchWriter(store, new Counters(0), 100, () => {})
  expect(await isSettled(writer.written())).toBe(true)
  await writer.offer(EMPTY, 10, never)
  await writer.offer(EMPTY, 10, never)
  const written = writer.written()
  await writer.offer(EMPTY, 10, never)
  writes[0]!.done({ written: 0, known: 0 })
  expect(await isSettled(written)).toBe(false)
  writes[1]!.fail(new Error('no space left'))
  expect(await isSettled(written)).toBe(true)
  expect(await isSettled(writer.written())).toBe(false)
})

/** When a moment is known, how long that is waited for, and where the record is opened. */
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { ClusterEvent } from '../../src/cluster/event.ts'
import { ClusterKnowledge } from '../../src/cluster/knowledge.ts'
import { ListedObjects } from '../support/listedObjects.ts'
import { MemoryRecord } from '../support/memoryRecord.ts'
import { heartbeat, list, pod, told, writer } from '../support/recordedEvents.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NOON = Date.UTC(2026, 10, 21, 12)

interface Bed {
  knowledge: ClusterKnowledge
  record: MemoryRecord
  clock: { nowMs: number }
  said: string[]
  /** Ends every wait. */
  timeOver: () => void
  waits: number[]
  state: () => ListedObjects
  a: ReturnType<typeof writer>
}

function bed(snapshots: ClusterEvent[] = [], hasRecord = true): Bed {
  const record = new MemoryRecord()
  const clock = { nowMs: NOON }
  const said: string[] = []
  const waits: number[] = []
  let timers: (() => void)[] = []
  const knowledge = new ClusterKnowledge({
    record: hasRecord ? record : null,
    snapshots,
    openState: () => new ListedObjects().asState(),
    nowMs: () => clock.nowMs,
    wait: (ms, signal) =>
      new Promise(resolve => {
        waits.push(ms)
        timers.push(resolve)
        signal.addEventListener('abort', () => resolve())
      }),
    say: text => void said.push(text)
  })
  const timeOver = (): void => {
    for (const over of timers) over()
    timers = []
  }
  const state = (): ListedObjects => knowledge.state as unknown as ListedObjects
  return { knowledge, record, clock, said, timeOver, waits, state, a: writer('a') }
}

describe('a moment is known', () => {
  test('once a heartbeat behind it was read, and that is waited for', async () => {
    const { knowledge, record, state, a } = bed()
    record.events.push(...a(...list(NOON - HOUR, pod('x', 1)), heartbeat(NOON)))
    const asked = knowledge.ready(NOON - 1, NOON)
    let answer: unknown = null
    void asked.then(result => {
      answer = result
    })
    record.tell()
    await setImmediate()
    expect(answer).toBe(null)
    record.events.push(...a(told(NOON + 1, 'MODIFIED', pod('x', 2))))
    record.tell()
    await setImmediate()
    expect(answer).toBe(null)
    record.events.push(...a(heartbeat(NOON + 2)))
    record.tell()
    expect(await asked).toMatchObject({ known: true })
    expect(state().names).toEqual(['x@2'])
    expect(await knowledge.ready(NOON - 1, NOON + 1)).toMatchObject({ known: true })
  })

  test('not, when the time is over; and a record that says nothing is waited for once', async () => {
    const { knowledge, timeOver, waits } = bed()
    const asked = knowledge.ready(NOON, NOON, 3_000)
    timeOver()
    expect(await asked).toMatchObject({ known: false, isCaughtUp: false })
    expect(await knowledge.ready(NOON, NOON, 3_000)).toMatchObject({ known: false, isCaughtUp: false })
    expect(waits).toEqual([3_000])
  })

  test('not, when nobody has written for a while: that is not waited for', async () => {
    const { knowledge, record, a, clock } = bed()
    record.events.push(...a(...list(NOON - HOUR), heartbeat(NOON - MINUTE)))
    const asked = knowledge.ready(NOON, NOON)
    record.tell()
    expect(await asked).toMatchObject({ known: false, isCaughtUp: true })
    clock.nowMs += 1
    expect(await knowledge.ready(NOON, NOON)).toMatchObject({ known: false })
  })

  test('not without a record, which is said once', async () => {
    const { knowledge, record, said } = bed()
    record.isMissing = true
    for (let i = 0; i < 3; i++) {
      const asked = knowledge.ready(NOON, NOON)
      record.tell()
      expect(await asked).toMatchObject({ known: false })
    }
    expect(said).toHaveLength(1)
  })

  test('by snapshots alone, as far as they go', async () => {
    expect(await bed([], false).knowledge.ready(NOON, NOON)).toMatchObject({ known: false })
    const { knowledge, state } = bed(list(NOON, pod('x', 1)), false)
    expect(await knowledge.ready(NOON - HOUR, NOON + HOUR)).toMatchObject({ known: true })
    expect(state().names).toEqual(['x@1'])
  })
})

describe('the record is opened', () => {
  test('again, while another question waits: both are answered from the one that is read now', async () => {
    const { knowledge, record, state, a } = bed()
    record.events.push(...a(...list(NOON - 5 * HOUR, pod('x', 1)), told(NOON - HOUR, 'MODIFIED', pod('x', 2))))
    record.events.push(...a(heartbeat(NOON + 1)))
    const first = knowledge.ready(NOON, NOON)
    const older = knowledge.ready(NOON - 4 * HOUR, NOON - 4 * HOUR)
    expect(record.readings.map(({ isClosed }) => isClosed)).toEqual([true, false])
    record.tell()
    expect(await Promise.all([first, older])).toMatchObject([{ known: true }, { known: true }])
    expect(state().names).toEqual(['x@2'])
  })

  test('ten minutes before the oldest moment, and once more for one that is older', async () => {
    const { knowledge, record, state, a } = bed()
    for (let hour = 5; hour >= 0; hour--)
      record.events.push(...a(...list(NOON - hour * HOUR, pod('x', 10 - hour)), heartbeat(NOON - hour * HOUR + 1)))
    const asked = knowledge.ready(NOON - HOUR, NOON)
    record.tell()
    expect(await asked).toMatchObject({ known: true })
    expect(record.reading.fromMs).toBe(NOON - HOUR - 10 * MINUTE)
    expect(state().applied[0]!.at).toBe(NOON - 2 * HOUR)
    // Inside of what was read.
    expect(await knowledge.ready(NOON - 2 * HOUR, NOON)).toMatchObject({ known: true })
    expect(record.readings).toHaveLength(1)
    const older = knowledge.ready(NOON - 3 * HOUR, NOON - 2 * HOUR)
    record.tell()
    expect(await older).toMatchObject({ known: true })
    expect(record.readings.map(({ isClosed }) => isClosed)).toEqual([true, false])
    expect(state().applied[0]!.at).toBe(NOON - 4 * HOUR)
    expect(state().names).toEqual(['x@10'])
  })

  test('not again when nothing older is recorded, and not twice in a minute', async () => {
    const { knowledge, record, a, said } = bed()
    record.events.push(...a(...list(NOON - HOUR), heartbeat(NOON + 1)))
    const asked = knowledge.ready(NOON - 5 * HOUR, NOON)
    record.tell()
    // What it holds begins behind the oldest moment.
    expect(await asked).toEqual({ known: false, isCaughtUp: true, fromMs: NOON - HOUR })
    expect(await knowledge.ready(NOON - HOUR, NOON)).toEqual({ known: true, isCaughtUp: true, fromMs: NOON - HOUR })
    expect(said).toEqual([
      'the state of the cluster is known from 2026-11-21T11:00:00.000Z on: nothing older is recorded'
    ])
    await knowledge.ready(NOON - 50 * HOUR, NOON)
    expect(record.readings).toHaveLength(1)
    const busy = bed()
    busy.record.events.push(...a(...list(NOON - 9 * HOUR), ...list(NOON - HOUR), heartbeat(NOON + 1)))
    for (const hour of [0, 2, 10]) {
      const question = busy.knowledge.ready(NOON - hour * HOUR, NOON)
      busy.record.tell()
      await question
    }
    expect(busy.record.readings).toHaveLength(2)
    busy.clock.nowMs += 2 * MINUTE
    void busy.knowledge.ready(NOON - 10 * HOUR, NOON)
    expect(busy.record.readings).toHaveLength(3)
    busy.timeOver()
  })

  test('and read half a day ahead of an old question, but followed once it was read whole', async () => {
    const { knowledge, record, a } = bed()
    for (let hour = 72; hour >= 0; hour--) record.events.push(...a(...list(NOON - hour * HOUR)))
    const asked = knowledge.ready(NOON - 70 * HOUR, NOON - 70 * HOUR)
    record.tell()
    expect(await asked).toMatchObject({ known: true })
    expect(record.reading.limitMs).toBe(NOON - 58 * HOUR)
    // Far ahead of what was read: another list is the shorter way.
    const later = knowledge.ready(NOON - 2 * HOUR, NOON - HOUR)
    record.tell()
    expect(await later).toMatchObject({ known: true })
    expect(record.reading).toMatchObject({ fromMs: NOON - 130 * MINUTE, limitMs: Number.POSITIVE_INFINITY })
  })

  test('behind the snapshots that are older than it', async () => {
    const { knowledge, record, state, a } = bed([...list(NOON - 9 * HOUR, pod('x', 1)), ...list(NOON, pod('z', 1))])
    expect(state().names).toEqual(['z@1'])
    record.events.push(...a(...list(NOON - HOUR, pod('y', 1)), heartbeat(NOON + 1)))
    const asked = knowledge.ready(NOON, NOON)
    record.tell()
    expect(await asked).toMatchObject({ known: true })
    expect(
      state()
        .applied.map(({ at }) => (at - NOON) / HOUR)
        .slice(0, 4)
    ).toEqual([-9, -9, -9, -1])
    expect(state().names).toEqual(['y@1'])
  })
})

/** What the alerts ask before they begin, how long they wait for it, and what ends the waiting. */
import { setImmediate } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import type { Alerting } from '../src/alert/alerting.ts'
import { type HistoryReader, tellHistory } from '../src/alertHistory.ts'
import { AlertStart, type AlertStartOptions } from '../src/alertStart.ts'
import { alertBed, freshAlerting, MINUTE_MS, storedMinutes } from './support/alertBed.ts'

const T = Date.UTC(2026, 10, 21, 10)
const HOUR_MS = 60 * MINUTE_MS
const DAY = Array.from({ length: 24 * 60 }, (_, i) => ({
  minuteMs: T - (i + 1) * MINUTE_MS,
  requests: 100,
  failures: i % 3
}))

function startOf(given: Partial<AlertStartOptions>) {
  const bed = alertBed()
  /** Of the waits that go on now. */
  const waits = new Set<() => void>()
  const start = new AlertStart({
    service: bed.service,
    openFresh: freshAlerting,
    openReader: async () => storedMinutes(DAY),
    readTopic: null,
    until: T,
    nowMs: () => T,
    say: text => void bed.said.push(text),
    wait: (_ms, signal) =>
      new Promise(resolve => {
        const end = (): void => {
          waits.delete(end)
          resolve()
        }
        waits.add(end)
        signal.addEventListener('abort', end, { once: true })
      }),
    ...given
  })
  const passPatience = (): void => {
    for (const end of waits) end()
  }
  return { start, bed, passPatience }
}

/** Answers one hour whenever it is let. */
function slowStore() {
  const answers: (() => void)[] = []
  const stored = storedMinutes(DAY)
  const slowly =
    <Args extends unknown[], Rows>(ask: (...args: Args) => Promise<Rows>) =>
    async (...args: Args): Promise<Rows> => {
      await new Promise<void>(resolve => void answers.push(resolve))
      return ask(...args)
    }
  const reader = { ...stored, totals: slowly(stored.totals) }
  return { reader: reader as unknown as HistoryReader & typeof stored, answers }
}

test('a history that takes longer than anybody waits for an answer is not thrown away while it comes', async () => {
  const { reader, answers } = slowStore()
  const { start, bed, passPatience } = startOf({ openReader: async () => reader })
  const begun = start.begin()
  for (let hour = 0; hour < 24; hour++) {
    await vi.waitFor(() => expect(answers).toHaveLength(1), { interval: 1 })
    answers.pop()!()
    // Fifteen seconds have gone by, and it has answered in them.
    await setImmediate()
    passPatience()
  }
  expect(await begun).toBe(true)
  expect(bed.said).toEqual([])
  start.stop()
})

test('a store that stops in the middle is not waited for', async () => {
  const { reader, answers } = slowStore()
  const { start, bed, passPatience } = startOf({ openReader: async () => reader })
  const begun = start.begin()
  await vi.waitFor(() => expect(answers).toHaveLength(1), { interval: 1 })
  answers.pop()!()
  await vi.waitFor(() => expect(answers).toHaveLength(1), { interval: 1 })
  passPatience()
  await setImmediate()
  passPatience()
  expect(await begun).toBe(false)
  expect(bed.said).toEqual([expect.stringContaining('the store is slow')])
  start.stop()
})

test.each<[string, Partial<AlertStartOptions>]>([
  ['a topic', { readTopic: () => new Promise(() => {}) }],
  ['a store', { openReader: () => new Promise(() => {}) }]
])('who is stopped while %s is asked does not wait for it, and says nothing of it', async (_what, given) => {
  const { start, bed } = startOf(given)
  const stop = new AbortController()
  const begun = start.begin(stop.signal)
  stop.abort()
  expect(await begun).toBe(false)
  expect(bed.said).toEqual([])
})

test('between two minutes of history others have their turn, and it ends when nobody waits any more', async () => {
  let turns = 0
  let isOver = false
  const alerting: Pick<Alerting, 'addRequests' | 'addFailures' | 'advance'> & { judged: number } = {
    judged: 0,
    addRequests() {},
    addFailures() {},
    advance() {
      this.judged++
      return { changed: [] }
    }
  }
  const taking = (async () => {
    for (; turns < 30; turns++) await setImmediate()
    isOver = true
  })()
  const telling = { fromMs: T - 24 * HOUR_MS, toMs: T, isOver: () => isOver }
  await tellHistory(storedMinutes(DAY), alerting as unknown as Alerting, telling)
  await taking
  expect(alerting.judged).toBeGreaterThan(10)
  expect(alerting.judged).toBeLessThan(40)
})

/** What goes on when a process begins in the middle of an incident. */
import { describe, expect, test } from 'vitest'
import type { Incident } from '../src/alert/incident.ts'
import { Notifier } from '../src/alert/notify/notifier.ts'
import { repeatedGroups } from '../src/alertRepeat.ts'
import { noticeOf } from './alert/notify/incidents.ts'
import { ScriptedClock } from './alert/notify/scriptedClock.ts'
import { ScriptedReceiver } from './alert/notify/scriptedReceiver.ts'
import { alertBed, CAUSE, freshAlerting, MINUTE_MS, minuteBatch, UPSTREAM } from './support/alertBed.ts'

const T = Date.UTC(2026, 10, 21, 10)

/** Began at `beganMs`, as another process had it ten minutes later: open, and told. */
function openSince(beganMs: number): Incident {
  const alerting = freshAlerting()
  for (let minute = -120; minute < 10; minute++) {
    alerting.addRequests(UPSTREAM, beganMs + minute * MINUTE_MS, 500)
    if (minute >= 0) alerting.addFailures(UPSTREAM, CAUSE, beganMs + minute * MINUTE_MS, 40)
    alerting.advance(beganMs + (minute + 1) * MINUTE_MS)
  }
  const [group] = alerting.groups
  const told = { 'webhook pager': { state: 'open' as const, atMs: beganMs + 3 * MINUTE_MS, failures: 40 } }
  return { ...structuredClone(group!.head), told }
}

describe('where no store tells the past, two hours are read again', () => {
  test.each([30, 60, 90, 110, 180])('an incident that began %i minutes before goes on, and ends', before => {
    const stored = openSince(T - before * MINUTE_MS)
    const bed = alertBed({ readsAgain: true })
    bed.service.adopt([stored])
    bed.service.countFrom(T - 120 * MINUTE_MS, freshAlerting())
    bed.service.forgetJournal()
    const states: string[] = []
    for (let minute = -120; minute < 60; minute++) {
      const atMs = T + minute * MINUTE_MS
      bed.service.judged(minuteBatch(atMs, 500, minute >= -before && minute < 40 ? 40 : 0))
      if (minute < 0) continue
      bed.service.passed(atMs + MINUTE_MS + 10_000, atMs + MINUTE_MS + 10_000)
      states.push(bed.stored.get(stored.id)!.state)
    }
    expect([...bed.stored.keys()]).toEqual([stored.id])
    expect(states.slice(0, 40)).toEqual(Array(40).fill('open'))
    expect(bed.stored.get(stored.id)).toMatchObject({ state: 'resolved', endMs: T + 49 * MINUTE_MS })
  })
})

test('while a lag is read again, what is open is repeated, and nobody is told anew', async () => {
  const stored = openSince(T - 10 * MINUTE_MS)
  stored.told = { alertmanager: { state: 'open', atMs: T - 90 * MINUTE_MS, failures: 40 } }
  const time = new ScriptedClock(T)
  const say = (): void => {}
  const manager = new ScriptedReceiver('alertmanager', time.clock, MINUTE_MS)
  const webhook = new ScriptedReceiver('webhook', time.clock)
  const notifier = new Notifier({
    receivers: [manager, webhook],
    noticeOf,
    onTold() {},
    log: { error: say, warn: say, info: say, debug: say },
    clock: time.clock,
    wait: time.wait,
    random: () => 0.5
  })
  const bed = alertBed({
    readsAgain: true,
    tell: groups => notifier.tell(groups),
    repeat: incidents => notifier.tell(repeatedGroups(incidents, ['alertmanager', 'webhook'], time.nowMs))
  })
  bed.service.adopt([stored, { ...stored, id: 'inc-untold', upstream: 'shop-blog-80', told: {} }])
  for (let minute = 0; minute < 4; minute++) {
    bed.service.passed(T - 15 * MINUTE_MS, time.nowMs)
    await time.advance(MINUTE_MS)
  }
  expect(manager.tries.length).toBeGreaterThanOrEqual(4)
  expect(webhook.tries).toEqual([])
  expect(bed.service.facts.isCurrent).toBe(false)
  expect(notifier.facts.receivers.map(({ sent }) => sent)).toMatchObject([
    { open: 0, update: 0, resolved: 0 },
    { open: 0, update: 0, resolved: 0, repeat: 0 }
  ])
  await Promise.all([notifier.close(), time.advance(10_000)])
})

describe('a wall clock that was ahead', () => {
  /** Seven hours of traffic, then four minutes of a clock that is an hour ahead; and what an incident looks like behind it. */
  function aheadAndBack(failuresBefore: number) {
    const fresh = freshAlerting()
    let started = 0
    const bed = alertBed({
      startOver() {
        started++
        return fresh
      }
    })
    for (let minute = -420; minute < 0; minute++) {
      const atMs = T + minute * MINUTE_MS
      bed.service.judged(minuteBatch(atMs, 500, minute >= -10 ? failuresBefore : 0))
      bed.service.passed(Number.POSITIVE_INFINITY, atMs + MINUTE_MS + 10_000)
    }
    for (let second = 0; second <= 240; second += 10)
      bed.service.passed(Number.POSITIVE_INFINITY, T + 60 * MINUTE_MS + second * 1_000)
    return { bed, fresh, started: () => started }
  }

  test('what it opened ends, that is said, and what is learned again finds what fails', () => {
    const { bed, fresh, started } = aheadAndBack(0)
    expect([...bed.stored.values()]).toMatchObject([{ cause: 'no_requests', state: 'open' }])
    bed.service.passed(Number.POSITIVE_INFINITY, T + 4 * MINUTE_MS)
    expect(started()).toBe(1)
    expect(bed.said.at(-1)).toMatch(/^the clock was 60 minutes ahead/)
    expect([...bed.stored.values()]).toMatchObject([{ cause: 'no_requests', state: 'resolved' }])
    // The store tells the last day meanwhile.
    for (let minute = -420; minute < 4; minute++) fresh.addRequests(UPSTREAM, T + minute * MINUTE_MS, 500)
    fresh.advance(T + 4 * MINUTE_MS)
    bed.service.takeOver(fresh, [])
    for (let minute = 4; minute < 12; minute++) {
      const atMs = T + minute * MINUTE_MS
      bed.service.judged(minuteBatch(atMs, 500, 200))
      bed.service.passed(Number.POSITIVE_INFINITY, atMs + MINUTE_MS + 10_000)
    }
    const [found] = [...bed.stored.values()].filter(({ cause }) => cause === CAUSE)
    expect(found).toMatchObject({ state: 'open', startMs: T + 4 * MINUTE_MS, detectedMs: T + 5 * MINUTE_MS })
    expect(bed.said.filter(text => text.includes('ahead'))).toHaveLength(1)
  })

  test('what was open goes on under its id', () => {
    const { bed } = aheadAndBack(40)
    const [before] = [...bed.stored.values()].filter(({ cause }) => cause === CAUSE)
    for (let minute = 4; minute < 12; minute++) {
      const atMs = T + minute * MINUTE_MS
      bed.service.judged(minuteBatch(atMs, 500, 200))
      bed.service.passed(Number.POSITIVE_INFINITY, atMs + MINUTE_MS + 10_000)
    }
    const now = [...bed.stored.values()].filter(({ cause }) => cause === CAUSE)
    expect(now.map(({ id }) => id)).toEqual([before!.id])
  })

  test('some minutes are waited for', () => {
    const { bed, started } = aheadAndBack(0)
    bed.service.passed(Number.POSITIVE_INFINITY, T + 60 * MINUTE_MS)
    expect(started()).toBe(0)
    expect(bed.said.filter(text => text.includes('ahead'))).toEqual([])
  })
})

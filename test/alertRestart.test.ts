/** What goes on when a process begins in the middle of an incident. */
import { describe, expect, test } from 'vitest'
import type { Incident } from '../src/alert/incident.ts'
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

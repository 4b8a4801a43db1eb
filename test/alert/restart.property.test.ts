/** A restart in any minute: the same ids, nothing opened twice, nothing left open. With the real detector. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openAlerting } from '../../src/alert/alerting.ts'
import type { Incident } from '../../src/alert/incident.ts'
import '../support/seed.ts'
import { atMs, idOf } from './samples.ts'
import { anySpike, MINUTES, notify, QUIET, type Spike, tell } from './spikes.ts'

/** Everything that was stored, by id, and what was told; restarts before the given minute, whose state is JSON and history. */
function play(spikes: readonly Spike[], restarts: ReadonlySet<number>, stepsOfHistory = 1) {
  let alerting = openAlerting({ profile: 'normal', idOf })
  const stored = new Map<string, Incident>()
  const heard: string[] = []
  const store = (changed: readonly Incident[]) => {
    for (const incident of changed) stored.set(incident.id, JSON.parse(JSON.stringify(incident)) as Incident)
  }
  for (let minute = -QUIET; minute < MINUTES; minute++) {
    if (restarts.has(minute)) {
      alerting = openAlerting({ profile: 'normal', idOf })
      for (let past = -QUIET; past < minute; past++) {
        tell(alerting, spikes, past, true)
        if (past % stepsOfHistory === 0) alerting.advance(atMs(past + 1))
      }
      alerting.advance(atMs(minute))
      const lately = [...stored.values()].filter(({ endMs }) => endMs === null || atMs(minute) - endMs <= 3_600_000)
      alerting.adopt(lately)
    }
    tell(alerting, spikes, minute, false)
    const { changed } = alerting.advance(atMs(minute + 1))
    notify(alerting, minute, heard)
    store(changed)
  }
  return { stored, heard }
}

function shape({ stored, heard }: ReturnType<typeof play>) {
  const incidents = [...stored.values()]
    .map(({ id, state, startMs, endMs, failures, requests, continued, severity, parent, group, told }) => {
      return { id, state, startMs, endMs, failures, requests, continued, severity, parent, group, told }
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  return { incidents, heard }
}

test('restarts change nothing', () => {
  const runs = fc.tuple(
    fc.array(anySpike, { minLength: 1, maxLength: 4 }),
    fc.uniqueArray(fc.integer({ min: 0, max: MINUTES - 1 }), { minLength: 1, maxLength: 3 }),
    fc.constantFrom(1, 7, 1_000)
  )
  let found = 0
  fc.assert(
    fc.property(runs, ([spikes, restarts, steps]) => {
      const whole = shape(play(spikes, new Set()))
      found += whole.incidents.length
      expect(shape(play(spikes, new Set(restarts), steps))).toEqual(whole)
    }),
    { numRuns: 40 }
  )
  expect(found).toBeGreaterThan(40)
})

test('without history a restart opens nothing twice, and leaves nothing open', () => {
  const spike: Spike = { service: 'shop-cart-80', cause: 'connection_refused', from: 10, minutes: 8, perMinute: 30 }
  const whole = shape(play([spike], new Set()))
  expect(whole.incidents).toHaveLength(1)
  for (let restart = 11; restart < 25; restart++) {
    const stored = [...play([spike], new Set()).stored.values()]
    const first = openAlerting({ profile: 'normal', idOf })
    for (let minute = -QUIET; minute < restart; minute++) tell(first, [spike], minute, false)
    const open = first.advance(atMs(restart)).changed
    const second = openAlerting({ profile: 'normal', idOf })
    second.advance(atMs(restart))
    second.adopt(JSON.parse(JSON.stringify(open)) as Incident[])
    const seen = new Map(open.map(incident => [incident.id, { ...incident }]))
    for (let minute = restart; minute < MINUTES; minute++) {
      tell(second, [spike], minute, false)
      for (const incident of second.advance(atMs(minute + 1)).changed) seen.set(incident.id, { ...incident })
    }
    expect([...seen.keys()]).toEqual(stored.map(({ id }) => id))
    expect([...seen.values()].map(({ state }) => state)).toEqual(['resolved'])
  }
})

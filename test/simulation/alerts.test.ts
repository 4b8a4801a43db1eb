/** Processes that look for incidents, killed at any step of one: its page comes once, and so does its end. */
import { describe, expect, test } from 'vitest'
import { Random } from '../../bench/random.ts'
import { MINUTE_MS } from '../support/alertBed.ts'
import { AlertWorld, type Source, STEP_MS } from './alertWorld.ts'

const BEGIN_MS = Date.UTC(2026, 10, 21, 5)
const STEPS = MINUTE_MS / STEP_MS
/** Three hours of an ordinary service, twelve minutes of an incident, and what comes after it. */
const BASE_MINUTES = 180
const SPIKE_MINUTES = 12
const AFTER_MINUTES = 14

const seed = Number(process.env.WHY5XX_SEED ?? 7)
const random = new Random(seed)
const noise = Array.from({ length: 400 }, () => random.below(3))

function world(source: Source): AlertWorld {
  const minute = (number: number) => {
    const isSpike = number >= BASE_MINUTES && number < BASE_MINUTES + SPIKE_MINUTES
    return { requests: 300, failures: isSpike ? 60 : noise[number % noise.length]! }
  }
  return new AlertWorld({ source, beginMs: BEGIN_MS, minute }, (BASE_MINUTES - 2) * STEPS)
}

/** How often each was told. */
function kinds(messages: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const message of messages) {
    const [kind] = message.split(' ')
    counts[kind!] = (counts[kind!] ?? 0) + 1
  }
  return counts
}

const LAST = (SPIKE_MINUTES + AFTER_MINUTES + 2) * STEPS

describe.each<Source>(['files', 'topic'])('%s', source => {
  test('without a fault: one page while it goes on, one end, and the numbers are those of the log', async () => {
    const quiet = world(source)
    await quiet.start()
    for (let step = 0; step < LAST; step++) await quiet.step()
    expect(quiet.said).toEqual([])
    const [incident, ...others] = [...quiet.incidents.values()]
    expect(others).toEqual([])
    expect(incident).toMatchObject({
      state: 'resolved',
      startMs: BEGIN_MS + BASE_MINUTES * MINUTE_MS,
      peakPerMinute: 60,
      told: { pager: { state: 'resolved' } }
    })
    expect(incident!.failures).toBeGreaterThanOrEqual(SPIKE_MINUTES * 60)
    expect(incident!.failures).toBeLessThan(SPIKE_MINUTES * 60 + 30)
    const { update: _, ...told } = kinds(quiet.messages)
    expect(told).toEqual({ open: 1, resolved: 1 })
    expect(quiet.messages[0]).toBe(`open ${incident!.id}`)
  })

  test('killed once at any step: no second page, no lost end, no failure counted twice', async () => {
    // Every step of the incident has its turn in one of twelve seeds.
    for (let at = 1 + (seed % 12); at < LAST - 2 * STEPS; at += 12) {
      const killed = world(source)
      await killed.start()
      for (let step = 0; step < at; step++) await killed.step()
      killed.kill(random.below(2) === 0)
      killed.sleep(random.below(4) * MINUTE_MS)
      await killed.start()
      for (let step = at; step < LAST; step++) await killed.step()
      const where = `${source}, seed ${seed}, killed at step ${at}`
      const { update: _, ...told } = kinds(killed.messages)
      expect(told, where).toEqual({ open: 1, resolved: 1 })
      expect(killed.incidents.size, where).toBe(1)
      const [incident] = killed.incidents.values()
      expect(incident, where).toMatchObject({ state: 'resolved', peakPerMinute: 60 })
      expect(incident!.failures, where).toBeLessThan(SPIKE_MINUTES * 60 + 30)
      expect(incident!.failures, where).toBeGreaterThan(SPIKE_MINUTES * 60 - 60)
    }
  })

  test('killed again and again', async () => {
    const killed = world(source)
    await killed.start()
    for (let step = 0; step < LAST; step++) {
      await killed.step()
      if (step % 7 !== 3) continue
      killed.kill(step % 2 === 0)
      await killed.start()
    }
    const { update: _, ...told } = kinds(killed.messages)
    expect(told).toEqual({ open: 1, resolved: 1 })
    expect(killed.incidents.size).toBe(1)
  })
})

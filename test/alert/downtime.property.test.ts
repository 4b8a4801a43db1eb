/** A process that was away for hours, with or without a past: every end is stored and told, and nothing is told twice. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Alerting, openAlerting } from '../../src/alert/alerting.ts'
import type { Incident } from '../../src/alert/incident.ts'
import { runs } from '../support/seed.ts'
import { atMs, idOf } from './samples.ts'
import { anySpike, MINUTES, notify, QUIET, type Spike, tell } from './spikes.ts'

interface Downtime {
  /** Minutes behind the begin of the first spike. */
  after: number
  minutes: number
  /** How many minutes of the backlog are judged at once. */
  step: number
  /** What is known of the time before: counts of all of it, or nothing. */
  knowsPast: boolean
  /** Incidents are known before the backlog is read, or only behind it. */
  adopts: 'before' | 'after'
  /** Another process has opened the same once more. */
  isDouble: boolean
}

const anyDowntime: fc.Arbitrary<Downtime> = fc.record({
  after: fc.integer({ min: 1, max: 20 }),
  minutes: fc.integer({ min: 0, max: 300 }),
  step: fc.constantFrom(1, 45, 1_000),
  knowsPast: fc.boolean(),
  adopts: fc.constantFrom('before', 'after'),
  isDouble: fc.boolean()
})

class Process {
  readonly heard: string[]
  readonly #stored: Map<string, Incident>
  readonly #alerting: Alerting = openAlerting({ profile: 'normal', idOf })

  constructor(stored: Map<string, Incident>, heard: string[]) {
    this.#stored = stored
    this.heard = heard
  }

  /** All of these minutes at once, so many times; nobody is told before the end. */
  read(spikes: readonly Spike[], from: number, to: number, step: number, isStored: boolean): void {
    for (let minute = from; minute < to; minute++) {
      tell(this.#alerting, spikes, minute, !isStored)
      if ((minute + 1 - from) % step !== 0 && minute + 1 < to) continue
      const { changed } = this.#alerting.advance(atMs(minute + 1))
      if (isStored) this.#store(changed)
    }
  }

  live(spikes: readonly Spike[], from: number, to: number): void {
    for (let minute = from; minute < to; minute++) {
      tell(this.#alerting, spikes, minute, false)
      this.#judge(minute + 1)
    }
  }

  adopt(minute: number): void {
    this.#alerting.advance(atMs(minute))
    this.#alerting.adopt([...this.#stored.values()].map(one => structuredClone(one)))
    this.#judge(minute)
  }

  #judge(minute: number): void {
    const { changed } = this.#alerting.advance(atMs(minute))
    notify(this.#alerting, minute, this.heard)
    this.#store(changed)
  }

  #store(changed: readonly Incident[]): void {
    for (const incident of changed) {
      const known = this.#stored.get(incident.id)
      if (known === undefined || known.updatedMs <= incident.updatedMs)
        this.#stored.set(incident.id, structuredClone(incident))
    }
  }
}

function play(spikes: readonly Spike[], { after: later, minutes, step, knowsPast, adopts, isDouble }: Downtime) {
  const stored = new Map<string, Incident>()
  const heard: string[] = []
  const from = spikes[0]!.from + later
  const until = Math.max(from + minutes, MINUTES)
  const before = new Process(stored, heard)
  before.live(spikes, -QUIET, from)
  const open = [...stored.values()].filter(({ endMs }) => endMs === null)
  if (isDouble)
    for (const one of open) {
      const id = `${one.id}-double`
      stored.set(id, {
        ...structuredClone(one),
        id,
        startMs: one.startMs + 60_000,
        detectedMs: one.detectedMs + 60_000
      })
      if (one.told.pager?.state === 'open') heard.push(`${from} open ${id}`)
    }
  const after = new Process(stored, heard)
  if (knowsPast) after.read(spikes, -QUIET, from, 60, false)
  if (adopts === 'before') after.adopt(from)
  after.read(spikes, from, from + minutes, step, adopts === 'before')
  if (adopts === 'after') after.adopt(from + minutes)
  after.live(spikes, from + minutes, until + 60)
  return { stored: [...stored.values()], heard, open }
}

test('whoever was told that an incident is open is told its end, and the store knows it', () => {
  let carried = 0
  fc.assert(
    fc.property(fc.array(anySpike, { minLength: 1, maxLength: 3 }), anyDowntime, (spikes, downtime) => {
      const { stored, heard, open } = play(spikes, downtime)
      carried += open.length
      expect(stored.filter(({ state }) => state !== 'resolved').map(({ id }) => id)).toEqual([])
      expect(stored.filter(({ told }) => told.pager?.state === 'open').map(({ id }) => id)).toEqual([])
      const states = new Map<string, string[]>()
      for (const [, state, id] of heard.map(line => line.split(' ')))
        states.set(id!, [...(states.get(id!) ?? []), state!])
      for (const [id, told] of states)
        expect([id, ...told]).toEqual([id, ...told.map((_, i) => (i % 2 === 0 ? 'open' : 'resolved'))])
      for (const told of states.values()) expect(told.at(-1)).toBe('resolved')
    }),
    runs(60)
  )
  expect(carried).toBeGreaterThan(10)
})

test('with a past, a downtime changes nothing about what is found', () => {
  const shape = ({ stored }: ReturnType<typeof play>) =>
    stored
      .map(({ id, state, startMs, endMs, failures, requests, continued, severity }) => {
        return { id, state, startMs, endMs, failures, requests, continued, severity }
      })
      .sort((a, b) => (a.id < b.id ? -1 : 1))
  const past = { knowsPast: true, adopts: 'before', isDouble: false } as const
  fc.assert(
    fc.property(fc.array(anySpike, { minLength: 1, maxLength: 3 }), anyDowntime, (spikes, downtime) => {
      const whole = play(spikes, { ...downtime, ...past, minutes: 0 })
      expect(shape(play(spikes, { ...downtime, ...past }))).toEqual(shape(whole))
    }),
    runs(25)
  )
})

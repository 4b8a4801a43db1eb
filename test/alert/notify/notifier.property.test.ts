/** Whatever becomes of incidents, receivers and the process: nobody is told twice that one begins, everybody that it is over. */
import '../../support/seed.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Incident, ToldMark } from '../../../src/alert/incident.ts'
import type { IncidentGroup } from '../../../src/alert/notice.ts'
import { Notifier } from '../../../src/alert/notify/notifier.ts'
import { incident, noticeOf, START_MS } from './incidents.ts'
import { ScriptedClock } from './scriptedClock.ts'
import { AWAY, ScriptedReceiver, TAKEN } from './scriptedReceiver.ts'

const MINUTE_MS = 60_000
const INCIDENTS = 4

type Step =
  | { do: 'begin' | 'grow' | 'end'; which: number }
  | { do: 'group'; which: number; under: number }
  | { do: 'fail' | 'mend'; receiver: number }
  | { do: 'pass'; minutes: number }
  | { do: 'restart' }

const which = fc.nat(INCIDENTS - 1)
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constantFrom('begin' as const, 'begin' as const, 'grow' as const, 'end' as const), which }),
    fc.record({ do: fc.constant('group' as const), which, under: which }),
    fc.record({ do: fc.constantFrom('fail' as const, 'mend' as const), receiver: fc.nat(1) }),
    fc.record({ do: fc.constant('pass' as const), minutes: fc.nat(25) }),
    fc.record({ do: fc.constant('restart' as const) })
  ),
  { maxLength: 30 }
)

/** The process, what it stores, and two receivers that outlive it. */
class World {
  readonly time = new ScriptedClock(START_MS)
  readonly isAway = [false, false]
  readonly log: { receiver: string; id: string; kind: string }[] = []
  readonly #incidents = new Map<string, Incident>()
  readonly #stored = new Map<string, Record<string, ToldMark>>()
  #receivers: ScriptedReceiver[] = []
  #notifier!: Notifier

  constructor() {
    this.#start()
  }

  #start(): void {
    const receivers = [null, MINUTE_MS].map((repeatMs, i) => {
      const receiver = new ScriptedReceiver(['webhook', 'alertmanager'][i]!, this.time.clock, repeatMs)
      receiver.answer = notices => {
        if (this.isAway[i]) return AWAY
        for (const { key, kind } of notices) this.log.push({ receiver: receiver.name, id: key, kind })
        return TAKEN
      }
      return receiver
    })
    this.#receivers = receivers
    const silent = (): void => {}
    this.#notifier = new Notifier({
      receivers,
      noticeOf,
      onTold: ({ id, told }) => void this.#stored.set(id, structuredClone(told)),
      log: { error: silent, warn: silent, info: silent, debug: silent },
      clock: this.time.clock,
      wait: this.time.wait,
      random: () => 0.5
    })
  }

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case 'begin': {
        const one = this.#incident(step.which) ?? incident(`inc-${step.which}`, { startMs: this.time.nowMs })
        // Longer ago, and it would be another incident.
        if (one.endMs !== null && this.time.nowMs - one.endMs > 30 * MINUTE_MS) break
        this.#incidents.set(one.id, Object.assign(one, { state: 'open', endMs: null }))
        break
      }
      case 'grow': {
        const one = this.#incident(step.which)
        if (one?.state === 'open') one.failures *= 2
        break
      }
      case 'end':
        this.#end(this.#incident(step.which))
        break
      case 'group': {
        const [one, head] = [this.#incident(step.which), this.#incident(step.under)]
        const isHead = [...this.#incidents.values()].some(({ parent }) => parent === one?.id)
        if (one && head && one !== head && head.parent === null && !isHead) one.parent = head.id
        break
      }
      case 'fail':
      case 'mend':
        this.isAway[step.receiver] = step.do === 'fail'
        break
      case 'pass':
        for (let minute = 0; minute < step.minutes; minute++) await this.#minute()
        break
      case 'restart':
        await this.#restart()
    }
    this.#notifier.tell(this.#groups())
    await this.time.settle()
  }

  async finish(): Promise<void> {
    this.isAway.fill(false)
    for (const one of this.#incidents.values()) this.#end(one)
    for (let minute = 0; minute < 5; minute++) await this.#minute()
    await this.#notifier.close()
  }

  async #minute(): Promise<void> {
    this.#notifier.tell(this.#groups())
    await this.time.advance(MINUTE_MS)
  }

  /** A crash: the process sends nothing any more, and the next one knows what was stored. */
  async #restart(): Promise<void> {
    for (const receiver of this.#receivers) receiver.answer = () => AWAY
    await this.#notifier.close()
    for (const [id, one] of this.#incidents)
      this.#incidents.set(id, { ...one, told: structuredClone(this.#stored.get(id) ?? {}) })
    this.#start()
  }

  #incident(number: number): Incident | undefined {
    return this.#incidents.get(`inc-${number}`)
  }

  #end(one: Incident | undefined): void {
    if (one?.state === 'open') Object.assign(one, { state: 'resolved', endMs: this.time.nowMs })
  }

  /** As the incidents' own code lists them, and what a restart must still be given: what somebody was told and not its end. */
  #groups(): IncidentGroup[] {
    const all = [...this.#incidents.values()]
    const isListed = (one: Incident): boolean =>
      one.endMs === null ||
      this.time.nowMs - one.endMs < 60 * MINUTE_MS ||
      Object.values(one.told).some(({ state }) => state === 'open')
    const members = (head: Incident): Incident[] => all.filter(({ parent }) => parent === head.id)
    return all
      .filter(head => head.parent === null && [head, ...members(head)].some(isListed))
      .map(head => ({ head, members: members(head) }))
  }
}

test('one beginning, one end', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async list => {
      const world = new World()
      for (const step of list) await world.step(step)
      await world.finish()
      for (const receiver of ['webhook', 'alertmanager'])
        for (let i = 0; i < INCIDENTS; i++) {
          const kinds = world.log
            .filter(line => line.receiver === receiver && line.id === `inc-${i}`)
            .map(({ kind }) => kind)
          // What is repeated to an Alertmanager says "open" each time: after an end it must not.
          const beginnings = kinds.filter(
            (kind, at) => kind === 'open' && kinds[at - 1] !== 'open' && kinds[at - 1] !== 'update'
          )
          expect(beginnings.length, `${receiver} inc-${i}: ${kinds}`).toBeLessThanOrEqual(1)
          if (receiver === 'webhook') expect(kinds.filter(kind => kind === 'open').length).toBeLessThanOrEqual(1)
          if (kinds.length > 0) expect(kinds.at(-1), `${receiver} inc-${i}: ${kinds}`).toBe('resolved')
          expect(kinds.join(' ')).not.toContain('resolved resolved')
        }
    }),
    { numRuns: 150 }
  )
}, 60_000)

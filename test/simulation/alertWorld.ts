/** A service, its log and its store, and processes that look for incidents in it: killed and started again wherever a test wants. */
import { setImmediate } from 'node:timers/promises'
import type { Incident } from '../../src/alert/incident.ts'
import type { Notice } from '../../src/alert/notice.ts'
import { Notifier } from '../../src/alert/notify/notifier.ts'
import { minuteOf } from '../../src/alertHistory.ts'
import type { AlertService } from '../../src/alertService.ts'
import { AlertStart } from '../../src/alertStart.ts'
import { type AlertBed, alertBed, freshAlerting, MINUTE_MS, minuteBatch, storedMinutes } from '../support/alertBed.ts'

/** Of record time: what one batch brings. */
export const STEP_MS = 10_000
const STEPS = MINUTE_MS / STEP_MS

/** How a start finds what was before: a pipeline goes on where it was durable; a topic is read again from 20 minutes ago. */
export type Source = 'files' | 'topic'

export interface WorldOptions {
  source: Source
  beginMs: number
  /** Requests and failures of a minute, by its number from the beginning. */
  minute: (number: number) => { requests: number; failures: number }
}

export class AlertWorld {
  /** Of whoever is told: `open inc-…`. */
  readonly messages: string[] = []
  readonly incidents = new Map<string, Incident>()
  readonly said: string[] = []
  nowMs: number
  /** Steps that the store has; what is behind them is read again. */
  #durable: number
  /** Steps that this process has read. */
  #read = 0
  #process: { service: AlertService; notifier: Notifier; fromMs: number } | null = null
  readonly #options: WorldOptions
  isStoreAway = false
  #start: AlertStart | null = null
  #askAgain = (): void => {}

  /** `steps`: what was read, stored and judged by nobody before the first process starts. */
  constructor(options: WorldOptions, steps: number) {
    this.#options = options
    this.#durable = steps
    this.nowMs = options.beginMs + steps * STEP_MS
  }

  /** A process from its start; `kill` ends it. */
  async start(): Promise<void> {
    const { source } = this.#options
    const fromMs = source === 'files' ? Number.NEGATIVE_INFINITY : minuteOf(this.nowMs - 20 * MINUTE_MS)
    const notifier = new Notifier({
      receivers: [
        {
          name: 'pager',
          repeatMs: null,
          wants: () => true,
          send: async notices => {
            for (const { kind, key } of notices) this.messages.push(`${kind} ${key}`)
            return { kind: 'taken', status: 200 }
          },
          close: async () => {}
        }
      ],
      noticeOf: ({ head }, kind) => ({ kind, key: head.id, severity: head.severity }) as Notice,
      onTold: incident => this.#keep([incident]),
      log: { info() {}, warn() {}, debug() {}, error: text => void this.said.push(text) },
      clock: () => this.nowMs,
      wait: (_ms, signal) => new Promise(resolve => signal.addEventListener('abort', () => resolve()))
    })
    const bed: AlertBed = alertBed({
      fromMs,
      readsAgain: source === 'topic',
      tell: groups => notifier.tell(groups),
      store: incidents => this.#keep(incidents),
      say: text => void this.said.push(text)
    })
    this.#process = { service: bed.service, notifier, fromMs }
    this.#start = new AlertStart({
      service: bed.service,
      openFresh: freshAlerting,
      openReader: async () => {
        if (this.isStoreAway) throw new Error('away')
        return { ...storedMinutes(this.#stored()), incidents: async () => this.#copies() }
      },
      readTopic: source === 'topic' ? async () => this.#copies() : null,
      until: source === 'topic' ? fromMs : 'now',
      nowMs: () => this.nowMs,
      say: text => void this.said.push(text),
      wait: (ms, signal) =>
        new Promise(resolve => {
          signal.addEventListener('abort', () => resolve(), { once: true })
          if (ms === 30_000) this.#askAgain = resolve
        })
    })
    await this.#start.begin()
    // What is stored is not read again, or all from that moment on.
    this.#read =
      source === 'files' ? this.#durable : Math.max(0, (fromMs - this.#options.beginMs) / STEP_MS - 3 * STEPS)
  }

  /** `kill -9`: nothing is told or stored any more. `losesBatch`: the last batch was judged, and is not durable. */
  kill(losesBatch: boolean): void {
    this.#durable = Math.max(this.#durable, this.#read - (losesBatch ? 1 : 0))
    this.#process = null
    this.#start!.stop()
  }

  /** The store is asked again now. */
  async askAgain(): Promise<void> {
    this.#askAgain()
    for (let turn = 0; turn < 2_000 && this.service.takesHistory; turn++) await setImmediate()
  }

  /** Wall time goes by with nobody there to see it. */
  sleep(ms: number): void {
    this.nowMs += ms
  }

  /** Ten seconds go by, and everything that is there by then is read. */
  async step(): Promise<void> {
    this.nowMs += STEP_MS
    const { service } = this.#process!
    const there = Math.floor((this.nowMs - this.#options.beginMs) / STEP_MS)
    while (this.#read < there) {
      const readToMs = this.#options.beginMs + (this.#read + 1) * STEP_MS
      service.judged(this.#batch(this.#read++))
      service.passed(this.#read < there ? readToMs : Number.POSITIVE_INFINITY, this.nowMs)
      // What is behind is read at full speed: it becomes durable as a whole.
      if (this.#read < there) this.#durable = Math.max(this.#durable, this.#read - 1)
    }
    await setImmediate()
    this.#durable = Math.max(this.#durable, this.#read - 1)
  }

  get service(): AlertService {
    return this.#process!.service
  }

  /** The tenth of a second at which its failures lie is the same however often it is read. */
  #batch(step: number) {
    const { beginMs, minute } = this.#options
    const number = Math.floor(step / STEPS)
    const { requests, failures } = partOf(minute(number), step % STEPS)
    const batch = minuteBatch(beginMs + number * MINUTE_MS, requests, failures)
    for (const { failure } of batch.classified) failure.timeMs += (step % STEPS) * STEP_MS
    return batch
  }

  #stored(): { minuteMs: number; requests: number; failures: number }[] {
    const { beginMs, minute } = this.#options
    const minutes = new Map<number, { minuteMs: number; requests: number; failures: number }>()
    for (let step = 0; step < this.#durable; step++) {
      const number = Math.floor(step / STEPS)
      const minuteMs = beginMs + number * MINUTE_MS
      const part = partOf(minute(number), step % STEPS)
      const sum = minutes.get(number) ?? { minuteMs, requests: 0, failures: 0 }
      minutes.set(number, {
        minuteMs,
        requests: sum.requests + part.requests,
        failures: sum.failures + part.failures
      })
    }
    return [...minutes.values()]
  }

  #keep(incidents: readonly Incident[]): void {
    for (const incident of incidents) {
      const known = this.incidents.get(incident.id)
      if (known === undefined || known.updatedMs <= incident.updatedMs)
        this.incidents.set(incident.id, structuredClone(incident))
    }
  }

  #copies(): Incident[] {
    return [...this.incidents.values()].map(incident => structuredClone(incident))
  }
}

function partOf({ requests, failures }: { requests: number; failures: number }, part: number) {
  const share = (count: number): number => Math.floor(((part + 1) * count) / STEPS) - Math.floor((part * count) / STEPS)
  return { requests: share(requests), failures: share(failures) }
}

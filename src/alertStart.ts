/** What alerts begin with: the last day of the store, and open incidents; waited for a little, then asked for in the background. */

import { setTimeout as delay } from 'node:timers/promises'
import type { Alerting } from './alert/alerting.ts'
import type { Incident } from './alert/incident.ts'
import { HISTORY_MS, type HistoryReader, incidentsSince, minuteOf, tellHistory } from './alertHistory.ts'
import type { AlertService } from './alertService.ts'

export interface AlertStartOptions {
  service: AlertService
  /** One that knows nothing yet. */
  openFresh: () => Alerting
  /** null: there is no store that could be asked. */
  openReader: (() => Promise<HistoryReader & { close(): Promise<void> }>) | null
  /** Incidents that are kept beside the store; null: they are not. */
  readTopic: (() => Promise<Incident[]>) | null
  /** When history ends: `now`, before anything is read; Unix ms, where all behind it is read again; `first`: where reading begins. */
  until: 'now' | 'first' | number
  nowMs: () => number
  /** A sentence for the log. */
  say: (text: string) => void
  wait?: (ms: number, signal: AbortSignal) => Promise<void>
}

const MINUTE_MS = 60_000
/** How long the beginning is held up by a store that does not answer, and by one that has stopped in the middle. */
const PATIENCE_MS = 15_000
const AGAIN_MS = 30_000
const FIRST_MS = 2_000
/** What the detector learns before its first alarm, and what it has not learned yet of the last minutes. */
const ORDINARY_MS = 75 * MINUTE_MS

interface Asking {
  /** What is found after it says so is dropped: meanwhile others may have counted the same. */
  isOver: () => boolean
  /** Something was counted already: history goes before it. */
  isBehind: boolean
  onStep?: () => void
}

export class AlertStart {
  readonly #options: Required<AlertStartOptions>
  readonly #stop = new AbortController()
  readonly #stopped = new Promise<void>(resolve => {
    this.#stop.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  #until: AlertStartOptions['until']
  #hasHistory: boolean
  #knowsPast = false
  #hasTopic: boolean
  #isAsking = false
  readonly #said = new Set<string>()

  constructor(options: AlertStartOptions) {
    this.#options = { wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {}), ...options }
    this.#until = options.until
    this.#hasHistory = options.openReader === null
    this.#hasTopic = options.readTopic === null
    if (this.#hasHistory) options.service.forgetJournal()
  }

  /**
   * Before anything is read. What does not answer in time is asked again and again, until it does; what is being told is waited
   * for. Resolves to whether enough of the last day is known to tell what is ordinary; when `signal` is aborted at once, and
   * nothing is asked any more.
   */
  async begin(signal?: AbortSignal): Promise<boolean> {
    const stop = (): void => this.stop()
    signal?.addEventListener('abort', stop)
    if (signal?.aborted) this.stop()
    try {
      await Promise.race([this.#begin(), this.#stopped])
    } finally {
      signal?.removeEventListener('abort', stop)
    }
    return this.#knowsPast
  }

  /** More is read than was thought: history ends earlier. */
  endHistoryAt(ms: number): void {
    this.#until = ms
  }

  /** What was told is of no use any more: the last day is asked for once more, behind what is counted from now on. */
  again(): void {
    this.#until = 'now'
    if (this.#options.openReader === null) return this.#options.service.forgetJournal()
    this.#hasHistory = false
    if (!this.#isAsking) void this.#askAgain(FIRST_MS)
  }

  /** At the end of what has one: asks a last time. */
  async end(): Promise<void> {
    this.stop()
    if (this.#hasHistory) return
    const over = new AbortController()
    const asked = this.#askStore({ isOver: () => over.signal.aborted, isBehind: true })
    await Promise.race([asked, this.#options.wait(PATIENCE_MS, over.signal)])
    over.abort()
  }

  /** What is on its way is dropped when it comes. */
  stop(): void {
    this.#stop.abort()
  }

  async #begin(): Promise<void> {
    const { signal } = this.#stop
    const until = this.#until
    await this.#askTopic()
    if (!this.#hasHistory && until !== 'first' && !signal.aborted) {
      await this.#askInTime()
      if (!this.#hasHistory && this.#said.size === 0 && !signal.aborted)
        this.#options.say('the store is slow: alerts begin without what it knows of the last day, which comes later')
    }
    if (!this.#isDone) void this.#askAgain(until === 'first' ? FIRST_MS : AGAIN_MS)
  }

  /** As long as it goes on it is waited for: a day of thousands of services takes longer than anybody waits for an answer. */
  async #askInTime(): Promise<void> {
    let isOver = false
    let isAnswered = false
    let steps = 0
    const asked = this.#askStore({
      isOver: () => isOver || this.#stop.signal.aborted,
      onStep: () => void steps++,
      isBehind: false
    }).then(() => {
      isAnswered = true
    })
    for (let before = -1; !isAnswered && steps > before; ) {
      before = steps
      const over = new AbortController()
      await Promise.race([asked, this.#options.wait(PATIENCE_MS, over.signal), this.#stopped])
      over.abort()
    }
    isOver = true
  }

  get #isDone(): boolean {
    return this.#hasHistory && this.#hasTopic
  }

  async #askAgain(firstMs: number): Promise<void> {
    const { signal } = this.#stop
    const { wait } = this.#options
    this.#isAsking = true
    for (let ms = firstMs; !this.#isDone; ms = AGAIN_MS) {
      await wait(ms, signal)
      if (signal.aborted) return
      await this.#askTopic()
      if (!this.#hasHistory) await this.#askStore({ isOver: () => signal.aborted, isBehind: true })
    }
    this.#isAsking = false
  }

  async #askTopic(): Promise<void> {
    const { readTopic, service } = this.#options
    if (this.#hasTopic || readTopic === null) return
    try {
      const stored = await readTopic()
      if (this.#stop.signal.aborted) return
      service.adopt(stored)
      this.#hasTopic = true
    } catch (error) {
      this.#tell('open incidents are not known yet', error)
    }
  }

  async #askStore({ isOver, isBehind, onStep = () => {} }: Asking): Promise<void> {
    const { openReader, openFresh, service, nowMs, say } = this.#options
    const until = this.#until
    const untilMs = typeof until === 'number' ? until : minuteOf(nowMs()) + MINUTE_MS
    const toMs = isBehind && typeof until !== 'number' ? Math.min(untilMs, service.oldestMs) : untilMs
    try {
      const reader = await openReader!()
      try {
        const fromMs = minuteOf(toMs - HISTORY_MS)
        const fresh = openFresh()
        const telling = { fromMs, toMs, isOver, onStep }
        const oldestMs = service.takesHistory ? await tellHistory(reader, fresh, telling) : toMs
        if (isOver()) return
        const stored = await reader.incidents(incidentsSince(fromMs))
        // A line that came late: its minute would count twice.
        const isOverlapping = typeof until !== 'number' && service.oldestMs < toMs
        if (isOver() || (isOverlapping && service.takesHistory)) return
        if (service.takesHistory) service.takeOver(fresh, stored)
        else service.adopt(stored)
        this.#hasHistory = true
        this.#knowsPast = oldestMs <= toMs - ORDINARY_MS
        service.forgetJournal()
        if (this.#said.size > 0) say('what is stored of the last day is known to the alerts now')
      } finally {
        await reader.close()
      }
    } catch (error) {
      if (!isOver()) this.#tell('alerts begin without what is stored of the last day', error)
    }
  }

  #tell(sentence: string, error: unknown): void {
    if (this.#said.has(sentence)) return
    this.#said.add(sentence)
    this.#options.say(`${sentence}, it is asked for again: ${(error as Error).message}`)
  }
}

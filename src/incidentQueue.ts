/** Incidents on their way to where they are kept: the latest version of each, bounded, tried again, never waited for. */

import { setTimeout as delay } from 'node:timers/promises'
import type { Incident } from './alert/incident.ts'
import type { IncidentWriter } from './store/store.ts'

export interface IncidentQueueOptions {
  /** What people call it: `the store`, `topic why5xx.incidents`. */
  name: string
  /** Opened with the first incident. */
  open: () => Promise<Pick<IncidentWriter, 'put' | 'close'>>
  /** A sentence for the log. */
  say: (text: string) => void
  /** Ends early when the signal is aborted; never rejects. */
  wait?: (ms: number, signal: AbortSignal) => Promise<void>
}

export interface IncidentQueueFacts {
  waiting: number
  written: number
  /** Attempts that failed. */
  failed: number
  /** Versions that were given up because too many waited. */
  dropped: number
}

/** More than are open at any time. */
const WAITING_MAX = 10_000
const AT_ONCE = 200
const WAIT_MS_MIN = 1_000
const WAIT_MS_MAX = 30_000

export class IncidentQueue {
  readonly #options: Required<IncidentQueueOptions>
  readonly #waiting = new Map<string, Incident>()
  readonly #stop = new AbortController()
  #writer: Promise<Pick<IncidentWriter, 'put' | 'close'>> | null = null
  #running: Promise<void> | null = null
  #isSaid = false
  #written = 0
  #failed = 0
  #dropped = 0

  constructor(options: IncidentQueueOptions) {
    this.#options = { wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {}), ...options }
  }

  get facts(): IncidentQueueFacts {
    return { waiting: this.#waiting.size, written: this.#written, failed: this.#failed, dropped: this.#dropped }
  }

  put(incidents: readonly Incident[]): void {
    for (const incident of incidents) {
      // Behind all others: what has waited longest is given up first, and this version has not waited yet.
      this.#waiting.delete(incident.id)
      // A copy: the same object is put again when it has changed, also while it is on its way.
      this.#waiting.set(incident.id, structuredClone(incident))
    }
    while (this.#waiting.size > WAITING_MAX) this.#drop()
    if (this.#waiting.size > 0 && !this.#stop.signal.aborted)
      this.#running ??= this.#run().finally(() => {
        this.#running = null
      })
  }

  /** One more attempt for what waits, for at most `timeoutMs`; what is left then is said. */
  async close(timeoutMs: number): Promise<void> {
    this.#stop.abort()
    const over = new AbortController()
    const late = delay(timeoutMs, undefined, { signal: over.signal }).catch(() => {})
    await Promise.race([this.#end(), late])
    over.abort()
    if (this.#waiting.size > 0)
      this.#options.say(`${this.#waiting.size} incidents could not be written to ${this.#options.name} before the end`)
  }

  async #end(): Promise<void> {
    await this.#running
    if (this.#waiting.size > 0) await this.#attempts().catch(() => {})
    const writer = await this.#writer?.catch(() => null)
    await writer?.close().catch(() => {})
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    const { name, say, wait } = this.#options
    for (let waitMs = WAIT_MS_MIN; this.#waiting.size > 0 && !signal.aborted; ) {
      try {
        await this.#attempts()
        if (this.#isSaid) say(`incidents are written to ${name} again`)
        this.#isSaid = false
        waitMs = WAIT_MS_MIN
      } catch (error) {
        this.#failed++
        if (!this.#isSaid)
          say(`incidents cannot be written to ${name}: ${(error as Error).message}; it is tried again, alerts go on`)
        this.#isSaid = true
        await wait(waitMs, signal)
        waitMs = Math.min(2 * waitMs, WAIT_MS_MAX)
      }
    }
  }

  async #attempts(): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting.values()].slice(0, AT_ONCE)
      const writer = await this.#open()
      await writer.put(batch)
      this.#written += batch.length
      // A later version may have come meanwhile.
      for (const incident of batch) if (this.#waiting.get(incident.id) === incident) this.#waiting.delete(incident.id)
    }
  }

  async #open(): Promise<Pick<IncidentWriter, 'put' | 'close'>> {
    this.#writer ??= this.#options.open()
    try {
      return await this.#writer
    } catch (error) {
      this.#writer = null
      throw error
    }
  }

  /** What has ended and waited longest goes first; else what has waited longest. */
  #drop(): void {
    let oldest: string | null = null
    for (const [id, { state }] of this.#waiting) {
      oldest ??= id
      if (state !== 'resolved') continue
      oldest = id
      break
    }
    this.#waiting.delete(oldest!)
    this.#dropped++
  }
}

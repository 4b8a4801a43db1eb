/** A clock that tests move, for what waits and tries again. */
import type { Timing } from '../../../src/store/elasticsearch/patience.ts'

interface Sleeper {
  untilMs: number
  wake: () => void
}

/** Nobody waits in real time: `advance` wakes whoever's time has come. */
export class ManualTiming implements Timing {
  nowMs = Date.UTC(2026, 10, 21, 10)
  /** Of everything that waited, ms. */
  readonly waits: number[] = []
  readonly #sleepers = new Set<Sleeper>()

  readonly now = (): number => this.nowMs
  readonly random = (): number => 0.5

  readonly wait = (ms: number, signal: AbortSignal): Promise<void> => {
    this.waits.push(ms)
    if (signal.aborted) return Promise.resolve()
    return new Promise(resolve => {
      const sleeper: Sleeper = {
        untilMs: this.nowMs + ms,
        wake: () => {
          this.#sleepers.delete(sleeper)
          signal.removeEventListener('abort', sleeper.wake)
          resolve()
        }
      }
      this.#sleepers.add(sleeper)
      signal.addEventListener('abort', sleeper.wake, { once: true })
    })
  }

  get sleepers(): number {
    return this.#sleepers.size
  }

  advance(ms: number): void {
    this.nowMs += ms
    for (const { untilMs, wake } of this.#sleepers) if (untilMs <= this.nowMs) wake()
  }

  /** Lets time pass, as often as something waits, until `promise` has settled. */
  async until<T>(promise: Promise<T>, stepMs = 1_000): Promise<T> {
    let isSettled = false
    const settled = (): void => void (isSettled = true)
    promise.then(settled, settled)
    const deadline = performance.now() + 20_000
    while (!isSettled) {
      if (performance.now() > deadline) throw new Error('it never settles')
      await new Promise(resolve => setImmediate(resolve))
      if (this.#sleepers.size > 0) this.advance(stepMs)
    }
    return promise
  }
}

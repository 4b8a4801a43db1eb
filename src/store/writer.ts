/** Batches on their way to a store: as many as fit into a limit of bytes, so that reading never waits for one write. */

import type { Counters } from '../counters.ts'
import { Why5xxError } from '../errors.ts'
import type { StreamState } from '../source/source.ts'
import type { WriteResult } from './store.ts'

/** What batches are handed to: the judge before a store, or the store. */
export interface Writes<B> {
  readonly pausedBecause: string | null
  /** In the order of calls; resolves when the batch is durable. */
  write(batch: B): Promise<WriteResult>
}

export class BatchWriter<B extends { streams: StreamState[] }> {
  readonly #store: Writes<B>
  readonly #counters: Counters
  readonly #bytesMax: number
  #inFlight = 0
  #error: unknown = null
  #waiting: (() => void)[] = []
  /** Of the newest batch; never rejects. */
  #last: Promise<void> = Promise.resolve()
  readonly #onDurable: (states: StreamState[]) => void
  readonly #onLost: (states: StreamState[]) => void

  /**
   * `onDurable`: told, in order, of the states that have become durable with everything they speak of; `onLost` of those
   * that were not kept, because another process has claimed their streams.
   */
  constructor(
    store: Writes<B>,
    counters: Counters,
    bytesMax: number,
    onDurable: (states: StreamState[]) => void,
    onLost: (states: StreamState[]) => void = () => {}
  ) {
    this.#store = store
    this.#counters = counters
    this.#bytesMax = bytesMax
    this.#onDurable = onDurable
    this.#onLost = onLost
  }

  /** Hands a batch on; waits only for room in flight, or until `signal` is aborted. Throws what an earlier write failed of. */
  async offer(batch: B, bytes: number, signal: AbortSignal): Promise<void> {
    while (this.#inFlight > 0 && this.#inFlight + bytes > this.#bytesMax && !signal.aborted) await this.#settled(signal)
    if (this.#error !== null) throw this.#error
    this.#move(bytes)
    this.#last = this.#write(batch, bytes)
  }

  /** Resolves when every batch so far is durable or has failed, also those that wait to be judged. */
  written(): Promise<void> {
    return this.#last
  }

  /**
   * Waits until everything is durable. Once `signal` is aborted for `timeoutMs` at most, then throws: what is not durable by
   * then is read again by the next run.
   */
  async finish(signal: AbortSignal, timeoutMs: number): Promise<void> {
    while (this.#inFlight > 0 && this.#error === null && !signal.aborted) await this.#settled(signal)
    const timeout = AbortSignal.timeout(timeoutMs)
    while (this.#inFlight > 0 && this.#error === null) {
      if (timeout.aborted) {
        const why = this.#store.pausedBecause ?? 'the store is too slow'
        throw new Why5xxError('WHY5XX_STORE', `not everything could be written: ${why}; the next run reads it again`)
      }
      await this.#settled(timeout)
    }
    if (this.#error !== null) throw this.#error
  }

  async #write(batch: B, bytes: number): Promise<void> {
    try {
      const { written, known, lost = [] } = await this.#store.write(batch)
      const counts = this.#counters.written
      counts.batches++
      counts.documents += written
      counts.known += known
      this.#onDurable(batch.streams.filter(({ stream }) => !lost.includes(stream)))
      if (lost.length > 0) this.#onLost(batch.streams.filter(({ stream }) => lost.includes(stream)))
    } catch (error) {
      this.#error ??= error
    }
    this.#move(-bytes)
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #move(bytes: number): void {
    this.#inFlight += bytes
    this.#counters.bytesInFlight = this.#inFlight
  }

  /** The next write has ended, or `signal` is aborted. */
  #settled(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake)
        resolve()
      }
      signal.addEventListener('abort', wake, { once: true })
      this.#waiting.push(wake)
    })
  }
}

/** One lane for what many streams tell: events leave in the order in which they were stamped, and `at` never goes back. */

import type { ClusterEvent } from './event.ts'

/** A promise holds the streams back until it is resolved: what waits stays with the server. */
export type Emit = (events: readonly ClusterEvent[]) => void | Promise<void>

export class EventLane {
  readonly #emit: Emit
  readonly #now: () => number
  #lastAt = Number.NEGATIVE_INFINITY
  #last: Promise<unknown> = Promise.resolve()
  #count = 0

  constructor(emit: Emit, now: () => number) {
    this.#emit = emit
    this.#now = now
  }

  /** Events emitted so far. */
  get count(): number {
    return this.#count
  }

  /** Now, or `atMs` if that is behind everything before. */
  stamp(atMs = this.#now()): number {
    this.#lastAt = Math.max(this.#lastAt, atMs)
    return this.#lastAt
  }

  /** Runs `job` when all before it are done. Stamp before, and change what lists are made from only in a job. */
  run<T>(job: (emit: Emit) => T | Promise<T>): Promise<T> {
    const done = this.#last.then(() => job(this.#counted))
    this.#last = done.catch(() => {})
    return done
  }

  readonly #counted: Emit = events => {
    this.#count += events.length
    if (events.length > 0) return this.#emit(events)
  }
}

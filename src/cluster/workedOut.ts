/** What was worked out of logs and asked for lately; anything else is worked out again, which takes some microseconds. */

import type { SightingLog } from './sightings.ts'

interface Entry<V> {
  value: V
  cost: number
}

/** Bounded by cost, in whatever is counted; what was asked for longest ago goes first. */
export class WorkedOut<V> {
  readonly #costMax: number
  readonly #entries = new Map<SightingLog, Entry<V>>()
  readonly #costOf: (value: V) => number
  #newest: SightingLog | null = null
  #cost = 0

  constructor(costMax: number, costOf: (value: V) => number) {
    this.#costMax = costMax
    this.#costOf = costOf
  }

  get(log: SightingLog): V | undefined {
    const entry = this.#entries.get(log)
    if (entry === undefined) return undefined
    if (log !== this.#newest) {
      this.#entries.delete(log)
      this.#entries.set(log, entry)
      this.#newest = log
    }
    return entry.value
  }

  set(log: SightingLog, value: V): void {
    this.delete(log)
    const cost = this.#costOf(value)
    this.#entries.set(log, { value, cost })
    this.#newest = log
    this.#cost += cost
    for (const oldest of this.#entries.keys()) {
      if (this.#cost <= this.#costMax || oldest === log) break
      this.delete(oldest)
    }
  }

  delete(log: SightingLog): void {
    const entry = this.#entries.get(log)
    if (entry === undefined) return
    this.#cost -= entry.cost
    this.#entries.delete(log)
    if (this.#newest === log) this.#newest = null
  }
}

/** What was worked out of logs and asked for lately; anything else is worked out again, which takes some microseconds. */

import type { SightingLog } from './sightings.ts'

/** By cost, in whatever is counted; of two generations each has half of it. */
export class WorkedOut<V> {
  readonly #costMax: number
  #young = new Map<SightingLog, V>()
  #old = new Map<SightingLog, V>()
  #cost = 0
  readonly #costOf: (value: V) => number

  constructor(costMax: number, costOf: (value: V) => number) {
    this.#costMax = costMax
    this.#costOf = costOf
  }

  get(log: SightingLog): V | undefined {
    const young = this.#young.get(log)
    if (young !== undefined) return young
    const old = this.#old.get(log)
    if (old !== undefined) this.set(log, old)
    return old
  }

  set(log: SightingLog, value: V): void {
    this.#cost += this.#costOf(value)
    if (this.#cost > this.#costMax / 2) {
      this.#old = this.#young
      this.#young = new Map()
      this.#cost = this.#costOf(value)
    }
    this.#young.set(log, value)
    this.#old.delete(log)
  }

  delete(log: SightingLog): void {
    this.#young.delete(log)
    this.#old.delete(log)
  }
}

/** Objects that are gone, the one gone first at the front. */

import type { SightingLog } from './sightings.ts'

export class ClosedQueue {
  #entries: { ms: number; log: SightingLog }[] = []
  /** Of the entries, those before it are taken out. */
  #head = 0
  /** When each is gone; an entry of the queue that says something else is an old one. */
  readonly #closedMs = new Map<SightingLog, number>()

  get size(): number {
    return this.#closedMs.size
  }

  has(log: SightingLog): boolean {
    return this.#closedMs.has(log)
  }

  /** null: it is still there, or again. */
  set(log: SightingLog, ms: number | null): void {
    if (ms === null) {
      this.#closedMs.delete(log)
      return
    }
    if (this.#closedMs.get(log) === ms) return
    this.#closedMs.set(log, ms)
    const entries = this.#entries
    // Nearly always behind the last: what is applied goes on with time.
    let low = this.#head
    let high = entries.length
    if (high > low && entries[high - 1]!.ms <= ms) low = high
    while (low < high) {
      const middle = (low + high) >> 1
      if (entries[middle]!.ms <= ms) low = middle + 1
      else high = middle
    }
    entries.splice(low, 0, { ms, log })
  }

  /** When the first of them was gone; Infinity: there is none. */
  get firstMs(): number {
    this.#skipOld()
    return this.#entries[this.#head]?.ms ?? Number.POSITIVE_INFINITY
  }

  shift(): SightingLog | undefined {
    this.#skipOld()
    const entry = this.#entries[this.#head]
    if (entry === undefined) return undefined
    this.#head++
    this.#closedMs.delete(entry.log)
    if (this.#head > 1_000 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
    return entry.log
  }

  #skipOld(): void {
    const entries = this.#entries
    while (this.#head < entries.length && this.#closedMs.get(entries[this.#head]!.log) !== entries[this.#head]!.ms)
      this.#head++
  }
}

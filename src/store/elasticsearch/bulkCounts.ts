/** What the bulk queue has done, for metrics. */

import type { BulkFacts } from '../store.ts'

/** Requests whose times say whether more of them may be under way at a time. */
const RECENT = 21
/** A scrape that never comes must not let them grow. */
const SECONDS_MAX = 10_000
/** Code of a reject whose bytes the topic for them refuses. */
const NOT_KEPT = 'not_kept'

export class BulkCounts implements BulkFacts {
  readonly items = new Map<string, number>([
    ['written', 0],
    ['known', 0],
    ['rejected', 0],
    ['retried', 0]
  ])
  readonly rejects = new Map<string, number>()
  retries = 0
  #seconds: number[] = []
  readonly #recentMs: number[] = []

  takeSeconds(): number[] {
    return this.#seconds.splice(0)
  }

  /** A request was answered. Returns the median of the last ones, ms. */
  took(ms: number): number {
    if (this.#seconds.length < SECONDS_MAX) this.#seconds.push(ms / 1000)
    this.#recentMs.push(ms)
    if (this.#recentMs.length > RECENT) this.#recentMs.shift()
    return this.#recentMs.toSorted((a, b) => a - b)[this.#recentMs.length >> 1]!
  }

  /** A request is sent again, with so many items. */
  again(items: number): void {
    this.retries++
    this.#add('retried', items)
  }

  /** Original bytes of so many rejects could not be kept. */
  dropped(count: number): void {
    if (count > 0) this.#addReject(NOT_KEPT, count)
  }

  settled(rejectCode: string | null, outcome: 'written' | 'known' | 'refused'): void {
    this.#add(outcome === 'refused' ? 'rejected' : outcome, 1)
    if (rejectCode !== null) this.#addReject(rejectCode, 1)
  }

  #addReject(code: string, count: number): void {
    this.rejects.set(code, (this.rejects.get(code) ?? 0) + count)
  }

  #add(outcome: string, count: number): void {
    this.items.set(outcome, this.items.get(outcome)! + count)
  }
}

/** Counts of minutes far ahead of the judgement: a log or a store that is read in one piece, or a clock that is wrong. */

import type { IncidentCause } from './finding.ts'

/** Counts that are kept; about 100 bytes each. */
const COUNTS_MAX = 1_000_000

/** `cause` null: requests. */
export type TakeCount = (upstream: string, cause: IncidentCause | null, count: number) => void

export class AheadCounts {
  readonly #minutes = new Map<number, Map<string, Map<IncidentCause | null, number>>>()
  #size = 0

  /** False when there are too many. */
  add(upstream: string, cause: IncidentCause | null, minute: number, count: number): boolean {
    if (this.#size >= COUNTS_MAX) return false
    const upstreams = entry(this.#minutes, minute)
    const causes = entry(upstreams, upstream)
    const before = causes.get(cause)
    if (before === undefined) this.#size += 1
    causes.set(cause, (before ?? 0) + count)
    return true
  }

  /** The earliest minute; null: there are none. */
  first(): number | null {
    let first: number | null = null
    for (const minute of this.#minutes.keys()) if (first === null || minute < first) first = minute
    return first
  }

  /** All of one minute, which are given away. */
  take(minute: number, take: TakeCount): void {
    const upstreams = this.#minutes.get(minute)
    if (upstreams === undefined) return
    this.#minutes.delete(minute)
    for (const [upstream, causes] of upstreams) {
      this.#size -= causes.size
      for (const [cause, count] of causes) take(upstream, cause, count)
    }
  }
}

function entry<Key, InnerKey, Value>(map: Map<Key, Map<InnerKey, Value>>, key: Key): Map<InnerKey, Value> {
  let inner = map.get(key)
  if (inner === undefined) {
    inner = new Map()
    map.set(key, inner)
  }
  return inner
}

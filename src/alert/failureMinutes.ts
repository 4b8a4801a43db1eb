/** Failures of a whole log by series and minute, in whatever order of time they come; bounded. */

import type { Cause } from '../../parsers/causes.ts'
import { MINUTE_MS } from './finding.ts'
import type { Sighting } from './sighting.ts'

/** Kinds of failures that are told apart within a minute of a series. */
const KINDS_MAX = 32

/** Failures that look alike to an incident: one of them, and how many. */
export interface SightedKind {
  /** Its time may lie in another minute, where one stands for many. */
  sighting: Sighting
  count: number
}

export interface FailureMinute {
  kinds: SightedKind[]
  /** Failures of which only the count is known. */
  unseen: number
}

export interface FailureSeries {
  upstream: string
  cause: Cause
  /** By minute since the epoch. */
  minutes: Map<number, FailureMinute>
}

export interface FailureLimits {
  /** Series × minute; beyond them nothing is known any more, see `isFull`. */
  cells: number
  /** Failures that are kept beside counts. */
  kinds: number
}

export class FailureMinutes {
  /** By upstream, then by cause. */
  readonly #series = new Map<string, Map<Cause, FailureSeries>>()
  readonly #limits: FailureLimits
  #kinds = 0
  cells = 0

  constructor(limits: FailureLimits) {
    this.#limits = limits
  }

  get isFull(): boolean {
    return this.cells > this.#limits.cells
  }

  get series(): FailureSeries[] {
    return [...this.#series.values()].flatMap(causes => [...causes.values()])
  }

  /** `isAlike`: for an incident it is the same as one that is kept; else `sight` is asked for what to keep of it. */
  add<F>(
    failure: F & { upstreamName: string | null; cause: Cause; timeMs: number },
    isAlike: (sighting: Sighting, failure: F) => boolean,
    sight: (failure: F) => Sighting
  ): void {
    const minute = this.#minute(failure.upstreamName ?? '', failure.cause, failure.timeMs)
    if (minute === null) return
    const { kinds } = minute
    for (const kind of kinds) {
      if (!isAlike(kind.sighting, failure)) continue
      kind.count++
      return
    }
    if (kinds.length >= KINDS_MAX || this.#kinds >= this.#limits.kinds) minute.unseen++
    else {
      kinds.push({ sighting: sight(failure), count: 1 })
      this.#kinds++
    }
  }

  /** Failures of which only the count is known. */
  addCount(upstream: string, cause: Cause, timeMs: number, count: number): void {
    const minute = this.#minute(upstream, cause, timeMs)
    if (minute !== null) minute.unseen += count
  }

  /** null: there are too many. */
  #minute(upstream: string, cause: Cause, timeMs: number): FailureMinute | null {
    if (this.isFull) return null
    let causes = this.#series.get(upstream)
    if (causes === undefined) this.#series.set(upstream, (causes = new Map()))
    let series = causes.get(cause)
    if (series === undefined) causes.set(cause, (series = { upstream, cause, minutes: new Map() }))
    const number = Math.floor(timeMs / MINUTE_MS)
    let minute = series.minutes.get(number)
    if (minute !== undefined) return minute
    this.cells++
    if (this.isFull) {
      this.#series.clear()
      return null
    }
    series.minutes.set(number, (minute = { kinds: [], unseen: 0 }))
    return minute
  }
}

/** What was counted since the start, as long as the history before it is not known: what is learned of it goes before. */

import type { Alerting } from './alert/alerting.ts'
import type { IncidentCause } from './alert/finding.ts'

/** Counts of a minute and an upstream, or of one of its causes; about 100 bytes each. */
const COUNTS_MAX = 200_000

export class AlertJournal {
  /** Begin of the oldest minute, Unix ms; Infinity: nothing was counted. */
  oldestMs = Number.POSITIVE_INFINITY
  readonly #max: number
  /** By minute, upstream and cause; cause '' are requests. */
  readonly #counts = new Map<string, number>()

  constructor(max = COUNTS_MAX) {
    this.#max = max
  }

  /** It has forgotten something, and is of no use any more. */
  get isFull(): boolean {
    return this.#counts.size > this.#max
  }

  add(upstream: string, cause: IncidentCause | '', minuteMs: number, count: number): void {
    if (this.isFull) return
    const key = `${minuteMs}\n${cause}\n${upstream}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count)
    if (minuteMs < this.oldestMs) this.oldestMs = minuteMs
  }

  tell(alerting: Pick<Alerting, 'addRequests' | 'addFailures'>): void {
    for (const [key, count] of this.#counts) {
      const [minute, cause, ...upstream] = key.split('\n') as [string, IncidentCause | '', ...string[]]
      const name = upstream.join('\n')
      if (cause === '') alerting.addRequests(name, Number(minute), count)
      else alerting.addFailures(name, cause, Number(minute), count)
    }
  }

  clear(): void {
    this.#counts.clear()
  }
}

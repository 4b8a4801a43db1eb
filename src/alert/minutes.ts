/** Failures and requests of the last minutes: what an incident takes over that is found later than it began. */

import { Evidence } from './evidence.ts'
import type { IncidentCause } from './finding.ts'
import type { Sighting } from './sighting.ts'

/** The longest window reaches 15 minutes back; the rest is for what comes late. */
export const KEPT_MINUTES = 20

export function seriesKey(upstream: string, cause: IncidentCause): string {
  return `${cause}\n${upstream}`
}

/** Only minutes in which there was something. What is not judged yet is kept, however much: history is best told hour by hour. */
export class RecentMinutes {
  /** By minute, then by series. */
  readonly #evidence = new Map<number, Map<string, Evidence>>()
  /** By minute, then by upstream. */
  readonly #requests = new Map<number, Map<string, number>>()
  /** Minutes up to this one were judged. */
  #judged = Number.NEGATIVE_INFINITY

  addRequests(upstream: string, minute: number, count: number): void {
    if (this.#isForgotten(minute)) return
    const requests = inMinute(this.#requests, minute)
    requests.set(upstream, (requests.get(upstream) ?? 0) + count)
  }

  addFailures(key: string, minute: number, count: number): void {
    if (!this.#isForgotten(minute)) this.#of(key, minute).failures += count
  }

  add(key: string, minute: number, sighting: Sighting): void {
    if (this.#isForgotten(minute)) return
    const evidence = this.#of(key, minute)
    evidence.add(sighting)
    if (minute <= this.#judged) evidence.settle()
  }

  requests(upstream: string, minute: number): number {
    return this.#requests.get(minute)?.get(upstream) ?? 0
  }

  /** null: there was no failure. */
  evidence(key: string, minute: number): Evidence | null {
    return this.#evidence.get(minute)?.get(key) ?? null
  }

  /** Minutes up to `minute` are about to be judged. */
  judge(minute: number): void {
    for (const [other, series] of this.#evidence)
      if (other > this.#judged && other <= minute) for (const evidence of series.values()) evidence.settle()
    this.#judged = Math.max(this.#judged, minute)
  }

  /** To be called when what was judged has been taken over. */
  forget(): void {
    for (const minutes of [this.#evidence, this.#requests])
      for (const minute of minutes.keys()) if (this.#isForgotten(minute)) minutes.delete(minute)
  }

  #isForgotten(minute: number): boolean {
    return minute <= this.#judged - KEPT_MINUTES
  }

  #of(key: string, minute: number): Evidence {
    const series = inMinute(this.#evidence, minute)
    let evidence = series.get(key)
    if (evidence === undefined) series.set(key, (evidence = new Evidence()))
    return evidence
  }
}

function inMinute<V>(minutes: Map<number, Map<string, V>>, minute: number): Map<string, V> {
  let found = minutes.get(minute)
  if (found === undefined) minutes.set(minute, (found = new Map()))
  return found
}

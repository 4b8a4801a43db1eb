/** Failures and requests of the last minutes: what an incident takes over that is found later than it began. */

import { Evidence } from './evidence.ts'
import type { IncidentCause } from './finding.ts'
import { PackedEvidence } from './packedEvidence.ts'
import { SharedValues } from './sharedValues.ts'
import type { Sighting } from './sighting.ts'

/** The longest window reaches 15 minutes back; the rest is for what comes late. */
export const KEPT_MINUTES = 20

export function seriesKey(upstream: string, cause: IncidentCause): string {
  return `${cause}\n${upstream}`
}

/** Entries that are kept at most: of what comes beyond, nothing is known but what the detector counts. */
const COUNTS_MAX = 2_000_000
const EVIDENCE_MAX = 150_000
/** Of them, those that still hold their lines: what is read at once may be a day, and is packed before it is judged. */
const LOOSE_MAX = 10_000

interface Loose {
  minute: number
  key: string
}

/** Only minutes in which there was something. What is not judged yet is kept: long histories are best told hour by hour. */
export class RecentMinutes {
  /** Of failures that were seen, by minute, then by series; packed when the minute is judged, or when too many are not. */
  readonly #evidence = new Map<number, Map<string, Evidence | PackedEvidence>>()
  /** Those that may not be packed. */
  #loose: Loose[] = []
  readonly #shared = new SharedValues()
  /** All failures; as above. */
  readonly #failures = new Map<number, Map<string, number>>()
  /** Of these the ones of which only counts are known, and how many of them a retry saved. */
  readonly #unseen = new Map<number, Map<string, number>>()
  readonly #unseenMasked = new Map<number, Map<string, number>>()
  /** By minute, then by upstream. */
  readonly #requests = new Map<number, Map<string, number>>()
  /** Entries of the maps above. */
  #counts = 0
  #seen = 0
  /** Minutes up to this one were judged. */
  #judged = Number.NEGATIVE_INFINITY

  addRequests(upstream: string, minute: number, count: number): void {
    this.#count(this.#requests, upstream, minute, count)
  }

  /** `masked`: how many of them a retry saved; null: nobody knows. */
  addFailures(key: string, minute: number, count: number, masked: number | null = null): void {
    this.#count(this.#failures, key, minute, count)
    if (masked === null) return
    this.#count(this.#unseen, key, minute, count)
    this.#count(this.#unseenMasked, key, minute, masked)
  }

  add(key: string, minute: number, sighting: Sighting, count = 1): void {
    this.#count(this.#failures, key, minute, count)
    if (this.#isForgotten(minute)) return
    if (!(count > 0)) return
    const series = inMinute(this.#evidence, minute)
    const known = series.get(key)
    if (known === undefined && this.#seen >= EVIDENCE_MAX) return
    const evidence = known instanceof Evidence ? known : new Evidence()
    if (known instanceof PackedEvidence) evidence.merge(known)
    evidence.add(sighting, count)
    if (known === undefined) {
      this.#seen++
      key = this.#shared.text(key)
    }
    if (minute <= this.#judged) series.set(key, evidence.packed(this.#shared))
    else if (evidence !== known) {
      series.set(key, evidence)
      this.#loose.push({ minute, key })
      if (this.#loose.length >= LOOSE_MAX) this.#packTo(Number.POSITIVE_INFINITY)
    }
  }

  requests(upstream: string, minute: number): number {
    return this.#requests.get(minute)?.get(upstream) ?? 0
  }

  failures(key: string, minute: number): number {
    return this.#failures.get(minute)?.get(key) ?? 0
  }

  /** Failures that nobody saw, of which counts alone are known. */
  unseen(key: string, minute: number): { count: number; masked: number } {
    return {
      count: this.#unseen.get(minute)?.get(key) ?? 0,
      masked: this.#unseenMasked.get(minute)?.get(key) ?? 0
    }
  }

  /** null: none was seen. */
  evidence(key: string, minute: number): Evidence | PackedEvidence | null {
    return this.#evidence.get(minute)?.get(key) ?? null
  }

  /** Minutes up to `minute` are about to be judged. */
  judge(minute: number): void {
    this.#packTo(minute)
    this.#judged = Math.max(this.#judged, minute)
  }

  /** To be called when what was judged has been taken over. */
  forget(): void {
    for (const minutes of [this.#failures, this.#unseen, this.#unseenMasked, this.#requests])
      for (const [minute, counts] of minutes)
        if (this.#isForgotten(minute)) {
          this.#counts -= counts.size
          minutes.delete(minute)
        }
    for (const [minute, series] of this.#evidence)
      if (this.#isForgotten(minute)) {
        this.#seen -= series.size
        this.#evidence.delete(minute)
      }
  }

  #packTo(minute: number): void {
    const later: Loose[] = []
    for (const one of this.#loose) {
      const series = this.#evidence.get(one.minute)
      const evidence = series?.get(one.key)
      if (one.minute > minute) later.push(one)
      else if (evidence instanceof Evidence) series!.set(one.key, evidence.packed(this.#shared))
    }
    this.#loose = later
  }

  #isForgotten(minute: number): boolean {
    return minute <= this.#judged - KEPT_MINUTES
  }

  #count(minutes: Map<number, Map<string, number>>, name: string, minute: number, count: number): void {
    if (this.#isForgotten(minute) || !(count > 0)) return
    const counts = inMinute(minutes, minute)
    const before = counts.get(name)
    if (before === undefined && this.#counts++ >= COUNTS_MAX) this.#counts--
    else counts.set(before === undefined ? this.#shared.text(name) : name, (before ?? 0) + count)
  }
}

function inMinute<V>(minutes: Map<number, Map<string, V>>, minute: number): Map<string, V> {
  let found = minutes.get(minute)
  if (found === undefined) minutes.set(minute, (found = new Map()))
  return found
}

/** What the state of the cluster says of a group of failures: one line a root cause and object at fault. Pure and bounded. */

import type { Diagnosis } from '../diagnose/diagnosis.ts'
import type { Failure } from '../model.ts'

const KEPT_MAX = 50

export interface Why {
  /** Of the failure that it was surest of; of equal ones the oldest. */
  diagnosis: Diagnosis
  /** Record time of that failure, Unix ms. */
  diagnosisMs: number
  count: number
  /** Record time of the failures, Unix ms. */
  firstMs: number
  lastMs: number
}

export class WhyTally {
  readonly #byKey = new Map<string, Why>()
  /** Failures whose root cause was beyond what is kept apart. */
  others = 0

  add({ judgement, timeMs }: Failure): void {
    const diagnosis = judgement?.diagnosis ?? null
    if (diagnosis === null) return
    const { rootCause, variant, ref } = diagnosis
    // An end of a container is one incident, the next end another.
    const key = JSON.stringify([rootCause, variant, ref, diagnosis.atMs])
    const known = this.#byKey.get(key)
    if (known === undefined) {
      const fresh = { diagnosis, diagnosisMs: timeMs, count: 1, firstMs: timeMs, lastMs: timeMs }
      if (this.#byKey.size < KEPT_MAX) this.#byKey.set(key, fresh)
      else this.others++
      return
    }
    known.count++
    known.firstMs = Math.min(known.firstMs, timeMs)
    known.lastMs = Math.max(known.lastMs, timeMs)
    const more = diagnosis.confidence - known.diagnosis.confidence
    if (more < 0 || (more === 0 && timeMs >= known.diagnosisMs)) return
    known.diagnosis = diagnosis
    known.diagnosisMs = timeMs
  }

  /** Most failures first; equal ones by time, then by name. */
  sorted(): Why[] {
    return [...this.#byKey]
      .sort(([aKey, a], [bKey, b]) => b.count - a.count || a.firstMs - b.firstMs || (aKey < bKey ? -1 : 1))
      .map(([, why]) => why)
  }
}

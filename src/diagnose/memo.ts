/**
 * Diagnoses that were made, for failures of the same incident: the same question, at a moment for which every answer that
 * was read is the same, has the same diagnosis as long as the state has not changed.
 */

import type { ClusterState } from '../cluster/state.ts'
import { judgeMoment } from './diagnose.ts'
import type { Diagnosis } from './diagnosis.ts'
import type { DiagnosisInput, FailureDetail } from './input.ts'

interface Remembered {
  /** Fields of the input that were read, with what they held. */
  read: readonly (readonly [name: string, value: unknown])[]
  sameFromMs: number
  sameToMs: number
  diagnosis: Diagnosis | null
}

/** Diagnoses kept of one address and symptom, and such pairs in all. */
const KEPT_EACH = 16
const PAIRS_MAX = 5_000

export class DiagnosisMemo {
  readonly #byPair = new Map<string, Remembered[]>()
  #state: ClusterState | null = null
  #revision = -1

  /** As `diagnose`. The diagnosis may be shared: nobody may change it. */
  diagnose(input: DiagnosisInput, state: ClusterState): Diagnosis | null {
    if (state !== this.#state || state.revision !== this.#revision) {
      this.#byPair.clear()
      this.#state = state
      this.#revision = state.revision
    }
    const pair = `${input.symptom} ${input.upstreamAddress} ${input.detail.upstreamName} ${input.host}`
    const known = this.#byPair.get(pair) ?? []
    const { timeMs } = input
    const same = known.find(
      ({ read, sameFromMs, sameToMs }) =>
        timeMs >= sameFromMs && timeMs < sameToMs && read.every(([name, value]) => held(input, name) === value)
    )
    if (same !== undefined) return same.diagnosis
    const names = new Set<string>()
    const { diagnosis, sameFromMs, sameToMs } = judgeMoment(watched(input, names), state)
    const read = [...names].map(name => [name, held(input, name)] as const)
    if (this.#byPair.size >= PAIRS_MAX) this.#byPair.clear()
    this.#byPair.set(pair, [{ read, sameFromMs, sameToMs, diagnosis }, ...known.slice(0, KEPT_EACH - 1)])
    return diagnosis
  }
}

/** The input, noting which of its fields are read: `host`, `detail.error`. The time is asked through the moment. */
function watched(input: DiagnosisInput, names: Set<string>): DiagnosisInput {
  const detail = noting(input.detail, 'detail.', names)
  return noting({ ...input, detail }, '', names)
}

function noting<T extends object>(target: T, prefix: string, names: Set<string>): T {
  return new Proxy(target, {
    get(object, name) {
      if (name !== 'timeMs' && name !== 'detail') names.add(prefix + String(name))
      return Reflect.get(object, name) as unknown
    }
  })
}

function held(input: DiagnosisInput, name: string): unknown {
  return name.startsWith('detail.')
    ? input.detail[name.slice(7) as keyof FailureDetail]
    : input[name as keyof DiagnosisInput]
}

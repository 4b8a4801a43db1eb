/** Cases of diagnosis, read and judged. */

import { certificateFacts } from '../cluster/certificate.ts'
import { openClusterState } from '../cluster/clusterIndex.ts'
import type { ClusterState } from '../cluster/state.ts'
import { readCase } from '../diagnose/caseFile.ts'
import { diagnose } from '../diagnose/diagnose.ts'
import type { Diagnosis } from '../diagnose/diagnosis.ts'

/** A case holds the objects of a namespace or two; what is longer is no case. */
export const CASE_BYTES_MAX = 256 << 20

export interface JudgedCase {
  id: string
  /** null: nothing of the cluster is known. */
  diagnosis: Diagnosis | null
  state: ClusterState
}

/** Throws Why5xxError `WHY5XX_INPUT_UNREADABLE` that names the field and what it should be. */
export function judgedCase(value: unknown): JudgedCase {
  const { id, input, events } = readCase(value, { certificateFacts })
  const state = openClusterState({ keepMs: Number.POSITIVE_INFINITY })
  for (const event of events) state.apply(event)
  return { id, diagnosis: diagnose(input, state), state }
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

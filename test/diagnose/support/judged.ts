/** Cases judged, and diagnoses made by hand. */

import { readFileSync } from 'node:fs'
import { judgedCase } from '../../../src/cli/judgedCase.ts'
import type { ClusterState } from '../../../src/cluster/state.ts'
import type { Diagnosis, Names } from '../../../src/diagnose/diagnosis.ts'
import { allCases } from './allCases.ts'
import type { DiagnosisCase } from './caseBuilder.ts'

export interface Judged {
  id: string
  diagnosis: Diagnosis
  state: ClusterState
}

/** Throws where nothing of the cluster is known. */
export function judged(one: DiagnosisCase): Judged {
  const { id, diagnosis, state } = judgedCase(one)
  if (diagnosis === null) throw new Error(`case ${id}: nothing of the cluster is known`)
  return { id, diagnosis, state }
}

/** Ours and those of samples/, but for those that have no diagnosis. */
export async function diagnosedCases(): Promise<DiagnosisCase[]> {
  return [...sampleCases(), ...(await allCases())].filter(one => judgedCase(one).diagnosis !== null)
}

/** Those of samples/. */
export function sampleCases(): DiagnosisCase[] {
  const file = new URL('../../../samples/diagnosis/visible.jsonl', import.meta.url)
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
}

export const NO_NAMES: Names = {
  namespace: null,
  service: null,
  ingress: null,
  pod: null,
  podUid: null,
  podIp: null,
  container: null,
  node: null,
  workload: null,
  controllerNamespace: null,
  controllerPod: null,
  certainty: 'unknown',
  labels: {}
}

/** A diagnosis that knows nothing but its root cause. */
export function bareDiagnosis(changes: Partial<Diagnosis> = {}): Diagnosis {
  return {
    rootCause: 'undetermined',
    variant: null,
    ref: null,
    atMs: null,
    untilMs: null,
    confidence: 0.9,
    terms: [],
    evidence: [],
    chain: [],
    alternatives: [],
    excluded: [],
    wouldDecide: [],
    names: NO_NAMES,
    ...changes
  }
}

/** The answer of diagnosis: one root cause with its evidence, what else it could be, and what was ruled out. */

import type { Cause } from '../../parsers/causes.ts'
import type { ConfidenceTerm } from './confidence.ts'
import type { Fact } from './fact.ts'
import type { Certainty } from './owner.ts'
import type { RootCause } from './rootCauses.ts'

export interface Diagnosis {
  rootCause: RootCause
  variant: string | null
  /** The object at fault: `Pod shop/a-1`. */
  ref: string | null
  /** When its state began, Unix ms. */
  atMs: number | null
  /** When it had ended, Unix ms: it answered or was Ready again; null: it had not, or nothing tells. */
  untilMs: number | null
  /** 0 to 0.99; 0 is undetermined. */
  confidence: number
  /** What it is the sum of. */
  terms: ConfidenceTerm[]
  evidence: Fact[]
  /** From the symptom down to the root cause. */
  chain: (Cause | RootCause)[]
  alternatives: Alternative[]
  excluded: { rootCause: RootCause; because: string }[]
  /** Of `undetermined`: what would decide, in sentences. */
  wouldDecide: string[]
  names: Names
}

export interface Alternative {
  rootCause: RootCause
  confidence: number
  evidence: Fact[]
}

/** Names at hand, for commands and for documents; null: not known. */
export interface Names {
  namespace: string | null
  service: string | null
  ingress: string | null
  /** The blamed pod: it held the upstream address at T, or is the one that kept the Service without endpoints. */
  pod: string | null
  podUid: string | null
  podIp: string | null
  container: string | null
  node: string | null
  workload: { kind: string; name: string } | null
  controllerNamespace: string | null
  controllerPod: string | null
  /** How sure the holder of the address is. */
  certainty: Certainty
  /** Labels of the pod. */
  labels: Record<string, string>
}

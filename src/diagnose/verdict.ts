/** A diagnosis as `why5xx diagnose` prints it. */

import type { ClusterState } from '../cluster/state.ts'
import { labelOf } from './confidence.ts'
import type { Diagnosis } from './diagnosis.ts'
import type { Fact } from './fact.ts'
import { type Remediation, remediationOf } from './remediation.ts'
import { runbookOf } from './runbook.ts'
import { isoText } from './times.ts'

export interface VerdictFact {
  cite: string
  /** RFC 3339, UTC; null: not dated. */
  at: string | null
  text: string
}

/** `state`: what remedies may look at; null: the diagnosis alone. */
export function verdictOf(diagnosis: Diagnosis, state: ClusterState | null = null) {
  const {
    rootCause,
    variant,
    ref,
    atMs,
    untilMs,
    confidence,
    terms,
    evidence,
    chain,
    alternatives,
    excluded,
    wouldDecide
  } = diagnosis
  return {
    root_cause: rootCause,
    variant,
    ref,
    at: isoText(atMs),
    until: isoText(untilMs),
    confidence,
    label: labelOf(confidence),
    terms,
    evidence: factsText(evidence),
    chain,
    alternatives: alternatives.map(item => ({
      root_cause: item.rootCause,
      confidence: item.confidence,
      evidence: factsText(item.evidence)
    })),
    excluded: excluded.map(item => ({ root_cause: item.rootCause, because: item.because })),
    would_decide: wouldDecide,
    runbook: runbookOf(diagnosis),
    remediation: remediationText(remediationOf(diagnosis, state))
  }
}

/** Keys of several words as those of a verdict are written. */
export function remediationText(remediation: Remediation | null) {
  if (remediation === null) return null
  const { isAutomatic, ...rest } = remediation
  return { ...rest, is_automatic: isAutomatic }
}

export function factsText(facts: readonly Fact[]): VerdictFact[] {
  return facts.map(({ cite, atMs, text }) => ({ cite, at: isoText(atMs), text }))
}

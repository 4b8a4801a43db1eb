/** A diagnosis as `why5xx diagnose` prints it. */

import { labelOf } from './confidence.ts'
import type { Diagnosis } from './diagnosis.ts'
import type { Fact } from './fact.ts'

export interface VerdictFact {
  cite: string
  /** RFC 3339, UTC; null: not dated. */
  at: string | null
  text: string
}

/** `runbook` and `remediation` come from the catalogue; see `catalogue.ts`. */
export function verdictOf(diagnosis: Diagnosis) {
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
    at: timeText(atMs),
    until: timeText(untilMs),
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
    would_decide: wouldDecide
  }
}

export function factsText(facts: readonly Fact[]): VerdictFact[] {
  return facts.map(({ cite, atMs, text }) => ({ cite, at: timeText(atMs), text }))
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}

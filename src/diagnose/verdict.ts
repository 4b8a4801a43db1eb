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
  const { rootCause, variant, ref, atMs, confidence, terms, evidence, chain, alternatives, excluded, wouldDecide } =
    diagnosis
  return {
    root_cause: rootCause,
    variant,
    ref,
    at: timeText(atMs),
    confidence,
    label: labelOf(confidence),
    terms,
    evidence: evidence.map(factText),
    chain,
    alternatives: alternatives.map(item => ({
      root_cause: item.rootCause,
      confidence: item.confidence,
      evidence: item.evidence.map(factText)
    })),
    excluded: excluded.map(item => ({ root_cause: item.rootCause, because: item.because })),
    would_decide: wouldDecide
  }
}

function factText({ cite, atMs, text }: Fact): VerdictFact {
  return { cite, at: timeText(atMs), text }
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}

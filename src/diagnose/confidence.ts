/** Confidence as a sum whose terms are printed. */

import type { Finding, Tier } from './rule.ts'

export interface ConfidenceTerm {
  text: string
  value: number
}

const BASE: Readonly<Record<Tier, number>> = { A: 0.9, B: 0.75, C: 0.55, D: 0.3 }
const TIER_TEXT: Readonly<Record<Tier, string>> = {
  A: 'a field states it, on the object in the path of the request',
  B: 'the configuration contradicts itself in a way that explains the failure',
  C: 'consistent with the failure, others are not excluded',
  D: 'nothing better is known'
}
const PER_SUPPORT = 0.03
const SUPPORTS_MAX = 3
const INFERRED = -0.15
const AMBIGUOUS_OWNER = -0.2
const RIVAL = -0.1
export const UNOBSERVED_MAX = 0.45

export interface Doubts {
  /** Who held the address is not clear, and the finding is about that pod. */
  isOwnerAmbiguous: boolean
  /** Another candidate of the same tier survives. */
  hasRival: boolean
}

/** Terms that sum up to the confidence; a last term caps or clamps it. */
export function confidenceTerms(finding: Finding, { isOwnerAmbiguous, hasRival }: Doubts): ConfidenceTerm[] {
  const { tier, supports = [], isInferred = false, isUnobserved = false, adjustments = [] } = finding
  const terms: ConfidenceTerm[] = [{ text: TIER_TEXT[tier], value: BASE[tier] }]
  const independent = Math.min(SUPPORTS_MAX, new Set(supports.map(({ cite }) => cite)).size)
  if (independent > 0)
    terms.push({
      text: independent === 1 ? 'one more fact speaks for it' : `${independent} more facts speak for it`,
      value: independent * PER_SUPPORT
    })
  for (const [text, value] of adjustments) terms.push({ text, value })
  if (isInferred)
    terms.push({ text: 'the state at that moment was read backwards from a later change', value: INFERRED })
  if (isOwnerAmbiguous) terms.push({ text: 'who held the address is ambiguous', value: AMBIGUOUS_OWNER })
  if (hasRival) terms.push({ text: 'another explanation of the same kind remains', value: RIVAL })
  if (isUnobserved && sum(terms) > UNOBSERVED_MAX)
    terms.push({ text: 'a fact that it needs could not be observed', value: UNOBSERVED_MAX - sum(terms) })
  const clamped = Math.min(0.99, Math.max(0.05, sum(terms)))
  if (clamped !== sum(terms)) terms.push({ text: 'limit', value: clamped - sum(terms) })
  return terms.map(({ text, value }) => ({ text, value: rounded(value) }))
}

export function sum(terms: readonly ConfidenceTerm[]): number {
  return rounded(terms.reduce((total, { value }) => total + value, 0))
}

export function rounded(value: number): number {
  return Math.round(value * 100) / 100
}

export type Label = 'high' | 'medium' | 'low'

/** null: below what is reported. */
export function labelOf(confidence: number): Label | null {
  return confidence >= 0.85 ? 'high' : confidence >= 0.6 ? 'medium' : confidence >= LOWEST ? 'low' : null
}

/** A candidate below it is dropped. */
export const LOWEST = 0.3

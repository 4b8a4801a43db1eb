/** Does a verdict say what a case expects? The rules of "Matching expectations", word by word. */

import type { Expectation } from './caseBuilder.ts'
import { citesObject, isMetBy, parseCitation, parsePattern } from './citation.ts'

/** What `why5xx diagnose` prints for a case, as far as it is compared. */
export interface Verdict {
  root_cause: string
  variant?: string | null
  ref?: string | null
  confidence: number
  evidence: { cite: string }[]
  chain?: string[]
  alternatives: { root_cause: string; confidence: number }[]
  excluded?: { root_cause: string; because: string }[]
}

/** From this confidence on an alternative counts as blamed too. */
const ALTERNATIVE_COUNTS = 0.6

/** What is wrong with a verdict, a sentence each; empty: it is as expected. null: there is none. */
export function mismatches(expected: Expectation, verdict: Verdict | null): string[] {
  if (verdict === null || expected.root_cause === null) return verdictOrNone(expected, verdict)
  return [
    ...wrongCause(expected, verdict),
    ...missingCitations(expected, verdict),
    ...forbidden(expected, verdict),
    ...wrongDetails(expected, verdict)
  ]
}

function verdictOrNone({ root_cause: right }: Expectation, verdict: Verdict | null): string[] {
  if (verdict === null) return right === null ? [] : [`nothing is said, not ${right}`]
  return [`root cause is ${verdict.root_cause} (${verdict.confidence}), though nothing is known`]
}

function wrongCause(expected: Expectation, verdict: Verdict): string[] {
  const right = [expected.root_cause, ...(expected.acceptable ?? [])]
  if (right.includes(verdict.root_cause)) return []
  return [`root cause is ${verdict.root_cause} (${verdict.confidence}), not ${right.join(' or ')}`]
}

/** Of whichever cause is on top: an acceptable other one rests on the same facts. */
function missingCitations(expected: Expectation, verdict: Verdict): string[] {
  const citations = verdict.evidence.map(item => item.cite)
  const malformed = citations.filter(cite => parseCitation(cite) === null).map(cite => `no citation: ${cite}`)
  const missing = (expected.must_cite ?? []).filter(text => {
    const pattern = parsePattern(text)
    return !citations.some(cite => isMetBy(pattern, cite))
  })
  return [...malformed, ...missing.map(text => `nothing cites ${text}; cited: ${citations.join(' | ')}`)]
}

function forbidden(expected: Expectation, verdict: Verdict): string[] {
  return (expected.must_not ?? []).flatMap(text => {
    if (text.startsWith('cite:')) {
      const wrong = verdict.evidence.filter(item => citesObject(text.slice('cite:'.length), item.cite))
      return wrong.map(item => `must not be cited: ${item.cite}`)
    }
    if (verdict.root_cause === text) return [`root cause must not be ${text}`]
    const blamed = verdict.alternatives.filter(
      other => other.root_cause === text && other.confidence >= ALTERNATIVE_COUNTS
    )
    return blamed.map(other => `alternative ${text} has ${other.confidence}`)
  })
}

/** Beyond the four fields of a case file: only our own cases say these. */
function wrongDetails(expected: Expectation, verdict: Verdict): string[] {
  if (verdict.root_cause !== expected.root_cause) return []
  const problems: string[] = []
  const { variant, ref, chain = [], confidence_min: least = 0, confidence_max: most = 1 } = expected
  if (variant !== undefined && verdict.variant !== variant)
    problems.push(`variant is ${verdict.variant}, not ${variant}`)
  if (ref !== undefined && verdict.ref !== ref) problems.push(`ref is ${verdict.ref}, not ${ref}`)
  for (const slug of chain) {
    if (!(verdict.chain ?? []).includes(slug)) problems.push(`${slug} is not in the chain ${verdict.chain?.join(' ')}`)
  }
  if (verdict.confidence < least - 1e-9 || verdict.confidence > most + 1e-9) {
    problems.push(`confidence is ${verdict.confidence}, not ${least} to ${most}`)
  }
  return problems
}

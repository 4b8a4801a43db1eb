/** What a row of the decision table answers, and the short ways to write it. */

import type { Cause } from '../../parsers/causes.ts'
import type { Facts } from './accessFacts.ts'

export interface Answer {
  cause: Cause | null
  confidence: number
  /** May repeat a cause; classifyAccess makes them unique. */
  alternatives: readonly Cause[]
}

export const NOTHING: Answer = { cause: null, confidence: 0, alternatives: [] }

export function nothing(): Answer {
  return NOTHING
}

export function cause(cause: Cause, confidence: number, ...alternatives: readonly Cause[]): () => Answer {
  const answer = { cause, confidence, alternatives }
  return () => answer
}

/** Like `cause`, with more confidence when the body is nginx's page, or hidden, than when it is some other one. */
export function byPage(
  cause: Cause,
  [asPage, other]: readonly [number, number],
  ...alternatives: readonly Cause[]
): (facts: Facts) => Answer {
  return facts => ({ cause, confidence: facts.isPage ? asPage : other, alternatives })
}

/** Like `cause`, but an application that has sent bytes already may have made the answer. */
export function unlessAnswered(cause: Cause, confidence: number): (facts: Facts) => Answer {
  return ({ last }) => ({ cause, confidence, alternatives: last?.responseBytes ? ['upstream_error'] : [] })
}

/** Rows 33 to 47 rest on nginx having made the answer: where that is not certain, the application stays possible. */
export function proxy(cause: Cause, confidence: number, ...alternatives: readonly Cause[]): (facts: Facts) => Answer {
  return ({ author }) => ({
    cause,
    confidence,
    alternatives: author === 'unknown' ? [...alternatives, 'upstream_error'] : alternatives
  })
}

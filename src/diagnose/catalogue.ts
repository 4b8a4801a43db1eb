/** What is said of each root cause, and what to look at and to do: the catalogue, whole. */

import { clip, safeText } from '../text.ts'
import { CONTAINER_ENTRIES } from './catalogue/container.ts'
import { EDGE_ENTRIES } from './catalogue/edge.ts'
import type { Entry, Severity } from './catalogue/entry.ts'
import { LIFECYCLE_ENTRIES } from './catalogue/lifecycle.ts'
import { SERVING_ENTRIES } from './catalogue/serving.ts'
import { TLS_ENTRIES } from './catalogue/tls.ts'
import { WIRING_ENTRIES } from './catalogue/wiring.ts'
import type { Diagnosis } from './diagnosis.ts'
import type { RootCause } from './rootCauses.ts'
import { type Clock, Told, utcClock } from './told.ts'

export type { Severity } from './catalogue/entry.ts'
export { type Clock, utcClock } from './told.ts'

const ENTRIES: Readonly<Record<RootCause, Entry>> = {
  ...CONTAINER_ENTRIES,
  ...SERVING_ENTRIES,
  ...LIFECYCLE_ENTRIES,
  ...WIRING_ENTRIES,
  ...TLS_ENTRIES,
  ...EDGE_ENTRIES
}

/** They pass on what is wrong elsewhere: the facts of that are among theirs. */
const PASSED_ON: ReadonlySet<RootCause> = new Set(['default_backend_unhealthy', 'dependency_down'])
const SENTENCE_MAX = 600

export interface RootCauseInfo {
  /** A few words. */
  title: string
  /** What it is, and how it comes to the failure: two or three sentences. */
  meaning: string
  /** S1: all requests of a backend fail · S2: part of them · S3: nuisance or misrouting · S4: expected behaviour. */
  severity: Severity
  /** What to do, in a few words. */
  advice: string
  /** Commands to look with; `$POD` and the like stand for names. */
  check: readonly string[]
  /** What to do, a sentence each. */
  fix: readonly string[]
}

export function rootCauseInfo(cause: RootCause): RootCauseInfo {
  const { say: _, ...info } = ENTRIES[cause]
  return info
}

/**
 * One clause with the facts at hand, no full stop: `shop/cart-7d9f-x was OOM-killed at 10:02:11 (limit 256Mi)`. Safe to print;
 * of HTML and Markdown its reader escapes.
 */
export function sentenceOf(diagnosis: Diagnosis, clock: Clock = utcClock): string {
  const told = new Told(diagnosis, clock)
  const clause = ENTRIES[diagnosis.rootCause].say(told)
  const { behind } = told
  const isPassedOn = PASSED_ON.has(diagnosis.rootCause) && behind !== null && !PASSED_ON.has(behind)
  return clip(safeText(isPassedOn ? `${clause}: ${ENTRIES[behind].say(told)}` : clause), SENTENCE_MAX)
}

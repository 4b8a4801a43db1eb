/** What a receiver is told of an incident and of those grouped under it. */

import type { JudgedWindow } from './finding.ts'
import type { Incident, IncidentChange, IncidentExample, IncidentSeverity } from './incident.ts'

/** An incident that nobody's parent is, with those under it: what is told as one. */
export interface IncidentGroup {
  head: Incident
  /** Without the head, in the order in which they opened. */
  members: readonly Incident[]
}

/**
 * Everything a template may use. Texts are masked and free of control characters; templates and receivers escape them for
 * their format. Times are RFC 3339, UTC.
 */
export interface Notice {
  kind: 'open' | 'update' | 'resolved' | 'test'
  /** The incident's id: what tells a repetition from something new. */
  key: string
  severity: IncidentSeverity
  /** `Why5xxFailureSpike`, `Why5xxMaskedSpike`, `Why5xxNoRequests`; `Why5xxTest`. */
  alertname: string
  cluster: string
  namespace: string | null
  service: string
  upstream: string
  cause: string
  /** Of the cause: a few words. */
  causeTitle: string
  status: number | null
  /** One line: `connection_refused on shop/cart: 41 failures in 5 min, 1.2 expected`. */
  title: string
  /** Sentences, in this order: how bad, why, what changed before. Lines separated by \n. */
  text: string
  /** `41 failures in 5 min, 1.2 expected (0.02 % of 6,010 requests, spread 1.8), p = 3e-44`. */
  numbers: string
  since: string
  /** null while it is open. */
  until: string | null
  failures: number
  masked: number
  requests: number
  expected: number
  peakPerMinute: number
  pValue: number
  windows: readonly JudgedWindow[]
  /** Root cause with its evidence, in a sentence; null: not known. */
  why: string | null
  rootCause: {
    kind: string
    ref: string | null
    confidence: number
    evidence: readonly { cite: string; text: string }[]
    advice: string | null
  } | null
  example: (Omit<IncidentExample, 'timeMs'> & { time: string; request: string }) | null
  /** Oldest first. */
  changes: readonly (Omit<IncidentChange, 'atMs'> & { at: string })[]
  /** Of those grouped under it: one line each, and what they have in common. */
  grouped: {
    by: string
    key: string
    members: readonly { id: string; service: string; cause: string; failures: number; since: string; title: string }[]
  } | null
  /** URL, or the command that prints it. */
  runbook: string
  /** URL, or the command that prints the incident. */
  link: string
}

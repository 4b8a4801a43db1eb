/** An incident as reports print it: plain JSON with times in RFC 3339. Pure. */

import type { IncidentCause, JudgedWindow } from './finding.ts'
import type { Incident, IncidentChange, IncidentExample, IncidentSeverity, ToldMark } from './incident.ts'

/** RFC 3339, UTC, with milliseconds. */
type Time = string

export interface IncidentEntry {
  id: string
  /** The incident under which it is told; null: it is told by itself. */
  parent: string | null
  group: Incident['group']
  state: Incident['state']
  severity: IncidentSeverity
  upstreamName: string
  service: string
  namespace: string | null
  ingress: string | null
  cause: IncidentCause
  /** Slug; null: not known. */
  rootCause: string | null
  /** What was wrong, and on what evidence. */
  why: {
    sentence: string
    ref: string | null
    at: Time | null
    confidence: number
    /** How many of the failures that were judged have it. */
    failures: number
    judged: number
    evidence: { cite: string; text: string }[]
    advice: string | null
  } | null
  start: Time
  detectedAt: Time
  updatedAt: Time
  /** null while it is open. */
  end: Time | null
  continued: number
  failures: number
  masked: number
  requests: number
  peakPerMinute: number
  expected: number
  pValue: number
  status: number | null
  windows: JudgedWindow[]
  lately: JudgedWindow[]
  firstId: string | null
  lastId: string | null
  example: (Omit<IncidentExample, 'timeMs'> & { at: Time }) | null
  pods: [string, number][]
  nodes: [string, number][]
  controllers: [string, number][]
  changes: (Omit<IncidentChange, 'atMs'> & { at: Time })[]
  timeline: { at: Time; text: string }[]
  told: (Omit<ToldMark, 'atMs'> & { receiver: string; at: Time })[]
}

export function incidentEntry(incident: Incident): IncidentEntry {
  const { rootCause, rootCauseShare, example, endMs } = incident
  return {
    id: incident.id,
    parent: incident.parent,
    group: incident.group,
    state: incident.state,
    severity: incident.severity,
    upstreamName: incident.upstream,
    service: incident.service,
    namespace: incident.namespace,
    ingress: incident.ingress,
    cause: incident.cause,
    rootCause: rootCause?.kind ?? null,
    why: rootCause && {
      sentence: rootCause.sentence,
      ref: rootCause.ref,
      at: rootCause.atMs === null ? null : iso(rootCause.atMs),
      confidence: rootCause.confidence,
      failures: rootCauseShare.count,
      judged: rootCauseShare.of,
      evidence: rootCause.evidence,
      advice: rootCause.advice
    },
    start: iso(incident.startMs),
    detectedAt: iso(incident.detectedMs),
    updatedAt: iso(incident.updatedMs),
    end: endMs === null ? null : iso(endMs),
    continued: incident.continued,
    failures: incident.failures,
    masked: incident.masked,
    requests: incident.requests,
    peakPerMinute: incident.peakPerMinute,
    expected: incident.expected,
    pValue: incident.pValue,
    status: incident.status,
    windows: incident.windows,
    lately: incident.lately,
    firstId: incident.firstId,
    lastId: incident.lastId,
    example: example && atOf(example.timeMs, example),
    pods: incident.pods,
    nodes: incident.nodes,
    controllers: incident.controllers,
    changes: incident.changes.map(change => atOf(change.atMs, change)),
    timeline: incident.timeline.map(event => atOf(event.atMs, event)),
    told: Object.entries(incident.told).map(([receiver, mark]) => ({ receiver, ...atOf(mark.atMs, mark) }))
  }
}

/** With `at` instead of Unix ms. */
function atOf<T extends object>(ms: number, value: T): Omit<T, 'atMs' | 'timeMs'> & { at: Time } {
  const { atMs: _, timeMs: __, ...rest } = value as T & { atMs?: number; timeMs?: number }
  return { at: iso(ms), ...rest } as unknown as Omit<T, 'atMs' | 'timeMs'> & { at: Time }
}

function iso(ms: number): Time {
  return new Date(ms).toISOString()
}

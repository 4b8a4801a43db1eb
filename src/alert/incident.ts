/** An incident: failures of one cause at one service, close in time. Plain data: what is stored, and what a restart goes on with. */

import type { IncidentCause, JudgedWindow } from './finding.ts'
import type { SightedRootCause } from './sighting.ts'

/**
 * `page`: requests fail for a cause that counts against an SLO, or none come any more. `ticket`: retries saved them all so far. `none`: nobody is
 * told, such as clients that closed; it is listed.
 */
export type IncidentSeverity = 'page' | 'ticket' | 'none'

/** A real request, masked. */
export interface IncidentExample {
  /** Of its document. */
  id: string
  timeMs: number
  status: number | null
  method: string | null
  host: string | null
  path: string | null
  address: string | null
  pod: string | null
}

/** Something that changed before it began: a reload, a rollout, a scaling. */
export interface IncidentChange {
  atMs: number
  kind: 'reload' | 'reload_failed' | 'rollout' | 'scale' | 'configuration'
  /** One sentence. */
  text: string
}

/** What became of it, in order; the last twenty, and the first. */
export interface IncidentEvent {
  atMs: number
  text: string
}

/** What one receiver was told last. */
export interface ToldMark {
  state: 'open' | 'resolved'
  /** Wall time at which it took it, Unix ms. */
  atMs: number
  /** Failures of the whole group by then. */
  failures: number
  /** Of the whole group by then. Marks of former versions have none: they count as what it is now. */
  severity?: IncidentSeverity
}

export interface Incident {
  /** `inc-20261121-1003-hTz0Zy4a`, see `incidentId`: fixed at opening. */
  id: string
  /** The incident under which this one is told; null: it is told by itself. */
  parent: string | null
  /** Of a parent: what its incidents have in common; null: it has none under it. */
  group: { by: 'service' | 'cause' | 'node' | 'controller'; key: string } | null
  state: 'open' | 'resolved'
  severity: IncidentSeverity
  /** Upstream name. */
  upstream: string
  /** `namespace/service` when known, else the upstream name. */
  service: string
  namespace: string | null
  ingress: string | null
  cause: IncidentCause
  /** First minute with a failure, Unix ms. */
  startMs: number
  /** End of the minute whose judgement opened it. */
  detectedMs: number
  /** End of the last minute judged; the external version. */
  updatedMs: number
  /** End of the fifth quiet minute; null while it is open. */
  endMs: number | null
  /** Times it began again within 30 minutes of its end. */
  continued: number
  /** Failures since its start, and how many of these a retry saved. */
  failures: number
  masked: number
  /** Requests of the service since its start. */
  requests: number
  peakPerMinute: number
  /** Failures that were to be expected since its start; of `no_requests` the requests. */
  expected: number
  /** The smallest of any window so far. */
  pValue: number
  /** As they were when it opened. */
  windows: JudgedWindow[]
  /** As they are now. */
  lately: JudgedWindow[]
  /** The most frequent status that clients saw; null: none was seen. */
  status: number | null
  firstId: string | null
  lastId: string | null
  rootCause: SightedRootCause | null
  /** How many of the failures that were judged have this root cause, and how many were judged. */
  rootCauseShare: { count: number; of: number }
  example: IncidentExample | null
  /** Most frequent first, at most eight each: blamed pods and nodes, `namespace/pod` of controllers, with counts. */
  pods: [string, number][]
  nodes: [string, number][]
  controllers: [string, number][]
  /** Oldest first. */
  changes: IncidentChange[]
  timeline: IncidentEvent[]
  /** By name of the receiver. */
  told: Record<string, ToldMark>
}

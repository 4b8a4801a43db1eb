/**
 * Counts and judged failures in, incidents out: detector, evidence and incidents together, on record time. Pure: what `run`
 * does live, `explain` and `replay` do with a log, and a start does with the last day of the store.
 */

import type { IncidentCause } from './finding.ts'
import type { Incident, IncidentChange } from './incident.ts'
import type { IncidentGroup } from './notice.ts'
import type { Sighting } from './sighting.ts'

export type Profile = 'normal' | 'sensitive'

export interface AlertingOptions {
  profile: Profile
  /** Of an incident, by when it opened, Unix ms. */
  idOf: (openedMs: number, upstream: string, cause: IncidentCause) => string
  /** What changed in `[fromMs, toMs)` at whatever the incident concerns, oldest first; left out: nothing is known of changes. */
  changesBefore?: (incident: Incident, fromMs: number, toMs: number) => IncidentChange[]
}

export interface AlertStep {
  /** Opened, updated, resolved, regrouped: what is to be stored. */
  changed: Incident[]
}

export interface Alerting {
  /** Requests of a service's minute, counted now; a minute may come in parts, and late. */
  addRequests(upstream: string, minuteMs: number, count: number): void
  /** Failures of which only the count is known: history. */
  addFailures(upstream: string, cause: IncidentCause, minuteMs: number, count: number): void
  add(sighting: Sighting): void
  /** Goes on with incidents of an earlier process, behind its counts: those that are open, and those that ended lately. */
  adopt(incidents: readonly Incident[]): void
  /** Judges every minute that ended by `clockMs`, which never goes back. */
  advance(clockMs: number): AlertStep
  /** Open incidents, and those that ended in the last hour, as they are told. */
  readonly groups: readonly IncidentGroup[]
  /** Series that are kept; those that were given up because there are too many. */
  readonly facts: { services: number; series: number; dropped: number; late: number }
}

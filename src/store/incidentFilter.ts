/** Which incidents a filter asks for, and in which order they are told. Pure: the same in every store. */

import type { Incident } from '../alert/incident.ts'
import { matchesService } from './serviceFilter.ts'
import type { IncidentFilter } from './store.ts'

/** All there are. */
export const EVERY_INCIDENT: IncidentFilter = {
  fromMs: Number.NEGATIVE_INFINITY,
  toMs: Number.POSITIVE_INFINITY,
  services: [],
  causes: [],
  state: null
}

/** One that is open goes on: it has no end yet. */
export function matchesIncident(filter: IncidentFilter, incident: Incident): boolean {
  const { fromMs, toMs, services, causes, state } = filter
  if (incident.startMs >= toMs || (incident.endMs !== null && incident.endMs <= fromMs)) return false
  if (state !== null && incident.state !== state) return false
  return (causes.length === 0 || causes.includes(incident.cause)) && matchesService(services, incident)
}

/** Open ones first, then by their start, newest first. */
export function compareIncidents(a: Incident, b: Incident): number {
  if (a.state !== b.state) return a.state === 'open' ? -1 : 1
  return b.startMs - a.startMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

/** Of each id the version with the newest `updatedMs`; of equal ones the one that came last. */
export class NewestIncidents {
  readonly #byId = new Map<string, Incident>()

  add(incident: Incident): void {
    const known = this.#byId.get(incident.id)
    if (known === undefined || known.updatedMs <= incident.updatedMs) this.#byId.set(incident.id, incident)
  }

  /** Those that a filter asks for, in the order in which they are told; left out: all. */
  matching(filter?: IncidentFilter): Incident[] {
    const all = [...this.#byId.values()]
    return (filter === undefined ? all : all.filter(one => matchesIncident(filter, one))).sort(compareIncidents)
  }
}

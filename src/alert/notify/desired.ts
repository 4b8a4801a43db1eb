/**
 * What receivers should know by now: the present state of every incident, not a queue of messages. After an outage of any
 * length a receiver is told of each incident once, as it is then.
 *
 * Marks are kept here as well, because whoever keeps the incidents may replace one by a copy from before it was told.
 */

import type { Incident, ToldMark } from '../incident.ts'
import type { IncidentGroup } from '../notice.ts'
import { isOpen, markOf, subjectsOf } from './due.ts'

/** Incidents that ended, are listed no more, and of which a receiver still has to be told that. */
const KEPT_MAX = 1_000

export class Desired {
  readonly #receivers: readonly string[]
  #groups = new Map<string, IncidentGroup>()
  #incidents = new Map<string, Incident>()
  readonly #kept = new Map<string, IncidentGroup>()
  readonly #marks = new Map<string, Map<string, ToldMark>>()
  /** Of those kept: how many had to be given up. */
  givenUp = 0

  constructor(receivers: readonly string[]) {
    this.#receivers = receivers
  }

  /** `groups` are all that are open, and those that ended lately. */
  replace(groups: readonly IncidentGroup[]): void {
    const before = this.#incidents
    const groupsBefore = this.#groups
    this.#groups = new Map(groups.map(group => [group.head.id, group]))
    this.#incidents = new Map(groups.flatMap(({ head, members }) => [head, ...members]).map(one => [one.id, one]))
    for (const [id, marks] of this.#marks) restore(this.#incidents.get(id), marks)
    for (const [id, incident] of before) {
      if (this.#incidents.has(id) || !this.#isOwed(incident)) continue
      this.#kept.set(id, ended(groupsBefore.get(id) ?? { head: incident, members: [] }))
    }
    for (const [id, { head }] of this.#kept) {
      if (this.#incidents.has(id) || !this.#isOwed(head)) this.#kept.delete(id)
      else if (this.#kept.size > KEPT_MAX) {
        this.#kept.delete(id)
        this.givenUp++
      }
    }
    for (const id of this.#marks.keys()) if (!this.#incidents.has(id) && !this.#kept.has(id)) this.#marks.delete(id)
  }

  /** What this receiver is told of, whether anything is due or not. */
  subjectsOf(receiver: string): IncidentGroup[] {
    return [...subjectsOf(this.#groups.values(), receiver), ...this.#kept.values()]
  }

  has(id: string): boolean {
    return this.#incidents.has(id) || this.#kept.has(id)
  }

  /** The receiver took it. Returns the incident as it is now, with the mark; null: it is gone. */
  mark(id: string, receiver: string, mark: ToldMark): Incident | null {
    const incident = this.#incidents.get(id) ?? this.#kept.get(id)?.head ?? null
    if (incident === null) return null
    // A clock that was set back must not make the newer mark the older one.
    const atMs = Math.max(mark.atMs, (markOf(incident, receiver)?.atMs ?? mark.atMs - 1) + 1)
    const marks = this.#marks.get(id) ?? new Map<string, ToldMark>()
    this.#marks.set(id, marks.set(receiver, { ...mark, atMs }))
    restore(incident, marks)
    return incident
  }

  #isOwed(incident: Incident): boolean {
    return this.#receivers.some(receiver => markOf(incident, receiver)?.state === 'open')
  }
}

function restore(incident: Incident | null | undefined, marks: ReadonlyMap<string, ToldMark>): void {
  if (!incident) return
  for (const [receiver, mark] of marks)
    if ((markOf(incident, receiver)?.atMs ?? Number.NEGATIVE_INFINITY) < mark.atMs) incident.told[receiver] = mark
}

/** What is listed no more is over, even where the last that was seen of it was open: a laptop that slept for two hours. */
function ended(group: IncidentGroup): IncidentGroup {
  if (!isOpen(group)) return group
  const close = (incident: Incident): Incident =>
    incident.state === 'open' ? { ...incident, state: 'resolved', endMs: incident.updatedMs } : incident
  return { head: close(group.head), members: group.members.map(close) }
}

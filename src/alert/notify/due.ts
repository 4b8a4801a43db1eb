/**
 * What a receiver is to be told next of an incident, from its present state and the mark of what it was told last. Pure, so
 * that a restart decides the same: everything it needs is stored with the incident.
 *
 *   mark       group      is due
 *   none       open       open
 *   none       resolved   resolved, as a summary, while it ended less than an hour ago
 *   open       open       update, an hour after the mark, when failures have doubled since, or when a ticket has become a page
 *   open       resolved   resolved, however long ago it ended
 *   resolved   open       (it began again within 30 minutes) update, by the same rule: nobody is paged twice for one incident
 *   resolved   resolved   nothing
 */

import { isMoreSevere } from '../chronicle.ts'
import { isOpenGroup } from '../grouping.ts'
import type { Incident, ToldMark } from '../incident.ts'
import type { IncidentGroup } from '../notice.ts'
import { severityOfGroup } from '../noticeText.ts'

export type DueKind = 'open' | 'update' | 'resolved'

/** After which an incident that goes on is told again. */
const UPDATE_MS = 3_600_000
/** What ended longer ago, and was never told, is history: it is listed, nobody is called for it. */
export const SUMMARY_MS = 3_600_000

export function dueOf(group: IncidentGroup, receiver: string, nowMs: number): DueKind | null {
  const mark = markOf(group.head, receiver)
  if (!isOpenGroup(group)) {
    if (mark === null) return nowMs - endOf(group) < SUMMARY_MS ? 'resolved' : null
    return mark.state === 'open' ? 'resolved' : null
  }
  if (mark === null) return 'open'
  // Whoever reads tickets in the morning is to be called now.
  if (mark.severity !== undefined && isMoreSevere(severityOfGroup(group), mark.severity)) return 'update'
  const failures = failuresOf(group)
  // A service without requests has no failures: nothing doubles there.
  const hasDoubled = failures > mark.failures && failures >= 2 * mark.failures
  return hasDoubled || nowMs - mark.atMs >= UPDATE_MS ? 'update' : null
}

/**
 * What a receiver is told of. An incident that was told by itself before it came under another stays told by itself until it
 * ends: its page is open there, and the page of the other does not close it.
 */
export function subjectsOf(groups: Iterable<IncidentGroup>, receiver: string): IncidentGroup[] {
  const subjects: IncidentGroup[] = []
  for (const group of groups) {
    subjects.push(group)
    for (const member of group.members)
      if (markOf(member, receiver)?.state === 'open') subjects.push({ head: member, members: [] })
  }
  return subjects
}

/** null: it was told nothing. */
export function markOf(incident: Incident, receiver: string): ToldMark | null {
  return Object.hasOwn(incident.told, receiver) ? incident.told[receiver]! : null
}

export function failuresOf({ head, members }: IncidentGroup): number {
  return members.reduce((sum, { failures }) => sum + failures, head.failures)
}

function endOf({ head, members }: IncidentGroup): number {
  return Math.max(...[head, ...members].map(({ endMs, updatedMs }) => endMs ?? updatedMs))
}

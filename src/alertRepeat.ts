/** What receivers are told between a start and the present: that goes on what they know of, and nothing new. Pure. */

import { groupsOf, isOpenGroup } from './alert/grouping.ts'
import type { Incident, ToldMark } from './alert/incident.ts'
import type { IncidentGroup } from './alert/notice.ts'

/** Failures that nothing is the double of. */
const NEVER_DOUBLED = Number.MAX_SAFE_INTEGER

/**
 * Open groups that somebody was told of, as copies that are due to nobody for an hour: whoever forgets what is not repeated is
 * repeated it. `incidents` as they were stored last; `receivers` by name; `nowMs`: wall time.
 */
export function repeatedGroups(
  incidents: readonly Incident[],
  receivers: readonly string[],
  nowMs: number
): IncidentGroup[] {
  const inOrder = [...incidents].sort((a, b) => a.startMs - b.startMs || a.detectedMs - b.detectedMs)
  return groupsOf(inOrder).flatMap(group => {
    const [known] = [group.head, ...group.members].flatMap(({ told }) => Object.values(told).filter(isOpen))
    if (known === undefined || !isOpenGroup(group)) return []
    const quiet = (incident: Incident): Incident => ({
      ...incident,
      told: quietMarks(incident, receivers, known, nowMs)
    })
    return [{ head: quiet(group.head), members: group.members.map(quiet) }]
  })
}

function quietMarks({ told }: Incident, receivers: readonly string[], known: ToldMark, nowMs: number) {
  const marks = new Map(Object.entries(told))
  // Who was not told is not told now: for what looks like an end there, nothing is due.
  for (const name of receivers) if (!marks.has(name)) marks.set(name, { ...known, state: 'resolved' })
  const quiet = [...marks].map(([name, mark]) => [name, { ...mark, atMs: nowMs, failures: NEVER_DOUBLED }] as const)
  return Object.fromEntries(quiet)
}

function isOpen({ state }: ToldMark): boolean {
  return state === 'open'
}

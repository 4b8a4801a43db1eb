/** Reads `incidents.ndjson`, also while it is written. */

import { join } from 'node:path'
import type { Incident } from '../../alert/incident.ts'
import { NewestIncidents } from '../incidentFilter.ts'
import { incidentOfLine, unreadText } from '../incidentRecord.ts'
import type { IncidentFilter } from '../store.ts'
import type { NodeDisk } from './disk.ts'
import { INCIDENTS_FILE, incidentLines } from './incidentFile.ts'

/** A line that is being written is none yet. */
export async function readIncidents(
  disk: NodeDisk,
  filter: IncidentFilter,
  say?: (text: string) => void
): Promise<Incident[]> {
  const found = new NewestIncidents()
  let unread = 0
  for await (const { line, isWhole } of incidentLines(disk)) {
    if (!isWhole) continue
    const incident = incidentOfLine(line.toString())
    if (incident === null) unread++
    else found.add(incident)
  }
  if (unread > 0) say?.(unreadText(join(disk.folder, INCIDENTS_FILE), unread))
  return found.matching(filter)
}

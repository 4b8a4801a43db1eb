/** Reads `incidents.ndjson`, also while it is written. */

import { join } from 'node:path'
import type { Incident } from '../../alert/incident.ts'
import { compareIncidents, matchesIncident } from '../incidentFilter.ts'
import { incidentOfLine, unreadText } from '../incidentRecord.ts'
import type { IncidentFilter } from '../store.ts'
import type { NodeDisk } from './disk.ts'
import { INCIDENTS_FILE, newestLines } from './incidentFile.ts'

/** A line that is being written is none yet. */
export async function readIncidents(
  disk: NodeDisk,
  filter: IncidentFilter,
  say?: (text: string) => void
): Promise<Incident[]> {
  const { kept, damaged } = await newestLines(disk)
  const incidents = kept.map(({ line }) => incidentOfLine(line.toString()))
  const found = incidents.filter(incident => incident !== null)
  const unread = damaged + incidents.length - found.length
  if (unread > 0) say?.(unreadText(join(disk.folder, INCIDENTS_FILE), unread))
  return found.filter(incident => matchesIncident(filter, incident)).sort(compareIncidents)
}

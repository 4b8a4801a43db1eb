import type { Incident } from '../alert/incident.ts'
import { ClockText } from '../explain/clockText.ts'
import type { Style } from '../terminal.ts'
import { decimal, durationText, grouped } from '../text.ts'
import { fittedTable, type TableColumn } from './fittedTable.ts'

export interface ListedIncident {
  incident: Incident
  /** It is told under the one before it. */
  isMember: boolean
}

/** Members behind their parent, where that is among them; all else in its order. */
export function withMembers(incidents: readonly Incident[]): ListedIncident[] {
  const byId = new Map(incidents.map(incident => [incident.id, incident]))
  const headOf = ({ parent, id }: Incident): Incident | null =>
    parent === null || parent === id ? null : (byId.get(parent) ?? null)
  const listed: ListedIncident[] = []
  const done = new Set<string>()
  for (const one of incidents) {
    const head = headOf(one) ?? one
    if (done.has(head.id)) continue
    done.add(head.id)
    listed.push({ incident: head, isMember: false })
    for (const incident of incidents)
      if (headOf(incident) === head) {
        done.add(incident.id)
        listed.push({ incident, isMember: true })
      }
  }
  return listed
}

/** One line an incident. `nowMs`: until when open ones have lasted. */
export function incidentsTable(rows: readonly ListedIncident[], zone: string, nowMs: number, style: Style): string {
  const clock = new ClockText(zone, nowMs, nowMs)
  const column = (name: string, cell: (incident: Incident) => string, least?: number): TableColumn<ListedIncident> => ({
    name,
    cell: ({ incident }) => cell(incident),
    ...(least !== undefined && { least })
  })
  const columns: TableColumn<ListedIncident>[] = [
    { name: 'ID', cell: ({ incident, isMember }) => `${isMember ? '  ' : ''}${incident.id}` },
    column('STATE', ({ state }) => state),
    column('SEVERITY', ({ severity }) => severity),
    column('SINCE', ({ startMs }) => clock.fullMinute(startMs)),
    column('LASTED', incident => lastedText(incident, nowMs)),
    column('SERVICE', ({ service }) => service || '-', 16),
    column('CAUSE', ({ cause }) => cause),
    column('FAILED / EXPECTED', ({ failures, expected }) => `${grouped(failures)} / ${decimal(expected)}`),
    column('ROOT CAUSE', ({ rootCause }) => rootCause?.kind ?? '-', 14)
  ]
  const givingWay = {
    narrow: ['SERVICE', 'ROOT CAUSE'],
    drop: ['SEVERITY', 'FAILED / EXPECTED', 'LASTED', 'ROOT CAUSE', 'SERVICE']
  }
  return fittedTable(rows, columns, givingWay, style)
}

/** `12 min`, `3 h 20 min`. */
export function lastedText({ startMs, endMs }: Incident, nowMs: number): string {
  return durationText(Math.max(0, (endMs ?? nowMs) - startMs) / 60_000)
}

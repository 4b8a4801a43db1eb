/** Where to read on: addresses from templates, or the commands that print the same. */

import { clip, quoteForShell, safeText } from '../text.ts'
import { MINUTE_MS } from './finding.ts'
import type { Incident } from './incident.ts'

/** What of an incident is in an address. */
type Linked = Pick<Incident, 'id' | 'service' | 'upstream' | 'cause' | 'startMs' | 'endMs' | 'updatedMs'>

const NAME_CHARS_MAX = 200
/** What came before tells as much as the incident. */
const MARGIN_MS = 15 * MINUTE_MS

/** `links.runbook` with `{cause}`; without one `why5xx causes connection_refused`. */
export function runbookOf(incident: Linked, template: string | null): string {
  if (template !== null) return filled(template, new Map([['cause', incident.cause]]))
  return `why5xx causes ${quoteForShell(incident.cause)}`
}

/** `links.incident`; without one the command that prints the time around it. */
export function linkOf(incident: Linked, template: string | null): string {
  if (template === null) return timelineCommand(incident)
  const { id, service, upstream, cause } = incident
  const [from, to] = spanOf(incident)
  const values: [string, string][] = [
    ['id', id],
    ['service', service],
    ['upstream', upstream],
    ['cause', cause],
    ['from', from],
    ['to', to]
  ]
  return filled(template, new Map(values))
}

function timelineCommand(incident: Linked): string {
  const [from, to] = spanOf(incident)
  const service = incident.service === '' ? '' : ` --service ${quoteForShell(clip(incident.service, NAME_CHARS_MAX))}`
  return `why5xx timeline${service} --from ${from} --to ${to}`
}

function spanOf({ startMs, endMs, updatedMs }: Linked): [string, string] {
  return [instant(startMs - MARGIN_MS), instant(endMs ?? updatedMs)]
}

function instant(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('.000Z', 'Z')
}

function filled(template: string, values: ReadonlyMap<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    const value = values.get(name)
    return value === undefined ? placeholder : encodeURIComponent(safeText(clip(value, NAME_CHARS_MAX)))
  })
}

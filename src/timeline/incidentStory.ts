/** What Markdown and HTML both say of incidents. */

import type { IncidentEntry } from '../alert/incidentEntry.ts'
import { decimal, grouped, plural } from '../text.ts'
import { minute, type Teller } from './story.ts'

/** `#` before the name of a column with numbers, `@` before one with times. */
export const INCIDENT_COLUMNS = [
  'Incident',
  'Cause',
  'Service',
  '@From',
  '@Until',
  '#Failures',
  '#Expected',
  'Root cause'
]

/** Cells of one, as text of the page. */
export function incidentCells(teller: Teller, incident: IncidentEntry): string[] {
  const { dress } = teller
  const { id, parent, cause, start, end, failures, masked, expected, rootCause, why } = incident
  const saved = masked === 0 ? '' : ` (${grouped(masked)} saved)`
  const ref = why?.ref == null ? '' : `, ${dress.text(why.ref)}`
  return [
    `${dress.text(id)}${parent === null ? '' : `, told under ${dress.text(parent)}`}`,
    cause,
    serviceText(teller, incident),
    minute(teller, start),
    end === null ? 'open' : minute(teller, end),
    `${grouped(failures)}${saved}`,
    decimal(expected),
    rootCause === null ? '-' : `${rootCause}${ref}`
  ]
}

/** Why each began, where that is known; members have the reason of their parent, or one of their own. */
export function incidentReasons(teller: Teller): { id: string; text: string }[] {
  const { timeline, dress } = teller
  return timeline.incidents.shown.flatMap(({ id, why }) =>
    why === null ? [] : [{ id: dress.text(id), text: dress.text(why.sentence) }]
  )
}

/** `incident opens: connection_refused on shop/cart, detected 10:05`. */
export function openingText(teller: Teller, incident: IncidentEntry): string {
  const { dress } = teller
  return `incident ${dress.text(incident.id)}: ${incident.cause} on ${serviceText(teller, incident)}, detected ${minute(teller, incident.detectedAt)}`
}

export function endText(teller: Teller, incident: IncidentEntry): string {
  const { id, failures, expected } = incident
  return `incident ${teller.dress.text(id)} is over: ${plural(failures, 'failure')}, ${decimal(expected)} expected`
}

function serviceText({ dress }: Teller, { service, upstreamName }: IncidentEntry): string {
  const name = service || upstreamName
  return name === '' || name === '-' ? '(no upstream)' : dress.text(name)
}

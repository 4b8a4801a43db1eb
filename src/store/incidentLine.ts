/** An incident as one line of JSON, for the file of the embedded store and the topic. */

import type { Incident } from '../alert/incident.ts'
import { wellFormedJson } from './wellFormed.ts'

/** Raised on any change that an older program would misread. */
export const INCIDENT_SCHEMA = 1

/** Without a line feed. Half of a surrogate pair becomes U+FFFD, as in every document. */
export function incidentLine(incident: Incident): string {
  return wellFormedJson(JSON.stringify({ schema: INCIDENT_SCHEMA, incident }))
}

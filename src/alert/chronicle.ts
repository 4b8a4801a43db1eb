/** What became of an incident, in order, and how severe it is. */

import { causeTable } from '../../parsers/causes.ts'
import { clip, grouped, plural, safeText } from '../text.ts'
import type { Evidence } from './evidence.ts'
import type { Finding, IncidentCause } from './finding.ts'
import type { Incident, IncidentSeverity } from './incident.ts'
import { spikeText } from './numbers.ts'

/** Behind the first. */
const EVENTS_MAX = 20
const EVENT_CHARS_MAX = 300
/** Failures that no retry saved: fewer wake nobody up. */
const PAGE_FAILURES = 5

const RANKS: Record<IncidentSeverity, number> = { none: 0, ticket: 1, page: 2 }

export function isMoreSevere(a: IncidentSeverity, b: IncidentSeverity): boolean {
  return RANKS[a] > RANKS[b]
}

/** As far as its failures tell. */
export function severityOf(cause: IncidentCause, failures: number, { sighted, unsaved }: Evidence): IncidentSeverity {
  if (cause === 'no_requests') return 'page'
  if (!causeTable[cause].slo) return 'none'
  return (sighted > 0 ? unsaved : failures) >= PAGE_FAILURES ? 'page' : 'ticket'
}

export function chronicle(incident: Incident, atMs: number, text: string): void {
  const event = { atMs, text: clip(safeText(text), EVENT_CHARS_MAX) }
  const [first, ...rest] = [...incident.timeline, event]
  incident.timeline = first === undefined ? [] : [first, ...rest.slice(-EVENTS_MAX)]
}

export function openedText(incident: Incident): string {
  return `opened: ${spikeText(incident, incident.windows)}`
}

export function resolvedText({ failures, cause }: Incident, because: Finding['because']): string {
  if (cause === 'no_requests')
    return because === 'new_level' ? 'resolved: no requests are normal now' : 'resolved: requests come again'
  const all = `${plural(failures, 'failure')} in all`
  return because === 'new_level'
    ? `resolved: this level is normal now, ${all}`
    : `resolved: quiet for five minutes, ${all}`
}

/** What the latest numbers brought that is worth telling, against those before. */
export function developments(before: Pick<Incident, 'failures' | 'severity' | 'rootCause'>, now: Incident): string[] {
  const texts: string[] = []
  const { rootCause } = now
  if (rootCause !== null && rootCause.kind !== 'undetermined' && rootCause.kind !== before.rootCause?.kind)
    texts.push(`root cause: ${rootCause.kind}${rootCause.ref === null ? '' : ` of ${rootCause.ref}`}`)
  const opening = Math.max(1, ...now.windows.map(({ failures }) => failures))
  if (decades(now.failures, opening) > decades(before.failures, opening))
    texts.push(`grew to ${grouped(now.failures)} failures, from ${grouped(opening)} at first`)
  if (isMoreSevere(now.severity, before.severity)) texts.push(`severity is ${now.severity} now`)
  return texts
}

/** How many times it grew tenfold since it opened. */
function decades(failures: number, opening: number): number {
  return failures <= opening ? 0 : Math.floor(Math.log10(failures / opening) + 1e-9)
}

/** What a receiver is told: of a group of incidents one notice, with texts that are safe and bounded whatever the log says. */

import { type CauseInfo, causeTable } from '../../parsers/causes.ts'
import { clip, grouped, plural, safeText } from '../text.ts'
import { isMoreSevere } from './chronicle.ts'
import type { IncidentCause } from './finding.ts'
import { isOpenGroup } from './grouping.ts'
import type { Incident, IncidentExample, IncidentSeverity } from './incident.ts'
import { NO_REQUESTS } from './noRequests.ts'
import type { IncidentGroup, Notice } from './notice.ts'
import { noticeBody } from './noticeBody.ts'
import { linkOf, runbookOf } from './noticeLinks.ts'
import { numbersText, spikeText } from './numbers.ts'

export interface NoticeOptions {
  clusterName: string
  /** `links.runbook`; null: the command is named. */
  runbook: string | null
  /** `links.incident`; null: the command is named. */
  incidentLink: string | null
}

const TITLE_CHARS_MAX = 200
const NAME_CHARS_MAX = 80
const FIELD_CHARS_MAX = 400
const EVIDENCE_MAX = 5
const CHANGES_MAX = 6
/** Of those grouped: what a payload lists. */
const MEMBERS_MAX = 50

/** Words for a cause: `nothing listened on the pod's port`. */
export function causeTitle(cause: IncidentCause): string {
  if (cause === 'no_requests') return NO_REQUESTS.title
  // An incident may have been stored by a later version.
  const info: CauseInfo | undefined = Object.hasOwn(causeTable, cause) ? causeTable[cause] : undefined
  return info?.title ?? cause.replaceAll('_', ' ')
}

/** The group as it is now. `kind` is what became of it since the receiver was told last. */
export function noticeOf(group: IncidentGroup, kind: 'open' | 'update' | 'resolved', options: NoticeOptions): Notice {
  const { head, members } = group
  const all = [head, ...members]
  const severity = severityOfGroup(group)
  const isOpen = isOpenGroup(group)
  const endMs = isOpen ? null : Math.max(...all.map(incident => incident.endMs ?? 0))
  const windows = kind === 'open' ? head.windows : head.lately
  const listed = groupedOf(group)
  const notice: Notice = {
    kind,
    key: head.id,
    severity,
    alertname: alertname(head.cause, severity),
    cluster: field(options.clusterName),
    namespace: head.namespace === null ? null : field(head.namespace),
    service: field(serviceName(head)),
    upstream: field(head.upstream),
    cause: head.cause,
    causeTitle: causeTitle(head.cause),
    status: head.status,
    title: titleOf(group, kind),
    text: '',
    numbers: numbersText(head, windows),
    since: iso(Math.min(...all.map(({ startMs }) => startMs))),
    until: endMs === null ? null : iso(endMs),
    failures: sum(all, ({ failures }) => failures),
    masked: sum(all, ({ masked }) => masked),
    requests: requestsOf(all),
    expected: sum(
      all.filter(({ cause }) => cause !== 'no_requests'),
      ({ expected }) => expected
    ),
    peakPerMinute: Math.max(...all.map(({ peakPerMinute }) => peakPerMinute)),
    pValue: Math.min(...all.map(({ pValue }) => pValue)),
    windows,
    why: whyOf(head),
    rootCause: rootCauseOf(head),
    example: exampleOf(head.example),
    changes: head.changes
      .slice(-CHANGES_MAX)
      .map(({ atMs, kind, text }) => ({ at: iso(atMs), kind, text: field(text) })),
    grouped: listed,
    runbook: runbookOf(head, options.runbook),
    link: linkOf(head, options.incidentLink)
  }
  return { ...notice, text: noticeBody(notice, group) }
}

/** The highest of the group. */
export function severityOfGroup({ head, members }: IncidentGroup): IncidentSeverity {
  let severity = head.severity
  for (const member of members) if (isMoreSevere(member.severity, severity)) severity = member.severity
  return severity
}

/** `shop/cart`; requests that nginx refused itself have no service. */
export function serviceName({ service }: Pick<Incident, 'service'>): string {
  return service === '' ? 'no service' : service
}

export function iso(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

export function field(text: string, max = FIELD_CHARS_MAX): string {
  return clip(safeText(text), max)
}

function alertname(cause: IncidentCause, severity: IncidentSeverity): string {
  if (cause === 'no_requests') return 'Why5xxNoRequests'
  return severity === 'ticket' ? 'Why5xxMaskedSpike' : 'Why5xxFailureSpike'
}

function titleOf(group: IncidentGroup, kind: 'open' | 'update' | 'resolved'): string {
  const { head } = group
  const silent = silentServices(group)
  // That many at once: it is more likely that their lines are missing than their requests.
  if (silent > 1) {
    const text = `no requests at ${plural(silent, 'service')}`
    return kind === 'resolved' ? `resolved: ${text}` : `${text}: do lines still arrive?`
  }
  const where = `${head.cause} on ${field(serviceName(head), NAME_CHARS_MAX)}${othersOf(group)}`
  const numbers = spikeText(head, kind === 'open' ? head.windows : head.lately)
  const saved = severityOfGroup(group) === 'ticket' && head.masked >= head.failures ? ', all saved by retries' : ''
  const text = kind === 'resolved' ? `resolved: ${where}` : `${where}: ${numbers}${saved}`
  return field(text, TITLE_CHARS_MAX)
}

/** How many services fell silent together; 0: that is not what the group has in common. */
export function silentServices({ head, members }: IncidentGroup): number {
  if (head.cause !== 'no_requests' || members.some(({ cause }) => cause !== 'no_requests')) return 0
  return new Set([head, ...members].map(({ upstream }) => upstream)).size
}

/** ` and 2 more services, all on node worker-1`. */
function othersOf({ head, members }: IncidentGroup): string {
  const services = new Set(members.map(({ upstream }) => upstream))
  services.delete(head.upstream)
  const more = services.size
  if (more === 0) {
    const causes = members.length
    return causes === 0 ? '' : ` and ${causes} more ${causes === 1 ? 'cause' : 'causes'}`
  }
  const text = ` and ${more} more ${more === 1 ? 'service' : 'services'}`
  const { by, key } = head.group ?? { by: 'service', key: '' }
  const name = field(key, NAME_CHARS_MAX)
  if (by === 'node') return `${text}, pods on node ${name}`
  return by === 'controller' ? `${text}, through controller ${name}` : text
}

function requestsOf(all: readonly Incident[]): number {
  // Causes of one service share its requests.
  const byUpstream = new Map<string, number>()
  for (const { upstream, requests } of all) byUpstream.set(upstream, Math.max(byUpstream.get(upstream) ?? 0, requests))
  return [...byUpstream.values()].reduce((total, requests) => total + requests, 0)
}

function sum(all: readonly Incident[], of: (incident: Incident) => number): number {
  return all.reduce((total, incident) => total + of(incident), 0)
}

function whyOf({ rootCause, rootCauseShare }: Incident): string | null {
  if (rootCause === null) return null
  const { sentence, confidence, evidence, kind } = rootCause
  const { count, of } = rootCauseShare
  const share = `${grouped(count)} of ${grouped(of)} failures judged`
  const facts = evidence.slice(0, 2).map(({ text }) => field(text, 200))
  const because = facts.length === 0 ? '' : `: ${facts.join('; ')}`
  return `${field(sentence)} (${kind}, confidence ${confidence.toFixed(2)}, ${share})${because}`
}

function rootCauseOf({ rootCause }: Incident): Notice['rootCause'] {
  if (rootCause === null) return null
  const { kind, ref, confidence, evidence, advice } = rootCause
  return {
    kind,
    ref: ref === null ? null : field(ref),
    confidence,
    evidence: evidence.slice(0, EVIDENCE_MAX).map(({ cite, text }) => ({ cite: field(cite), text: field(text) })),
    advice: advice === null ? null : field(advice)
  }
}

function exampleOf(example: IncidentExample | null): Notice['example'] {
  if (example === null) return null
  const { id, timeMs, status } = example
  const [method, host, path, address, pod] = [
    example.method,
    example.host,
    example.path,
    example.address,
    example.pod
  ].map(text => (text === null ? null : field(text, 300))) as (string | null)[]
  const request = `${method ?? '-'} ${host ?? ''}${path ?? (host === null || host === undefined ? '-' : '')}`
  return {
    id: field(id),
    time: iso(timeMs),
    status,
    method: method ?? null,
    host: host ?? null,
    path: path ?? null,
    address: address ?? null,
    pod: pod ?? null,
    request
  }
}

function groupedOf({ head, members }: IncidentGroup): Notice['grouped'] {
  const told = members.slice(0, MEMBERS_MAX)
  if (told.length === 0) return null
  const { by, key } = head.group ?? { by: 'service' as const, key: head.upstream }
  return {
    by,
    key: field(key),
    members: told.map(incident => {
      const service = field(serviceName(incident), NAME_CHARS_MAX)
      const { id, cause, failures, startMs } = incident
      const title = `${cause} on ${service}: ${spikeText(incident, incident.lately)}`
      return { id, service, cause, failures, since: iso(startMs), title }
    })
  }
}

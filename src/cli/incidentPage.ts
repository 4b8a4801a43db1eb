/** One incident in full, for a terminal. */

import { causeTable } from '../../parsers/causes.ts'
import type { JudgedWindow } from '../alert/finding.ts'
import type { Incident } from '../alert/incident.ts'
import { NO_REQUESTS } from '../alert/noRequests.ts'
import { probabilityText } from '../alert/numbers.ts'
import { ClockText } from '../explain/clockText.ts'
import type { Style } from '../terminal.ts'
import { decimal, grouped, percent, plural, quoteForShell, safeText } from '../text.ts'
import { lastedText } from './incidentsTable.ts'

export interface IncidentPage {
  incident: Incident
  /** Those that are told under it. */
  members: readonly Incident[]
  zone: string
  /** Until when an open one has lasted. */
  nowMs: number
}

export function incidentPage({ incident, members, zone, nowMs }: IncidentPage, style: Style): string {
  const { parent, windows, lately, endMs } = incident
  const clock = new ClockText(zone, incident.startMs, endMs ?? nowMs)
  const lines = (items: readonly string[]): string => items.map(item => `  ${item}`).join('\n')
  const section = (title: string, items: readonly string[]): string =>
    items.length === 0 ? '' : `${style.bold(title)}\n${lines(items)}`
  const parts = [
    `${style.bold(headline(incident))}\n${lines(facts(incident, clock, nowMs))}`,
    section('Why', why(incident, style)),
    section('When it opened', windows.map(windowText)),
    section(incident.state === 'open' ? 'Now' : 'At its end', lately.map(windowText)),
    section('Example', example(incident, clock)),
    section('Blamed', blamed(incident)),
    section(
      'Changed before it began',
      incident.changes.map(({ atMs, text }) => `${clock.short(atMs)}  ${safeText(text)}`)
    ),
    section(
      'What became of it',
      incident.timeline.map(({ atMs, text }) => `${clock.short(atMs)}  ${safeText(text)}`)
    ),
    section('Told', told(incident, clock)),
    section('Told under', parent === null ? [] : [safeText(parent)]),
    section(
      'Under it',
      members.map(member => `${safeText(member.id)}  ${headline(member)}, ${failedText(member)}`)
    )
  ]
  return `${parts.filter(part => part !== '').join('\n\n')}\n`
}

function headline({ cause, service, upstream }: Incident): string {
  const title = cause === 'no_requests' ? NO_REQUESTS.title : causeTable[cause].title
  return `${cause} on ${safeText(service || upstream || '(no upstream)')}: ${title}`
}

function failedText({ failures, expected }: Incident): string {
  return `${plural(failures, 'failure')}, ${decimal(expected)} expected`
}

function facts(incident: Incident, clock: ClockText, nowMs: number): string[] {
  const { id, state, severity, startMs, endMs, detectedMs, continued, requests, masked, failures, status } = incident
  const until = endMs === null ? '' : ` until ${clock.full(endMs)}`
  const again = continued === 0 ? '' : `, began again ${plural(continued, 'time')}`
  const saved = masked === 0 ? '' : `, ${grouped(masked)} of them saved by a retry`
  const saw = status === null ? '' : `; most clients saw ${String(status).padStart(3, '0')}`
  const group = incident.group === null ? [] : [`in common: ${incident.group.by} ${safeText(incident.group.key)}`]
  return [
    `${safeText(id)}, ${state}, ${severity === 'none' ? 'nobody is told' : severity}`,
    `since ${clock.full(startMs)}${until} ${clock.zone} (${lastedText(incident, nowMs)}${again}), detected ${clock.short(detectedMs)}`,
    `${failedText(incident)}${saved}; ${percent(failures, requests)} of ${plural(requests, 'request')}, at most ${grouped(incident.peakPerMinute)} a minute; ${probabilityText(incident.pValue)}${saw}`,
    ...group
  ]
}

function why({ rootCause, rootCauseShare, firstId, example }: Incident, style: Style): string[] {
  if (rootCause === null) return []
  const { kind, variant, confidence, sentence, evidence, advice } = rootCause
  const name = variant === null ? kind : `${kind} (${safeText(variant)})`
  const share =
    rootCauseShare.of === 0 ? '' : `, ${grouped(rootCauseShare.count)} of ${grouped(rootCauseShare.of)} judged failures`
  const failure = example?.id ?? firstId
  const commands = [`why5xx causes ${kind}`, ...(failure === null ? [] : [`why5xx fix ${quoteForShell(failure)}`])]
  return [
    safeText(sentence),
    `${name}, confidence ${confidence.toFixed(2)}${share}`,
    ...evidence.flatMap(({ cite, text }) => [`- ${safeText(text)}`, `    ${style.dim(safeText(cite))}`]),
    ...(advice === null ? [] : [`Do: ${safeText(advice)}`]),
    commands.join(', ')
  ]
}

/** `5 min: 41 failures, 1.2 expected (0.68 % of 6,010 requests, spread 1.8), p = 3e-44`. */
function windowText({ minutes, failures, requests, expected, spread, pValue }: JudgedWindow): string {
  const of = `${percent(failures, requests)} of ${plural(requests, 'request')}`
  return `${minutes} min: ${plural(failures, 'failure')}, ${decimal(expected)} expected (${of}, spread ${spread.toFixed(1)}), ${probabilityText(pValue)}`
}

/** `3e-44`, `0.02`. */
function example({ example: one }: Incident, clock: ClockText): string[] {
  if (one === null) return []
  const status = one.status === null ? '-' : String(one.status).padStart(3, '0')
  const request = [one.method, `${one.host ?? ''}${one.path ?? ''}`].filter(part => part !== null && part !== '')
  const where = one.address === null ? '' : `  at ${one.address}`
  const pod = one.pod === null ? '' : ` (${one.pod})`
  return [safeText(`${clock.short(one.timeMs)}  ${status} ${request.join(' ')}${where}${pod}`), safeText(one.id)]
}

function blamed({ pods, nodes, controllers }: Incident): string[] {
  const listed = (name: string, counts: readonly [string, number][]): string[] =>
    counts.length === 0
      ? []
      : [`${name}: ${counts.map(([what, count]) => `${safeText(what)} (${grouped(count)})`).join(', ')}`]
  return [...listed('pods', pods), ...listed('nodes', nodes), ...listed('seen by controllers', controllers)]
}

function told({ told: marks }: Incident, clock: ClockText): string[] {
  return Object.entries(marks).map(
    ([receiver, { state, atMs, failures }]) =>
      `${safeText(receiver)}: last at ${clock.short(atMs)}, as ${state}, ${plural(failures, 'failure')} by then`
  )
}

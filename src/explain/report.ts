/** What text and Markdown both say, in the order of an SRE's questions; only the dress differs. */

import { causeTable } from '../../parsers/causes.ts'
import type { Engine } from '../engine.ts'
import type { Position } from '../model.ts'
import { grouped, percent, plural, quoteForShell, safeText } from '../text.ts'
import type { ClockText } from './clockText.ts'
import type { Example, Group, Summary } from './summary.ts'

export interface ReportFacts {
  engine: Engine
  summary: Summary
  clock: ClockText
  /** Names of the inputs. */
  inputs: string[]
  filters: string[]
}

/** `2 controllers, 128,402 requests …, 1,204 failed (0.94 %)` as parts. */
export function headline({ engine, clock, filters, summary }: ReportFacts): string[] {
  const { totals, counts } = engine
  const parts: string[] = []
  const controllers = engine.pods.size
  const span = Number.isFinite(engine.fromMs)
    ? ` ${clock.full(engine.fromMs)} - ${clock.short(engine.toMs)} ${clock.zone}`
    : ''
  parts.push(
    `${controllers > 0 ? `${plural(controllers, 'controller')}, ` : ''}${plural(totals.requests, 'request')}${span}`
  )
  parts.push(`${grouped(totals.failures)} failed (${percent(totals.failures, totals.requests)})`)
  if (counts.masked > 0) parts.push(`${grouped(counts.masked)} saved by a retry`)
  if (counts.clientClosed > 0) parts.push(`${grouped(counts.clientClosed)} left by the client`)
  if (counts.rejects > 0) parts.push(`${plural(counts.rejects, 'line')} not understood`)
  if (filters.length > 0) parts.push(`only ${filters.map(safeText).join(', ')}`)
  if (summary.stream.lines > 0)
    parts.push(`${plural(summary.stream.lines, 'TCP/UDP session')}, ${grouped(summary.stream.failed)} failed`)
  return parts
}

/** The first table: what counts as failed. The second: everything else that has a document. */
export function splitGroups(summary: Summary): { failed: Group[]; beside: Group[]; masked: Group[] } {
  const groups = summary.sorted()
  return {
    failed: groups.filter(group => group.failed > 0),
    beside: groups.filter(group => group.documents - group.failed - group.masked > 0),
    masked: groups.filter(group => group.masked > 0).sort((a, b) => b.masked - a.masked)
  }
}

export function where(group: Group): string {
  return group.upstreamName === null || group.upstreamName === '' || group.upstreamName === '-'
    ? '(no upstream)'
    : group.upstreamName
}

/** What an address did to attempts; `#` stands for how many. */
const DEEDS: Record<string, string> = {
  connection_refused: 'refused #',
  connect_timeout: 'did not accept # in time',
  host_unreachable: 'was unreachable for #',
  read_timeout: 'left # without an answer',
  send_timeout: 'did not read the request of #',
  premature_close: 'closed # too early',
  connection_reset: 'reset #',
  header_too_big: 'sent too big a header in #',
  invalid_response: 'sent no valid response in #',
  upstream_tls_handshake: 'failed the TLS handshake in #',
  upstream_tls_verify: 'failed TLS verification in #',
  upstream_error: 'answered # with an error'
}

/** `10.2.3.14:8080 refused 698 attempts, …; 204 more requests were saved by a retry`; '' when there is nothing to say. */
export function addressLine(group: Group): string {
  const addresses = [...group.addresses].sort((a, b) => b[1] - a[1])
  const deed = DEEDS[group.cause] ?? 'failed #'
  const shown = addresses
    .slice(0, 3)
    .map(([address, count]) => `${address} ${deed.replace('#', plural(count, 'attempt'))}`)
  if (addresses.length > 3) shown.push(plural(addresses.length - 3, 'more address', 'more addresses'))
  const parts = [shown.join(', ')]
  if (group.masked > 0 && group.failed > 0)
    parts.push(`${plural(group.masked, 'more request was', 'more requests were')} saved by a retry`)
  return parts.filter(Boolean).join('; ')
}

/** `clients saw 502 (812), 504 (3)`. */
export function statusLine(group: Group): string {
  const statuses = [...group.statuses].filter(([status]) => status >= 400 || status < 100).sort((a, b) => b[1] - a[1])
  return statuses.length === 0
    ? ''
    : `clients saw ${statuses.map(([status, count]) => `${String(status).padStart(3, '0')} (${grouped(count)})`).join(', ')}`
}

/** How sure, and what else it could be; '' when an error line decided nearly all. */
export function doubtLine(group: Group): string {
  const confidence = group.confidenceSum / group.documents
  if (confidence >= 0.89) return ''
  const others = [...group.alternatives].sort((a, b) => b[1] - a[1]).slice(0, 4)
  const or = others.length === 0 ? '' : `; it could also be ${others.map(([cause]) => cause).join(', ')}`
  return `confidence ${confidence.toFixed(2)}: told by the access line alone${or}`
}

export function exampleLine(example: Example): string {
  const status = example.status === null ? '' : String(example.status).padStart(3, '0')
  const request = [example.method, example.path].filter(part => part !== null).join(' ')
  const attempts = example.attempts
    .map(attempt => `${attempt.address ?? '(no peer)'} ${attempt.status ?? '-'}`)
    .join(', ')
  const time = example.requestTimeMs === null ? '' : `${(example.requestTimeMs / 1000).toFixed(3)} s`
  return [status, request || '(no request line)', attempts && ` ${attempts}`, time && ` ${time}`]
    .filter(Boolean)
    .join(' ')
}

export function errorText(error: NonNullable<Example['error']>): string {
  return `${error.level === null ? '' : `[${error.level}] `}${error.message}`
}

export function positionText(position: Position | null, inputs: string[]): string {
  if (position === null) return ''
  return inputs.length > 1 ? `${safeText(position.file)}:${position.line}` : `line ${grouped(position.line)}`
}

export function checkText(group: Group): string {
  return causeTable[group.cause].check[0]!
}

/** What controllers said that explains failures, and how often they reloaded. */
export function controllerLines({ summary, clock }: ReportFacts): string[] {
  const lines: string[] = []
  for (const note of [...summary.notes.values()].sort((a, b) => b.count - a.count).slice(0, 6)) {
    const span =
      note.firstMs === note.lastMs
        ? clock.short(note.firstMs)
        : `${clock.short(note.firstMs)} - ${clock.short(note.lastMs)}`
    lines.push(`${span}  ${note.text}${note.count > 1 ? ` (${grouped(note.count)} times)` : ''}`)
  }
  if (summary.reloads > 0) lines.push(`${plural(summary.reloads, 'reload')} of the configuration`)
  return lines
}

/** Lines nobody could read, uncertain joins, limits that were met: what the figures do not cover. */
export function caveats({ engine, summary, inputs }: ReportFacts): string[] {
  const { counts } = engine
  const lines: string[] = []
  for (const [code, count] of summary.rejectsByCode) {
    const first = summary.firstRejects.find(reject => reject.code === code)
    const at = first ? `, first at ${safeText(first.source)}:${first.line} column ${grouped(first.column)}` : ''
    lines.push(
      `${plural(count, 'line')} not understood (${code})${at}; why5xx check ${inputs.map(name => (name === 'stdin' ? '-' : quoteForShell(name))).join(' ')} shows them`
    )
  }
  if (counts.records.error === 0 && summary.byCause.size > 0)
    lines.push(
      'no nginx error line is in the input: causes rest on access lines alone (nginx writes them to stderr; kubectl logs has both)'
    )
  if (summary.join.ambiguous > 0)
    lines.push(
      `${plural(summary.join.ambiguous, 'request')} with equal ones in flight: which error line is whose is uncertain`
    )
  if (engine.overflow > 0)
    lines.push(`${plural(engine.overflow, 'error line')} given up because too many waited (join.errorsHeldMax)`)
  if (counts.streamRestarts > 0)
    lines.push(
      `time jumped back ${plural(counts.streamRestarts, 'time')}: read as one pod's log after another (kubectl logs --prefix keeps them apart)`
    )
  if (engine.names.overflow > 0)
    lines.push(
      `more upstream names than can be kept apart: ${plural(engine.names.overflow, 'request')} counted together`
    )
  for (const [template, count] of [...summary.unclassified].sort((a, b) => b[1] - a[1]).slice(0, 3))
    lines.push(`unclassified ${grouped(count)}x: ${template}`)
  return lines
}

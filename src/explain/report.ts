/** What text and Markdown both say, in the order of an SRE's questions; only the dress differs. */

import { causeTable } from '../../parsers/causes.ts'
import type { Engine } from '../engine.ts'
import type { Position } from '../model.ts'
import { nearest } from '../nearest.ts'
import { grouped, percent, plural, quoteForShell, safeText } from '../text.ts'
import type { ClockText } from './clockText.ts'
import type { Example, Group, Summary, Tally } from './summary.ts'

/** From here on nothing is said about doubts. */
const SURE = 0.89

export interface ReportFacts {
  engine: Engine
  summary: Summary
  clock: ClockText
  /** Names of the inputs. */
  inputs: string[]
  /** They are no files: nobody can look at them again by name. */
  isLive?: boolean
  /** What --service named. */
  services: string[]
  filters: string[]
  /** Failures behind the newest moment that the files of the cluster tell of, and that moment, Unix ms; null: there are no files. */
  cluster: { later: number; knownToMs: number } | null
  /** What else is not covered, and why. */
  notes?: readonly string[]
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

/** Why there is no request to report on, most likely reason first; nothing when there is one. */
export function emptyAnswer(facts: ReportFacts): string[] {
  const { engine, summary, services, clock } = facts
  const { counts, options } = engine
  if (engine.totals.requests > 0) return []
  const lines: string[] = []
  if (counts.outside > 0) {
    const bounds = [
      Number.isFinite(options.fromMs) ? `from ${clock.full(options.fromMs)}` : '',
      Number.isFinite(options.toMs) ? `before ${clock.full(options.toMs)}` : ''
    ]
    const lie = counts.outside === 1 ? 'lies' : 'lie'
    lines.push(
      `No request is in the window: ${plural(counts.outside, 'request')} ${lie} outside of it (${bounds.filter(Boolean).join(', ')} ${clock.zone}).`
    )
  }
  const others = counts.records.access - counts.outside - counts.subrequests
  if (services.length > 0 && others > 0) {
    const span = `${clock.full(engine.fromMs)} - ${clock.short(engine.toMs)} ${clock.zone}`
    lines.push(
      `No request is of ${services.map(safeText).join(', ')}: ${plural(others, 'request')} (${span}) ${others === 1 ? 'belongs' : 'belong'} to other services.`,
      ...services.slice(0, 3).map(service => serviceHint(service, engine.names.names.slice(1)))
    )
  }
  if (summary.errorsAlone.size > 0)
    lines.push(
      `${lines.length === 0 ? 'No access line was found, but ' : ''}${errorsAloneText(summary)}. nginx writes error lines and access lines apart: name both files.`
    )
  return lines.length === 0 ? ['No access line was found.'] : lines.filter(Boolean)
}

/** The upstream name nearest to what --service said, else some that there are. */
function serviceHint(service: string, names: string[]): string {
  const wanted = service.replace('/', '-')
  const byShape = new Map(names.map(name => [service.includes('/') ? name.replace(/-[^-]*$/, '') : name, name]))
  const near = nearest(wanted, byShape.keys(), Math.max(2, Math.floor(wanted.length / 3)))
  if (near !== null) return `Did you mean ${byShape.get(near)!}?`
  if (names.length === 0) return ''
  const more = names.length > 8 ? `, ${grouped(names.length - 8)} more` : ''
  return `Upstream names in the input: ${names.slice(0, 8).join(', ')}${more}`
}

/** A group in one of the tables, with what that table counts. */
export interface Row {
  group: Group
  tally: Tally
}

/** The first table: what counts as failed. The others: everything else that has a document. */
export function splitGroups(summary: Summary): { failed: Row[]; masked: Row[]; beside: Row[] } {
  const groups = summary.sorted()
  const rows = (key: 'failed' | 'masked' | 'beside'): Row[] =>
    groups
      .filter(group => group[key].count > 0)
      .map(group => ({ group, tally: group[key] }))
      .sort((a, b) => b.tally.count - a.tally.count || a.tally.firstMs - b.tally.firstMs)
  return { failed: rows('failed'), masked: rows('masked'), beside: rows('beside') }
}

/** The cause, with a `?` where it is less likely than not. */
export function causeText({ group, tally }: Row): string {
  return isDoubtful(tally) ? `${group.cause}?` : group.cause
}

function isDoubtful(tally: Tally): boolean {
  return tally.confidenceSum / tally.count < 0.5
}

/** What the `?` in a table means; rows that have no details below say here what else they could be. */
export function doubtNotes(rows: Row[], detailed: Set<Row>): string[] {
  const doubtful = rows.filter(row => isDoubtful(row.tally))
  const notes = new Set<string>()
  for (const row of doubtful) {
    const others = alternativesText(row.tally)
    if (detailed.has(row)) notes.add('? less than even: see the alternatives below')
    else notes.add(`? less than even${others && `: ${row.group.cause} could also be ${others}`}`)
  }
  return [...notes]
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
  if (group.masked.count > 0 && group.failed.count > 0)
    parts.push(`${plural(group.masked.count, 'more request was', 'more requests were')} saved by a retry`)
  return parts.filter(Boolean).join('; ')
}

/** `clients saw 502 (812), 504 (3)`. */
export function statusLine(tally: Tally): string {
  const statuses = [...tally.statuses].filter(([status]) => status >= 400 || status < 100).sort((a, b) => b[1] - a[1])
  return statuses.length === 0
    ? ''
    : `clients saw ${statuses.map(([status, count]) => `${String(status).padStart(3, '0')} (${grouped(count)})`).join(', ')}`
}

/** How sure, and what else it could be; '' when error lines decided nearly all. */
export function doubtLine(tally: Tally): string {
  const { count, accessAlone, ambiguous } = tally
  const others = alternativesText(tally)
  const parts: string[] = []
  const ofAll = (part: number): string => `${grouped(part)} of ${grouped(count)}`
  const aloneConfidence = accessAlone === 0 ? 1 : tally.accessAloneConfidenceSum / accessAlone
  if (aloneConfidence < SURE) {
    const they = accessAlone === 1 ? 'it' : 'they'
    parts.push(
      `${ofAll(accessAlone)} told by the access line alone (confidence ${aloneConfidence.toFixed(2)})${others && `; ${they} could also be ${others}`}`
    )
  }
  if (ambiguous > 0) parts.push(`${ofAll(ambiguous)} joined uncertainly: equal requests were in flight`)
  const confidence = tally.confidenceSum / count
  if (parts.length === 0 && confidence < SURE)
    parts.push(`confidence ${confidence.toFixed(2)}${others && `; it could also be ${others}`}`)
  return parts.join('; ')
}

function alternativesText(tally: Tally): string {
  const others = [...tally.alternatives].sort((a, b) => b[1] - a[1]).slice(0, 4)
  return others.map(([cause]) => cause).join(', ')
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
  if ('offset' in position) return `${safeText(position.topic)}/${position.partition} offset ${position.offset}`
  return inputs.length > 1 ? `${safeText(position.file)}:${position.line}` : `line ${position.line}`
}

export function checkText(group: Group): string {
  return causeTable[group.cause].check[0]!
}

/** `157 error lines found no access line of their request: connection_refused 150, read_timeout 7`. */
function errorsAloneText(summary: Summary): string {
  const causes = [...summary.errorsAlone].sort((a, b) => b[1] - a[1])
  const sum = causes.reduce((total, [, count]) => total + count, 0)
  return `${plural(sum, 'error line')} found no access line of ${sum === 1 ? 'its' : 'their'} request: ${causes.map(([cause, count]) => `${cause} ${grouped(count)}`).join(', ')}`
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
export function caveats({
  engine,
  summary,
  inputs,
  cluster,
  clock,
  isLive = false,
  notes = []
}: ReportFacts): string[] {
  const { counts } = engine
  const lines = notes.map(safeText)
  for (const [code, count] of summary.rejectsByCode) {
    const first = summary.firstRejects.find(reject => reject.code === code)
    const at = first ? `, first at ${safeText(first.source)}:${first.line} column ${first.column}` : ''
    const check = isLive
      ? 'kubectl logs … | why5xx check - shows them'
      : `why5xx check ${inputs.map(name => (name === 'stdin' ? '-' : quoteForShell(name))).join(' ')} shows them`
    lines.push(`${plural(count, 'line')} not understood (${code})${at}; ${check}`)
  }
  // Without any request that was said first.
  if (summary.errorsAlone.size > 0 && engine.totals.requests > 0)
    lines.push(`${errorsAloneText(summary)} (access lines missing, or another file: name both files)`)
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
      `time jumped back ${plural(counts.streamRestarts, 'time')}: read as one log after another, nothing joined across (kubectl logs --prefix keeps pods apart; an access log and an error log are better named as two files)`
    )
  if (engine.names.overflow > 0)
    lines.push(
      `more upstream names than can be kept apart: ${plural(engine.names.overflow, 'request')} counted together`
    )
  if (cluster !== null && !Number.isFinite(cluster.knownToMs))
    lines.push('no object of a cluster is in the files of --cluster: which pods it were is not known')
  else if (cluster !== null && cluster.later > 0)
    lines.push(
      `${plural(cluster.later, 'failure')} came after the newest state of the cluster that the files hold (${clock.full(cluster.knownToMs)} ${clock.zone}): what has happened since is not known`
    )
  for (const [template, count] of [...summary.unclassified].sort((a, b) => b[1] - a[1]).slice(0, 3))
    lines.push(`unclassified ${grouped(count)}x: ${template}`)
  return lines
}

import { causeTable } from '../../parsers/causes.ts'
import { ClockText } from '../explain/clockText.ts'
import { escapeMarkdown } from '../explain/markdownReport.ts'
import { grouped, percent, safeText } from '../text.ts'
import { chronicle } from './chronicle.ts'
import { INCIDENT_COLUMNS, incidentCells, incidentReasons } from './incidentStory.ts'
import type { Timeline } from './model.ts'
import { keyFacts, summary } from './opening.ts'
import * as say from './story.ts'

const DETAILS_MAX = 8
const ROWS_MAX = 20

/** For a postmortem. Log text is escaped: no links, mentions, HTML or headings of its own. */
export function timelineMarkdown(timeline: Timeline, zone: string): string {
  const teller: say.Teller = { timeline, clock: clockOf(timeline, zone), dress: { text: escaped, code } }
  const out = [`# ${say.title(teller)}`, '', summary(teller).join(' '), '']
  const rows = keyFacts(teller).map(cells => row(...cells))
  out.push('| | |', '|---|---|', ...rows, '')
  // A service without requests is an incident as well.
  out.push(...(timeline.instead === null ? body(teller) : incidents(teller)))
  const caveats = say.caveats(teller)
  if (caveats.length > 0) out.push('## Not covered', '', ...caveats.map(line => `- ${line}`), '')
  out.push('## Words', '', ...say.DEFINITIONS.map(line => `- ${line}`))
  return `${out.join('\n').trimEnd()}\n`
}

function body(teller: say.Teller): string[] {
  const { timeline, dress } = teller
  const { causes, routes, clients, upstreams } = timeline
  const out: string[] = []
  const { entries, leftOut } = chronicle(teller)
  if (entries.length > 0) {
    out.push('## Timeline', '', ...entries.map(({ clock, text }) => `- ${clock}  ${text}`))
    out.push(...leftOut.map(line => `- ${line}`), '')
  }
  out.push(...incidents(teller))
  if (causes.shown.length > 0) {
    out.push(
      '## Causes',
      '',
      '| Cause | Upstream | Failed | Saved | Other | First | Last | Blame |',
      '|---|---|---:|---:|---:|---|---|---|'
    )
    for (const cause of causes.shown) {
      const counts = [cause.failed, cause.masked, cause.other].map(grouped)
      const times = [say.at(teller, cause.first), say.at(teller, cause.last)]
      out.push(
        row(cause.cause, say.upstreamText(teller, cause.upstream), ...counts, ...times, causeTable[cause.cause].blame)
      )
    }
    out.push('')
    for (const cause of say.toldCauses(teller).slice(0, DETAILS_MAX)) {
      out.push(`### ${cause.cause}, ${say.upstreamText(teller, cause.upstream)}`, '', `${say.titleOf(cause)}`, '')
      out.push(...say.causeFacts(teller, cause).map(fact => `- ${fact}`), '')
      for (const { text, advice, evidence } of say.whyOf(teller, cause)) {
        out.push(`**Why:** ${text}. ${advice[0]!.toUpperCase()}${advice.slice(1)}.`, '')
        if (evidence.length > 0) out.push(...evidence.map(cite => `    ${safeText(cite)}`), '')
      }
      const lines = say.evidenceOf(cause).map(({ ref, text }) => `    ${safeText(text)}  ${safeText(ref)}`)
      // Behind a list an indented line would go on with its last item, and be no code.
      if (lines.length > 0) out.push('Evidence:', '', ...lines, '')
      out.push(`Check: ${dress.text(causeTable[cause.cause].check[0]!)} (\`why5xx causes ${cause.cause}\`)`, '')
    }
  }
  if (upstreams.shown.length > 1) {
    out.push('## Upstreams', '', '| Upstream | Requests | Failed | Share |', '|---|---:|---:|---:|')
    for (const { name, requests, failed } of upstreams.shown)
      out.push(row(dress.text(name), grouped(requests), grouped(failed), percent(failed, requests)))
    out.push(...more(upstreams.more), '')
  }
  if (routes.shown.length > 0) {
    out.push('## Routes', '', '| Route | Failed | Saved | Other |', '|---|---:|---:|---:|')
    for (const { route, failed, masked, other } of routes.shown.slice(0, ROWS_MAX))
      out.push(row(dress.text(route), grouped(failed), grouped(masked), grouped(other)))
    out.push(...more(routes.more), '')
  }
  if (clients.shown.length > 0) {
    const count = clients.distinct === null ? '' : ` (${grouped(clients.distinct)})`
    out.push(`## Clients${count}`, '', '| Client | Failed | Saved | Other |', '|---|---:|---:|---:|')
    for (const { client, failed, masked, other } of clients.shown)
      out.push(row(dress.text(client), grouped(failed), grouped(masked), grouped(other)))
    out.push(...more(clients.more), '')
  }
  return out
}

function incidents(teller: say.Teller): string[] {
  const { shown, more: rest } = teller.timeline.incidents
  if (shown.length === 0) return []
  const columns = INCIDENT_COLUMNS.map(name => name.replace(/^[#@]/, ''))
  const rules = INCIDENT_COLUMNS.map(name => (name.startsWith('#') ? '---:' : '---'))
  const rows = shown.map(incident => row(...incidentCells(teller, incident)))
  const reasons = incidentReasons(teller).map(({ id, text }) => `- ${id}: ${text}`)
  const list = reasons.length === 0 ? [] : [...reasons, '']
  return ['## Incidents', '', row(...columns), `|${rules.join('|')}|`, ...rows, ...more(rest), '', ...list]
}

function row(...cells: string[]): string {
  return `| ${cells.join(' | ')} |`
}

function more(count: number): string[] {
  return count > 0 ? ['', `and ${grouped(count)} more`] : []
}

function escaped(text: string): string {
  return escapeMarkdown(safeText(text))
}

/** Backticks cannot be escaped in code, and a pipe ends a cell also there. */
function code(text: string): string {
  return /[`|]/.test(text) ? escaped(text) : `\`${safeText(text)}\``
}

/** Times of the window, else of the data. */
export function clockOf({ window }: Timeline, zone: string): ClockText {
  return new ClockText(zone, Date.parse(window?.from ?? ''), Date.parse(window?.to ?? ''))
}

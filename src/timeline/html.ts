/** One page that needs nothing else: no script, no address, pictures inside. */

import { causeTable } from '../../parsers/causes.ts'
import { grouped, percent, safeText } from '../text.ts'
import { drawCauses, drawnCauses, drawRequests, letterOf } from './charts.ts'
import { chronicle } from './chronicle.ts'
import type { Canvas } from './drawing.ts'
import { drawEpisodes } from './episodesChart.ts'
import { INCIDENT_COLUMNS, incidentCells, incidentReasons } from './incidentStory.ts'
import { clockOf } from './markdown.ts'
import type { CauseEntry, Timeline } from './model.ts'
import { keyFacts, summary } from './opening.ts'
import { PAGE_STYLE } from './pageStyle.ts'
import * as say from './story.ts'

const DETAILS_MAX = 12
const WIDE = 880
const NARROW = 360
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

/** Throws a RangeError for a `zone` that is no IANA name. */
export function timelinePage(timeline: Timeline, zone: string): string {
  const teller: say.Teller = {
    timeline,
    clock: clockOf(timeline, zone),
    dress: { text: escapeHtml, code: text => `<code>${escapeHtml(text)}</code>` }
  }
  const title = say.title(teller)
  const out = [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="referrer" content="no-referrer">',
    `<title>${title}, ${say.windowText(teller)}</title>`,
    `<style>${PAGE_STYLE}</style>`,
    '</head>',
    '<body>',
    '<main>',
    `<header><h1>${title}</h1><p class="window">${say.windowText(teller)}</p></header>`,
    `<p class="lede">${summary(teller).join(' ')}</p>`,
    '<dl class="facts">',
    ...keyFacts(teller).map(([name, text]) => `<dt>${name}</dt><dd>${text}</dd>`),
    '</dl>',
    ...(timeline.instead === null ? [...pictures(teller), ...body(teller)] : incidents(teller)),
    ...list('Not covered', say.caveats(teller)),
    `<footer><ul>${say.DEFINITIONS.map(line => `<li>${line}</li>`).join('')}</ul></footer>`,
    '</main>',
    '</body>',
    '</html>'
  ]
  return `${out.join('\n')}\n`
}

/** Everything a browser would read as more than text; what turns the writing is shown as it is spelt. */
function escapeHtml(text: string): string {
  return safeText(text).replace(/[&<>"'`]/g, char => `&#${char.charCodeAt(0)};`)
}

function pictures(teller: say.Teller): string[] {
  const { timeline, clock } = teller
  if (timeline.window === null) return []
  const fromMs = Date.parse(timeline.window.from)
  const toMs = Date.parse(timeline.window.to)
  const both = (draw: typeof drawCauses, name: string, about: string): string =>
    (
      [
        ['wide', WIDE],
        ['narrow', NARROW]
      ] as const
    )
      .map(([size, width]) => {
        const canvas: Canvas = { name: `${name}-${size}`, width, clock, fromMs, toMs }
        return `<div class="${size}">${draw(timeline, canvas, about)}</div>`
      })
      .join('\n')
  const out: string[] = []
  const about = summary(teller).join(' ')
  if (timeline.requests > 0) out.push(`<figure>${both(drawRequests, 'requests', about)}</figure>`)
  if (timeline.course.basis === null) return out
  out.push(`<figure>${both(drawCauses, 'causes', about)}${legend(timeline)}</figure>`)
  const episodes = 'The table of causes below gives the same times.'
  out.push(`<figure>${both(drawEpisodes, 'episodes', episodes)}</figure>`)
  return out
}

function legend(timeline: Timeline): string {
  const items = drawnCauses(timeline).map(({ cause, counts }, index) => {
    const sum = counts.reduce((total, count) => total + count, 0)
    const key = `<span class="key" style="background:var(--cause-${index + 1})">${letterOf(index)}</span>`
    return `<li>${key}${cause ?? 'other causes'} ${grouped(sum)}</li>`
  })
  const { shown, more: rest } = timeline.incidents
  if (shown.length > 0)
    items.push(
      `<li><span class="key" style="background:var(--failed)">&#8211;</span>incidents ${grouped(shown.length + rest)}</li>`
    )
  return `<ul class="legend">${items.join('')}</ul>`
}

function body(teller: say.Teller): string[] {
  const { timeline } = teller
  const { causes, routes, clients, upstreams } = timeline
  const out: string[] = []
  const { entries, leftOut } = chronicle(teller)
  if (entries.length > 0) {
    const items = entries.map(
      ({ time, clock, kind, text }) =>
        `<li class="${kind}"><time datetime="${time}">${clock}</time><span>${text}</span></li>`
    )
    out.push('<h2>Timeline</h2>', '<ol class="chronicle">', ...items, '</ol>', more(leftOut.join(', ')))
  }
  out.push(...incidents(teller))
  if (causes.shown.length > 0) {
    const rows = causes.shown.map(cause => [
      cause.cause,
      say.upstreamText(teller, cause.upstream),
      ...[cause.failed, cause.masked, cause.other].map(grouped),
      say.at(teller, cause.first),
      say.at(teller, cause.last),
      causeTable[cause.cause].blame
    ])
    out.push('<h2>Causes</h2>')
    out.push(table('', ['Cause', 'Upstream', '#Failed', '#Saved', '#Other', '@First', '@Last', 'Blame'], rows))
    for (const cause of say.toldCauses(teller).slice(0, DETAILS_MAX)) out.push(...details(teller, cause))
  }
  if (upstreams.shown.length > 1) {
    const rows = upstreams.shown.map(({ name, requests, failed }) => [
      escapeHtml(name),
      grouped(requests),
      grouped(failed),
      percent(failed, requests)
    ])
    out.push(
      '<h2>Upstreams</h2>',
      table('', ['Upstream', '#Requests', '#Failed', '#Share'], rows),
      andMore(upstreams.more)
    )
  }
  if (routes.shown.length > 0) {
    const rows = routes.shown.map(({ route, failed, masked, other }) => [
      escapeHtml(route),
      ...[failed, masked, other].map(grouped)
    ])
    out.push('<h2>Routes</h2>', table('', ['Route', '#Failed', '#Saved', '#Other'], rows), andMore(routes.more))
  }
  if (clients.shown.length > 0) {
    const rows = clients.shown.map(({ client, failed, masked, other }) => [
      escapeHtml(client),
      ...[failed, masked, other].map(grouped)
    ])
    const count = clients.distinct === null ? '' : ` (${grouped(clients.distinct)})`
    out.push(
      `<h2>Clients${count}</h2>`,
      table('', ['Client', '#Failed', '#Saved', '#Other'], rows),
      andMore(clients.more)
    )
  }
  return out.filter(line => line !== '')
}

function incidents(teller: say.Teller): string[] {
  const { shown, more: rest } = teller.timeline.incidents
  if (shown.length === 0) return []
  const rows = shown.map(incident => incidentCells(teller, incident))
  const reasons = incidentReasons(teller).map(({ id, text }) => `${id}: ${text}`)
  return ['<h2>Incidents</h2>', table('', INCIDENT_COLUMNS, rows), andMore(rest), plainList(reasons)]
}

function details(teller: say.Teller, cause: CauseEntry): string[] {
  const { check } = causeTable[cause.cause]
  const facts = say.causeFacts(teller, cause).map(fact => `<li>${fact}</li>`)
  const lines = say
    .evidenceOf(cause)
    .map(({ ref, text }) => `${escapeHtml(text)}  <span class="ref">${escapeHtml(ref)}</span>`)
  const why = say
    .whyOf(teller, cause)
    .flatMap(({ text, advice, evidence }) => [
      `<p><strong>Why:</strong> ${text}. ${advice[0]!.toUpperCase()}${advice.slice(1)}.</p>`,
      evidence.length === 0 ? '' : `<pre>${evidence.map(escapeHtml).join('\n')}</pre>`
    ])
  return [
    `<h3>${cause.cause}, ${say.upstreamText(teller, cause.upstream)}</h3>`,
    `<p>${escapeHtml(say.titleOf(cause))}</p>`,
    `<ul class="plain">${facts.join('')}</ul>`,
    ...why,
    lines.length === 0 ? '' : `<pre>${lines.join('\n')}</pre>`,
    `<p>Check: ${escapeHtml(check[0]!)} (<code>why5xx causes ${cause.cause}</code>)</p>`
  ]
}

/** Names of columns begin with `#` where numbers are, with `@` where times are. */
function table(caption: string, columns: string[], rows: string[][]): string {
  const kinds = columns.map(name => (name[0] === '#' ? 'number' : name[0] === '@' ? 'time' : 'name'))
  const head = columns.map((name, i) => `<th scope="col" class="${kinds[i]}">${name.replace(/^[#@]/, '')}</th>`)
  const lines = rows.map(cells => `<tr>${cells.map((cell, i) => `<td class="${kinds[i]}">${cell}</td>`).join('')}</tr>`)
  const title = caption === '' ? '' : `<caption>${caption}</caption>`
  return `<div class="scroll"><table>${title}<thead><tr>${head.join('')}</tr></thead><tbody>\n${lines.join('\n')}\n</tbody></table></div>`
}

function list(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : [`<h2>${title}</h2>`, plainList(lines)]
}

function plainList(lines: string[]): string {
  return lines.length === 0 ? '' : `<ul class="plain">${lines.map(line => `<li>${line}</li>`).join('')}</ul>`
}

function andMore(count: number): string {
  return more(count > 0 ? `and ${grouped(count)} more` : '')
}

function more(text: string): string {
  return text === '' ? '' : `<p class="more">${text}</p>`
}

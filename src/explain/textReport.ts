import { causeTable } from '../../parsers/causes.ts'
import type { Style } from '../terminal.ts'
import { clip, grouped, percent, sparkline } from '../text.ts'
import * as say from './report.ts'
import type { Group } from './summary.ts'

const ROWS_MAX = 12
const DETAILS_MAX = 8
const SPARK_WIDTH = 12

/** The answer for a terminal or a pipe: what failed, by cause, where, since when, one real example of each, what to check. */
export function textReport(facts: say.ReportFacts, style: Style): string {
  const { engine, summary } = facts
  const out: string[] = []
  const [requests, failed, ...rest] = say.headline(facts)
  const paintFailed = engine.totals.failures > 0 ? style.red : style.green
  out.push([style.bold(requests!), paintFailed(failed!), ...rest].join('   '), '')
  const { failed: failing, beside, masked } = say.splitGroups(summary)
  if (engine.totals.failures === 0)
    out.push(engine.totals.requests === 0 ? 'No access line was found.' : 'No request failed.', '')
  if (failing.length > 0)
    out.push(...table(facts, style, failing, 'FAILED', group => group.failed, engine.totals.failures), '')
  for (const group of failing.slice(0, DETAILS_MAX)) out.push(...details(facts, style, group), '')
  if (failing.length > DETAILS_MAX)
    out.push(
      style.dim(`${grouped(failing.length - DETAILS_MAX)} more: --cause and --service show one, --format json all`),
      ''
    )
  if (masked.length > 0) {
    out.push(style.bold('Saved by a retry') + style.dim(' (clients saw nothing; the earliest sign of a dying pod)'))
    out.push(...table(facts, style, masked, 'SAVED', group => group.masked, engine.counts.masked), '')
    for (const group of masked.filter(candidate => candidate.failed === 0).slice(0, 2))
      out.push(...details(facts, style, group), '')
  }
  if (beside.length > 0) {
    out.push(
      style.bold('Beside that') +
        style.dim(
          ' (not counted as failed: clients that left, refusals of nginx, unknown hosts, answers that broke off)'
        )
    )
    out.push(...table(facts, style, beside, 'COUNT', group => group.documents - group.failed - group.masked, 0), '')
  }
  const controller = say.controllerLines(facts)
  if (controller.length > 0)
    out.push(style.bold('The controller said'), ...controller.map(line => `  ${clip(line, style.width - 2)}`), '')
  const caveats = say.caveats(facts)
  if (caveats.length > 0)
    out.push(style.bold('Not covered'), ...caveats.map(line => `  ${clip(line, style.width * 2)}`), '')
  return `${out.join('\n').trimEnd()}\n`
}

/** `whole` 0: no share. */
function table(
  facts: say.ReportFacts,
  style: Style,
  groups: Group[],
  title: string,
  count: (group: Group) => number,
  whole: number
): string[] {
  const { engine, clock } = facts
  const shown = groups.slice(0, ROWS_MAX)
  const rows = shown.map(group => [
    group.cause,
    grouped(count(group)),
    whole === 0 ? '' : percent(count(group), whole),
    say.where(group),
    clock.short(group.firstMs),
    clock.short(group.lastMs),
    causeTable[group.cause].blame
  ])
  const header = ['CAUSE', title, whole === 0 ? '' : 'SHARE', 'WHERE', 'FIRST', 'LAST', 'BLAME']
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map(row => row[i]!.length)))
  const sparks = style.width >= 100 ? SPARK_WIDTH : 0
  // The upstream's name is what gives way.
  const others = widths.reduce((sum, width, i) => sum + (i === 3 ? 0 : width), 0)
  widths[3] = Math.max(12, Math.min(widths[3]!, style.width - others - 2 * widths.length - sparks))
  const line = (cells: string[]): string =>
    cells
      .map((cell, i) => (i === 1 || i === 2 ? cell.padStart(widths[i]!) : clip(cell, widths[i]!).padEnd(widths[i]!)))
      .filter((_, i) => widths[i]! > 0)
      .join('  ')
  const lines = [style.dim(line(header).trimEnd())]
  for (const [i, group] of shown.entries()) {
    const spark = sparks > 0 ? `  ${sparkline(group.histogram.spread(engine.fromMs, engine.toMs, SPARK_WIDTH))}` : ''
    lines.push(`${line(rows[i]!)}${spark}`.trimEnd())
  }
  if (groups.length > shown.length) lines.push(style.dim(`and ${grouped(groups.length - shown.length)} more`))
  return lines
}

function details(facts: say.ReportFacts, style: Style, group: Group): string[] {
  const { width } = style
  const lines = [`${style.bold(`${group.cause}, ${say.where(group)}`)}: ${causeTable[group.cause].title}`]
  const about = [say.addressLine(group), say.statusLine(group)].filter(Boolean).join('; ')
  if (about) lines.push(...wrap(about, width, '  '))
  const doubt = say.doubtLine(group)
  if (doubt) lines.push(...wrap(doubt, width, '  ').map(style.yellow))
  const { example } = group
  if (example) {
    const place = say.positionText(example.access, facts.inputs)
    lines.push(...besides(say.exampleLine(example), place, width, '  ', style))
    if (example.error)
      lines.push(
        ...besides(
          say.errorText(example.error),
          say.positionText(example.error.position, facts.inputs),
          width,
          '      ',
          style
        )
      )
  }
  lines.push(...wrap(`Check: ${say.checkText(group)}  (why5xx causes ${group.cause})`, width, '  '))
  return lines
}

/** Text with its position at the right edge, or behind it where there is no room. */
function besides(text: string, place: string, width: number, indent: string, style: Style): string[] {
  const room = width - indent.length - place.length - 2
  return [`${indent}${clip(text, room).padEnd(room)}  ${style.dim(place)}`.trimEnd()]
}

function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = []
  let line = indent
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > width && line.trim() !== '') {
      lines.push(line)
      line = `${indent}  `
    }
    line += line.endsWith(' ') || line === '' ? word : ` ${word}`
  }
  return [...lines, line]
}

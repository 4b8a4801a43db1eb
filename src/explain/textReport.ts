import { causeTable } from '../../parsers/causes.ts'
import type { Style } from '../terminal.ts'
import { clip, grouped, percent, sideBySide, sparkline, wrapped } from '../text.ts'
import * as say from './report.ts'
import { whyTexts } from './whyText.ts'

const ROWS_MAX = 12
const DETAILS_MAX = 8
const SPARK_WIDTH = 12
const WHERE_MIN = 20

/** The answer for a terminal or a pipe: what failed, by cause, where, since when, one real example of each, what to check. */
export function textReport(facts: say.ReportFacts, style: Style): string {
  const { engine, summary } = facts
  const { width } = style
  const paintFailed = engine.totals.failures > 0 ? style.red : style.green
  const paints = [style.bold, paintFailed]
  const out = [...sideBySide(say.headline(facts), width, (part, i) => paints[i]?.(part) ?? part), '']
  const { failed, beside, masked } = say.splitGroups(summary)
  const empty = say.emptyAnswer(facts)
  if (empty.length > 0) out.push(...empty.flatMap(line => wrapped(line, width, '').map(style.yellow)), '')
  else if (engine.totals.failures === 0) out.push('No request failed.', '')
  const detailed = failed.slice(0, DETAILS_MAX)
  // A cause that has its details above is not told again.
  const detailedMasked = masked.filter(row => row.group.failed.count === 0).slice(0, 2)
  const withDetails = new Set([...detailed, ...detailedMasked])
  if (failed.length > 0) out.push(...table(facts, style, failed, 'FAILED', engine.totals.failures, withDetails), '')
  for (const row of detailed) out.push(...details(facts, style, row), '')
  if (failed.length > DETAILS_MAX) {
    const more = `${grouped(failed.length - DETAILS_MAX)} more: --cause and --service show one, --format ndjson all`
    out.push(...wrapped(more, width, '').map(style.dim), '')
  }
  if (masked.length > 0) {
    out.push(...heading('Saved by a retry', 'clients saw nothing; the earliest sign of a dying pod', style))
    out.push(...table(facts, style, masked, 'SAVED', engine.counts.masked, withDetails), '')
    for (const row of detailedMasked) out.push(...details(facts, style, row), '')
  }
  if (beside.length > 0) {
    const what = 'not counted as failed: clients that left, refusals of nginx, unknown hosts, answers that broke off'
    out.push(...heading('Beside that', what, style))
    out.push(...table(facts, style, beside, 'COUNT', 0, withDetails), '')
  }
  const controller = say.controllerLines(facts)
  if (controller.length > 0)
    out.push(style.bold('The controller said'), ...controller.map(line => `  ${clip(line, width - 2)}`), '')
  const caveats = say.caveats(facts)
  if (caveats.length > 0)
    out.push(style.bold('Not covered'), ...caveats.flatMap(line => wrapped(clip(line, width * 3), width, '  ')), '')
  return `${out.join('\n').trimEnd()}\n`
}

/** What a heading says in parentheses goes below it where there is no room. */
function heading(title: string, about: string, style: Style): string[] {
  const beside = ` (${about})`
  if (title.length + beside.length <= style.width) return [style.bold(title) + style.dim(beside)]
  return [style.bold(title), ...wrapped(beside.trim(), style.width, '').map(style.dim)]
}

interface Column {
  name: string
  cells: string[]
  isNumber: boolean
  width: number
}

/** `whole` 0: no share. */
function table(
  facts: say.ReportFacts,
  style: Style,
  rows: say.Row[],
  title: string,
  whole: number,
  withDetails: Set<say.Row>
): string[] {
  const { engine, clock } = facts
  const shown = rows.slice(0, ROWS_MAX)
  const column = (name: string, cell: (row: say.Row) => string, isNumber = false): Column => {
    const cells = shown.map(cell)
    return { name, cells, isNumber, width: Math.max(name.length, ...cells.map(text => text.length)) }
  }
  const cause = column('CAUSE', say.causeText)
  const count = column(title, row => grouped(row.tally.count), true)
  const share = column('SHARE', row => percent(row.tally.count, whole), true)
  const where = column('WHERE', row => say.where(row.group))
  const first = column('FIRST', row => clock.short(row.tally.firstMs))
  const last = column('LAST', row => clock.short(row.tally.lastMs))
  const blame = column('BLAME', row => causeTable[row.group.cause].blame)
  let columns = [cause, count, ...(whole === 0 ? [] : [share]), where, first, last, blame]
  let sparks = style.width >= 100 ? SPARK_WIDTH + 2 : 0
  // What gives way, in this order: the upstream's name down to what tells it, the sparkline, whole columns, the cause.
  const room = (without: Column): number =>
    style.width - sparks - columns.reduce((sum, other) => sum + (other === without ? 0 : other.width + 2), 0)
  const whereMin = Math.min(WHERE_MIN, where.width)
  if (room(where) < whereMin) sparks = 0
  for (const least of [blame, share, last, first])
    if (room(where) < whereMin) columns = columns.filter(other => other !== least)
  where.width = Math.max(where.name.length, Math.min(where.width, room(where)))
  cause.width = Math.min(cause.width, room(cause))
  const line = (cellOf: (column: Column) => string): string =>
    columns
      .map(other => {
        const cell = clip(cellOf(other), other.width)
        return other.isNumber ? cell.padStart(other.width) : cell.padEnd(other.width)
      })
      .join('  ')
  const lines = [style.dim(line(other => other.name).trimEnd())]
  for (const [i, { tally }] of shown.entries()) {
    const spark = sparks > 0 ? `  ${sparkline(tally.histogram.spread(engine.fromMs, engine.toMs, SPARK_WIDTH))}` : ''
    lines.push(`${line(other => other.cells[i]!)}${spark}`.trimEnd())
  }
  if (rows.length > shown.length) lines.push(style.dim(`and ${grouped(rows.length - shown.length)} more`))
  for (const note of say.doubtNotes(shown, withDetails)) lines.push(...wrapped(note, style.width, '').map(style.dim))
  return lines
}

function details(facts: say.ReportFacts, style: Style, { group, tally }: say.Row): string[] {
  const { width } = style
  const name = `${group.cause}, ${say.where(group)}`
  const { title } = causeTable[group.cause]
  const lines =
    name.length + title.length + 2 <= width
      ? [`${style.bold(name)}: ${title}`]
      : [...wrapped(`${name}:`, width, '').map(style.bold), ...wrapped(title, width, '  ')]
  const about = [say.addressLine(group), say.statusLine(tally)].filter(Boolean).join('; ')
  if (about) lines.push(...wrapped(about, width, '  '))
  const doubt = say.doubtLine(tally)
  if (doubt) lines.push(...wrapped(doubt, width, '  ').map(style.yellow))
  const { example } = group
  if (example) {
    const place = say.positionText(example.access, facts.inputs)
    lines.push(...besides(say.exampleLine(example), place, width, '  ', style))
    if (example.error) {
      const errorPlace = say.positionText(example.error.position, facts.inputs)
      lines.push(...besides(say.errorText(example.error), errorPlace, width, '      ', style))
    }
  }
  const { shown, rest } = whyTexts(group.cause, group.why, facts.clock)
  for (const { sentence, evidence, advice } of shown) {
    lines.push(...wrapped(`Why: ${sentence}`, width, '  ').map(style.bold))
    for (const cite of evidence) lines.push(style.dim(`       ${clip(cite, width - 7)}`))
    lines.push(...wrapped(`Do: ${advice}`, width, '     '))
  }
  if (rest) lines.push(...wrapped(rest, width, '  ').map(style.dim))
  lines.push(...wrapped(`Check: ${say.checkText(group)}  (why5xx causes ${group.cause})`, width, '  '))
  return lines
}

/** Text with its position at the right edge, or below it where there is no room. */
function besides(text: string, place: string, width: number, indent: string, style: Style): string[] {
  const room = width - indent.length - place.length - 2
  if (text.length <= room || room >= width / 2)
    return [`${indent}${clip(text, room).padEnd(room)}  ${style.dim(place)}`.trimEnd()]
  return [`${indent}${clip(text, width - indent.length)}`, `${indent}  ${style.dim(place)}`]
}

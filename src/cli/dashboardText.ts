/** A panel's rows as text: one line of numbers, a table, or of a chart a line a bucket with what it is split by side by side. */

import type { Panel } from '../dashboards/dashboard.ts'
import { ClockText } from '../explain/clockText.ts'
import type { TableRow } from '../store/table.ts'
import type { Style } from '../terminal.ts'
import { grouped, safeText, sideBySide, wrapped } from '../text.ts'
import { fitted, type TableColumn } from './fittedTable.ts'

/** Lines that somebody reads; --format json has all. */
const ROWS_MAX = 20
/** Of what a chart is split by. */
const PARTS_MAX = 5
const LEAST_WIDTH = 16
const BUCKETS_MAX = 12
const STEPS_MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 10_080]

/** So wide that a window has at most twelve; longer ones than a week's have more. */
export function chartStepMs(windowMs: number): number {
  const minutes = STEPS_MINUTES.find(step => windowMs / (step * 60_000) <= BUCKETS_MAX)
  return (minutes ?? STEPS_MINUTES.at(-1)!) * 60_000
}

/** With its title; ends with a line feed. Values are other people's text. */
export function panelText(panel: Panel, rows: readonly TableRow[], zone: string, style: Style): string {
  const head = [
    style.bold(panel.title),
    ...wrapped(panel.description, style.width, '').map(line => style.dim(line))
  ].join('\n')
  if (rows.length === 0) return `${head}\n${style.dim('nothing')}\n`
  const clock = new ClockText(zone, 0, 0)
  const { shape } = panel
  if (shape.type === 'metric') return `${head}\n${metricText(shape.value, rows[0]!, clock, style)}\n`
  const isSplit = shape.type !== 'table' && shape.breakdown !== undefined && shape.y.length === 1
  const table = isSplit ? split(rows, shape.x, shape.y[0]!, shape.breakdown!) : wholeTable(rows)
  const text = tableText({ ...table, rows: table.rows.slice(0, ROWS_MAX) }, clock, style)
  const notes: string[] = []
  if (table.rows.length > ROWS_MAX) notes.push(`${grouped(ROWS_MAX)} of ${grouped(table.rows.length)} rows`)
  if (table.more > 0) notes.push(`without ${grouped(table.more)} more`)
  const note = notes.length === 0 ? '' : `${style.dim(`${notes.join('; ')}; --format json has all`)}\n`
  return `${head}\n${text}${note}`
}

type Value = TableRow[string]

/** Values of other people's may be headings: they are no keys of objects. */
interface Table {
  headings: string[]
  rows: Value[][]
  /** Columns that are left out. */
  more: number
}

function wholeTable(rows: readonly TableRow[]): Table {
  const names = Object.keys(rows[0]!)
  return { headings: names.map(heading), rows: rows.map(row => names.map(name => row[name] ?? null)), more: 0 }
}

/** The number itself first. */
function metricText(value: string, row: TableRow, clock: ClockText, style: Style): string {
  const names = [value, ...Object.keys(row).filter(name => name !== value)]
  const parts = names.map(name => partText(name, row[name] ?? null, clock))
  return sideBySide(parts, style.width, (part, i) => (i === 0 ? style.bold(part) : part)).join('\n')
}

function partText(name: string, value: Value, clock: ClockText): string {
  return `${safeText(name)} ${safeText(cellText(value, clock))}`
}

/** A line for each `x`, a column for each of the largest parts. */
function split(rows: readonly TableRow[], x: string, y: string, breakdown: string): Table {
  const sums = new Map<string, number>()
  const lines = new Map<Value, Map<string, Value>>()
  for (const row of rows) {
    const part = String(row[breakdown] ?? 'none')
    sums.set(part, (sums.get(part) ?? 0) + Number(row[y] ?? 0))
    const line = lines.get(row[x] ?? null) ?? new Map<string, Value>()
    lines.set(row[x] ?? null, line.set(part, row[y] ?? null))
  }
  const parts = [...sums].sort(([, a], [, b]) => b - a).map(([part]) => part)
  const shown = parts.slice(0, PARTS_MAX)
  return {
    headings: [heading(x), ...shown],
    rows: [...lines].map(([at, line]) => [at, ...shown.map(part => line.get(part) ?? null)]),
    more: parts.length - shown.length
  }
}

/** Texts become narrower, the widest first; where that is not enough, a row takes several lines. */
function tableText(table: Table, clock: ClockText, style: Style): string {
  const { headings, rows } = table
  const columns = headings.map((name, i): TableColumn<Value[]> & { widest: number } => {
    const cell = (row: Value[]): string => cellText(row[i] ?? null, clock)
    const isText = rows.some(row => typeof row[i] === 'string' || typeof row[i] === 'boolean')
    const isDate = rows.some(row => isDateText(row[i] ?? null))
    const widest = Math.max(...rows.map(row => cell(row).length))
    return { name: safeText(name), cell, least: isDate ? widest : LEAST_WIDTH, isRight: !isText, widest }
  })
  const narrow = [...columns].sort((a, b) => b.widest - a.widest).filter(({ isRight }) => !isRight)
  const givingWay = { narrow: narrow.map(({ name }) => name), drop: columns.map(({ name }) => name) }
  const { text, gone } = fitted(rows, columns, givingWay, style)
  return gone.length === 0 ? text : recordsText(table, clock, style)
}

function recordsText({ headings, rows }: Table, clock: ClockText, style: Style): string {
  const records = rows.map(row => {
    const parts = headings.map((name, i) => partText(name, row[i] ?? null, clock))
    const [first, ...others] = sideBySide(parts, style.width - 2, (part, i) => (i === 0 ? style.bold(part) : part))
    return [first, ...others.map(line => `  ${line}`)].join('\n')
  })
  return `${records.join('\n')}\n`
}

/** Of a column of ours; what a chart is split by stays as it is. */
function heading(name: string): string {
  return name.replaceAll('_', ' ').toUpperCase()
}

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

function isDateText(value: Value): boolean {
  return typeof value === 'string' && DATE.test(value)
}

function cellText(value: Value, clock: ClockText): string {
  if (value === null) return '-'
  if (typeof value === 'number') return numberText(value)
  if (!isDateText(value)) return String(value)
  const ms = Date.parse(String(value))
  return ms % 60_000 === 0 ? clock.fullMinute(ms) : clock.full(ms)
}

/** Counts whole, everything else with three digits that say something. */
function numberText(value: number): string {
  if (Number.isInteger(value)) return `${value < 0 ? '-' : ''}${grouped(Math.abs(value))}`
  if (Math.abs(value) >= 100) return numberText(Math.round(value))
  return String(Number(value.toPrecision(3)))
}

import { ClockText } from '../explain/clockText.ts'
import type { FailureRow } from '../store/store.ts'
import type { Style } from '../terminal.ts'
import { clip, safeText } from '../text.ts'

interface Column {
  name: string
  cell: (row: FailureRow) => string
  /** Never narrower than this; columns without give way as a whole. */
  least?: number
}

/** One line a failure, as wide as the terminal: the request gives way first, then names, then whole columns. */
export function failuresTable(rows: FailureRow[], zone: string, style: Style): string {
  const times = rows.map(row => row.timeMs)
  const clock = new ClockText(zone, Math.min(...times), Math.max(...times))
  let columns: Column[] = [
    { name: 'TIME', cell: row => clock.full(row.timeMs) },
    { name: 'STATUS', cell: row => (row.status === null ? '-' : String(row.status).padStart(3, '0')) },
    { name: 'CAUSE', cell: row => `${row.cause}${row.masked ? ' (saved)' : ''}` },
    { name: 'UPSTREAM', cell: row => row.upstream || '-', least: 16 },
    { name: 'POD OR ADDRESS', cell: row => row.pod ?? row.address ?? '-', least: 14 },
    ...(rows.some(row => row.rootCause !== null)
      ? [{ name: 'ROOT CAUSE', cell: (row: FailureRow) => row.rootCause ?? '-', least: 14 }]
      : []),
    { name: 'REQUEST', cell: row => [row.method, row.path].filter(part => part !== null).join(' ') || '-', least: 12 },
    { name: 'SURE', cell: row => row.confidence.toFixed(2) }
  ]
  const cells = new Map(columns.map(column => [column, rows.map(row => safeText(column.cell(row)))]))
  const widths = new Map(
    columns.map(column => [column, Math.max(column.name.length, ...cells.get(column)!.map(cell => cell.length))])
  )
  const excess = (): number => columns.reduce((sum, column) => sum + widths.get(column)! + 2, -2) - style.width
  for (const name of ['REQUEST', 'POD OR ADDRESS', 'UPSTREAM']) {
    const column = columns.find(other => other.name === name)!
    widths.set(column, Math.max(column.least!, column.name.length, widths.get(column)! - Math.max(0, excess())))
  }
  for (const name of ['SURE', 'POD OR ADDRESS', 'UPSTREAM'])
    if (excess() > 0) columns = columns.filter(column => column.name !== name)
  const line = (cellOf: (column: Column) => string): string =>
    columns
      .map(column => clip(cellOf(column), widths.get(column)!).padEnd(widths.get(column)!))
      .join('  ')
      .trimEnd()
  const head = style.dim(line(column => column.name))
  return `${[head, ...rows.map((_, i) => line(column => cells.get(column)![i]!))].join('\n')}\n`
}

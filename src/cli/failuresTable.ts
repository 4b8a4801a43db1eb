import { ClockText } from '../explain/clockText.ts'
import type { FailureRow } from '../store/store.ts'
import type { Style } from '../terminal.ts'
import { fittedTable, type TableColumn } from './fittedTable.ts'

/** One line a failure, as wide as the terminal: the request gives way first, then names, then whole columns. */
export function failuresTable(rows: FailureRow[], zone: string, style: Style): string {
  const times = rows.map(row => row.timeMs)
  const clock = new ClockText(zone, Math.min(...times), Math.max(...times))
  const columns: TableColumn<FailureRow>[] = [
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
  const givingWay = {
    narrow: ['REQUEST', 'POD OR ADDRESS', 'UPSTREAM'],
    drop: ['SURE', 'POD OR ADDRESS', 'UPSTREAM']
  }
  return fittedTable(rows, columns, givingWay, style)
}

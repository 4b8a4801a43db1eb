/** Rows as text, a line each, as wide as the terminal: some columns give way in their width, then whole ones go. */

import type { Style } from '../terminal.ts'
import { clip, safeText } from '../text.ts'

export interface TableColumn<Row> {
  name: string
  /** Text of other people's: it is made safe here. */
  cell: (row: Row) => string
  /** Never narrower than this, where it may become narrower at all. */
  least?: number
  /** Numbers, one below the other. */
  isRight?: boolean
}

export interface GivingWay {
  /** Columns that become narrower, in this order. */
  narrow: readonly string[]
  /** Columns that go, in this order, when that is not enough. */
  drop: readonly string[]
}

export function fittedTable<Row>(
  rows: readonly Row[],
  all: readonly TableColumn<Row>[],
  givingWay: GivingWay,
  style: Style
): string {
  return fitted(rows, all, givingWay, style).text
}

/** The same, and the names of columns that had to go. */
export function fitted<Row>(
  rows: readonly Row[],
  all: readonly TableColumn<Row>[],
  { narrow, drop }: GivingWay,
  style: Style
): { text: string; gone: string[] } {
  let columns = [...all]
  const cells = new Map(columns.map(column => [column, rows.map(row => safeText(column.cell(row)))]))
  const widths = new Map(
    columns.map(column => [column, Math.max(column.name.length, ...cells.get(column)!.map(cell => cell.length))])
  )
  const excess = (): number => columns.reduce((sum, column) => sum + widths.get(column)! + 2, -2) - style.width
  for (const name of narrow) {
    const column = columns.find(other => other.name === name)
    if (column === undefined) continue
    const width = widths.get(column)!
    const least = Math.min(width, Math.max(column.least ?? 0, column.name.length))
    widths.set(column, Math.max(least, width - Math.max(0, excess())))
  }
  for (const name of drop) if (excess() > 0) columns = columns.filter(column => column.name !== name)
  const line = (cellOf: (column: TableColumn<Row>) => string): string =>
    columns
      .map(column => {
        const width = widths.get(column)!
        const text = clip(cellOf(column), width)
        return column.isRight ? text.padStart(width) : text.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  const head = style.dim(line(column => column.name))
  const gone = all.filter(column => !columns.includes(column)).map(({ name }) => name)
  return { text: `${[head, ...rows.map((_, i) => line(column => cells.get(column)![i]!))].join('\n')}\n`, gone }
}

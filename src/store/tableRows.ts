/** What is left to do when a store has grouped and counted: columns made of columns, order, limit. Pure. */

import type { CountedTable, Order, TableQuery, TableRow } from './table.ts'
import type { TableColumn } from './tableCheck.ts'
import { compareText } from './textOrder.ts'

export type Value = TableRow[string]
/** Values by column, dates as Unix ms. Columns that are made of others are not there yet. */
export type RawRow = ReadonlyMap<string, Value>

const TIME_MS_MAX = 8.64e15

/** All rows of a table → those that are asked for. */
export function finishedRows(query: TableQuery, columns: readonly TableColumn[], raw: Iterable<RawRow>): TableRow[] {
  return firstRows(query, columns, raw).map(row =>
    Object.fromEntries(columns.map(({ as, type }) => [as, shown(row.get(as) ?? null, type)]))
  )
}

/** The same before they are shown: of a part of all rows, those that may be among them. */
export function firstRows(query: TableQuery, columns: readonly TableColumn[], raw: Iterable<RawRow>): RawRow[] {
  const rows: RawRow[] = []
  for (const row of raw) rows.push('columns' in query ? row : withDerived(query, row))
  return rows.sort(rowOrder(query.sort, columns)).slice(0, query.limit)
}

function withDerived({ measures }: CountedTable, raw: RawRow): Map<string, Value> {
  const row = new Map(raw)
  const number = (name: string): number | null => (row.get(name) as number | null | undefined) ?? null
  for (const measure of measures) {
    if ('percent' in measure) {
      const [part, whole] = measure.percent.map(number) as [number | null, number | null]
      row.set(measure.as, part === null || whole === null || whole === 0 ? null : (100 * part) / whole)
    } else if ('secondsBetween' in measure) {
      const [from, to] = measure.secondsBetween.map(number) as [number | null, number | null]
      row.set(measure.as, from === null || to === null ? null : (to - from) / 1_000)
    }
  }
  return row
}

/** By what is asked for, nulls last in either direction; then by the other columns, ascending. */
export function rowOrder(sort: readonly Order[], columns: readonly TableColumn[]): (a: RawRow, b: RawRow) => number {
  const keys = fullOrder(sort, columns)
  return (a, b) => {
    for (const { by, order } of keys) {
      const difference = compared(a.get(by) ?? null, b.get(by) ?? null, order === 'ascending' ? 1 : -1)
      if (difference !== 0) return difference
    }
    return 0
  }
}

export function fullOrder(sort: readonly Order[], columns: readonly TableColumn[]): Order[] {
  const named = new Set(sort.map(({ by }) => by))
  const others = columns.filter(({ as }) => !named.has(as)).map(({ as }): Order => ({ by: as, order: 'ascending' }))
  return [...sort, ...others]
}

function compared(a: Value, b: Value, sign: 1 | -1): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
  if (typeof a === 'string' && typeof b === 'string') return sign * compareText(a, b)
  return sign * (Number(a) - Number(b))
}

function shown(value: Value, type: TableColumn['type']): Value {
  if (type !== 'date' || typeof value !== 'number') return value
  return Math.abs(value) <= TIME_MS_MAX ? new Date(value).toISOString() : null
}

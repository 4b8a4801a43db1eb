/** A table of documents that are at hand: incidents of a folder, and the model that tests hold stores to. Pure. */

import type { FailureDocument } from './document.ts'
import type { Condition, CountedTable, Measure, TableQuery, TableRow, TableWindow } from './table.ts'
import { checkWindow, columnsOf } from './tableCheck.ts'
import { tableField, valueIn } from './tableFields.ts'
import { givenParam } from './tableParam.ts'
import { finishedRows, type RawRow, type Value } from './tableRows.ts'
import { compareText } from './textOrder.ts'

/** `documents`: each id once. Throws Why5xxError `WHY5XX_USAGE` for what cannot be asked. */
export function tableOfDocuments(
  query: TableQuery,
  window: TableWindow,
  documents: Iterable<FailureDocument>
): TableRow[] {
  const columns = columnsOf(query)
  checkWindow(window)
  const rows = 'columns' in query ? listedRows(query, window, documents) : countedRows(query, window, documents)
  return finishedRows(query, columns, rows)
}

type Document = FailureDocument

function* matching(query: TableQuery, window: TableWindow, documents: Iterable<Document>): Generator<Document> {
  for (const document of documents) {
    const timeMs = fieldValue(query, document, query.timeField) as number | null
    if (timeMs === null || timeMs < window.fromMs || timeMs >= window.toMs) continue
    if (query.where.every(condition => holds(query, condition, window, document))) yield document
  }
}

function fieldValue({ from }: TableQuery, document: Document, path: string): Value {
  return valueIn(document, tableField(from, path)!)
}

function holds(query: TableQuery, condition: Condition, { params }: TableWindow, document: Document): boolean {
  const value = fieldValue(query, document, condition.field)
  if ('is' in condition) return value !== null && condition.is.includes(value)
  if ('isNot' in condition) return value === null || !condition.isNot.includes(value)
  if ('atLeast' in condition) return value !== null && Number(value) >= condition.atLeast
  if ('exists' in condition) return (value !== null) === condition.exists
  const given = givenParam(params, condition.isParam)
  return given === null || (typeof value === 'string' && given.includes(value))
}

function* listedRows(
  query: Extract<TableQuery, { columns: unknown }>,
  window: TableWindow,
  documents: Iterable<Document>
): Generator<RawRow> {
  for (const document of matching(query, window, documents))
    yield new Map(query.columns.map(({ as, field }) => [as, fieldValue(query, document, field)]))
}

interface Group {
  values: Value[]
  tallies: Tally[]
}

/** Of one measure and group. */
interface Tally {
  count: number
  sum: number
  least: Value
  greatest: Value
}

function countedRows(query: CountedTable, window: TableWindow, documents: Iterable<Document>): RawRow[] {
  const groups = new Map<string, Group>()
  const groupOf = (values: Value[]): Group => {
    const key = JSON.stringify(values)
    let group = groups.get(key)
    if (group === undefined) {
      group = { values, tallies: query.measures.map(() => ({ count: 0, sum: 0, least: null, greatest: null })) }
      groups.set(key, group)
    }
    return group
  }
  if (query.by.length === 0) groupOf([])
  for (const document of matching(query, window, documents)) {
    const values = query.by.map(grouping => {
      if ('field' in grouping) return fieldValue(query, document, grouping.field)
      const timeMs = fieldValue(query, document, grouping.bucketOf) as number | null
      return timeMs === null ? null : Math.floor(timeMs / window.stepMs) * window.stepMs
    })
    const { tallies } = groupOf(values)
    for (const [i, measure] of query.measures.entries()) tally(query, window, measure, tallies[i]!, document)
  }
  return [...groups.values()].map(({ values, tallies }) => rawRow(query, values, tallies))
}

function tally(query: CountedTable, window: TableWindow, measure: Measure, sum: Tally, document: Document): void {
  if ('count' in measure) {
    if ((measure.where ?? []).every(condition => holds(query, condition, window, document))) sum.count++
    return
  }
  const path = pathOf(measure)
  const value = path === null ? null : fieldValue(query, document, path)
  if (value === null) return
  sum.count++
  if (typeof value === 'number') sum.sum += value
  if (sum.least === null || isLess(value, sum.least)) sum.least = value
  if (sum.greatest === null || isLess(sum.greatest, value)) sum.greatest = value
}

function pathOf(measure: Measure): string | null {
  if ('sum' in measure) return measure.sum
  if ('avg' in measure) return measure.avg
  if ('min' in measure) return measure.min
  return 'max' in measure ? measure.max : null
}

function isLess(a: NonNullable<Value>, b: NonNullable<Value>): boolean {
  return typeof a === 'string' && typeof b === 'string' ? compareText(a, b) < 0 : a < b
}

function rawRow({ by, measures }: CountedTable, values: readonly Value[], tallies: readonly Tally[]): RawRow {
  const row = new Map<string, Value>(by.map(({ as }, i) => [as, values[i]!]))
  for (const [i, measure] of measures.entries()) {
    const { count, sum, least, greatest } = tallies[i]!
    if ('count' in measure) row.set(measure.as, count)
    else if ('sum' in measure) row.set(measure.as, count === 0 ? null : sum)
    else if ('avg' in measure) row.set(measure.as, count === 0 ? null : sum / count)
    else if ('min' in measure) row.set(measure.as, least)
    else if ('max' in measure) row.set(measure.as, greatest)
  }
  return row
}

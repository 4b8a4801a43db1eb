/** Whether a table can be asked for: said before any store is, and the same for all of them. */

import { Why5xxError } from '../errors.ts'
import type { Condition, CountedTable, Measure, TableQuery, TableWindow } from './table.ts'
import { type TableField, tableField, type ValueType } from './tableFields.ts'

/** ES|QL gives no more rows. */
export const ROWS_MAX = 10_000
/** Starts with a letter: it is a column of ES|QL and a key of an object. */
const COLUMN = /^(?=.{1,80}$)[A-Za-z@][\w@ -]*(?:\.[\w@ -]+)*$/
const PARAM = /^[A-Za-z]\w{0,39}$/
const TIME_MS_MAX = 8.64e15

export interface TableColumn {
  as: string
  type: ValueType
  /** Of values of the field itself; null: a count or what is made of other columns. */
  field: TableField | null
}

/**
 * The columns of a table in their order. Throws Why5xxError `WHY5XX_USAGE` for fields that documents of this kind have not or
 * that cannot be asked so, names that are there twice, and columns that are not there.
 */
export function columnsOf(query: TableQuery): TableColumn[] {
  for (const condition of query.where) checkCondition(query, condition)
  known(query, query.timeField)
  const columns =
    'columns' in query
      ? query.columns.map(({ as, field }): TableColumn => fieldColumn(as, known(query, field)))
      : countedColumns(query)
  if (columns.length === 0) throw wrong(query, 'has no columns')
  const names = new Set<string>()
  for (const { as, field } of columns) {
    if (!COLUMN.test(as)) throw wrong(query, `cannot have a column ${JSON.stringify(as)}`)
    if (names.has(as)) throw wrong(query, `has two columns ${as}`)
    names.add(as)
    // In ES|QL it would hide the field from the columns behind it.
    if (as !== field?.path && tableField(query.from, as) !== undefined)
      throw wrong(query, `has a column ${as} that is not the field of this name`)
  }
  for (const { by } of query.sort)
    if (!names.has(by)) throw wrong(query, `is sorted by ${by}, which is no column of it`)
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > ROWS_MAX)
    throw wrong(query, `has a limit of ${query.limit}: expected 1 to ${ROWS_MAX}`)
  return columns
}

/** Throws Why5xxError `WHY5XX_USAGE`. */
export function checkWindow({ fromMs, toMs, stepMs }: TableWindow): void {
  const isTime = (ms: number): boolean => Number.isFinite(ms) && Math.abs(ms) <= TIME_MS_MAX
  if (!isTime(fromMs) || !isTime(toMs))
    throw new Why5xxError('WHY5XX_USAGE', `a table needs a window of time with two ends, not ${fromMs} to ${toMs}`)
  if (!Number.isInteger(stepMs) || stepMs < 1_000 || stepMs % 1_000 !== 0)
    throw new Why5xxError('WHY5XX_USAGE', `the step of a table is a multiple of a second, not ${stepMs} ms`)
}

function countedColumns(query: CountedTable): TableColumn[] {
  const columns: TableColumn[] = []
  for (const grouping of query.by) {
    if ('bucketOf' in grouping) {
      const field = known(query, grouping.bucketOf)
      if (field.type !== 'date') throw wrong(query, `cannot make buckets of ${field.path}, which is no date`)
      columns.push({ as: grouping.as, type: 'date', field: null })
    } else {
      const field = known(query, grouping.field)
      if (!field.isExact && field.mapping !== 'ip' && field.type !== 'date')
        throw wrong(query, `cannot be grouped by ${field.path} (${field.mapping})`)
      columns.push(fieldColumn(grouping.as, field))
    }
  }
  for (const measure of query.measures) columns.push(measureColumn(query, measure, columns))
  return columns
}

function measureColumn(query: CountedTable, measure: Measure, before: readonly TableColumn[]): TableColumn {
  const { as } = measure
  const number: TableColumn = { as, type: 'number', field: null }
  if ('count' in measure) {
    for (const condition of measure.where ?? []) checkCondition(query, condition)
    return number
  }
  if ('percent' in measure) {
    for (const name of measure.percent) checkColumn(query, name, 'number', before)
    return number
  }
  if ('secondsBetween' in measure) {
    for (const name of measure.secondsBetween) checkColumn(query, name, 'date', before)
    return number
  }
  if ('sum' in measure || 'avg' in measure) {
    const field = known(query, 'sum' in measure ? measure.sum : measure.avg)
    if (field.type !== 'number') throw wrong(query, `cannot add up ${field.path}, which is no number`)
    return number
  }
  const field = known(query, 'min' in measure ? measure.min : measure.max)
  if (!field.isOrdered) throw wrong(query, `has no least or greatest ${field.path} (${field.mapping})`)
  return { as, type: field.type, field: null }
}

function fieldColumn(as: string, field: TableField): TableColumn {
  return { as, type: field.type, field }
}

function checkColumn(query: TableQuery, name: string, type: ValueType, before: readonly TableColumn[]): void {
  const column = before.find(({ as }) => as === name)
  if (column === undefined) throw wrong(query, `names the column ${name} before there is one`)
  if (column.type !== type) throw wrong(query, `takes the column ${name} for a ${type}`)
}

function checkCondition(query: TableQuery, condition: Condition): void {
  const field = known(query, condition.field)
  if ('exists' in condition) {
    if (!field.isIndexed) throw wrong(query, `cannot know whether there is a ${field.path}`)
    return
  }
  if ('atLeast' in condition) {
    if (field.type !== 'number' || !Number.isFinite(condition.atLeast))
      throw wrong(query, `cannot compare ${field.path} (${field.mapping}) with a number`)
    return
  }
  if (!field.isExact) throw wrong(query, `cannot ask whether ${field.path} (${field.mapping}) is a value`)
  if ('isParam' in condition) {
    if (field.type !== 'text') throw wrong(query, `can have only text for a parameter, and ${field.path} is none`)
    if (!PARAM.test(condition.isParam))
      throw wrong(query, `cannot have a parameter ${JSON.stringify(condition.isParam)}`)
    return
  }
  const expected = field.type === 'text' ? 'string' : field.type
  for (const value of 'is' in condition ? condition.is : condition.isNot)
    if (typeof value !== expected || (typeof value === 'number' && !Number.isSafeInteger(value)))
      throw wrong(query, `compares ${field.path} (${field.mapping}) with ${JSON.stringify(value)}`)
}

function known(query: TableQuery, path: string): TableField {
  const field = tableField(query.from, path)
  if (field === undefined)
    throw wrong(query, `names ${JSON.stringify(path)}, which is no field of one value of a ${query.from}`)
  return field
}

function wrong(query: TableQuery, what: string): Why5xxError {
  return new Why5xxError('WHY5XX_USAGE', `a table of ${query.from} documents ${what}`)
}

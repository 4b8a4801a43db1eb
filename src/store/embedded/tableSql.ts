/** A table as SQL. Values are bound or numbers; fields are those of our own tables. */

import type { Condition, CountedTable, ListedTable, Measure, Order, TableQuery, TableWindow } from '../table.ts'
import type { TableColumn } from '../tableCheck.ts'
import { HALF_FLOAT_DIGITS, tableField } from '../tableFields.ts'
import { givenParam } from '../tableParam.ts'
import { fullOrder } from '../tableRows.ts'
import { NO_CONDITION, Parameters } from './filterSql.ts'
import type { Question } from './queries.ts'
import type { FieldNames, StoredTable } from './tableSource.ts'

/** The rows that are asked for, where SQL can tell which. Columns as in `columnsOf`. `source`: rows
 * with the fields of `names`. */
export function tableSql(
  query: StoredTable,
  window: TableWindow,
  columns: readonly TableColumn[],
  source: string,
  names: FieldNames
): Question {
  const parameters = new Parameters()
  const conditions = new Conditions(query, window, names, parameters)
  const selected = 'columns' in query ? listedSql(query, names) : countedSql(query, window, conditions, names)
  const where = conditions.all([...query.where])
  const time = names.of(query.timeField)
  const tail = 'columns' in query ? listedTail(query, columns) : countedTail(query, columns)
  return {
    sql:
      `SELECT ${selected.join(', ')} FROM ${source} ` +
      `WHERE ${time} >= ${Math.ceil(window.fromMs)} AND ${time} < ${Math.ceil(window.toMs)} AND ${where} ${tail}`,
    parameters
  }
}

class Conditions {
  readonly #query: TableQuery
  readonly #window: TableWindow
  readonly #names: FieldNames
  readonly #parameters: Parameters

  constructor(query: TableQuery, window: TableWindow, names: FieldNames, parameters: Parameters) {
    this.#query = query
    this.#window = window
    this.#names = names
    this.#parameters = parameters
  }

  all(conditions: readonly Condition[]): string {
    return conditions.map(condition => `(${this.#one(condition)})`).join(' AND ') || NO_CONDITION
  }

  #one(condition: Condition): string {
    const name = this.#names.of(condition.field)
    if ('is' in condition) return this.#isOne(name, condition.field, condition.is)
    if ('isNot' in condition) return `${name} IS NULL OR NOT (${this.#isOne(name, condition.field, condition.isNot)})`
    if ('atLeast' in condition) return `${name} >= ${condition.atLeast}`
    if ('exists' in condition) return `${name} IS ${condition.exists ? 'NOT ' : ''}NULL`
    const given = givenParam(this.#window.params, condition.isParam)
    return given === null ? NO_CONDITION : this.#isOne(name, condition.field, given)
  }

  #isOne(name: string, path: string, values: readonly (string | number | boolean)[]): string {
    if (values.length === 0) return 'false'
    const isText = tableField(this.#query.from, path)!.type === 'text'
    const list = values.map(value => (isText ? this.#parameters.text(String(value)) : String(value)))
    return `${name} IN (${list.join(', ')})`
  }
}

function listedSql({ columns }: ListedTable, names: FieldNames): string[] {
  return columns.map(({ field }, i) => `${names.of(field)} AS column_${i}`)
}

function listedTail(query: ListedTable, columns: readonly TableColumn[]): string {
  return `${ordered(query.sort, columns, columns)} LIMIT ${query.limit}`
}

function countedSql(query: CountedTable, window: TableWindow, conditions: Conditions, names: FieldNames): string[] {
  const groups = query.by.map(grouping => {
    if ('field' in grouping) return names.of(grouping.field)
    return `floor(${names.of(grouping.bucketOf)} / ${window.stepMs}) * ${window.stepMs}`
  })
  const measures = query.measures.map(measure => measureSql(query, measure, conditions, names))
  return [...groups, ...measures].map((sql, i) => `${sql} AS column_${i}`)
}

/** Where the order is by columns that are made later, every group. */
function countedTail({ by, measures, sort, limit }: CountedTable, columns: readonly TableColumn[]): string {
  if (by.length === 0) return ''
  const groups = `GROUP BY ${by.map((_, i) => `column_${i}`).join(', ')}`
  const isLater = (name: string): boolean =>
    measures.some(measure => measure.as === name && ('percent' in measure || 'secondsBetween' in measure))
  // Groups differ in what they are by: no other column decides.
  const names = columns.slice(0, by.length)
  return sort.some(one => isLater(one.by)) ? groups : `${groups} ${ordered(sort, names, columns)} LIMIT ${limit}`
}

function ordered(sort: readonly Order[], others: readonly TableColumn[], columns: readonly TableColumn[]): string {
  const order = fullOrder(sort, others).map(({ by, order: direction }) => {
    const index = columns.findIndex(({ as }) => as === by)
    return `column_${index} ${direction === 'ascending' ? 'ASC' : 'DESC'} NULLS LAST`
  })
  return `ORDER BY ${order.join(', ')}`
}

function measureSql(query: CountedTable, measure: Measure, conditions: Conditions, names: FieldNames): string {
  if ('count' in measure) return `(count(*) FILTER (WHERE ${conditions.all(measure.where ?? [])}))::DOUBLE`
  const aggregated = (name: string, path: string): string => {
    const isHalf = tableField(query.from, path)!.mapping === 'half_float'
    const sql = `${name}(${names.of(path)})`
    return isHalf ? `round(${sql}, ${HALF_FLOAT_DIGITS})` : sql
  }
  if ('sum' in measure) return aggregated('sum', measure.sum)
  if ('avg' in measure) return aggregated('avg', measure.avg)
  if ('min' in measure) return aggregated('min', measure.min)
  // Those that are made of other columns are made later.
  return 'max' in measure ? aggregated('max', measure.max) : 'NULL'
}

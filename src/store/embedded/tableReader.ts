/** Tables out of a folder: DuckDB groups and counts; incidents, which are few, are documents first. */

import { tableOfDocuments } from '../documentTable.ts'
import { incidentDocument } from '../incidentDocument.ts'
import { EVERY_INCIDENT } from '../incidentFilter.ts'
import type { TableQuery, TableRow, TableWindow } from '../table.ts'
import { checkWindow, columnsOf, type TableColumn } from '../tableCheck.ts'
import { finishedRows, type RawRow } from '../tableRows.ts'
import type { NodeDisk } from './disk.ts'
import { type DuckDBConnection, rowsOf, type Value } from './duck.ts'
import { readIncidents } from './incidentReader.ts'
import type { Queries } from './queries.ts'
import type { Snapshot } from './snapshot.ts'
import { FieldNames, fieldsOf, needsDocuments, type StoredKind, type StoredTable, sourceSql } from './tableSource.ts'
import { tableSql } from './tableSql.ts'

export interface TableSource {
  disk: NodeDisk
  queries: Queries
  /** Of documents that are stored without it; null: not known. */
  clusterName: string | null
}

/** Of one window, in their order, as of one moment but for incidents. */
export async function readTables(
  source: TableSource,
  asked: readonly TableQuery[],
  window: TableWindow
): Promise<TableRow[][]> {
  const tables = asked.map(query => ({ query, columns: columnsOf(query) }))
  checkWindow(window)
  const stored = tables.flatMap(({ query, columns }) => {
    const { from } = query
    return from === 'incident' ? [] : [{ query: { ...query, from }, columns }]
  })
  const { disk, queries, clusterName } = source
  const values =
    stored.length === 0
      ? []
      : await queries.session((connection, snapshot) =>
          storedValues(connection, snapshot, stored, { window, clusterName })
        )
  const found = stored.map(({ query, columns }, i) => finishedRows(query, columns, values[i]!.map(rawRow(columns))))
  const incidents = tables.some(({ query }) => query.from === 'incident')
    ? await readIncidents(disk, EVERY_INCIDENT)
    : []
  const documents = incidents.map(incident => incidentDocument(incident, clusterName ?? ''))
  return asked.map(query =>
    query.from === 'incident' ? tableOfDocuments(query, window, documents) : (found.shift() as TableRow[])
  )
}

interface Asked {
  query: StoredTable
  columns: TableColumn[]
}

/** Values by table, row and column. What several tables need of documents is taken out of them once, for all of these. */
async function storedValues(
  connection: DuckDBConnection,
  snapshot: Snapshot,
  asked: readonly Asked[],
  { window, clusterName }: { window: TableWindow; clusterName: string | null }
): Promise<Value[][][]> {
  const sources = new Map<string, Source>()
  for (const [i, { query }] of asked.entries()) {
    const paths = fieldsOf(query)
    const isByDay = query.timeField === '@timestamp'
    // Others are not dear, and are asked by themselves.
    const key = needsDocuments(query.from, paths) ? `${query.from} ${isByDay}` : String(i)
    const source = sources.get(key) ?? { from: query.from, isByDay, names: new FieldNames(), tables: [] }
    for (const path of paths) source.names.of(path)
    source.tables.push(i)
    sources.set(key, source)
  }
  const values: Value[][][] = []
  for (const [place, { from, isByDay, names, tables }] of [...sources.values()].entries()) {
    let rows = `(${sourceSql(snapshot, from, names, { isByDay, window, clusterName })})`
    if (tables.length > 1) {
      // Of this connection, and gone with it.
      await connection.run(`CREATE TEMP TABLE source_${place} AS SELECT * FROM ${rows}`)
      rows = `source_${place}`
    }
    for (const i of tables) {
      const { query, columns } = asked[i]!
      const { sql, parameters } = tableSql(query, window, columns, rows, names)
      values[i] = await rowsOf(connection, sql, parameters.values)
    }
    if (tables.length > 1) await connection.run(`DROP TABLE ${rows}`)
  }
  return values
}

interface Source {
  from: StoredKind
  isByDay: boolean
  names: FieldNames
  /** Which of those that are asked for. */
  tables: number[]
}

/** Columns that are made of others come as null, and are made later. */
function rawRow(columns: readonly TableColumn[]): (values: readonly Value[]) => RawRow {
  return values => new Map(columns.map(({ as }, i) => [as, values[i] as string | number | boolean | null]))
}

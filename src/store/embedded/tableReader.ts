/** Tables out of a folder: DuckDB groups and counts; incidents, which are few, are documents first. */

import { tableOfDocuments } from '../documentTable.ts'
import { incidentDocument } from '../incidentDocument.ts'
import type { IncidentFilter } from '../store.ts'
import type { TableQuery, TableRow, TableWindow } from '../table.ts'
import { checkWindow, columnsOf, type TableColumn } from '../tableCheck.ts'
import { finishedRows, type RawRow } from '../tableRows.ts'
import type { NodeDisk } from './disk.ts'
import type { Value } from './duck.ts'
import { readIncidents } from './incidentReader.ts'
import type { Queries } from './queries.ts'
import { tableSql } from './tableSql.ts'

export interface TableSource {
  disk: NodeDisk
  queries: Queries
  /** Of documents that are stored without it; null: not known. */
  clusterName: string | null
}

const EVERY_INCIDENT: IncidentFilter = {
  fromMs: Number.NEGATIVE_INFINITY,
  toMs: Number.POSITIVE_INFINITY,
  services: [],
  causes: [],
  state: null
}

export async function readTable(
  { disk, queries, clusterName }: TableSource,
  query: TableQuery,
  window: TableWindow
): Promise<TableRow[]> {
  const columns = columnsOf(query)
  checkWindow(window)
  const { from } = query
  if (from === 'incident') {
    const incidents = await readIncidents(disk, EVERY_INCIDENT)
    return tableOfDocuments(
      query,
      window,
      incidents.map(incident => incidentDocument(incident, clusterName ?? ''))
    )
  }
  const rows = await queries.all(snapshot => tableSql(snapshot, { ...query, from }, window, columns, clusterName))
  return finishedRows(query, columns, rows.map(rawRow(columns)))
}

/** Columns that are made of others come as null, and are made later. */
function rawRow(columns: readonly TableColumn[]): (values: readonly Value[]) => RawRow {
  return values => new Map(columns.map(({ as }, i) => [as, values[i] as string | number | boolean | null]))
}

/**
 * Sealing: the rows of closed segments are merged into one Parquet file per kind and UTC day. Every day file is written
 * under another name, synced and renamed, so there is never a half one. The segments are removed by the caller, when all
 * files stand: a crash anywhere leaves rows in both places, which readers and the next sealing tell by id, or by the
 * segment's name. Rows stand in the order they came, those of later segments behind: nearly that of time, so a reader of an
 * hour opens few row groups. Sorting a day of documents would take more memory than is allowed here.
 */

import { open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type DuckDBConnection, openDuck, rowsOf } from './duck.ts'
import {
  COLUMNS,
  dayFileName,
  fileList,
  hasIdentity,
  KINDS,
  type Kind,
  quoted,
  readSegments,
  selectKind,
  timeColumn
} from './tables.ts'

export interface SealJob {
  folder: string
  segments: readonly string[]
  /** Rows of days before this one (`20261121`) are dropped; '' keeps all. */
  fromDay: string
}

/** What a reader decompresses for one row is its row group; a multiple of DuckDB's 2,048. */
const ROW_GROUP_ROWS = 10_240
const MEMORY_MB = 256
/** Names of unfinished files; the writer removes what is left of them at start. */
export const TEMPORARY = 'tmp-'

/** `step` is called before everything that changes the folder; a test throws there. */
export async function sealSegments(job: SealJob, step: (name: string) => void = () => {}): Promise<void> {
  const { folder } = job
  const duck = await openDuck({ memoryMb: MEMORY_MB, threads: 1, temporaryFolder: join(folder, `${TEMPORARY}duckdb`) })
  try {
    const connection = await duck.connect()
    // The side that is kept in memory must be the one without documents: as the queries say it.
    await connection.run("SET disabled_optimizers = 'build_side_probe_side,join_order'")
    for (const kind of KINDS) await sealKind(connection, kind, job, step)
  } finally {
    duck.closeSync()
    await rm(join(folder, `${TEMPORARY}duckdb`), { recursive: true, force: true })
  }
}

async function sealKind(
  connection: DuckDBConnection,
  kind: Kind,
  { folder, segments, fromDay }: SealJob,
  step: (name: string) => void
): Promise<void> {
  const files = segments.map(name => join(folder, name))
  const day = `strftime(${timeColumn(kind)}, '%Y%m%d')`
  const columns = Object.keys(COLUMNS[kind]).join(', ')
  const rows = readSegments(files, false)
  // Without documents, which are nine tenths of the bytes. Of equal versions the first stays; within a segment there are none.
  await connection.run(
    hasIdentity(kind)
      ? `CREATE OR REPLACE TABLE fresh AS SELECT id, version, time, segment FROM ${rows} WHERE kind = ${quoted(kind.slice(0, -1))} ` +
          `QUALIFY row_number() OVER (PARTITION BY id ORDER BY version DESC, ${segmentOrder(segments)}) = 1`
      : `CREATE OR REPLACE TABLE fresh AS ${selectKind(kind, rows, false)}`
  )
  const days = await rowsOf(connection, `SELECT DISTINCT ${day} AS day FROM fresh WHERE day >= $1 ORDER BY 1`, [
    fromDay
  ])
  for (const [value] of days) {
    const name = dayFileName(kind, String(value))
    const hasOld = (await stat(join(folder, name)).catch(() => null)) !== null
    const old = hasOld ? `read_parquet(${fileList([join(folder, name)])})` : null
    const ofDay = `${day} = ${quoted(String(value))}`
    const parts: string[] = []
    if (!hasIdentity(kind)) {
      if (old !== null)
        parts.push(`SELECT ${columns} FROM ${old} WHERE segment NOT IN (${segments.map(quoted).join(', ')})`)
      parts.push(`SELECT ${columns} FROM fresh WHERE ${ofDay}`)
    } else {
      let winners = `SELECT id, version, segment FROM fresh WHERE ${ofDay}`
      if (old !== null) {
        parts.push(
          `SELECT ${columns} FROM ${old} AS old WHERE NOT EXISTS (FROM fresh WHERE fresh.id = old.id AND fresh.version > old.version)`
        )
        winners += ` AND NOT EXISTS (FROM ${old} AS old WHERE old.id = fresh.id AND old.version >= fresh.version)`
      }
      parts.push(
        `SELECT ${columns} FROM ${readSegments(files, true)} SEMI JOIN (${winners}) USING (id, version, segment) ` +
          `WHERE kind = ${quoted(kind.slice(0, -1))}`
      )
    }
    await writeDay(connection, folder, name, parts.join(' UNION ALL '), step)
  }
}

async function writeDay(
  connection: DuckDBConnection,
  folder: string,
  name: string,
  query: string,
  step: (name: string) => void
): Promise<void> {
  const temporary = join(folder, `${TEMPORARY}${name}`)
  try {
    step(`write ${name}`)
    await connection.run(
      `COPY (${query}) TO ${quoted(temporary)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_ROWS})`
    )
    step(`sync ${name}`)
    await syncPath(temporary)
    step(`rename ${name}`)
    await rename(temporary, join(folder, name))
  } catch (error) {
    // Perhaps for lack of room: the unfinished file must not keep it.
    await rm(temporary, { force: true })
    throw error
  }
  step(`sync the folder of ${name}`)
  await syncPath(folder)
}

/** Segments in the order they were written, as a number. */
function segmentOrder(segments: readonly string[]): string {
  return `list_position([${segments.map(quoted).join(', ')}], segment)`
}

async function syncPath(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

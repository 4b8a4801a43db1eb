/** What a reader sees: which files there were, and the rows of the segments as tables of its DuckDB. */

import { join } from 'node:path'
import type { DiskFile } from './disk.ts'
import { type DuckDBConnection, rowsOf } from './duck.ts'
import { segmentsOf } from './segment.ts'
import {
  COLUMNS,
  type DayFile,
  dayFilesOf,
  dayOf,
  fileList,
  hasIdentity,
  KINDS,
  type Kind,
  quoted,
  readSegments,
  selectKind,
  timeColumn
} from './tables.ts'

let generations = 0

export class Snapshot {
  readonly folder: string
  readonly segments: readonly DiskFile[]
  readonly #days: readonly DayFile[]
  readonly #generation = ++generations
  /** Days of unsealed rows, by kind. */
  readonly #unsealedDays = new Map<Kind, string[]>()

  constructor(folder: string, files: readonly DiskFile[]) {
    this.folder = folder
    this.segments = segmentsOf(files)
    this.#days = dayFilesOf(files)
  }

  /** Two listings of the same state have the same. */
  get signature(): string {
    return JSON.stringify([this.segments, this.#days])
  }

  /** Names of the segments that hold failures with these ids; `ids` as SQL. */
  async segmentsWith(connection: DuckDBConnection, ids: string, values: string[]): Promise<string[]> {
    if (this.segments.length === 0) return []
    const sql = `SELECT DISTINCT segment FROM ${this.#table('failures')} WHERE id IN ${ids}`
    return (await rowsOf(connection, sql, values)).map(([segment]) => String(segment))
  }

  /** SQL of the lines of some segments, with documents. */
  segmentRows(segments: readonly string[]): string {
    return readSegments(
      segments.map(name => join(this.folder, name)),
      true
    )
  }

  /** Days with rows of a kind in a window of time, sealed or not, oldest first. */
  daysWithRows(kind: Kind, fromMs: number, toMs: number): string[] {
    const days = new Set(this.days(kind, fromMs, toMs).map(({ day }) => day))
    for (const day of this.#unsealedDays.get(kind) ?? []) if (day >= dayOf(fromMs) && day <= dayOf(toMs)) days.add(day)
    return [...days].sort()
  }

  /** Reads the segments, without documents: they are fetched by id. */
  async load(connection: DuckDBConnection): Promise<void> {
    if (this.segments.length === 0) return
    const raw = this.#table('raw')
    await connection.run(
      `CREATE TABLE ${raw} AS SELECT * FROM ${readSegments(this.#segmentPaths(), false)} WHERE kind IS NOT NULL`
    )
    for (const kind of KINDS) {
      // Of equal versions the first stays: that of the older segment.
      const unique = hasIdentity(kind)
        ? ` QUALIFY row_number() OVER (PARTITION BY id ORDER BY version DESC, ${this.segmentOrder('segment')}) = 1`
        : ''
      await connection.run(`CREATE TABLE ${this.#table(kind)} AS ${selectKind(kind, raw, false)}${unique}`)
      const days = await rowsOf(
        connection,
        `SELECT DISTINCT strftime(${timeColumn(kind)}, '%Y%m%d') FROM ${this.#table(kind)}`
      )
      this.#unsealedDays.set(
        kind,
        days.map(([day]) => String(day))
      )
    }
    await connection.run(`DROP TABLE ${raw}`)
  }

  async drop(connection: DuckDBConnection): Promise<void> {
    for (const kind of KINDS) await connection.run(`DROP TABLE IF EXISTS ${this.#table(kind)}`)
  }

  /** A number by which rows of older segments come first. */
  segmentOrder(column: string): string {
    return `list_position([${this.segments.map(({ name }) => quoted(name)).join(', ')}], ${column})`
  }

  /** Day files that may hold rows of `[fromMs, toMs)`, oldest first. */
  days(kind: Kind, fromMs: number, toMs: number): DayFile[] {
    const from = dayOf(fromMs)
    const to = dayOf(toMs)
    return this.#days.filter(file => file.kind === kind && file.day >= from && file.day <= to)
  }

  paths(files: readonly DayFile[]): string {
    return fileList(files.map(({ name }) => join(this.folder, name)))
  }

  /**
   * SQL of every row of a kind, each id once, without documents. Rows that stand in a segment and in a day file (sealed just
   * now, or judged again) are told by id; only the days that occur in segments are asked. A day file that is replaced while
   * the query runs gives no row twice: what the segments hold comes from one of the two branches alone.
   */
  rows(kind: Kind, fromMs: number, toMs: number, condition: string): string {
    const names = Object.keys(COLUMNS[kind])
      .filter(name => name !== 'document' && name !== 'segment')
      .join(', ')
    const table = this.#table(kind)
    const sealed = this.days(kind, fromMs, toMs)
    if (this.segments.length === 0) return this.#sealedRows(names, sealed, condition)
    if (!hasIdentity(kind)) {
      const segments = this.segments.map(({ name }) => quoted(name)).join(', ')
      const apart = this.#sealedRows(names, sealed, `(${condition}) AND segment NOT IN (${segments})`)
      return `SELECT ${names} FROM ${table} WHERE ${condition} UNION ALL ${apart}`
    }
    const touched = sealed.filter(({ day }) => this.#unsealedDays.get(kind)!.includes(day))
    const untouched = sealed.filter(file => !touched.includes(file))
    const inSegments = `(SELECT id FROM ${table})`
    const twice =
      touched.length === 0
        ? ''
        : ` UNION ALL SELECT ${names}, 0 AS place FROM read_parquet(${this.paths(touched)}) WHERE id IN ${inSegments}`
    const branches = [
      // The time of an id never changes, everything else may: conditions count for the version that stays.
      `SELECT ${names} FROM (SELECT * EXCLUDE (place) FROM (SELECT ${names}, 1 AS place FROM ${table}${twice}) ` +
        `QUALIFY row_number() OVER (PARTITION BY id ORDER BY version DESC, place) = 1) WHERE ${condition}`
    ]
    if (untouched.length > 0) branches.push(this.#sealedRows(names, untouched, condition))
    if (touched.length > 0)
      branches.push(this.#sealedRows(names, touched, `(${condition}) AND id NOT IN ${inSegments}`))
    return branches.join(' UNION ALL ')
  }

  /**
   * SQL of some columns of every row of a kind that has documents, each id once, as `rows` does it. `columns` may use
   * `document`; `condition` may use what never changes for an id: its time.
   */
  documentRows(kind: Kind, fromMs: number, toMs: number, columns: string, condition: string): string {
    const sealed = this.days(kind, fromMs, toMs)
    const from = (files: readonly DayFile[]): string => `FROM read_parquet(${this.paths(files)}) WHERE (${condition})`
    if (this.segments.length === 0)
      return sealed.length > 0 ? `SELECT ${columns} ${from(sealed)}` : emptyColumns(kind, columns, condition)
    const touched = sealed.filter(({ day }) => this.#unsealedDays.get(kind)!.includes(day))
    const untouched = sealed.filter(file => !touched.includes(file))
    // What was written since the segments were read belongs to the next snapshot.
    const inSegments = `(SELECT id FROM ${this.#table(kind)})`
    const lines = `(${selectKind(kind, readSegments(this.#segmentPaths(), true), true)})`
    const newest = [
      `SELECT id, version, ${this.segmentOrder('segment')} AS place, ${columns} FROM ${lines} WHERE (${condition}) AND id IN ${inSegments}`
    ]
    if (touched.length > 0)
      newest.push(`SELECT id, version, 0 AS place, ${columns} ${from(touched)} AND id IN ${inSegments}`)
    const branches = [
      `SELECT * EXCLUDE (id, version, place) FROM (${newest.join(' UNION ALL ')}) ` +
        'QUALIFY row_number() OVER (PARTITION BY id ORDER BY version DESC, place) = 1'
    ]
    if (untouched.length > 0) branches.push(`SELECT ${columns} ${from(untouched)}`)
    if (touched.length > 0) branches.push(`SELECT ${columns} ${from(touched)} AND id NOT IN ${inSegments}`)
    return branches.join(' UNION ALL ')
  }

  #sealedRows(names: string, files: readonly DayFile[], condition: string): string {
    // Columns without rows, when there is no file to take them from.
    if (files.length === 0) return emptyRows(names, condition)
    return `SELECT ${names} FROM read_parquet(${this.paths(files)}) WHERE ${condition}`
  }

  #segmentPaths(): string[] {
    return this.segments.map(({ name }) => join(this.folder, name))
  }

  #table(name: string): string {
    return `${name}_${this.#generation}`
  }
}

const TYPES = Object.assign({}, ...Object.values(COLUMNS)) as Record<string, string>

function emptyColumns(kind: Kind, columns: string, condition: string): string {
  const all = Object.entries(COLUMNS[kind]).map(([name, type]) => `NULL::${type} AS ${name}`)
  return `SELECT ${columns} FROM (SELECT ${all.join(', ')}) WHERE false AND (${condition})`
}

/** It still names the condition: what is bound must be asked for. */
function emptyRows(names: string, condition: string): string {
  const columns = [...names.split(', '), 'segment'].map(name => `NULL::${TYPES[name]} AS ${name}`)
  return `SELECT ${names} FROM (SELECT ${columns.join(', ')}) WHERE false AND (${condition})`
}

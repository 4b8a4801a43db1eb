/** Reads a store with DuckDB, also while it is written and sealed. */

import type { Cause } from '../../../parsers/causes.ts'
import type { Incident } from '../../alert/incident.ts'
import type { SourceGap } from '../../source/source.ts'
import { cursorText, parseCursor } from '../cursor.ts'
import type { FailureDocument } from '../document.ts'
import type {
  ControllerRow,
  CountRow,
  FailureRow,
  IncidentFilter,
  Page,
  SearchOptions,
  StoreFilter,
  StoreReader,
  TotalsSum
} from '../store.ts'
import type { TableQuery, TableRow, TableWindow } from '../table.ts'
import { NodeDisk } from './disk.ts'
import { type DuckDBInstance, openDuck, type Value } from './duck.ts'
import { failureCondition, Parameters, serviceCondition, timeCondition, timestamp } from './filterSql.ts'
import { checkReadable } from './folder.ts'
import { Queries } from './queries.ts'
import type { Snapshot } from './snapshot.ts'
import { TOTALS_SUMS } from './tables.ts'

const MEMORY_MB = 512
const THREADS = 2
const DAY_MS = 86_400_000

/**
 * The columns of a FailureRow, in the order `failureRowOf` takes them; one JSON text a row, because taking 18 values one by one
 * out of DuckDB's vectors costs several times of what the query does.
 */
const FAILURE_COLUMNS =
  'json_array(id, version, epoch_ms(time), cause, upstream, service, status, counted, masked, method, host, path, client, address, pod, root_cause, confidence, has_error_line)::VARCHAR'
const KIND = `CASE WHEN counted THEN 'failed' WHEN masked THEN 'masked' ELSE 'other' END`

/**
 * Throws Why5xxError `WHY5XX_STORE` when there is no store at `path`. `clusterName`: of documents that tables of totals, gaps and
 * incidents are made of, which are stored without it.
 */
export async function openEmbeddedReader(path: string, clusterName: string | null = null): Promise<EmbeddedReader> {
  await checkReadable(path)
  return new EmbeddedReader(path, await openDuck({ memoryMb: MEMORY_MB, threads: THREADS }), clusterName)
}

export class EmbeddedReader implements StoreReader {
  readonly #disk: NodeDisk
  readonly #queries: Queries
  readonly #duck: DuckDBInstance
  readonly #clusterName: string | null

  constructor(path: string, duck: DuckDBInstance, clusterName: string | null = null) {
    this.#duck = duck
    this.#clusterName = clusterName
    this.#disk = new NodeDisk(path)
    this.#queries = new Queries(this.#disk, duck)
  }

  async counts(filter: StoreFilter, stepMs: number): Promise<CountRow[]> {
    const rows = await this.#queries.all(snapshot => {
      const parameters = new Parameters()
      const source = snapshot.rows('failures', filter.fromMs, filter.toMs, failureCondition(filter, parameters))
      const sums = ['failed', 'masked', 'other'].map(kind => `count(*) FILTER (${KIND} = '${kind}')`)
      const bucket = bucketOf('time', stepMs)
      const sql = `SELECT ${bucket} AS bucket, upstream, cause, ${sums.join(', ')} FROM (${source}) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`
      return { sql, parameters }
    })
    return rows.map(([bucket, upstream, cause, failed, masked, other]) => ({
      timeMs: stepMs === Number.POSITIVE_INFINITY ? filter.fromMs : Number(bucket),
      upstream: String(upstream),
      cause: cause as Cause,
      failed: Number(failed),
      masked: Number(masked),
      other: Number(other)
    }))
  }

  async search(filter: StoreFilter, { limit, order, after }: SearchOptions): Promise<Page> {
    const isOldest = order === 'oldest'
    const last = after === null ? null : parseCursor(after)
    const direction = isOldest ? 'ASC' : 'DESC'
    const window = last === null ? filter : behind(filter, last.timeMs, isOldest)
    const found: Value[][] = []
    // A page is in few days of many. One row more than asked for tells whether there is a next page.
    const days = await this.#queries.days('failures', window.fromMs, window.toMs)
    if (!isOldest) days.reverse()
    for (let count = 1; days.length > 0 && found.length <= limit; count *= 2) {
      const part = days.splice(0, count).sort()
      const partly = {
        ...window,
        fromMs: Math.max(window.fromMs, dayStart(part[0]!)),
        toMs: Math.min(window.toMs, dayStart(part.at(-1)!) + DAY_MS)
      }
      const rows = await this.#queries.all(snapshot => {
        const parameters = new Parameters()
        let condition = failureCondition(partly, parameters)
        if (last !== null) {
          const beyond = isOldest ? '>' : '<'
          const at = timestamp(last.timeMs)
          condition = `(${condition}) AND (time ${beyond} ${at} OR (time = ${at} AND id ${beyond} ${parameters.text(last.id)}))`
        }
        const source = snapshot.rows('failures', partly.fromMs, partly.toMs, condition)
        const rest = Math.max(0, Math.trunc(limit)) + 1 - found.length
        const sql = `SELECT ${FAILURE_COLUMNS} FROM (${source}) ORDER BY time ${direction}, id ${direction} LIMIT ${rest}`
        return { sql, parameters }
      })
      found.push(...rows)
    }
    const rows = found.slice(0, limit).map(failureRowOf)
    if (rows.length === 0) return { rows: [], next: null }
    const times = rows.map(({ timeMs }) => timeMs)
    const documents = await this.#documentsById(
      rows.map(({ id }) => id),
      { fromMs: Math.min(...times), toMs: Math.max(...times) + 1 }
    )
    // One that retention took between the two questions is left out.
    const withDocuments = rows.filter(({ id }) => documents.has(id))
    const { timeMs, id } = rows.at(-1)!
    return {
      rows: withDocuments.map(row => ({ ...row, document: documents.get(row.id)! })),
      next: found.length > limit ? cursorText({ timeMs, id }) : null
    }
  }

  async *scan(filter: StoreFilter): AsyncGenerator<FailureRow> {
    const rows = this.#queries.stream(snapshot => {
      const parameters = new Parameters()
      const source = snapshot.rows('failures', filter.fromMs, filter.toMs, failureCondition(filter, parameters))
      return { sql: `SELECT ${FAILURE_COLUMNS} FROM (${source})`, parameters }
    })
    for await (const row of rows) yield failureRowOf(row)
  }

  async documents(ids: string[], filter: StoreFilter): Promise<FailureDocument[]> {
    return ids.length === 0 ? [] : [...(await this.#documentsById([...new Set(ids)], filter)).values()]
  }

  async totals(filter: StoreFilter, stepMs: number): Promise<TotalsSum[]> {
    const rows = await this.#queries.all(snapshot => {
      const parameters = new Parameters()
      const condition = `${timeCondition('minute', filter)} AND ${serviceCondition(filter.services, parameters, false)}`
      const sums = TOTALS_SUMS.map(name => `sum(${name})::DOUBLE`)
      const source = snapshot.rows('totals', filter.fromMs, filter.toMs, condition)
      const sql = `SELECT ${bucketOf('minute', stepMs)} AS bucket, upstream, ${sums.join(', ')} FROM (${source}) GROUP BY 1, 2 ORDER BY 1, 2`
      return { sql, parameters }
    })
    return rows.map(([bucket, upstream, ...sums]) => {
      const [requests, failures, masked, clientClosed, status500, status502, status503, status504, durationMsSum] =
        sums.map(Number) as [number, number, number, number, number, number, number, number, number]
      return {
        timeMs: stepMs === Number.POSITIVE_INFINITY ? filter.fromMs : Number(bucket),
        upstream: String(upstream),
        requests,
        failures,
        masked,
        clientClosed,
        status500,
        status502,
        status503,
        status504,
        durationMsSum
      }
    })
  }

  async *controllers(filter: StoreFilter): AsyncGenerator<ControllerRow> {
    const rows = this.#queries.stream(snapshot => {
      const source = snapshot.rows('controllers', filter.fromMs, filter.toMs, timeCondition('time', filter))
      return {
        sql: `SELECT id, epoch_ms(time), event, service, pod, level, cause, message FROM (${source}) ORDER BY time, id`,
        parameters: new Parameters()
      }
    })
    for await (const [id, timeMs, kind, service, pod, level, cause, message] of rows)
      yield {
        id: String(id),
        timeMs: Number(timeMs),
        kind: String(kind),
        service: service as string | null,
        pod: pod as string | null,
        level: level as string | null,
        cause: cause as Cause | null,
        message: String(message)
      }
  }

  async gaps(filter: StoreFilter): Promise<SourceGap[]> {
    const rows = await this.#queries.all(snapshot => ({
      sql: `SELECT name, epoch_ms(time), bytes, reason, text FROM (${snapshot.rows('gaps', filter.fromMs, filter.toMs, timeCondition('time', filter))}) ORDER BY time, name`,
      parameters: new Parameters()
    }))
    return rows.map(([name, atMs, bytes, reason, text]) => ({
      name: String(name),
      atMs: Number(atMs),
      bytes: bytes === null ? null : Number(bytes),
      reason: reason as SourceGap['reason'],
      text: String(text)
    }))
  }

  async rejects(filter: StoreFilter): Promise<Map<string, number>> {
    const rows = await this.#queries.all(snapshot => ({
      sql: `SELECT code, count(*) FROM (${snapshot.rows('rejects', filter.fromMs, filter.toMs, timeCondition('time', filter))}) GROUP BY 1 ORDER BY 1`,
      parameters: new Parameters()
    }))
    return new Map(rows.map(([code, count]) => [String(code), Number(count)]))
  }

  async table(query: TableQuery, window: TableWindow): Promise<TableRow[]> {
    return (await this.tables([query], window))[0]!
  }

  async tables(queries: readonly TableQuery[], window: TableWindow): Promise<TableRow[][]> {
    const { readTables } = await import('./tableReader.ts')
    return readTables({ disk: this.#disk, queries: this.#queries, clusterName: this.#clusterName }, queries, window)
  }

  async span(): Promise<{ fromMs: number; toMs: number } | null> {
    const kinds = ['failures', 'controllers', 'rejects', 'totals'] as const
    const rows = await this.#queries.all(snapshot => {
      const parts = kinds.map(kind => {
        const time = kind === 'totals' ? 'minute' : 'time'
        return `SELECT min(${time}) AS first, max(${time}) AS last FROM (${snapshot.rows(kind, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 'true')})`
      })
      const sql = `SELECT epoch_ms(min(first)), epoch_ms(max(last)) FROM (${parts.join(' UNION ALL ')})`
      return { sql, parameters: new Parameters() }
    })
    const [first, last] = rows[0]!
    return first === null ? null : { fromMs: Number(first), toMs: Number(last) }
  }

  async incidents(filter: IncidentFilter, say?: (text: string) => void): Promise<Incident[]> {
    // Its checks are dear to load, and nobody else needs them.
    const { readIncidents } = await import('./incidentReader.ts')
    return readIncidents(this.#disk, filter, say)
  }

  /** Container × minute with totals from other streams, as `container\nminuteMs`. */
  async countedMinutes(containers: string[], stream: string): Promise<Set<string>> {
    if (containers.length === 0) return new Set()
    const rows = await this.#queries.all(snapshot => {
      const parameters = new Parameters()
      const condition = `container IN ${parameters.list(containers)} AND stream <> ${parameters.text(stream)}`
      const source = snapshot.rows('totals', Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, condition)
      return { sql: `SELECT DISTINCT container, epoch_ms(minute) FROM (${source})`, parameters }
    })
    return new Set(rows.map(([container, minute]) => `${container}\n${minute}`))
  }

  async close(): Promise<void> {
    this.#duck.closeSync()
  }

  /** The document of the version that counts, by id; `window` holds the documents' times. */
  async #documentsById(
    ids: readonly string[],
    window: Pick<StoreFilter, 'fromMs' | 'toMs'>
  ): Promise<Map<string, FailureDocument>> {
    const rows = await this.#queries.all(async (snapshot, connection) => {
      const parameters = new Parameters()
      const list = parameters.list(ids)
      const segments = await snapshot.segmentsWith(connection, list, parameters.values)
      return { sql: documentsSql(snapshot, segments, list, window), parameters }
    })
    return new Map(rows.map(([id, document]) => [String(id), JSON.parse(String(document)) as FailureDocument]))
  }
}

function documentsSql(
  snapshot: Snapshot,
  segments: readonly string[],
  ids: string,
  window: Pick<StoreFilter, 'fromMs' | 'toMs'>
): string {
  const condition = `id IN ${ids} AND ${timeCondition('time', window)}`
  const sealed = snapshot.days('failures', window.fromMs, window.toMs)
  const parts: string[] = []
  if (sealed.length > 0)
    parts.push(
      `SELECT id, version, document, 0 AS place FROM read_parquet(${snapshot.paths(sealed)}) WHERE ${condition}`
    )
  if (segments.length > 0)
    parts.push(
      `SELECT id, version, document, ${snapshot.segmentOrder('segment')} AS place FROM ${snapshot.segmentRows(segments)} WHERE kind = 'failure' AND ${condition}`
    )
  if (parts.length === 0) return `SELECT id, id FROM (SELECT NULL::VARCHAR AS id) WHERE false AND id IN ${ids}`
  return `SELECT id, document::VARCHAR FROM (${parts.join(' UNION ALL ')}) QUALIFY row_number() OVER (PARTITION BY id ORDER BY version DESC, place) = 1`
}

/** Begin of the bucket of a moment, Unix ms. */
function bucketOf(column: string, stepMs: number): string {
  return stepMs === Number.POSITIVE_INFINITY ? '0' : `epoch_ms(${column}) - epoch_ms(${column}) % ${Math.trunc(stepMs)}`
}

/** Begin of `20261121`, Unix ms. */
function dayStart(day: string): number {
  // Not Date.UTC: it takes the years 0 to 99 for those of the last century.
  return Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`)
}

/** The part of a filter's time that lies behind a moment, that moment included. */
function behind(filter: StoreFilter, timeMs: number, isOldest: boolean): StoreFilter {
  return isOldest
    ? { ...filter, fromMs: Math.max(filter.fromMs, timeMs) }
    : { ...filter, toMs: Math.min(filter.toMs, timeMs + 1) }
}

function failureRowOf([json]: readonly Value[]): FailureRow {
  const row = JSON.parse(String(json)) as (boolean | number | string | null)[]
  const text = (index: number): string | null => row[index] as string | null
  return {
    id: String(row[0]),
    version: Number(row[1]),
    timeMs: Number(row[2]),
    cause: row[3] as Cause,
    upstream: text(4) ?? '',
    service: text(5) ?? '',
    status: row[6] as number | null,
    counted: row[7] === true,
    masked: row[8] === true,
    method: text(9),
    host: text(10),
    path: text(11),
    client: text(12),
    address: text(13),
    pod: text(14),
    rootCause: text(15),
    confidence: Number(row[16]),
    hasErrorLine: row[17] === true
  }
}

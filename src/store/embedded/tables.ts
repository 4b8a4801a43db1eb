/** The kinds of rows, their columns in Parquet, and how they are read from segments. */

import { LINE_BYTES_MAX } from './segment.ts'

export const KINDS = ['failures', 'controllers', 'rejects', 'totals', 'gaps'] as const
export type Kind = (typeof KINDS)[number]

/** Column and type of DuckDB, in order. `document` is JSON text. Times are UTC. */
export const COLUMNS: Record<Kind, Record<string, string>> = {
  failures: {
    id: 'VARCHAR',
    version: 'BIGINT',
    time: 'TIMESTAMP',
    cause: 'VARCHAR',
    upstream: 'VARCHAR',
    service: 'VARCHAR',
    status: 'INTEGER',
    counted: 'BOOLEAN',
    masked: 'BOOLEAN',
    method: 'VARCHAR',
    host: 'VARCHAR',
    path: 'VARCHAR',
    client: 'VARCHAR',
    address: 'VARCHAR',
    pod: 'VARCHAR',
    root_cause: 'VARCHAR',
    confidence: 'DOUBLE',
    has_error_line: 'BOOLEAN',
    document: 'JSON'
  },
  controllers: {
    id: 'VARCHAR',
    version: 'BIGINT',
    time: 'TIMESTAMP',
    event: 'VARCHAR',
    service: 'VARCHAR',
    pod: 'VARCHAR',
    level: 'VARCHAR',
    cause: 'VARCHAR',
    message: 'VARCHAR',
    document: 'JSON'
  },
  rejects: { id: 'VARCHAR', version: 'BIGINT', time: 'TIMESTAMP', code: 'VARCHAR', document: 'JSON' },
  // One row a minute, upstream, container, stream and segment: a segment that is sealed twice replaces its rows.
  totals: {
    minute: 'TIMESTAMP',
    upstream: 'VARCHAR',
    container: 'VARCHAR',
    stream: 'VARCHAR',
    requests: 'BIGINT',
    failures: 'BIGINT',
    masked: 'BIGINT',
    client_closed: 'BIGINT',
    status_500: 'BIGINT',
    status_502: 'BIGINT',
    status_503: 'BIGINT',
    status_504: 'BIGINT',
    duration_ms_sum: 'DOUBLE',
    segment: 'VARCHAR'
  },
  gaps: {
    time: 'TIMESTAMP',
    name: 'VARCHAR',
    bytes: 'BIGINT',
    reason: 'VARCHAR',
    text: 'VARCHAR',
    segment: 'VARCHAR'
  }
}

export const TOTALS_KEY = ['minute', 'upstream', 'container', 'stream'] as const
export const TOTALS_SUMS = Object.keys(COLUMNS.totals).filter(
  name => name !== 'segment' && !(TOTALS_KEY as readonly string[]).includes(name)
)

/** Whose rows have an id: of two the higher version stays. The others belong to their segment. */
export function hasIdentity(kind: Kind): boolean {
  return 'id' in COLUMNS[kind]
}

/** By which time a row belongs to a day. */
export function timeColumn(kind: Kind): 'minute' | 'time' {
  return kind === 'totals' ? 'minute' : 'time'
}

export interface DayFile {
  kind: Kind
  /** `20261121`, UTC. */
  day: string
  name: string
  bytes: number
}

const DAY_FILE = new RegExp(`^(${KINDS.join('|')})-(\\d{8})\\.parquet$`)

export function dayFileName(kind: Kind, day: string): string {
  return `${kind}-${day}.parquet`
}

/** Oldest first. */
export function dayFilesOf(files: readonly { name: string; bytes: number }[]): DayFile[] {
  const found: DayFile[] = []
  for (const { name, bytes } of files) {
    const match = DAY_FILE.exec(name)
    if (match !== null) found.push({ kind: match[1] as Kind, day: match[2]!, name, bytes })
  }
  return found.sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : a.kind < b.kind ? -1 : 1))
}

/** The UTC day of a moment as in file names; '' before and '9' behind all days. */
export function dayOf(timeMs: number): string {
  if (timeMs < -62_167_219_200_000) return ''
  if (timeMs >= 253_402_300_800_000) return '9'
  return new Date(timeMs).toISOString().slice(0, 10).replaceAll('-', '')
}

/** SQL text: what stands between quotes. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** SQL list of files, taken as they are called: DuckDB reads `*`, `?` and `[` in names as patterns. */
export function fileList(paths: readonly string[]): string {
  return `[${paths.map(path => quoted(path.replace(/[*?[]/g, '[$&]'))).join(', ')}]`
}

/**
 * The rows of one or all kinds in segments. What is no whole line, or of a kind of a later version, is a row without `kind`
 * or with an unknown one. With `documents` their text is kept, which is most of the bytes.
 */
export function readSegments(paths: readonly string[], documents: boolean): string {
  const columns: Record<string, string> = { kind: 'VARCHAR' }
  for (const kind of KINDS)
    if (kind !== 'totals')
      for (const [name, type] of Object.entries(COLUMNS[kind]))
        if (name !== 'segment' && (documents || name !== 'document')) columns[name] = type
  const totals = Object.entries(COLUMNS.totals)
    .filter(([name]) => name !== 'segment')
    .map(([name, type]) => `${name} ${type}`)
  // Of the commit line that a line with totals belongs to.
  columns.number = 'BIGINT'
  columns.totals = `STRUCT(${totals.join(', ')})[]`
  const given = Object.entries(columns).map(([name, type]) => `${name}: ${quoted(type)}`)
  return (
    `(SELECT * EXCLUDE (filename), parse_filename(filename) AS segment FROM read_json(${fileList(paths)}, ` +
    `format = 'newline_delimited', ignore_errors = true, maximum_object_size = ${LINE_BYTES_MAX}, filename = true, columns = {${given.join(', ')}}))`
  )
}

/** The rows of one kind out of what `readSegments` gives, with the columns of its Parquet files and the segment's name. */
export function selectKind(kind: Kind, from: string, documents: boolean): string {
  if (kind === 'totals') {
    const sums = TOTALS_SUMS.map(name => `sum(row.${name})::${COLUMNS.totals[name]} AS ${name}`)
    const keys = TOTALS_KEY.map(name => `row.${name} AS ${name}`)
    // Lines of a batch that is being written do not count yet: its commit line comes last.
    return (
      `WITH parts AS MATERIALIZED (SELECT kind, number, totals, segment FROM ${from} WHERE kind IN ('commit', 'totals')) ` +
      `SELECT ${[...keys, ...sums, 'segment'].join(', ')} FROM (SELECT unnest(totals) AS row, segment FROM parts ` +
      `WHERE (segment, number) IN (SELECT (segment, number) FROM parts WHERE kind = 'commit')) ` +
      `GROUP BY ${TOTALS_KEY.map(name => `row.${name}`).join(', ')}, segment`
    )
  }
  const names = Object.keys(COLUMNS[kind]).filter(name => name !== 'segment' && (documents || name !== 'document'))
  return `SELECT ${names.join(', ')}, segment FROM ${from} WHERE kind = ${quoted(kind.slice(0, -1))}`
}

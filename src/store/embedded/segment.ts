/**
 * Segments: append-only files of whole lines, `failures-{yyyymmddThh}-{n}.ndjson`. One JSON object a line:
 *
 *   {"kind":"failure","id":"…","version":9,"time":"2026-11-21T10:03:14.000Z","cause":…,"document":{…}}
 *   {"kind":"controller",…} {"kind":"reject",…} {"kind":"gap",…}
 *   {"kind":"commit","number":7,"at":…,"bytes":5124,"crc32":…,"totals":[…],"streams":[…],"engine":…}
 *
 * A commit line ends every batch: what stands before it is valid if it is whole and its `bytes` and `crc32` are those of the
 * batch's lines. Totals and positions stand only there, so they hold exactly when the documents do. The first commit line
 * of a segment carries all streams and the engine's state: the last segment is enough to start from.
 */

import { crc32 } from 'node:zlib'
import type { SourceGap, StreamState } from '../../source/source.ts'
import { controllerRow } from '../controllerDocument.ts'
import { BuiltDocument, type StoredDocument } from '../document.ts'
import { type Batch, failureRow, type StoredReject, type TotalsRow } from '../store.ts'

const SEGMENT = /^failures-\d{8}T\d{2}-(\d+)\.ndjson$/

export function segmentName(atMs: number, number: number): string {
  return `failures-${new Date(atMs).toISOString().slice(0, 13).replaceAll('-', '')}-${number}.ndjson`
}

/** `n`, by which segments are ordered; null for other files. */
export function segmentNumber(name: string): number | null {
  const digits = SEGMENT.exec(name)?.[1]
  return digits === undefined ? null : Number(digits)
}

/** Oldest first. */
export function segmentsOf<T extends { name: string }>(files: readonly T[]): T[] {
  return files
    .filter(({ name }) => segmentNumber(name) !== null)
    .sort((a, b) => segmentNumber(a.name)! - segmentNumber(b.name)!)
}

export interface CommitLine {
  kind: 'commit'
  /** Counted over the whole life of the store, without holes. */
  number: number
  /** Wall time, RFC 3339. */
  at: string
  /** Of the batch's lines before this one. */
  bytes: number
  crc32: number
  totals: TotalsLine[]
  streams: StreamState[]
  /** null: as before. */
  engine: Record<string, unknown> | null
}

/** As in the commit line and in Parquet. */
export interface TotalsLine {
  minute: string
  upstream: string
  container: string
  stream: string
  requests: number
  failures: number
  masked: number
  client_closed: number
  status_500: number
  status_502: number
  status_503: number
  status_504: number
  duration_ms_sum: number
}

export function totalsLine(row: TotalsRow): TotalsLine {
  return {
    minute: iso(row.minuteMs),
    upstream: row.upstream,
    container: row.container,
    stream: row.stream,
    requests: row.requests,
    failures: row.failures,
    masked: row.masked,
    client_closed: row.clientClosed,
    status_500: row.status500,
    status_502: row.status502,
    status_503: row.status503,
    status_504: row.status504,
    duration_ms_sum: row.durationMsSum
  }
}

/** With its line feed: the document's text is there already. */
export function failureLine(stored: StoredDocument): string {
  const row = failureRow(stored)
  const columns = {
    kind: 'failure',
    id: row.id,
    version: row.version,
    time: iso(row.timeMs),
    cause: row.cause,
    upstream: row.upstream,
    service: row.service,
    status: row.status,
    counted: row.counted,
    masked: row.masked,
    method: row.method,
    host: row.host,
    path: row.path,
    client: row.client,
    address: row.address,
    pod: row.pod,
    root_cause: row.rootCause,
    confidence: row.confidence,
    has_error_line: row.hasErrorLine
  }
  const document = stored instanceof BuiltDocument ? stored.json : JSON.stringify(stored.document)
  return textLine(`${JSON.stringify(columns).slice(0, -1)},"document":${document}}`)
}

export function controllerLine(stored: StoredDocument): Record<string, unknown> {
  const { id, timeMs, kind, ...rest } = controllerRow(stored)
  return {
    kind: 'controller',
    id,
    version: stored.version,
    time: iso(timeMs),
    event: kind,
    ...rest,
    document: stored.document
  }
}

/** Without the original bytes: they are not for everybody who may read the folder. */
export function rejectLine({ id, version, timeMs, document }: StoredReject): Record<string, unknown> {
  const { code, type } = (document.error ?? {}) as { code?: string; type?: string }
  return { kind: 'reject', id, version, time: iso(timeMs), code: code ?? type ?? 'unknown', document }
}

export function gapLine({ name, atMs, bytes, reason, text }: SourceGap): Record<string, unknown> {
  return { kind: 'gap', time: iso(atMs), name, bytes, reason, text }
}

/** One line, with its line feed. */
export function jsonLine(value: unknown): string {
  return textLine(JSON.stringify(value))
}

function textLine(json: string): string {
  // Half of a surrogate pair is no text: DuckDB refuses the whole line, and so do other readers.
  return `${json.includes('\\ud') ? json.replace(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, '$1\ufffd') : json}\n`
}

/** The line that ends a batch and makes it valid. */
export function commitLine(
  lines: Buffer,
  commit: Pick<Batch, 'totals' | 'streams' | 'engine'> & { number: number; atMs: number }
): Buffer {
  const line: CommitLine = {
    kind: 'commit',
    number: commit.number,
    at: iso(commit.atMs),
    bytes: lines.length,
    crc32: crc32(lines),
    totals: commit.totals.map(totalsLine),
    streams: commit.streams,
    engine: commit.engine
  }
  return Buffer.from(jsonLine(line))
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

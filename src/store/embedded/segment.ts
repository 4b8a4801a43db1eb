/**
 * Segments: append-only files of whole lines, `failures-{yyyymmddThh}-{n}.ndjson`. One JSON object a line:
 *
 *   {"kind":"failure","id":"…","version":9,"time":"2026-11-21T10:03:14.000Z","cause":…,"document":{…}}
 *   {"kind":"controller",…} {"kind":"reject",…} {"kind":"gap",…}
 *   {"kind":"totals","number":7,"totals":[…]} {"kind":"streams","number":7,"streams":[…]}
 *   {"kind":"commit","number":7,"at":…,"bytes":5124,"crc32":…,"totals":[…],"streams":[…],"engine":…}
 *
 * A commit line ends every batch: what stands before it is valid if it is whole and its `bytes` and `crc32` are those of the
 * batch's lines. Totals and positions stand there, so they hold exactly when the documents do. Programs that read JSON lines
 * want them short: many totals or positions stand in lines of their own before it, which carry the commit's number and hold
 * only when a commit line has that number. The first batch of a segment carries all streams and the engine's state: the last
 * segment is enough to start from.
 */

import { crc32 } from 'node:zlib'
import type { SourceGap, StreamState } from '../../source/source.ts'
import { controllerRow } from '../controllerDocument.ts'
import { BuiltDocument, type StoredDocument } from '../document.ts'
import { type Batch, failureRow, type StoredReject, type TotalsRow } from '../store.ts'
import { wellFormedJson } from '../wellFormed.ts'

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
  /** Of all of the batch's lines before this one. */
  bytes: number
  crc32: number
  totals: TotalsLine[]
  streams: StreamState[]
  /** null: as before. */
  engine: Record<string, unknown> | null
}

/** A part of what belongs to the commit line of that number. */
export type PartLine =
  | { kind: 'totals'; number: number; totals: TotalsLine[] }
  | { kind: 'streams'; number: number; streams: StreamState[] }

/** Totals or positions in one line: two of them and the engine's state make a line far below `LINE_BYTES_MAX`. */
const PART_CHARS_MAX = 1 << 17
/** What a reader must be able to take in one line. Lines are far shorter, unless somebody sends log lines of megabytes. */
export const LINE_BYTES_MAX = 32 << 20

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

function totalsLine(row: TotalsRow): TotalsLine {
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
  return `${wellFormedJson(json)}\n`
}

/** What ends a batch and makes it valid: the commit line, with lines before it for what makes it too long. */
export function commitLines(
  lines: Buffer,
  commit: Pick<Batch, 'totals' | 'streams' | 'engine'> & { number: number; atMs: number }
): Buffer {
  const { number } = commit
  const totals = inParts(commit.totals.map(totalsLine))
  const streams = inParts(commit.streams)
  const before: PartLine[] = [
    ...totals.slice(1).map(part => ({ kind: 'totals' as const, number, totals: part })),
    ...streams.slice(1).map(part => ({ kind: 'streams' as const, number, streams: part }))
  ]
  const parts = Buffer.from(before.map(jsonLine).join(''))
  const line: CommitLine = {
    kind: 'commit',
    number,
    at: iso(commit.atMs),
    bytes: lines.length + parts.length,
    crc32: crc32(parts, crc32(lines)),
    totals: totals[0]!,
    streams: streams[0]!,
    engine: commit.engine
  }
  return Buffer.concat([parts, Buffer.from(jsonLine(line))])
}

/** At least one part; the first goes into the commit line. */
function inParts<T>(items: readonly T[]): T[][] {
  let part: T[] = []
  const parts = [part]
  let chars = 0
  for (const item of items) {
    const length = JSON.stringify(item).length
    if (part.length > 0 && chars + length > PART_CHARS_MAX) {
      parts.push((part = []))
      chars = 0
    }
    part.push(item)
    chars += length
  }
  return parts
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

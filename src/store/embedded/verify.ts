/** Looks through a whole store and says what is there and what is wrong. Changes nothing. */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { plural } from '../../text.ts'
import { NodeDisk } from './disk.ts'
import { type DuckDBConnection, openDuck, rowsOf } from './duck.ts'
import { checkReadable, FORMAT } from './folder.ts'
import { INCIDENTS_FILE, newestLines } from './incidentFile.ts'
import { lockOwner } from './lock.ts'
import { REJECTS_FOLDER } from './rejectLog.ts'
import { TEMPORARY } from './seal.ts'
import { LINE_BYTES_MAX, segmentsOf } from './segment.ts'
import { scanSegment } from './segmentReader.ts'
import { type DayFile, dayFilesOf, fileList, hasIdentity, TOTALS_KEY, timeColumn } from './tables.ts'

const MEMORY_MB = 512

export interface StoreProblem {
  what: string
  /** How it is mended. */
  mend: string
}

export interface StoreCheck {
  path: string
  format: number
  /** `process 17 on node-1`; null: nobody writes. */
  writer: string | null
  segments: { name: string; bytes: number; batches: number; rows: number }[]
  days: { kind: string; day: string; bytes: number; rows: number }[]
  /** Of failures, sealed and not; documents that stand in both count twice until the next sealing. */
  failures: { sealed: number; unsealed: number }
  /** Of a failure with its document, in Parquet and in segments; null without one. Segments hold more than failures. */
  bytesPerFailure: { sealed: number | null; unsealed: number | null }
  bytes: number
  problems: StoreProblem[]
  /** What is not as it should be and mends itself. */
  notes: string[]
}

/** Throws Why5xxError `WHY5XX_STORE` when the folder is no store that this program can read. */
export async function verifyStore(path: string): Promise<StoreCheck> {
  await checkReadable(path)
  const disk = new NodeDisk(path)
  const files = await disk.list()
  const owner = await lockOwner(path)
  const check: StoreCheck = {
    path,
    format: FORMAT,
    writer: owner === null ? null : `process ${owner.pid} on ${owner.host}`,
    segments: [],
    days: [],
    failures: { sealed: 0, unsealed: 0 },
    bytesPerFailure: { sealed: null, unsealed: null },
    bytes: [...files, ...(await disk.list(REJECTS_FOLDER))].reduce((sum, { bytes }) => sum + bytes, 0),
    problems: [],
    notes: []
  }
  await verifySegments(disk, check)
  // Listed again: a segment that was not there any more is in a day file.
  await verifyDays(path, dayFilesOf(await disk.list()), check)
  const { damaged } = await newestLines(disk)
  if (damaged > 0)
    check.notes.push(
      `${INCIDENTS_FILE}: ${plural(damaged, 'damaged line')}, left out and dropped at the next start of \`why5xx run\``
    )
  await verifyLeftovers(path, check)
  return check
}

async function verifySegments(disk: NodeDisk, check: StoreCheck): Promise<void> {
  const files = segmentsOf(await disk.list())
  let expected: number | null = null
  for (const [index, { name }] of files.entries()) {
    try {
      expected = await verifySegment(disk, name, expected, index === files.length - 1, check)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      check.notes.push(`${name} was sealed meanwhile: its rows are in the files of their days`)
      expected = null
    }
  }
  const bytes = check.segments.reduce((sum, segment) => sum + segment.bytes, 0)
  if (check.failures.unsealed > 0) check.bytesPerFailure.unsealed = Math.round(bytes / check.failures.unsealed)
}

/** `expected` is the number of the first batch, where it is known. Returns that of the first batch behind the segment. */
async function verifySegment(
  disk: NodeDisk,
  name: string,
  expected: number | null,
  isLast: boolean,
  check: StoreCheck
): Promise<number | null> {
  const found = { name, bytes: 0, batches: 0, rows: 0 }
  let next = expected
  const scan = scanSegment(disk, name)
  let step = await scan.next()
  for (; !step.done; step = await scan.next()) {
    const { lines, commit, longestBytes } = step.value
    if (next !== null && commit.number !== next)
      check.problems.push({
        what: `${name}: batch ${commit.number} follows batch ${next - 1}: ${commit.number > next ? 'batches are missing' : 'a batch is there twice'}`,
        mend: 'if a segment was moved away, put it back; else read the log files of that time again with `why5xx replay`'
      })
    next = commit.number + 1
    if (longestBytes > LINE_BYTES_MAX)
      check.problems.push({
        what: `${name}: a line of batch ${commit.number} has ${longestBytes} bytes, more than readers take: ${LINE_BYTES_MAX}`,
        mend: 'move the segment away, and read the log files of that time again with `why5xx replay`'
      })
    found.batches++
    found.rows += lines.length
    for (const [at, line] of lines.entries()) {
      const kind = kindOf(line)
      if (kind === 'failure') check.failures.unsealed++
      if (kind === null)
        check.problems.push({
          what: `${name}: line ${at + 1} of batch ${commit.number} is no JSON object`,
          mend: 'readers leave the line out; read the log files of that time again with `why5xx replay`'
        })
    }
  }
  const { bytes: length, validBytes, problem } = step.value
  found.bytes = length
  check.segments.push(found)
  if (problem === null) return next
  const what = `${name}: ${problem} behind byte ${validBytes}, ${length - validBytes} bytes`
  if (!isLast)
    check.problems.push({
      what,
      mend: `cut it there: truncate -s ${validBytes} ${name}, and replay the log files of that time`
    })
  else if (check.writer === null)
    check.notes.push(`${what}: left by a crash, cut off at the next start of \`why5xx run\``)
  return next
}

function kindOf(line: Buffer): string | null {
  try {
    const { kind } = JSON.parse(line.toString()) as { kind?: unknown }
    return typeof kind === 'string' ? kind : null
  } catch {
    return null
  }
}

async function verifyDays(path: string, files: readonly DayFile[], check: StoreCheck): Promise<void> {
  if (files.length === 0) return
  const duck = await openDuck({ memoryMb: MEMORY_MB, threads: 2 })
  try {
    const connection = await duck.connect()
    let bytes = 0
    for (const file of files) {
      const rows = await verifyDay(connection, path, file, check)
      check.days.push({ kind: file.kind, day: file.day, bytes: file.bytes, rows })
      if (file.kind !== 'failures') continue
      check.failures.sealed += rows
      bytes += file.bytes
    }
    if (check.failures.sealed > 0) check.bytesPerFailure.sealed = Math.round(bytes / check.failures.sealed)
  } finally {
    duck.closeSync()
  }
}

/** Returns its rows; 0 when it cannot be read. */
async function verifyDay(
  connection: DuckDBConnection,
  path: string,
  { kind, day, name }: DayFile,
  check: StoreCheck
): Promise<number> {
  const time = timeColumn(kind)
  const key = hasIdentity(kind) ? 'id' : kind === 'totals' ? `(${[...TOTALS_KEY, 'segment'].join(', ')})` : null
  const distinct = key === null ? 'count(*)' : `count(DISTINCT ${key})`
  // The documents are most of the bytes: their lengths make DuckDB read them all.
  const documents = hasIdentity(kind) ? ', sum(strlen(document))' : ''
  try {
    const [row] = await rowsOf(
      connection,
      `SELECT count(*), ${distinct}, count(*) FILTER (strftime(${time}, '%Y%m%d') <> $1)${documents} FROM read_parquet(${fileList([join(path, name)])})`,
      [day]
    )
    const [rows, unique, elsewhere] = row!.map(Number) as [number, number, number]
    const say = (what: string): void =>
      void check.problems.push({ what: `${name}: ${what}`, mend: `move it away, and replay the log files of ${day}` })
    if (unique < rows) say(`${rows - unique} rows stand in it twice`)
    if (elsewhere > 0) say(`${elsewhere} rows are of another day`)
    return rows
  } catch (error) {
    check.problems.push({
      what: `${name} cannot be read: ${(error as Error).message.split('\n')[0]}`,
      mend: `restore it from a backup, or move it away and replay the log files of ${day}`
    })
    return 0
  }
}

async function verifyLeftovers(path: string, check: StoreCheck): Promise<void> {
  const isSealing = (await lockOwner(path, 'sealing')) !== null
  for (const name of await readdir(path)) {
    if (name.startsWith(TEMPORARY)) {
      if (!isSealing) check.notes.push(`${name} was left by a crash; it is removed at the next start of \`why5xx run\``)
    } else if (!/^(?:store\.json|lock|sealing|rejects|cluster)$|\.(?:ndjson|parquet)$|^(?:lock|sealing)\./.test(name))
      check.notes.push(`${name} is no file of a store`)
  }
}

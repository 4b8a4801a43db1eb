/** The real writer on a memory disk, and a reading of what is on it without DuckDB. */
import type { StreamState } from '../../src/source/source.ts'
import { type CommitLine, segmentsOf, type TotalsLine } from '../../src/store/embedded/segment.ts'
import { scanSegment } from '../../src/store/embedded/segmentReader.ts'
import { EmbeddedWriter, type WriterParts } from '../../src/store/embedded/writer.ts'
import type { MemoryDisk } from './memoryDisk.ts'

/** Rows of sealed segments; the sealing of the tests puts them there. */
const SEALED = 'sealed.ndjson'

export interface StoredRow {
  kind: 'controller' | 'failure' | 'gap' | 'reject'
  id?: string
  version?: number
  [column: string]: unknown
}

export interface MemoryContents {
  /** Each id once, the highest version; gaps as often as they were written. */
  rows: StoredRow[]
  /** Summed by minute, upstream, container and stream, ordered by these. */
  totals: TotalsLine[]
  streams: StreamState[]
  engine: Record<string, unknown> | null
  commits: number
}

/** A writer whose waits are over at once. By default segments are never full; `seal` moves rows to a file of its own. */
export async function openMemoryWriter(disk: MemoryDisk, parts: Partial<WriterParts> = {}): Promise<EmbeddedWriter> {
  return EmbeddedWriter.open({
    disk,
    path: '/memory',
    seal: segments => sealInMemory(disk, segments),
    countedMinutes: () => Promise.resolve(new Set()),
    assertOwned() {},
    now: () => Date.UTC(2026, 10, 21, 10),
    wait: () => Promise.resolve(),
    notify() {},
    segmentBytesMax: Number.POSITIVE_INFINITY,
    segmentAgeMsMax: Number.POSITIVE_INFINITY,
    rejectBytesMax: 1 << 20,
    closedMax: 1,
    ...parts
  })
}

/** As the real one: unfinished under another name, then renamed; a segment that is sealed twice replaces its rows. */
export async function sealInMemory(disk: MemoryDisk, segments: readonly string[]): Promise<void> {
  const kept = (await linesOf(disk, SEALED)).filter(line => !segments.includes(segmentOf(line)))
  for (const name of segments) {
    for await (const { lines, commit } of scanSegment(disk, name)) {
      for (const line of lines) kept.push(JSON.stringify({ segment: name, row: JSON.parse(String(line)) as unknown }))
      kept.push(JSON.stringify({ segment: name, row: { kind: 'commit', totals: commit.totals } }))
    }
  }
  const draft = `tmp-${SEALED}`
  await disk.remove(draft)
  await disk.append(draft, Buffer.from(kept.map(line => `${line}\n`).join('')))
  await disk.sync(draft)
  await disk.rename(draft, SEALED)
  await disk.syncFolder()
}

export async function readMemory(disk: MemoryDisk): Promise<MemoryContents> {
  const segments = segmentsOf(await disk.list()).map(({ name }) => name)
  const rows: StoredRow[] = []
  const totals: TotalsLine[] = []
  const found: MemoryContents = { rows, totals, streams: [], engine: null, commits: 0 }
  const streams = new Map<string, StreamState>()
  for (const line of await linesOf(disk, SEALED)) {
    if (segments.includes(segmentOf(line))) continue
    const { row } = JSON.parse(line) as { row: CommitLine | StoredRow }
    if (row.kind === 'commit') totals.push(...(row as CommitLine).totals)
    else rows.push(row as StoredRow)
  }
  for (const name of segments) {
    for await (const { lines, commit } of scanSegment(disk, name)) {
      for (const line of lines) rows.push(JSON.parse(String(line)) as StoredRow)
      totals.push(...commit.totals)
      for (const state of commit.streams) streams.set(state.stream, state)
      found.engine = commit.engine ?? found.engine
      found.commits = commit.number
    }
  }
  return { ...found, rows: unique(rows), totals: summed(totals), streams: [...streams.values()] }
}

async function linesOf(disk: MemoryDisk, name: string): Promise<string[]> {
  if (!(await disk.list()).some(file => file.name === name)) return []
  const parts: Uint8Array[] = []
  for await (const part of disk.read(name)) parts.push(part)
  return Buffer.concat(parts)
    .toString()
    .split('\n')
    .filter(line => line !== '')
}

function segmentOf(line: string): string {
  return (JSON.parse(line) as { segment: string }).segment
}

function unique(rows: readonly StoredRow[]): StoredRow[] {
  const best = new Map<string, StoredRow>()
  for (const [index, row] of rows.entries()) {
    const key = row.kind === 'gap' ? `gap ${index}` : `${row.kind} ${row.id}`
    const before = best.get(key)
    if (before === undefined || before.version! < row.version!) best.set(key, row)
  }
  return [...best.values()]
}

function summed(lines: readonly TotalsLine[]): TotalsLine[] {
  const sums = new Map<string, TotalsLine>()
  for (const { minute, upstream, container, stream, ...counts } of lines) {
    const key = JSON.stringify([minute, upstream, container, stream])
    const sum = sums.get(key)
    if (sum === undefined) sums.set(key, { minute, upstream, container, stream, ...counts })
    else for (const name of Object.keys(counts) as (keyof typeof counts)[]) sum[name] += counts[name]
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum)
}

/** Reads a segment batch by batch, as far as it is whole. */

import { crc32 } from 'node:zlib'
import type { Disk } from './disk.ts'
import type { CommitLine, PartLine } from './segment.ts'

export interface ScannedBatch {
  /** Of rows alone. */
  lines: Buffer[]
  /** With all totals and streams of the batch. */
  commit: CommitLine
  /** Of its longest line. */
  longestBytes: number
  /** Where the next batch begins. */
  end: number
}

export interface SegmentEnd {
  /** Behind the last whole batch. */
  validBytes: number
  bytes: number
  /** What is wrong with what stands behind it; null: nothing does. */
  problem: string | null
}

const LINE_FEED = 10
const COMMIT = Buffer.from('{"kind":"commit"')
const PARTS = [Buffer.from('{"kind":"totals"'), Buffer.from('{"kind":"streams"')]

/** Yields whole batches and stops at the first that is none: behind it nothing was ever promised. */
export async function* scanSegment(disk: Disk, name: string): AsyncGenerator<ScannedBatch, SegmentEnd> {
  let lines: Buffer[] = []
  let valid = 0
  let problem: string | null = null
  let position = 0
  for await (const { line, isWhole } of linesOf(disk, name)) {
    position += line.length
    if (problem !== null) continue
    if (!isWhole) problem = 'a torn line'
    else if (!startsWith(line, COMMIT)) lines.push(line)
    else {
      const commit = parseCommit(line)
      if (commit === null || !isOf(commit, lines)) problem = 'a batch that is not what was written'
      else {
        valid = position
        const rows = lines.filter(row => !takePart(row, commit))
        const longestBytes = lines.reduce((longest, { length }) => Math.max(longest, length), line.length)
        yield { lines: rows, commit, longestBytes, end: position }
        lines = []
      }
    }
  }
  if (problem === null && position > valid) problem = 'a batch without its commit line'
  return { validBytes: valid, bytes: position, problem }
}

/** Id and version of a row line, without parsing all of it: `kind`, `id` and `version` stand first. null: it has none. */
export function identityOf(line: Buffer): { key: string; version: number } | null {
  const match = /^\{"kind":"(failure|controller|reject)","id":"((?:[^"\\]|\\.)*)","version":(-?\d+)[,}]/.exec(
    line.toString('utf8', 0, 400)
  )
  return match === null ? null : { key: identityKey(match[1]!, match[2]!), version: Number(match[3]) }
}

/** A line is of one kind, but nothing promises that two documents of two kinds have two ids. `id` as in JSON. */
export function identityKey(kind: string, id: string): string {
  return kind === 'failure' ? id : `${kind}\n${id}`
}

/** With their line feeds; only the last may be without. */
export async function* linesOf(disk: Disk, name: string): AsyncGenerator<{ line: Buffer; isWhole: boolean }> {
  let rest: Buffer[] = []
  for await (const chunk of disk.read(name)) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    let from = 0
    for (let feed = bytes.indexOf(LINE_FEED); feed >= 0; feed = bytes.indexOf(LINE_FEED, from)) {
      const part = bytes.subarray(from, feed + 1)
      yield { line: rest.length === 0 ? part : Buffer.concat([...rest, part]), isWhole: true }
      rest = []
      from = feed + 1
    }
    if (from < bytes.length) rest.push(bytes.subarray(from))
  }
  if (rest.length > 0) yield { line: Buffer.concat(rest), isWhole: false }
}

function parseCommit(line: Buffer): CommitLine | null {
  try {
    const commit = JSON.parse(line.toString()) as CommitLine
    return typeof commit.number === 'number' && Array.isArray(commit.totals) && Array.isArray(commit.streams)
      ? commit
      : null
  } catch {
    return null
  }
}

function startsWith(line: Buffer, begin: Buffer): boolean {
  return line.subarray(0, begin.length).equals(begin)
}

/** Adds what stands in a line of its own to its commit line; false: the line is a row. */
function takePart(line: Buffer, commit: CommitLine): boolean {
  if (!PARTS.some(begin => startsWith(line, begin))) return false
  const part = JSON.parse(line.toString()) as PartLine
  // One by one: a call takes only so many arguments.
  if (part.kind === 'totals') for (const row of part.totals) commit.totals.push(row)
  else for (const state of part.streams) commit.streams.push(state)
  return true
}

function isOf(commit: CommitLine, lines: readonly Buffer[]): boolean {
  let sum = 0
  let bytes = 0
  for (const line of lines) {
    sum = crc32(line, sum)
    bytes += line.length
  }
  return commit.bytes === bytes && commit.crc32 === sum
}

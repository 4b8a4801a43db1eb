/**
 * The record as a folder: `record-{yyyymmddThhmmss}-{n}.ndjson`, one event a line, a new file with each whole list, so about
 * one an hour; those that are closed are packed (`.ndjson.gz`). `n` counts without holes, until old ones are removed.
 */

import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

/** Beside the segments of the embedded store, in its folder. */
export const RECORD_FOLDER = 'cluster'
/** More than any event has: a file of something else. */
const LINE_BYTES_MAX = 8 << 20
const LINE_FEED = 10
const NAME = /^record-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)-(\d{1,12})\.ndjson(\.gz)?$/

export interface Segment {
  name: string
  number: number
  /** `at` of its first event, in whole seconds, Unix ms. */
  fromMs: number
  isPacked: boolean
  bytes: number
}

export function segmentName(atMs: number, number: number): string {
  return `record-${new Date(atMs).toISOString().slice(0, 19).replace(/[-:]/g, '')}-${number}.ndjson`
}

/**
 * From a number on, oldest first; one that is there packed and not is named once, unpacked. null: there is no such folder.
 */
export async function listSegments(folder: string, fromNumber = 0): Promise<Segment[] | null> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  const byNumber = new Map<number, Segment>()
  for (const name of names) {
    const match = NAME.exec(name)
    if (match === null) continue
    const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, ...number[]]
    const number = Number(match[7])
    const isPacked = match[8] !== undefined
    if (number < fromNumber || (isPacked && byNumber.has(number))) continue
    // Packed or removed meanwhile: it is gone, or comes under its other name.
    const info = await stat(join(folder, name)).catch(() => null)
    if (info === null) continue
    const fromMs = Date.UTC(year, month! - 1, day, hour, minute, second)
    byNumber.set(number, { name, number, fromMs, isPacked, bytes: info.size })
  }
  return [...byNumber.values()].sort((a, b) => a.number - b.number)
}

export interface SegmentLine {
  text: string
  /** Where it begins and where the next one does, in bytes of what is unpacked. */
  start: number
  end: number
}

/**
 * Whole lines of a segment from a byte on; what is behind the last line feed is being written, or torn. Throws ENOENT when it
 * was packed or removed meanwhile, and what zlib throws.
 */
export async function* linesOf(folder: string, segment: Segment, from = 0): AsyncGenerator<SegmentLine> {
  let rest: Buffer[] = []
  let restBytes = 0
  let isTooLong = false
  let position = segment.isPacked ? 0 : from
  for await (const chunk of contents(folder, segment, from)) {
    let bytes = chunk
    // A packed one is read from its begin.
    if (position < from) {
      const skipped = Math.min(from - position, bytes.length)
      position += skipped
      bytes = bytes.subarray(skipped)
    }
    for (let feed = bytes.indexOf(LINE_FEED); feed >= 0; feed = bytes.indexOf(LINE_FEED)) {
      const line = Buffer.concat([...rest, bytes.subarray(0, feed)])
      const start = position - restBytes
      position += feed + 1
      bytes = bytes.subarray(feed + 1)
      yield { text: isTooLong ? '' : line.toString(), start, end: position }
      rest = []
      restBytes = 0
      isTooLong = false
    }
    restBytes += bytes.length
    position += bytes.length
    isTooLong ||= restBytes > LINE_BYTES_MAX
    if (isTooLong) rest = []
    else rest.push(bytes)
  }
}

function contents(folder: string, { name, isPacked }: Segment, from: number): AsyncIterable<Buffer> {
  const path = join(folder, name)
  if (!isPacked) return createReadStream(path, { start: from }) as AsyncIterable<Buffer>
  // Errors of both come out of the last of them.
  return pipeline(createReadStream(path), createGunzip(), () => {}) as Readable as AsyncIterable<Buffer>
}

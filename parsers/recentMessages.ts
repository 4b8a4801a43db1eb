/** The last messages of a partition, so that a line which came a moment ago can be found again. Bounded in bytes. */

import type { LineStart } from './lineVisitor.ts'
import type { MessageBatch } from './messageBatch.ts'

/** Half a second at 1,000 messages/s. */
const BYTES_KEPT = 1 << 19
/** Equal lines that are looked at for one question. */
const CANDIDATES_MAX = 64
const LINE_FEED = 0x0a

/** A line, its line feed at `end`, in the message at `offset`. */
export interface FoundLine {
  bytes: Buffer
  start: number
  end: number
  offset: number
  /** Which line of its message, from 0. */
  index: number
}

/** How far record time had come behind a message. */
interface Mark {
  offset: number
  timeMs: number
}

/** Messages of one batch, copied. */
interface Copy {
  bytes: Buffer
  starts: Int32Array
  offsets: Float64Array
  ends: Int32Array
}

export class RecentMessages {
  /** Oldest first. */
  #copies: Copy[] = []
  #length = 0
  /** Oldest first. */
  #marks: Mark[] = []
  /** Memory of a copy that has gone: a busy partition would make and drop it many times a second. */
  #spare: Buffer = Buffer.alloc(0)

  clear(): void {
    this.#copies = []
    this.#length = 0
    this.#marks = []
  }

  /** Record time behind the message at `offset`; some of a batch are enough. */
  mark(offset: number, timeMs: number): void {
    if (!Number.isNaN(timeMs)) this.#marks.push({ offset, timeMs })
  }

  /** Keeps copies of the last messages of a batch. */
  add({ bytes, count, offsets, starts, ends }: MessageBatch): void {
    let last = count - 1
    while (last >= 0 && ends[last]! < 0) last--
    if (last < 0) return
    const to = ends[last]! + 1
    let first = last
    while (first > 0 && (ends[first - 1]! < 0 || to - starts[first - 1]! <= BYTES_KEPT)) first--
    while (ends[first]! < 0) first++
    const from = starts[first]!
    const length = to - from
    this.#drop(BYTES_KEPT - length)
    // A message larger than the room is not kept.
    if (length > BYTES_KEPT) return
    const room = this.#spare.length >= length ? this.#spare : Buffer.allocUnsafeSlow(length)
    this.#spare = Buffer.alloc(0)
    bytes.copy(room, 0, from, to)
    this.#copies.push({
      bytes: room.subarray(0, length),
      starts: starts.slice(first, last + 1).map(start => start - from),
      ends: ends.slice(first, last + 1).map(end => (end < 0 ? end : end - from)),
      offsets: offsets.slice(first, last + 1)
    })
    this.#length += length
    const oldest = this.#copies[0]!.offsets[0]!
    const late = this.#marks.findIndex(mark => mark.offset >= oldest)
    if (late > 0) this.#marks = this.#marks.slice(late)
  }

  /** Drops the oldest, so that `room` bytes or less stay. */
  #drop(room: number): void {
    while (this.#copies.length > 0 && this.#length > room) {
      const { bytes } = this.#copies.shift()!
      this.#length -= bytes.length
      this.#spare = Buffer.from(bytes.buffer)
    }
  }

  /** The oldest message that may be of the last `ms` before the newest one; nothing without stamps. */
  *startsWithin(ms: number): Generator<LineStart> {
    const newestMs = this.#marks.at(-1)?.timeMs
    const oldest = this.#copies[0]?.offsets[0]
    if (newestMs === undefined || oldest === undefined) return
    const late = this.#marks.findIndex(({ timeMs }) => timeMs >= newestMs - ms)
    const byteOffset = late === 0 ? oldest : this.#marks[late - 1]!.offset + 1
    yield { byteOffset, number: byteOffset + 1 }
  }

  /** Lines that hold `needle` (Latin-1), newest first: of the messages of `batch` before `at`, then of those kept. */
  *linesWith(needle: string, batch: MessageBatch | null, at: number): Generator<FoundLine> {
    let candidates = 0
    const now =
      batch === null ? [] : [{ ...batch, starts: batch.starts.subarray(0, at), ends: batch.ends.subarray(0, at) }]
    for (const copy of [...now, ...this.#copies.toReversed()]) {
      for (const found of linesIn(copy, needle)) {
        if (++candidates > CANDIDATES_MAX) return
        yield found
      }
    }
  }
}

/** Lines in values that hold the needle, last first. Between values may lie anything: frames of records, their keys. */
function* linesIn({ bytes, starts, ends, offsets }: Copy, needle: string): Generator<FoundLine> {
  let i = starts.length - 1
  while (i >= 0 && ends[i]! < 0) i--
  for (let before = ends[i] ?? 0; before > 0; ) {
    const at = bytes.lastIndexOf(needle, before - 1, 'latin1')
    if (at < 0) return
    while (i >= 0 && (ends[i]! < 0 || starts[i]! > at)) i--
    if (i < 0) return
    before = at
    if (at + needle.length > ends[i]!) continue
    const start = Math.max(bytes.lastIndexOf(LINE_FEED, at) + 1, starts[i]!)
    before = start
    yield {
      bytes,
      start,
      end: bytes.indexOf(LINE_FEED, at),
      offset: offsets[i]!,
      index: feeds(bytes, starts[i]!, start)
    }
  }
}

function feeds(bytes: Buffer, from: number, to: number): number {
  let count = 0
  for (let at = bytes.indexOf(LINE_FEED, from); at >= 0 && at < to; at = bytes.indexOf(LINE_FEED, at + 1)) count++
  return count
}

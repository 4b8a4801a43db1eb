import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import type { FileBytes } from './fileStream.ts'
import { HEAD_BYTES, readAt, TAIL_BYTES, type Trace } from './fingerprint.ts'
import { lastAccessTime } from './mergeOrder.ts'

const CHUNK_BYTES = 1 << 18
const PEEK_BYTES = 1 << 16

/** One buffer for all: a chunk is valid until the next event is asked for. In front of it the bytes to verify. */
const buffer = Buffer.allocUnsafeSlow(TAIL_BYTES + CHUNK_BYTES)

/** The bytes before the offset are others than those that were read: somebody truncated the file. */
export class Truncated extends Error {}

/** A file that may grow. Its descriptor stays open, so that renaming and deleting it lose nothing. */
export class PlainFile implements FileBytes {
  readonly #descriptor: number
  readonly #trace: Trace
  #stats: Stats
  /** Largest size seen of what is read now. */
  #largest: number
  #isOpen = true
  /** First bytes that were seen while nothing was read: they may be truncated away before anybody asks for them. */
  firstSeen: Buffer = Buffer.alloc(0)
  #next = { offset: -1, end: -1, ms: Number.NaN }

  /** Reads on behind `trace`. */
  constructor(path: string, trace: Trace) {
    this.#trace = trace
    this.#descriptor = openSync(path, 'r')
    this.#stats = fstatSync(this.#descriptor)
    this.#largest = this.#stats.size
    this.#see()
  }

  #see(): void {
    if (this.#trace.at === 0) this.firstSeen = readAt(this.#descriptor, 0, Math.min(HEAD_BYTES, this.#stats.size))
  }

  get stats(): Stats {
    return this.#stats
  }

  get hasUnread(): boolean {
    return this.#stats.size > this.#trace.at
  }

  get unreadBytes(): number {
    return Math.max(0, this.#largest - this.#trace.at)
  }

  poll(): boolean {
    const stats = fstatSync(this.#descriptor)
    const { size, mtimeMs, nlink } = stats
    if (size === this.#stats.size && mtimeMs === this.#stats.mtimeMs) {
      if (nlink !== this.#stats.nlink) this.#stats = stats
      return false
    }
    // A truncated file may have grown past the offset again, or just up to it.
    const { at, tail } = this.#trace
    const expected = at === 0 ? this.firstSeen : tail
    const from = Math.max(0, at - tail.length)
    if (size < at || !readAt(this.#descriptor, from, expected.length).equals(expected)) throw new Truncated()
    // Only now: the time of the last write is that of what was read.
    this.#stats = stats
    this.#largest = Math.max(this.#largest, size)
    this.#see()
    return true
  }

  async read(): Promise<Uint8Array | null> {
    const { at, tail } = this.#trace
    const wanted = Math.min(CHUNK_BYTES, this.#stats.size - at)
    // One read for the chunk and what is before it: no truncation goes unnoticed in between.
    const count = readSync(this.#descriptor, buffer, 0, tail.length + wanted, at - tail.length)
    const expected = at === 0 ? this.firstSeen : tail
    if (count < tail.length + wanted || !buffer.subarray(0, expected.length).equals(expected)) throw new Truncated()
    return wanted === 0 ? null : buffer.subarray(tail.length, count)
  }

  async head(): Promise<Uint8Array> {
    return readAt(this.#descriptor, 0, Math.min(PEEK_BYTES, this.#stats.size))
  }

  async lookAhead(): Promise<number> {
    const { at } = this.#trace
    const end = Math.min(at + CHUNK_BYTES, this.#stats.size)
    if (this.#next.offset !== at || this.#next.end !== end) {
      const from = Math.max(at, end - PEEK_BYTES)
      this.#next = { offset: at, end, ms: lastAccessTime(readAt(this.#descriptor, from, end - from)) }
    }
    return this.#next.ms
  }

  close(): void {
    if (this.#isOpen) closeSync(this.#descriptor)
    this.#isOpen = false
  }
}

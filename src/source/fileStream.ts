/** One generation of a file as a stream: through renaming, deleting and truncating. */

import { type Stats, statSync } from 'node:fs'
import { Excerpts, type Fingerprint, HEAD_BYTES, sha256, TAIL_BYTES, Trace } from './fingerprint.ts'
import { GzipFile } from './gzipFile.ts'
import { type Content, contentOf } from './mergeOrder.ts'
import type { KnownFile, Place } from './place.ts'
import { PlainFile } from './plainFile.ts'
import type { SourceStream } from './source.ts'
import type { Track } from './track.ts'

/** What a stream reads from: a plain file, or a gzip file. Read errors are thrown, `Truncated` too. */
export interface FileBytes {
  /** As of the last look. */
  readonly stats: Stats
  /** Something to read is known to be there. */
  readonly hasUnread: boolean
  /** Bytes that were seen and not read, as far as known. */
  readonly unreadBytes: number
  /** First bytes that were seen while nothing was read. */
  readonly firstSeen: Buffer
  /** Looks for growth; true: something changed. */
  poll(): boolean
  /** The next chunk, valid until the next read of any file; null: there is none after all. */
  read(): Promise<Uint8Array | null>
  /** The first bytes, or those that come next; empty: none yet. */
  head(): Promise<Uint8Array>
  /** Time of the last access line in the next chunk, Unix ms; NaN when none shows. */
  lookAhead(): Promise<number>
  close(): void
}

const NOTHING: Omit<FileBytes, 'stats'> = {
  hasUnread: false,
  unreadBytes: 0,
  firstSeen: Buffer.alloc(0),
  poll: () => false,
  read: async () => null,
  head: async () => Buffer.alloc(0),
  lookAhead: async () => Number.NaN,
  close: () => {}
}

/** The path shows another file than a moment ago. */
export class Moved extends Error {}

let met = 0

export class FileStream implements SourceStream {
  readonly id: string
  readonly name: string
  readonly track: Track
  readonly resume: SourceStream['resume']
  readonly modifiedMs: number
  newestMs: number
  realPath: string
  /** The path shows another file, or nothing. */
  isRotated = false
  /** Nobody writes to it any more, however young it is. */
  isComplete = false
  /** A chunk of it was given out. */
  isAnnounced = false
  /** Own ticks since it changed, ms. */
  stillMs = 0
  isClosed = false
  /** Something was written to a newer generation. */
  isFollowed = false
  /** It was there at an earlier look into its folder. */
  wasSeen = false
  readonly trace: Trace
  #bytes: FileBytes
  #head: Buffer | null = null
  readonly #headBytes: number | null
  /** Offset behind the last byte seen before the file was truncated. */
  #seenTo = 0
  /** What an earlier process had read, until we have read as far. */
  readonly #before: Fingerprint | null

  private constructor(track: Track, name: string, file: Excerpts, trace: Trace, known: KnownFile | null) {
    this.track = track
    this.name = name
    this.realPath = file.path
    this.trace = trace
    this.resume = known?.state?.read ?? null
    this.newestMs = this.resume?.newestMs ?? Number.NEGATIVE_INFINITY
    this.#before = known?.place ?? null
    this.#headBytes = known?.place.headBytes || null
    this.#bytes = this.#open(file)
    const { dev, ino, mtimeMs } = this.#bytes.stats
    this.modifiedMs = mtimeMs
    this.id =
      known?.id ?? sha256(Buffer.from([file.path, dev, ino, mtimeMs, Date.now(), process.pid, met++].join('\n')))
    track.content ??= known?.place.content ?? null
  }

  /**
   * Opens a file whose inode is known to be `inode`: throws Moved when it is another by now, the system's errors when it
   * cannot be read. `known`: read before, goes on at its position.
   */
  static async open(track: Track, name: string, path: string, inode: number, known: KnownFile | null) {
    const file = new Excerpts(path)
    const from = known?.state?.read.from ?? 0
    const tailBytes = Math.min(TAIL_BYTES, from)
    const head = from === 0 ? Buffer.alloc(0) : (await file.head()).subarray(0, Math.min(HEAD_BYTES, from))
    const trace = new Trace(from, head, await file.read(from - tailBytes, tailBytes))
    const stream = new FileStream(track, name, file, trace, known)
    if (stream.inode === inode) return stream
    stream.close()
    throw new Moved()
  }

  /** Its bytes are gone: there is nothing more to read. */
  finish(): void {
    this.#seenTo = this.trace.at + this.#bytes.unreadBytes
    this.#bytes.close()
    this.#bytes = { ...NOTHING, stats: this.#bytes.stats }
    this.isRotated = true
    this.isComplete = true
  }

  /** Reads on in a copy, which holds what was truncated here. */
  switchTo(copy: Excerpts): void {
    const bytes = this.#open(copy)
    this.#seenTo = this.trace.at + this.#bytes.unreadBytes
    this.#bytes.close()
    this.#bytes = bytes
    this.realPath = copy.path
    this.isRotated = true
    this.isComplete = true
  }

  #open(file: Excerpts): FileBytes {
    if (!file.isGzip) return new PlainFile(file.path, this.trace)
    this.isRotated = true
    this.isComplete = true
    return new GzipFile(file.path, this.trace.at)
  }

  get device(): number {
    return this.#bytes.stats.dev
  }

  get inode(): number {
    return this.#bytes.stats.ino
  }

  /** Time of its last write, Unix ms, as of the last look. */
  get mtimeMs(): number {
    return this.#bytes.stats.mtimeMs
  }

  get size(): number {
    return this.#bytes.stats.size
  }

  get isDeleted(): boolean {
    return this.#bytes.stats.nlink === 0
  }

  get hasUnread(): boolean {
    return this.#bytes.hasUnread
  }

  get isAtEnd(): boolean {
    return !this.#bytes.hasUnread
  }

  /** Bytes that were seen to be there and that nobody can read any more. */
  get lostBytes(): number {
    return Math.max(0, this.#seenTo - this.trace.at)
  }

  get group(): string | null {
    return this.track.group
  }

  get content(): Content {
    return this.track.content ?? 'mixed'
  }

  /** As much as was there when its first chunk was given out: ids that are made of it stay the same. */
  get head(): Uint8Array {
    if (this.#head !== null) return this.#head
    const { head } = this.trace
    const bytes = this.#headBytes ?? head.length
    const isFixed = head.length > 0 && head.length >= bytes
    if (isFixed) this.#head = Buffer.from(head.subarray(0, bytes))
    return this.#head ?? head
  }

  /** Throws Truncated. */
  poll(): void {
    if (this.#bytes.poll()) this.stillMs = 0
  }

  /** What it holds must be known before its first chunk: the group hangs on it. */
  async prepare(): Promise<void> {
    if (this.track.content !== null || !this.hasUnread) return
    const bytes = await this.#bytes.head()
    if (bytes.length > 0) this.track.content = contentOf(bytes)
  }

  lookAhead(): Promise<number> {
    return this.#bytes.lookAhead()
  }

  async read(): Promise<Uint8Array | null> {
    const chunk = await this.#bytes.read()
    if (chunk === null) return null
    this.trace.push(chunk)
    this.isAnnounced = true
    this.stillMs = 0
    // Fixed by being asked for.
    void this.head
    return chunk
  }

  close(): void {
    this.#bytes.close()
    this.isClosed = true
  }

  /** Something was there to read, at any time. */
  get wasWritten(): boolean {
    return this.trace.at > 0 || this.#bytes.firstSeen.length > 0
  }

  /** The first bytes, as far as they were seen. */
  get seenHead(): Buffer {
    return this.trace.at > 0 ? this.trace.head : this.#bytes.firstSeen
  }

  get print(): Fingerprint {
    if (this.trace.at === 0 && this.#before === null) {
      const seen = new Trace()
      seen.push(this.#bytes.firstSeen)
      return seen.fingerprint()
    }
    const before = this.#before
    if (before === null || this.trace.at >= before.tail.at) return this.trace.fingerprint()
    return { head: before.head, tail: before.tail }
  }

  place(): Place {
    return {
      kind: 'file',
      path: this.track.path,
      realPath: this.realPath,
      device: this.device,
      inode: this.inode,
      mtimeMs: this.mtimeMs,
      headBytes: this.head.length,
      content: this.track.content,
      ...this.print
    }
  }
}

/** The file at `path`, through symlinks; null: nothing is there. Other errors are thrown. */
export function statOf(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null
}

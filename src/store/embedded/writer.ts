/** The one writer of a folder: batches in, segments out. Knows no DuckDB; the disk and the sealing are given to it. */

import { Why5xxError } from '../../errors.ts'
import type { StreamState } from '../../source/source.ts'
import type { StoredDocument } from '../document.ts'
import type { Batch, ClaimedStreams, StoredReject, StoreWriter, WriteResult } from '../store.ts'
import { type Disk, diskTroubleText, isDiskTrouble } from './disk.ts'
import type { KnownVersions } from './knownVersions.ts'
import { type Recovered, recover, type SegmentFile } from './recovery.ts'
import { RejectLog } from './rejectLog.ts'
import { commitLines, controllerLine, failureLine, gapLine, jsonLine, rejectLine, segmentName } from './segment.ts'
import { identityKey } from './segmentReader.ts'
import type { StreamStates } from './streamStates.ts'
import { dayFilesOf } from './tables.ts'

export interface WriterParts {
  disk: Disk
  /** What messages call the store. */
  path: string
  /** Moves the rows of closed segments to where they stay. When it resolves, the segments are removed. */
  seal: (segments: readonly string[], signal: AbortSignal) => Promise<void>
  countedMinutes: (containers: string[], stream: string) => Promise<Set<string>>
  /** Throws when another process has taken the store. */
  assertOwned: () => void
  /** Wall time, Unix ms. */
  now: () => number
  /** Resolves after `ms`, or at once when `signal` is aborted. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>
  /** One sentence for the log: cut, paused, resumed, sealing failed. */
  notify: (text: string) => void
  segmentBytesMax: number
  segmentAgeMsMax: number
  rejectBytesMax: number
  /** So many closed segments are sealed at once; fewer wait for `tend`. */
  closedMax: number
}

/** Batches that wait are written as one, up to about this size. */
const GROUP_BYTES_MAX = 4 << 20
const RETRY_MS_MIN = 1_000
const RETRY_MS_MAX = 30_000
/** Segments that have piled up are sealed together, so many at a time. */
const SEALED_AT_ONCE = 4

const NOTHING: Batch = { failures: [], controllers: [], rejects: [], gaps: [], totals: [], streams: [], engine: null }

/** A batch as bytes: made when it comes, so that what waits is neither objects nor strings. */
interface Encoded {
  lines: Buffer
  rejects: StoredReject[]
  result: WriteResult
  commit: Pick<Batch, 'totals' | 'streams' | 'engine'>
}

interface Waiting extends Encoded {
  resolve: (result: WriteResult) => void
  reject: (error: unknown) => void
}

interface Segment extends SegmentFile {
  /** Bytes behind `bytes` may be there that nobody promised. */
  isTorn: boolean
}

export class EmbeddedWriter implements StoreWriter {
  readonly facts = null
  readonly #parts: WriterParts
  readonly #rejectLog: RejectLog
  readonly #known: KnownVersions
  readonly #states: StreamStates
  readonly #closing = new AbortController()
  readonly #waiting: Waiting[] = []
  /** Full or old, oldest first: to be sealed. */
  readonly #closed: string[] = []
  #current: Segment | null
  #engine: Record<string, unknown> | null
  #commitNumber: number
  #segmentNumber: number
  #writing: Promise<void> | null = null
  #sealing: Promise<void> | null = null
  #failure: unknown = null
  #pausedBecause: string | null = null

  private constructor(parts: WriterParts, recovered: Recovered, segmentNumber: number, rejectLog: RejectLog) {
    const last = recovered.segments.at(-1)
    this.#parts = parts
    this.#rejectLog = rejectLog
    this.#known = recovered.known
    this.#states = recovered.streams
    this.#engine = recovered.engine
    this.#commitNumber = recovered.commitNumber
    this.#segmentNumber = segmentNumber
    this.#current = last === undefined ? null : { ...last, isTorn: false }
    this.#closed.push(...recovered.segments.slice(0, -1).map(({ name }) => name))
  }

  /** Reads what is there and cuts off what no commit line covers. The caller holds the lock. */
  static async open(parts: WriterParts): Promise<EmbeddedWriter> {
    const recovered = await recover(parts.disk)
    if (recovered.cutBytes > 0)
      parts.notify(`${recovered.cutBytes} bytes without a commit line were cut off: the batch will be read again`)
    const rejectLog = await RejectLog.open(parts.disk, parts.rejectBytesMax, parts.notify)
    let number = recovered.segmentNumber
    // Sealed totals know their segment by name: where all segments were taken away, no number may come again.
    if (number === 0 && dayFilesOf(await parts.disk.list()).length > 0) number = Math.floor(parts.now() / 1000)
    const writer = new EmbeddedWriter(parts, recovered, number, rejectLog)
    writer.tend()
    return writer
  }

  get streams(): readonly StreamState[] {
    return this.#states.all()
  }

  get engine(): Record<string, unknown> | null {
    return this.#engine
  }

  get pausedBecause(): string | null {
    return this.#pausedBecause
  }

  /** Once a batch has failed, all behind it are refused: their positions would say that it was read. */
  write(batch: Batch): Promise<WriteResult> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    if (this.#closing.signal.aborted)
      return Promise.reject(new Why5xxError('WHY5XX_STORE', `${this.#parts.path} is closed`))
    let encoded: Encoded
    try {
      encoded = this.#encode(batch)
    } catch (error) {
      // Positions behind this batch must not become durable without it.
      this.#failure = this.#writeError(error)
      return Promise.reject(this.#failure)
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...encoded, resolve, reject })
      this.#writing ??= this.#writeAll()
    })
  }

  /** To be called every minute or so: an old segment is closed, closed ones are sealed. Returns at once. */
  tend(): void {
    if (this.#closing.signal.aborted || this.#failure !== null) return
    // A first line in a new segment carries everything, so the old one is free to go.
    if (this.#current !== null && this.#isFull(this.#current) && this.#current.hasRows)
      void this.write(NOTHING).then(
        () => (this.#sealing ??= this.#sealClosed()),
        () => {}
      )
    this.#sealing ??= this.#sealClosed()
  }

  async countedMinutes(containers: string[], stream: string): Promise<Set<string>> {
    await this.#writing
    return this.#parts.countedMinutes(containers, stream)
  }

  /** One process alone has the folder. */
  async claim(streams: string[]): Promise<ClaimedStreams> {
    await this.#writing
    const wanted = new Set(streams)
    const known = this.streams.filter(({ stream }) => wanted.has(stream))
    return { streams: known, engines: this.engine === null ? [] : [this.engine] }
  }

  /** What cannot be written because the disk is full is given one more try and then rejected. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#writing
    await this.#sealing
    await this.#parts.disk.close()
  }

  /** Resolves when nothing is being written or sealed. */
  async idle(): Promise<void> {
    while (this.#writing !== null || this.#sealing !== null) {
      await this.#writing
      await this.#sealing
    }
  }

  async #writeAll(): Promise<void> {
    // Whoever calls `write` several times in a row gets one group.
    await Promise.resolve()
    while (this.#waiting.length > 0) await this.#writeGroup()
    this.#writing = null
  }

  async #writeGroup(): Promise<void> {
    const segment = this.#segmentToWrite()
    const group: Waiting[] = []
    const pieces: Buffer[] = []
    const rejects: StoredReject[] = []
    let bytes = 0
    let hasRows = false
    try {
      while (this.#waiting.length > 0 && bytes < GROUP_BYTES_MAX) {
        const waiting = this.#waiting.shift()!
        group.push(waiting)
        const { lines, commit } = waiting
        const isFirst = segment.bytes === 0 && pieces.length === 0
        const end = commitLines(lines, {
          number: ++this.#commitNumber,
          atMs: this.#parts.now(),
          totals: commit.totals,
          streams: isFirst ? this.#states.with(commit.streams) : commit.streams,
          engine: isFirst ? (commit.engine ?? this.#engine) : commit.engine
        })
        pieces.push(lines, end)
        bytes += lines.length + end.length
        rejects.push(...waiting.rejects)
        hasRows ||= lines.length > 0 || commit.totals.length > 0
      }
      await this.#makeDurable(segment, Buffer.concat(pieces), rejects)
    } catch (error) {
      this.#failure ??= error
      for (const { reject } of [...group, ...this.#waiting.splice(0)]) reject(error)
      return
    }
    segment.hasRows ||= hasRows
    this.#became(segment)
    for (const { commit, result, resolve } of group) {
      this.#states.apply(commit.streams)
      this.#engine = commit.engine ?? this.#engine
      resolve(result)
    }
  }

  /** The rows of a batch that are new or better, as lines. */
  #encode(batch: Batch): Encoded {
    // Should the segment change before they are written, they are forgotten with it, and found twice at sealing at worst.
    const segment = this.#segmentToWrite().name
    const result = { written: 0, known: 0 }
    const isNew = (kind: string, { id, version }: StoredDocument): boolean => {
      const adds = this.#known.add(segment, identityKey(kind, JSON.stringify(id).slice(1, -1)), version)
      result[adds ? 'written' : 'known']++
      return adds
    }
    const lines: string[] = []
    for (const failure of batch.failures) if (isNew('failure', failure)) lines.push(failureLine(failure))
    for (const line of batch.controllers) if (isNew('controller', line)) lines.push(jsonLine(controllerLine(line)))
    const rejects = batch.rejects.filter(reject => isNew('reject', reject))
    for (const reject of rejects) lines.push(jsonLine(rejectLine(reject)))
    for (const gap of batch.gaps) lines.push(jsonLine(gapLine(gap)))
    const { totals, streams, engine } = batch
    return { lines: Buffer.from(lines.join('')), rejects, result, commit: { totals, streams, engine } }
  }

  #segmentToWrite(): Segment {
    if (this.#current !== null && !this.#isFull(this.#current)) return this.#current
    const createdMs = this.#parts.now()
    return {
      name: segmentName(createdMs, this.#segmentNumber + 1),
      bytes: 0,
      createdMs,
      hasRows: false,
      isTorn: false
    }
  }

  /** A new segment has its first commit line: the one before is closed. */
  #became(segment: Segment): void {
    if (segment === this.#current) return
    if (this.#current !== null) this.#closed.push(this.#current.name)
    this.#current = segment
    this.#segmentNumber++
    // Catching up comes first: what is closed waits for `tend`, unless it piles up.
    if (this.#closed.length >= this.#parts.closedMax) this.#sealing ??= this.#sealClosed()
  }

  #isFull({ bytes, createdMs }: Segment): boolean {
    return bytes >= this.#parts.segmentBytesMax || this.#parts.now() - createdMs >= this.#parts.segmentAgeMsMax
  }

  /** Waits while the disk is full. Throws Why5xxError when it never will be written. */
  async #makeDurable(segment: Segment, bytes: Buffer, rejects: readonly StoredReject[]): Promise<void> {
    const { disk, path, now, wait, notify, assertOwned } = this.#parts
    let rawIsDurable = false
    for (let delayMs = RETRY_MS_MIN; ; delayMs = Math.min(2 * delayMs, RETRY_MS_MAX)) {
      // Asked before the try, so that a close during the wait gives one more.
      const isLastTry = this.#closing.signal.aborted
      try {
        assertOwned()
        await this.#cut(segment)
        if (!rawIsDurable) await this.#rejectLog.append(rejects, now())
        rawIsDurable = true
        segment.isTorn = true
        await disk.append(segment.name, bytes)
        await disk.sync(segment.name)
        if (segment.bytes === 0) await disk.syncFolder()
        segment.isTorn = false
        segment.bytes += bytes.length
        if (this.#pausedBecause !== null) notify(`${path}: writing again`)
        this.#pausedBecause = null
        return
      } catch (error) {
        if (!isDiskTrouble(error) || isLastTry) throw this.#writeError(error)
        if (this.#pausedBecause === null) notify(`${path}: ${diskTroubleText(error)}, waiting`)
        this.#pausedBecause = `${diskTroubleText(error)} on ${path}: waiting`
        // At once, so that what little room there is goes back to others meanwhile; if it fails, before the next try.
        await this.#cut(segment).catch(() => {})
        await wait(delayMs, this.#closing.signal)
      }
    }
  }

  async #cut(segment: Segment): Promise<void> {
    if (!segment.isTorn) return
    await this.#parts.disk.truncate(segment.name, segment.bytes)
    segment.isTorn = false
  }

  async #sealClosed(): Promise<void> {
    const { disk, seal, notify } = this.#parts
    await Promise.resolve()
    try {
      while (this.#closed.length > 0 && !this.#closing.signal.aborted) {
        const segments = this.#closed.slice(0, SEALED_AT_ONCE)
        await seal(segments, this.#closing.signal)
        for (const name of segments) {
          await disk.remove(name)
          this.#known.drop(name)
          this.#closed.shift()
        }
      }
    } catch (error) {
      // They stay as they are, and readers read them; the next `tend` tries again.
      if (!this.#closing.signal.aborted) notify(`${this.#parts.path}: sealing failed: ${(error as Error).message}`)
    } finally {
      this.#sealing = null
    }
  }

  #writeError(error: unknown): Why5xxError {
    if (error instanceof Why5xxError) return error
    const what = isDiskTrouble(error) ? diskTroubleText(error) : (error as Error).message
    return new Why5xxError('WHY5XX_STORE', `cannot write to ${this.#parts.path}: ${what}`, { cause: error })
  }
}

/** Writes the record into a folder: one file a list, packed when the next one begins, the oldest removed by age and size. */

import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { systemErrorText, Why5xxError } from '../errors.ts'
import { NodeDisk } from '../store/embedded/disk.ts'
import { makeFolder, refused } from '../store/embedded/folder.ts'
import { Lock } from '../store/embedded/lock.ts'
import type { ClusterEvent } from './event.ts'
import type { ClusterRecordWriter, RecordWriterFacts } from './record.ts'
import { type EncodedEvent, RecordQueue } from './recordQueue.ts'
import { linesOf, listSegments, type Segment, segmentName } from './recordSegment.ts'

export interface SegmentRecordOptions {
  folder: string
  /** Id of this watch. */
  writer: string
  retentionMs: number
  /** null: no limit but age. */
  bytesMax: number | null
  /** Events were given up: a whole list is needed. */
  onOverflow: () => void
  /** A sentence for the log. */
  say: (text: string) => void
  nowMs?: () => number
  /** In tests. */
  disk?: NodeDisk
  waitingBytesMax?: number
  waitMsMin?: number
  closingMs?: number
}

const TEMPORARY = 'tmp-'

/** Throws Why5xxError: `WHY5XX_STORE` when the folder cannot be used, `WHY5XX_STORE_IN_USE` when another process records. */
export async function openSegmentRecord(options: SegmentRecordOptions): Promise<ClusterRecordWriter> {
  const { folder } = options
  await makeFolder(folder)
  let lock: Lock
  try {
    lock = await Lock.take(folder)
  } catch (error) {
    if (error instanceof Why5xxError) throw error
    throw refused(folder, 'cannot be locked', error)
  }
  try {
    const writer = new SegmentRecordWriter(options, lock)
    await writer.recover()
    return writer
  } catch (error) {
    await lock.release()
    throw error instanceof Why5xxError ? error : refused(folder, 'cannot be opened', error)
  }
}

class SegmentRecordWriter implements ClusterRecordWriter {
  readonly #options: SegmentRecordOptions
  readonly #lock: Lock
  readonly #disk: NodeDisk
  readonly #queue: RecordQueue
  /** Closed ones, oldest first. */
  #closed: Segment[] = []
  /** The one that is written to; `bytes`: as far as it is whole. */
  #current: Segment | null = null
  #next = 1
  /** Of what is written already of a batch that failed: it comes again. */
  #writtenNumber = 0
  #tending: Promise<void> = Promise.resolve()

  constructor(options: SegmentRecordOptions, lock: Lock) {
    this.#options = options
    this.#lock = lock
    this.#disk = options.disk ?? new NodeDisk(options.folder)
    const { writer, onOverflow, say, waitingBytesMax, waitMsMin, closingMs } = options
    this.#queue = new RecordQueue({
      writer,
      onOverflow,
      say,
      write: batch => this.#write(batch),
      reasonOf: error => `${options.folder}: the cluster's state cannot be written: ${systemErrorText(error)}`,
      ...(waitingBytesMax !== undefined && { waitingBytesMax }),
      ...(waitMsMin !== undefined && { waitMsMin }),
      ...(closingMs !== undefined && { closingMs })
    })
  }

  get facts(): RecordWriterFacts {
    return this.#queue.facts
  }

  append(events: readonly ClusterEvent[]): Promise<void> {
    return this.#queue.append(events)
  }

  async close(): Promise<void> {
    await this.#queue.close()
    await this.#tending
    await this.#disk.close()
    await this.#lock.release()
  }

  /** Cuts off what a crash has left torn, and packs what it has left unpacked. */
  async recover(): Promise<void> {
    const { folder } = this.#options
    for (const { name } of await this.#disk.list()) if (name.startsWith(TEMPORARY)) await this.#disk.remove(name)
    this.#closed = (await listSegments(folder)) ?? []
    const last = this.#closed.at(-1)
    this.#next = (last?.number ?? 0) + 1
    if (last !== undefined && !last.isPacked) {
      let whole = 0
      for await (const { end } of linesOf(folder, last)) whole = end
      if (whole < last.bytes) await this.#disk.truncate(last.name, whole)
      last.bytes = whole
    }
    this.#tend()
  }

  async #write(batch: readonly EncodedEvent[]): Promise<void> {
    if (this.#lock.isLost)
      throw new Why5xxError(
        'WHY5XX_STORE_IN_USE',
        `${this.#options.folder}: another process records the cluster's state now; nothing more is written`
      )
    for (let from = 0; from < batch.length; ) {
      let end = from + 1
      while (end < batch.length && !isWholeListStart(batch[end]!.event)) end++
      await this.#writePart(batch.slice(from, end).filter(({ number }) => number > this.#writtenNumber))
      from = end
    }
  }

  /** Of one segment: a list stands at its begin, or nowhere. */
  async #writePart(part: readonly EncodedEvent[]): Promise<void> {
    if (part.length === 0) return
    const { event } = part[0]!
    if (this.#current === null || isWholeListStart(event)) this.#rotate(event.at)
    const current = this.#current!
    const bytes = Buffer.from(part.map(({ json }) => `${json}\n`).join(''))
    try {
      await this.#disk.append(current.name, bytes)
      // A heartbeat that a power failure takes with it says nothing that the next one does not.
      if (part.some(one => one.event.type !== 'HEARTBEAT')) await this.#disk.sync(current.name)
      if (current.bytes === 0) await this.#disk.syncFolder()
    } catch (error) {
      await this.#disk.truncate(current.name, current.bytes).catch(() => {})
      throw error
    }
    current.bytes += bytes.length
    this.#writtenNumber = part.at(-1)!.number
  }

  #rotate(atMs: number): void {
    // One that was begun in vain, on a full disk, is begun again.
    if (this.#current !== null && this.#current.bytes > 0) this.#closed.push(this.#current)
    else if (this.#current !== null) this.#next--
    const number = this.#next++
    this.#current = { name: segmentName(atMs, number), number, fromMs: atMs, isPacked: false, bytes: 0 }
    this.#tend()
  }

  /** Beside the writing. */
  #tend(): void {
    this.#tending = this.#tending
      .then(() => this.#packAndTrim())
      .catch((error: unknown) =>
        this.#options.say(`${this.#options.folder}: old segments are left as they are: ${systemErrorText(error)}`)
      )
  }

  async #packAndTrim(): Promise<void> {
    for (const segment of this.#closed) if (!segment.isPacked) await this.#pack(segment)
    const { retentionMs, bytesMax, nowMs = Date.now } = this.#options
    const oldestMs = nowMs() - retentionMs
    let bytes = this.#closed.reduce((sum, segment) => sum + segment.bytes, this.#current?.bytes ?? 0)
    // The newest stays in any case: without a whole list nothing is known.
    while (this.#closed.length > 1 || (this.#closed.length === 1 && this.#current !== null)) {
      const [first, second] = this.#closed
      const endMs = (second ?? this.#current!).fromMs
      const isTooMuch = bytesMax !== null && bytes > bytesMax && second !== undefined
      // At a start everything may look old, to a wrong clock or after a long stop: it goes when something newer is there.
      const isTooOld = endMs < oldestMs && this.#current !== null
      if (!isTooOld && !isTooMuch) return
      await this.#disk.remove(first!.name)
      this.#closed.shift()
      bytes -= first!.bytes
    }
  }

  async #pack(segment: Segment): Promise<void> {
    const { folder } = this.#options
    const packed = `${segment.name}.gz`
    const draft = join(folder, `${TEMPORARY}${packed}`)
    try {
      await pipeline(createReadStream(join(folder, segment.name)), createGzip(), createWriteStream(draft))
      const file = await open(draft, 'r')
      await file.sync().finally(() => file.close())
      await rename(draft, join(folder, packed))
    } catch (error) {
      await rm(draft, { force: true })
      throw error
    }
    await this.#disk.syncFolder()
    await this.#disk.remove(segment.name)
    segment.name = packed
    segment.isPacked = true
    segment.bytes = (await this.#disk.list()).find(({ name }) => name === packed)?.bytes ?? segment.bytes
  }
}

function isWholeListStart(event: ClusterEvent): boolean {
  return event.type === 'LIST_START' && event.isPartial !== true
}

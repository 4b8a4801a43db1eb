/** Bytes of one source → lines. Chunks cut lines anywhere; what becomes of the lines is lineReader.ts's. */

import { Line, type RecordLine } from './line.ts'
import { CARRIAGE_RETURN, LINE_BYTES_MAX, LINE_FEED, LineReader } from './lineReader.ts'
import { BEGIN, type LineStart, type LineVisitor, type ReadStart } from './lineVisitor.ts'
import type { LogFormat } from './logFormat.ts'
import type { NameTable } from './nameTable.ts'
import { type Block, lineNumber, RecentBlocks } from './recentBlocks.ts'
import type { AccessRecord } from './record.ts'
import { scannedRecord } from './recordParser.ts'

export type { RecordLine } from './line.ts'
export type { LineStart, LineVisitor } from './lineVisitor.ts'

/** Bytes handled at once; `lookBack` reaches a few of these back. */
const BLOCK_BYTES = 1 << 16

export class LogReader extends LineReader {
  /** Physical lines seen so far, those before the start included. */
  lines: number
  readonly value = null
  readonly #linesBefore: number
  /** Bytes of a line whose end has not come. */
  #carry: Uint8Array = new Uint8Array(0)
  #isSkipping = false
  #offset: number
  readonly #recent = new RecentBlocks()
  #current: Block = { bytes: Buffer.alloc(0), firstLine: 0, offset: 0, lastMs: Number.NaN }

  constructor(visitor: LineVisitor, names: NameTable, format: LogFormat | null = null, start: ReadStart = BEGIN) {
    super(visitor, names, format)
    this.#offset = start.byteOffset
    this.lines = start.lines
    this.#linesBefore = start.lines
    // What lies before may be looked back at.
    this.hasErrors = start.byteOffset > 0
  }

  get readTo(): number {
    return this.#offset
  }

  get linesRead(): number {
    return this.lines - this.#linesBefore
  }

  protected recentStarts(ms: number): Iterable<LineStart> {
    return this.#recent.startsWithin(ms)
  }

  /** Reads a chunk; lines are told as soon as they are whole. The chunk may be reused afterwards. */
  push(bytes: Uint8Array): void {
    // A view of the same memory with Buffer's byte search.
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    let from = 0
    if (this.#carry.length > 0 || this.#isSkipping) {
      const end = chunk.indexOf(LINE_FEED)
      if (end < 0) {
        this.#keep(chunk)
        return
      }
      from = end + 1
      this.#finishCarry(chunk.subarray(0, from))
    }
    const last = chunk.lastIndexOf(LINE_FEED)
    const to = last + 1
    while (from < to) {
      let end = to
      if (to - from > BLOCK_BYTES) {
        end = chunk.lastIndexOf(LINE_FEED, from + BLOCK_BYTES) + 1
        if (end <= from) end = chunk.indexOf(LINE_FEED, from + BLOCK_BYTES) + 1
      }
      this.#block(chunk.subarray(from, end), this.#offset + from, end === to)
      from = end
    }
    this.#offset += to
    if (to < chunk.length) this.#keep(chunk.subarray(to))
  }

  /** A last line without line feed counts. */
  override end(): void {
    if (this.#carry.length > 0 || this.#isSkipping) this.#finishCarry(Uint8Array.of(LINE_FEED))
    super.end()
  }

  lookBack(
    client: string,
    request: string,
    pod: string | null,
    sinceMs: number
  ): { record: AccessRecord; line: RecordLine } | null {
    const line = new Line()
    for (const found of this.#recent.linesWith(`"${request}" `, this.#current, sinceMs)) {
      const byteOffset = found.block.offset + found.start
      // What stands behind the line that is being read has not been told yet.
      if (byteOffset >= this.line.byteOffset) continue
      line.clearEnvelope()
      line.byteOffset = byteOffset
      line.bytes = found.block.bytes
      line.start = found.start
      line.end = line.bytes[found.end - 1] === CARRIAGE_RETURN ? found.end - 1 : found.end
      this.envelope.open(line)
      if (!(line.timeMs >= sinceMs)) return null
      const { scanner } = this.parser
      if (!scanner?.scan(line.bytes, line.start, line.end)) continue
      const record = scannedRecord(scanner.view, scanner)
      if (record.client !== client || record.request !== request || (line.pod ?? this.place.pod) !== pod) continue
      line.number = lineNumber(found)
      return { record, line: this.recordLine(line) }
    }
    return null
  }

  #keep(bytes: Uint8Array): void {
    if (this.#isSkipping) {
      this.#offset += bytes.length
      return
    }
    const joined = new Uint8Array(this.#carry.length + bytes.length)
    joined.set(this.#carry)
    joined.set(bytes, this.#carry.length)
    this.#carry = joined
    if (joined.length <= LINE_BYTES_MAX) return
    this.#isSkipping = true
    const { line } = this
    line.clearEnvelope()
    line.number = ++this.lines
    line.byteOffset = this.#offset
    this.#offset += joined.length
    this.#carry = new Uint8Array(0)
    this.tooLong(line, joined)
  }

  /** `end` is the rest of the carried line with its line feed. */
  #finishCarry(end: Uint8Array): void {
    // `push` adds what it takes from the chunk.
    if (this.#isSkipping) return void (this.#isSkipping = false)
    const joined = Buffer.concat([this.#carry, end])
    const at = this.#offset
    this.#carry = new Uint8Array(0)
    this.#offset += joined.length - end.length
    this.#block(joined, at)
  }

  #block(bytes: Buffer, offset: number, isLast = true): void {
    this.#current = { bytes, firstLine: this.lines + 1, offset, lastMs: Number.NaN }
    const { line } = this
    let start = 0
    for (;;) {
      const feed = bytes.indexOf(LINE_FEED, start)
      if (feed < 0) break
      line.number = ++this.lines
      line.byteOffset = offset + start
      line.bytes = bytes
      line.start = start
      line.end = feed > start && bytes[feed - 1] === CARRIAGE_RETURN ? feed - 1 : feed
      if (line.hasEnvelope) line.clearEnvelope()
      if (feed - start > LINE_BYTES_MAX) this.tooLong(line, bytes.subarray(start, feed))
      else this.physicalLine(line)
      start = feed + 1
    }
    // Only stamped sources with error lines are looked back in; before the first one may lie the end of a chunk.
    if (!this.hasErrors && (!isLast || Number.isNaN(line.timeMs))) return
    this.#current.lastMs = line.timeMs
    this.#recent.add(this.#current)
  }
}

/**
 * Bytes of one source → lines → records. Splits chunks into lines, takes envelopes off, puts pieces and continuations
 * together, and says of every physical line exactly one thing: a record, a continuation of one, or a reject.
 */

import { EnvelopeReader, openJson, prefixLength } from './envelope.ts'
import { Line, type RecordLine } from './line.ts'
import { BEGIN, type LineStart, type LineVisitor, type ReadStart } from './lineVisitor.ts'
import type { LogFormat } from './logFormat.ts'
import type { NameTable } from './nameTable.ts'
import { Pieces } from './pieces.ts'
import { type Block, lineNumber, RecentBlocks } from './recentBlocks.ts'
import type { AccessRecord, ParsedRecord } from './record.ts'
import { isForeignLine, opensBlock, RecordParser, scannedRecord } from './recordParser.ts'

export type { RecordLine } from './line.ts'
export type { LineStart, LineVisitor } from './lineVisitor.ts'

/** Longest line that is parsed; a longer one is a reject, skipped without keeping it. */
export const LINE_BYTES_MAX = 1 << 20
/** Bytes handled at once; `lookBack` reaches a few of these back. */
const BLOCK_BYTES = 1 << 16
/** Text that may continue one record: a Lua traceback or the output of `nginx -t` has a few KiB. */
const CONTINUATION_BYTES_MAX = 1 << 16
/** Pods and streams whose last record is remembered; the oldest goes first. */
const STREAMS_MAX = 512
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

interface OpenBlock {
  line: RecordLine
  /** Not told yet, because lines that follow may belong to it; null: told already. */
  waiting: string[] | null
  waitingBytes: number
}

export class LogReader {
  /** Physical lines seen so far, those before the start included. */
  lines: number
  /** Pod, namespace and container of lines whose envelope does not tell: from the name of the file. */
  place: Pick<RecordLine, 'pod' | 'namespace' | 'container'> = { pod: null, namespace: null, container: null }
  readonly parser: RecordParser
  readonly #visitor: LineVisitor
  readonly #line = new Line()
  readonly #envelope = new EnvelopeReader()
  /** Bytes of a line whose end has not come. */
  #carry: Uint8Array = new Uint8Array(0)
  #isSkipping = false
  #offset: number
  #hasErrors: boolean
  readonly #recent = new RecentBlocks()
  #current: Block = { bytes: Buffer.alloc(0), firstLine: 0, offset: 0, lastMs: Number.NaN }
  /** Records that unrecognised lines may continue, by pod and stream. */
  readonly #blocks = new Map<string, OpenBlock>()
  readonly #pieces = new Pieces()

  constructor(visitor: LineVisitor, names: NameTable, format: LogFormat | null = null, start: ReadStart = BEGIN) {
    this.#visitor = visitor
    this.parser = new RecordParser(names, format)
    this.#offset = start.byteOffset
    this.lines = start.lines
    // What lies before may be looked back at.
    this.#hasErrors = start.byteOffset > 0
  }

  /** Behind the last whole line. */
  get readTo(): number {
    return this.#offset
  }

  /** Where the physical line begins that is being read. */
  get at(): number {
    return this.#line.byteOffset
  }

  /** Lines that may go on and were not told yet: pieces, and records that wait for their continuations. */
  *openLines(): Generator<LineStart> {
    yield* this.#pieces.firsts()
    for (const block of this.#blocks.values()) if (block.waiting !== null) yield block.line
  }

  /** What lines to come may refer to: records that were told and may go on, and the lines of the last `ms`. */
  *context(ms: number): Generator<LineStart> {
    for (const block of this.#blocks.values()) if (block.waiting === null) yield block.line
    yield* this.#recent.startsWithin(ms)
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

  /** The source is at its end: a last line without line feed counts, open records are told. */
  end(): void {
    if (this.#carry.length > 0 || this.#isSkipping) this.#finishCarry(Uint8Array.of(LINE_FEED))
    for (const line of this.#pieces.drain()) this.#wholeLine(line)
    this.flush()
    this.#blocks.clear()
  }

  /** Tells records that waited for continuations, because for a while nothing came: what comes later still belongs to them. */
  flush(): void {
    for (const block of this.#blocks.values()) {
      this.#tell(block)
      block.waiting = null
    }
  }

  /**
   * The newest line, not older than `sinceMs` by its stamp, that is the access line of this client and request (both in
   * nginx's escape); null when there is none in the blocks that are still here.
   */
  lookBack(client: string, request: string, sinceMs: number): { record: AccessRecord; line: RecordLine } | null {
    const line = new Line()
    for (const found of this.#recent.linesWith(`"${request}" `, this.#current, sinceMs)) {
      const byteOffset = found.block.offset + found.start
      // What stands behind the line that is being read has not been told yet.
      if (byteOffset >= this.#line.byteOffset) continue
      line.clearEnvelope()
      line.byteOffset = byteOffset
      line.bytes = found.block.bytes
      line.start = found.start
      line.end = line.bytes[found.end - 1] === CARRIAGE_RETURN ? found.end - 1 : found.end
      this.#envelope.open(line)
      if (!(line.timeMs >= sinceMs)) return null
      const { scanner } = this.parser
      if (!scanner?.scan(line.bytes, line.start, line.end)) continue
      const record = scannedRecord(scanner.view, scanner)
      if (record.client !== client || record.request !== request) continue
      line.number = lineNumber(found)
      return { record, line: this.recordLine(line) }
    }
    return null
  }

  /** What stays of `line` when its block is gone. */
  recordLine(line: Line): RecordLine {
    const { number, byteOffset, timeMs, stream, pod, namespace, container, node, path } = line
    return {
      number,
      byteOffset,
      timeMs: Number.isNaN(timeMs) ? null : timeMs,
      written: this.#envelope.written(line),
      stream,
      pod: pod ?? this.place.pod,
      namespace: namespace ?? this.place.namespace,
      container: container ?? this.place.container,
      node,
      path,
      raw: line.content()
    }
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
    const line = this.#line
    line.clearEnvelope()
    line.number = ++this.lines
    line.byteOffset = this.#offset
    this.#offset += joined.length
    this.#carry = new Uint8Array(0)
    this.#tooLong(line, joined.subarray(0, 200))
  }

  #tooLong(line: Line, head: Uint8Array): void {
    this.#setContent(line, head)
    this.#visitor.reject('line_too_long', LINE_BYTES_MAX, this.recordLine(line))
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
    const line = this.#line
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
      if (feed - start > LINE_BYTES_MAX) this.#tooLong(line, bytes.subarray(start, start + 200))
      else this.#physicalLine(line)
      start = feed + 1
    }
    // Only stamped sources with error lines are looked back in; before the first one may lie the end of a chunk.
    if (!this.#hasErrors && (!isLast || Number.isNaN(line.timeMs))) return
    this.#current.lastMs = line.timeMs
    this.#recent.add(this.#current)
  }

  #physicalLine(line: Line): void {
    // A format that begins with a time of its own: an envelope's stamp looks the same.
    if (this.parser.startsWithTime && this.#isScanned(line)) return
    const framing = this.#envelope.open(line)
    if (framing === 'piece' || (framing === 'last' && !this.#pieces.isEmpty)) {
      if (this.#piece(line, framing === 'piece')) return
    }
    if (!this.#isScanned(line)) this.#slowLine(line)
  }

  /** Tells the line if the scanner in use reads it. */
  #isScanned(line: Line): boolean {
    const scanner = this.parser.scanner
    if (!scanner?.scan(line.bytes, line.start, line.end)) return false
    this.parser.countScanned()
    if (this.#blocks.size > 0 && line.stream !== 'stdout') this.#endBlock(line)
    this.#visitor.access(scanner.view, line)
    return true
  }

  #slowLine(line: Line): void {
    const json = openJson(line)
    if (json !== null) {
      this.#setContent(line, Buffer.from(json.content, 'latin1'))
      if (json.framing === 'piece' || (json.framing === 'last' && !this.#pieces.isEmpty)) {
        if (this.#piece(line, json.framing === 'piece')) return
      }
      // A shipper without a CRI parser forwards the frame too.
      this.#envelope.open(line)
    }
    const { start } = line
    for (let depth = 0; depth < 4; depth++) {
      if (this.#tryLine(line)) return
      // Behind a prefix, or damaged, anything may look like a record; inside an open one it is a part of that.
      const open = this.#blocks.size > 0 ? this.#blocks.get(streamKey(line)) : undefined
      if (open?.waiting) return this.#continue(open, line.content(), line.number)
      const content = line.content()
      const prefix = prefixLength(content)
      if (prefix === 0 || prefix >= content.length) break
      line.start += prefix
      this.#envelope.open(line)
    }
    const record = this.parser.parseDamaged(line.content())
    if (record !== null) {
      this.#endBlock(line)
      this.#tellRecord(record, line)
      return
    }
    // What looked like a prefix was none: the reject and its column are of the whole line.
    line.start = start
    this.#unrecognised(line)
  }

  #tryLine(line: Line): boolean {
    const scanner = this.parser.findScanner(line)
    if (scanner !== null) {
      this.#endBlock(line)
      this.#visitor.access(scanner.view, line)
      return true
    }
    const raw = line.content()
    const open = this.#blocks.get(streamKey(line))
    // `nginx -t` output inside a controller's block has a date but no connection, and is no error of a request.
    if (open?.waiting && isForeignLine(raw, open.line.raw)) {
      this.#continue(open, raw, line.number)
      return true
    }
    const record = this.parser.parse(raw)
    if (record === null) return false
    if ('code' in record) {
      this.#endBlock(line)
      this.#visitor.reject(record.code, record.column, this.recordLine(line))
      return true
    }
    this.#endBlock(line)
    this.#tellRecord(record, line)
    return true
  }

  /** Tells a record, or keeps it for the lines that may continue it. */
  #tellRecord(record: ParsedRecord, line: Line): void {
    const recordLine = this.recordLine(line)
    if (record.kind !== 'error' && record.kind !== 'controller') return this.#visitor.record(record, recordLine)
    this.#hasErrors = true
    const waits = opensBlock(record)
    if (!waits) this.#visitor.record(record, recordLine)
    this.#blocks.set(streamKey(line), { line: recordLine, waiting: waits ? [] : null, waitingBytes: 0 })
    if (this.#blocks.size <= STREAMS_MAX) return
    const [oldest, block] = this.#blocks.entries().next().value!
    this.#blocks.delete(oldest)
    this.#tell(block)
  }

  #unrecognised(line: Line): void {
    const open = this.#blocks.get(streamKey(line))
    if (open) return this.#continue(open, line.content(), line.number)
    const recordLine = this.recordLine(line)
    const { code, column } = this.parser.rejectOf(recordLine.raw)
    this.#visitor.reject(code, column, recordLine)
  }

  #continue(open: OpenBlock, raw: string, lineNumber: number): void {
    if (open.waiting !== null && open.waitingBytes + raw.length <= CONTINUATION_BYTES_MAX) {
      open.waiting.push(raw)
      open.waitingBytes += raw.length
    }
    this.#visitor.continuation(lineNumber)
  }

  /** A recognised line ends the record before it in its stream. */
  #endBlock(line: Line): void {
    if (this.#blocks.size === 0) return
    const key = streamKey(line)
    const open = this.#blocks.get(key)
    if (!open) return
    this.#blocks.delete(key)
    this.#tell(open)
  }

  #tell(block: OpenBlock): void {
    if (block.waiting === null) return
    const line =
      block.waiting.length === 0 ? block.line : { ...block.line, raw: [block.line.raw, ...block.waiting].join('\n') }
    const record = this.parser.parse(line.raw)
    if (record !== null && !('code' in record)) this.#visitor.record(record, line)
  }

  /** Keeps a piece, or puts the last one to those before it; false when the line is whole by itself. */
  #piece(line: Line, hasMore: boolean): boolean {
    const key = streamKey(line)
    if (!this.#pieces.has(key)) {
      const given = hasMore ? this.#pieces.start(key, this.recordLine(line)) : null
      if (given) this.#wholeLine(given)
      return hasMore
    }
    const whole = this.#pieces.add(key, line.content(), !hasMore, LINE_BYTES_MAX)
    if (whole && whole.raw.length > LINE_BYTES_MAX) {
      this.#visitor.reject('line_too_long', LINE_BYTES_MAX, { ...whole, raw: whole.raw.slice(0, 200) })
    } else if (whole) this.#wholeLine(whole)
    this.#visitor.continuation(line.number)
    return true
  }

  /** Runs a line put together from pieces through the parser. */
  #wholeLine(recordLine: RecordLine): void {
    const line = new Line()
    const { raw, ...facts } = recordLine
    Object.assign(line, facts, { timeMs: recordLine.timeMs ?? NaN })
    this.#setContent(line, Buffer.from(raw, 'latin1'))
    const scanner = this.parser.findScanner(line)
    if (scanner !== null) this.#visitor.access(scanner.view, line)
    else this.#slowLine(line)
  }

  /** Content that stands nowhere in the block: bytes of its own, with the line feed that scanners stop at. */
  #setContent(line: Line, content: Uint8Array): void {
    const bytes = Buffer.allocUnsafe(content.length + 1)
    bytes.set(content)
    bytes[content.length] = LINE_FEED
    line.written = this.#envelope.written(line)
    line.bytes = bytes
    line.start = 0
    line.end = content.length
  }
}

function streamKey(line: Line): string {
  return `${line.pod ?? ''} ${line.stream ?? ''}`
}

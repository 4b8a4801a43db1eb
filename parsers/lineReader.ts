/**
 * Lines → records, whatever they come in: takes envelopes off, puts pieces and continuations together, and says of every
 * physical line exactly one thing: a record, a continuation of one, or a reject.
 */

import { EnvelopeReader, type Framing, prefixLength } from './envelope.ts'
import { applyEnvelope, criLength, type EnvelopeFacts, type JsonEnvelope, openJson } from './jsonEnvelope.ts'
import { Line, type RecordLine } from './line.ts'
import type { LineStart, LineVisitor } from './lineVisitor.ts'
import type { LogFormat } from './logFormat.ts'
import type { NameTable } from './nameTable.ts'
import { Pieces } from './pieces.ts'
import type { AccessRecord, ParsedRecord } from './record.ts'
import { isForeignLine, opensBlock, RecordParser } from './recordParser.ts'

/** Longest line that is parsed; a longer one is a reject, kept to its first bytes. */
export const LINE_BYTES_MAX = 1 << 20
const HEAD_BYTES = 200
/** Text that may continue one record: a Lua traceback or the output of `nginx -t` has a few KiB. */
const CONTINUATION_BYTES_MAX = 1 << 16
/** Pods and streams whose last record is remembered; the oldest goes first. */
const STREAMS_MAX = 512
/** A shipper may have put a character of several bytes where it read a byte that is none. */
const BEYOND_ASCII = /[\x80-\xff]/
export const LINE_FEED = 0x0a
export const CARRIAGE_RETURN = 0x0d

interface OpenBlock {
  line: RecordLine
  /** Not told yet, because lines that follow may belong to it; null: told already. */
  waiting: string[] | null
  waitingBytes: number
}

export abstract class LineReader {
  /** Pod, namespace and container of lines whose envelope does not tell: from the name of the file. */
  place: Pick<RecordLine, 'pod' | 'namespace' | 'container'> = { pod: null, namespace: null, container: null }
  readonly parser: RecordParser
  protected readonly visitor: LineVisitor
  /** The line that is being read. */
  protected readonly line = new Line()
  protected readonly envelope = new EnvelopeReader()
  /** Error lines were read: what came before them may be looked back at. */
  protected hasErrors = false
  /** Records that unrecognised lines may continue, by pod and stream. */
  readonly #blocks = new Map<string, OpenBlock>()
  readonly #pieces = new Pieces()

  constructor(visitor: LineVisitor, names: NameTable, format: LogFormat | null) {
    this.visitor = visitor
    this.parser = new RecordParser(names, format)
  }

  /** Number of the last line read, from 1: those before the start included. */
  abstract readonly lines: number
  /** Behind the last whole line. */
  abstract readonly readTo: number
  /** Lines that were read by this reader. */
  abstract readonly linesRead: number
  /** The Kafka message that is being read, Latin-1; null: there is none. */
  abstract readonly value: string | null
  /** Where what came in the last `ms` before the newest line begins, block by block. */
  protected abstract recentStarts(ms: number): Iterable<LineStart>

  /**
   * The newest line, not older than `sinceMs` by its stamp, that is the access line of this client and request (both in
   * nginx's escape) in this pod; null when there is none in what is still here.
   */
  abstract lookBack(
    client: string,
    request: string,
    pod: string | null,
    sinceMs: number
  ): { record: AccessRecord; line: RecordLine } | null

  /** Where the line begins that is being read: its byte, or its message. */
  get at(): number {
    return this.line.byteOffset
  }

  /** Lines that may go on and were not told yet: pieces, and records that wait for their continuations. */
  *openLines(): Generator<LineStart> {
    yield* this.#pieces.firsts()
    for (const block of this.#blocks.values()) if (block.waiting !== null) yield block.line
  }

  /** What lines to come may refer to: records that were told and may go on, and the lines of the last `ms`. */
  *context(ms: number): Generator<LineStart> {
    for (const block of this.#blocks.values()) if (block.waiting === null) yield block.line
    yield* this.recentStarts(ms)
  }

  /** The source is at its end: open lines and records are told. */
  end(): void {
    for (const line of this.#pieces.drain()) this.#wholeLine(line)
    this.flush()
    this.#blocks.clear()
  }

  /** To be called about once a second: lines whose next piece has not come for `agesMax` calls are told as they are. */
  age(agesMax: number): void {
    if (!this.#pieces.isEmpty) for (const line of this.#pieces.age(agesMax)) this.#wholeLine(line)
  }

  /** Tells records that waited for continuations, because for a while nothing came: what comes later still belongs to them. */
  flush(): void {
    for (const block of this.#blocks.values()) {
      this.#tell(block)
      block.waiting = null
    }
  }

  /** Records that were told do not go on any more. */
  protected forgetTold(): void {
    for (const [key, block] of this.#blocks) if (block.waiting === null) this.#blocks.delete(key)
  }

  /** What stays of `line` when its block is gone. */
  recordLine(line: Line): RecordLine {
    const { number, byteOffset, timeMs, stream, pod, namespace, container, node, path } = line
    return {
      number,
      byteOffset,
      timeMs: Number.isNaN(timeMs) ? null : timeMs,
      written: this.written(line),
      stream,
      pod: pod ?? this.place.pod,
      namespace: namespace ?? this.place.namespace,
      container: container ?? this.place.container,
      node,
      path,
      raw: line.content()
    }
  }

  /** What tells the line from equal ones of its source. */
  protected written(line: Line): string {
    return line.stamp()
  }

  /** Hook: the envelope of the physical line, still in place, has been read. */
  protected opened(_line: Line, _json: JsonEnvelope): void {}

  /**
   * Hook: true when the line was read before, and tells nothing. Asked before pieces are put together. `bytes` are those of
   * the CRI line that a shipper made the record of, null: it does not tell.
   */
  protected isKnown(_line: Line, _bytes: number | null): boolean {
    return false
  }

  protected tooLong(line: Line, bytes: Uint8Array): void {
    this.setContent(line, bytes.subarray(0, HEAD_BYTES))
    this.visitor.reject('line_too_long', LINE_BYTES_MAX, this.recordLine(line))
  }

  protected physicalLine(line: Line): void {
    // A format that begins with a time of its own: an envelope's stamp looks the same.
    if (this.parser.startsWithTime && this.#isScanned(line)) return
    if (!this.isPiece(line, this.envelope.open(line))) this.#content(line)
  }

  #content(line: Line): void {
    if (this.#isScanned(line)) return
    const json = openJson(line)
    if (json === null) return this.#findRecord(line)
    this.opened(line, json)
    applyEnvelope(line, json)
    this.jsonContent(line, json.facts, json.content, json.framing)
  }

  /** What stood in a JSON envelope, when its facts are on `line`. */
  protected jsonContent(line: Line, facts: EnvelopeFacts, content: string, framing: Framing): void {
    this.setContent(line, Buffer.from(content, 'latin1'))
    const contentBytes = BEYOND_ASCII.test(content) ? -1 : content.length
    if (!this.isTakenIn(line, facts, framing, line.written.length, contentBytes)) this.tellContent(line)
  }

  /**
   * True when the content of a JSON envelope is no line to be read now: a piece, or known. `stampBytes` and `contentBytes`
   * are the lengths of the texts, without escapes; -1: not known.
   */
  protected isTakenIn(
    line: Line,
    facts: EnvelopeFacts,
    framing: Framing,
    stampBytes: number,
    contentBytes: number
  ): boolean {
    if (this.isPiece(line, framing)) return true
    // A shipper without a CRI parser forwards the frame too.
    const inner = this.envelope.open(line)
    const bytes = inner === 'whole' ? criLength(facts, stampBytes, contentBytes) : contentBytes + 1
    return this.isKnown(line, contentBytes < 0 || facts.isJoined ? null : bytes) || this.isPiece(line, inner)
  }

  /** A line without any envelope. */
  protected tellContent(line: Line): void {
    if (!this.#isScanned(line)) this.#findRecord(line)
  }

  /** The last piece of a line whose first ones are here, or one that goes on: taken in. */
  protected isPiece(line: Line, framing: Framing): boolean {
    if (framing === 'whole' || (framing === 'last' && this.#pieces.isEmpty)) return false
    return this.#takePiece(line, framing === 'piece')
  }

  /** Tells the line if the scanner in use reads it. */
  #isScanned(line: Line): boolean {
    const scanner = this.parser.scanner
    if (!scanner?.scan(line.bytes, line.start, line.end)) return false
    this.tellScanned(line)
    return true
  }

  /** Tells the line that the scanner in use has read. */
  protected tellScanned(line: Line): void {
    this.parser.countScanned()
    if (this.#blocks.size > 0 && line.stream !== 'stdout') this.#endBlock(line)
    this.visitor.access(this.parser.scanner!.view, line)
  }

  /** A line that the scanner in use does not read. */
  #findRecord(line: Line): void {
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
      this.envelope.open(line)
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
      this.visitor.access(scanner.view, line)
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
    this.#endBlock(line)
    if ('code' in record) this.visitor.reject(record.code, record.column, this.recordLine(line))
    else this.#tellRecord(record, line)
    return true
  }

  /** Tells a record, or keeps it for the lines that may continue it. */
  #tellRecord(record: ParsedRecord, line: Line): void {
    const recordLine = this.recordLine(line)
    if (record.kind !== 'error' && record.kind !== 'controller') return this.visitor.record(record, recordLine)
    this.hasErrors = true
    const waits = opensBlock(record)
    if (!waits) this.visitor.record(record, recordLine)
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
    this.visitor.reject(code, column, recordLine)
  }

  #continue(open: OpenBlock, raw: string, lineNumber: number): void {
    if (open.waiting !== null && open.waitingBytes + raw.length <= CONTINUATION_BYTES_MAX) {
      open.waiting.push(raw)
      open.waitingBytes += raw.length
    }
    this.visitor.continuation(lineNumber)
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
    if (record !== null && !('code' in record)) this.visitor.record(record, line)
  }

  /** Keeps a piece, or puts the last one to those before it; false when the line is whole by itself. */
  #takePiece(line: Line, hasMore: boolean): boolean {
    const key = streamKey(line)
    if (!this.#pieces.has(key)) {
      const given = hasMore ? this.#pieces.start(key, this.recordLine(line)) : null
      if (given) this.#wholeLine(given)
      return hasMore
    }
    const whole = this.#pieces.add(key, line.content(), !hasMore, LINE_BYTES_MAX)
    if (whole && whole.raw.length > LINE_BYTES_MAX) {
      this.visitor.reject('line_too_long', LINE_BYTES_MAX, { ...whole, raw: whole.raw.slice(0, HEAD_BYTES) })
    } else if (whole) this.#wholeLine(whole)
    this.visitor.continuation(line.number)
    return true
  }

  /** Runs a line put together from pieces through the parser. */
  #wholeLine(recordLine: RecordLine): void {
    const line = new Line()
    const { raw, ...facts } = recordLine
    Object.assign(line, facts, { timeMs: recordLine.timeMs ?? NaN })
    this.setContent(line, Buffer.from(raw, 'latin1'))
    this.#content(line)
  }

  /** Content that stands nowhere in the block: bytes of its own, with the line feed that scanners stop at. */
  protected setContent(line: Line, content: Uint8Array): void {
    const bytes = Buffer.allocUnsafe(content.length + 1)
    bytes.set(content)
    bytes[content.length] = LINE_FEED
    line.written = line.stamp()
    line.bytes = bytes
    line.start = 0
    line.end = content.length
    line.isEscaped = false
  }
}

function streamKey(line: Line): string {
  return `${line.pod ?? ''} ${line.stream ?? ''}`
}

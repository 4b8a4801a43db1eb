/**
 * Messages of one Kafka partition → lines. A value is a line as it was written, several of them, or the JSON of a shipper
 * around one. A message whose shape is known is read where it lies: the line in its JSON is scanned with its escapes, and
 * nothing is made for a success. Everything else goes through `JSON.parse`.
 */

import { countQuotes } from './escapedText.ts'
import { applyEnvelope, contentOf, isKubeletPath, type JsonEnvelope, openJson } from './jsonEnvelope.ts'
import { latin1 } from './latin1.ts'
import { Line, type RecordLine } from './line.ts'
import { CARRIAGE_RETURN, LINE_BYTES_MAX, LINE_FEED, LineReader } from './lineReader.ts'
import type { LineStart, LineVisitor } from './lineVisitor.ts'
import type { LogFormat } from './logFormat.ts'
import type { MessageBatch } from './messageBatch.ts'
import type { MessageShape } from './messageShape.ts'
import { MessageShapes } from './messageShapes.ts'
import type { NameTable } from './nameTable.ts'
import { type FoundLine, RecentMessages } from './recentMessages.ts'
import type { AccessRecord } from './record.ts'
import { scannedRecord } from './recordParser.ts'

/** One line as its shipper's envelope tells it. */
export interface SentLine {
  /** File it was read from, as a name that no other file has: a kubelet path, or another with its node in front. */
  path: string
  /** Where it begins in that file. */
  offset: number
  /** CRI time, Unix ms with a fraction; NaN without one. */
  timeMs: number
  /** Bytes of the CRI line in the file with its frame and line feed; null: not known. */
  bytes: number | null
}

/** Knows what a shipper has sent before. */
export interface ResendFilter {
  /** Takes the line in; true when it was sent before. `line` is valid during the call only. */
  isResend(line: SentLine): boolean
}

export interface MessageStart {
  /** Offset of the first message. */
  from: number
  /** Lines of messages below are read again: nobody is asked whether they were sent before. */
  readTo: number
  resends: ResendFilter | null
  /** Shapes are learned; without, every JSON is parsed. */
  learnsShapes: boolean
}

const BRACE = 0x7b
const BRACKET = 0x5b
const LETTER_P = 0x70
/** Record time is noted so often: where a restart begins to read lies so near. */
const MARK_BYTES = 1 << 16
const PATHS_MAX = 1_000

export class MessageReader extends LineReader {
  readTo: number
  linesRead = 0
  /** Lines of them that were scanned where they lie. */
  readInPlace = 0
  readonly #resends: ResendFilter | null
  readonly #askedFrom: number
  /** Whether a path is a name that no other file has. */
  readonly #uniquePaths = new Map<string, boolean>()
  readonly #sent: SentLine = { path: '', offset: 0, timeMs: 0, bytes: null }
  readonly #shapes: MessageShapes | null
  /** The batch that is being read. */
  #bytes: Buffer = Buffer.alloc(0)
  #words: DataView = new DataView(new ArrayBuffer(0))
  /** The value that is being read; `#valueEnd` -1: there is none. */
  #valueStart = 0
  #valueEnd = -1
  readonly #recent = new RecentMessages()
  /** The batch that is being read, and which of its messages. */
  #batch: MessageBatch | null = null
  #at = 0

  constructor(
    visitor: LineVisitor,
    names: NameTable,
    format: LogFormat | null,
    { from, readTo, resends, learnsShapes }: MessageStart
  ) {
    super(visitor, names, format)
    this.readTo = from
    this.#askedFrom = readTo
    this.#resends = resends
    this.#shapes = learnsShapes ? new MessageShapes() : null
    this.hasErrors = from > 0
  }

  /** Of messages: the number of the line in the last one is its offset plus one. */
  get lines(): number {
    return this.readTo
  }

  get value(): string | null {
    return this.#valueEnd < 0 ? null : latin1(this.#bytes, this.#valueStart, this.#valueEnd)
  }

  protected recentStarts(ms: number): Iterable<LineStart> {
    return this.#recent.startsWithin(ms)
  }

  /** Reads messages; the batch may be reused afterwards. */
  pushMessages(batch: MessageBatch): void {
    const { bytes, count, offsets, starts, ends } = batch
    if (count === 0) return
    this.#bytes = bytes
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const { line } = this
    this.#batch = batch
    let marked = 0
    for (let i = 0; i < count; i++) {
      const offset = offsets[i]!
      line.number = offset + 1
      line.byteOffset = offset
      line.index = 0
      this.#at = i
      this.#valueStart = starts[i]!
      this.#valueEnd = ends[i]!
      if (ends[i]! < 0) this.#noValue()
      else this.#value(starts[i]!, ends[i]!)
      this.readTo = offset + 1
      if (ends[i]! < marked + MARK_BYTES && i < count - 1) continue
      marked = ends[i]!
      this.#recent.mark(offset, line.timeMs)
    }
    // Only sources with error lines are looked back in; before the first one may lie the end of a batch.
    if (this.hasErrors || !Number.isNaN(line.timeMs)) this.#recent.add(batch)
    this.#valueEnd = -1
    this.#batch = null
  }

  /** Nothing has come for a while: records are told, and what came is not referred to any more. */
  override flush(): void {
    super.flush()
    this.forgetTold()
    this.#recent.clear()
  }

  lookBack(
    client: string,
    request: string,
    pod: string | null,
    sinceMs: number
  ): { record: AccessRecord; line: RecordLine } | null {
    const inText = `"${request}" `
    // Requests are in nginx's escape, so JSON escapes their backslashes alone.
    const inJson = `\\"${request.replaceAll('\\', '\\\\')}\\" `
    for (const needle of [inJson, inText]) {
      for (const found of this.#recent.linesWith(needle, this.#batch, this.#at)) {
        const line = this.#openFound(found)
        if (!(line.timeMs >= sinceMs) || (line.pod ?? this.place.pod) !== pod) continue
        const { scanner } = this.parser
        if (!scanner?.scan(line.bytes, line.start, line.end)) continue
        const record = scannedRecord(scanner.view, scanner)
        if (record.client === client && record.request === request) return { record, line: this.recordLine(line) }
      }
    }
    return null
  }

  /** A line that came before with its envelopes off. */
  #openFound({ bytes, start, end, offset, index }: FoundLine): Line {
    const line = new Line()
    line.byteOffset = offset
    line.number = offset + 1
    line.index = index
    line.bytes = bytes
    line.start = start
    line.end = bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end
    this.envelope.open(line)
    const json = openJson(line)
    if (json === null) return line
    applyEnvelope(line, json)
    this.setContent(line, Buffer.from(json.content, 'latin1'))
    this.envelope.open(line)
    return line
  }

  /** What tells lines without a stamp apart: the shipper's offset, else message and place in it. */
  protected override written(line: Line): string {
    const stamp = line.stamp()
    if (stamp !== '') return stamp
    return Number.isNaN(line.logOffset) ? `${line.byteOffset}.${line.index}` : String(line.logOffset)
  }

  protected override opened(line: Line, json: JsonEnvelope): void {
    if (line.bytes === this.#bytes) this.#shapes?.learn(this.#words, line.bytes, line.start, line.end, json)
  }

  protected override isKnown(line: Line, bytes: number | null): boolean {
    if (this.#resends === null || line.byteOffset < this.#askedFrom) return false
    if (line.path === null || Number.isNaN(line.logOffset)) return false
    const path = this.#fileOf(line.path, line.node)
    if (path === null) return false
    const sent = this.#sent
    sent.path = path
    sent.offset = line.logOffset
    sent.timeMs = line.timeMs
    sent.bytes = bytes
    return this.#resends.isResend(sent)
  }

  /** null: nodes have files of this name, and nobody knows which one it is. What is sent again counts twice then, and nothing is lost. */
  #fileOf(path: string, node: string | null): string | null {
    let isUnique = this.#uniquePaths.get(path)
    if (isUnique === undefined) {
      if (this.#uniquePaths.size >= PATHS_MAX) this.#uniquePaths.clear()
      this.#uniquePaths.set(path, (isUnique = isKubeletPath(path)))
    }
    if (isUnique) return path
    return node === null ? null : `${node}:${path}`
  }

  #noValue(): void {
    const { line } = this
    this.#clear()
    this.linesRead++
    this.setContent(line, Buffer.alloc(0))
    this.visitor.reject('no_value', 1, this.recordLine(line))
  }

  #clear(): void {
    const { line } = this
    if (line.hasEnvelope) line.clearEnvelope()
    line.isEscaped = false
  }

  #value(start: number, valueEnd: number): void {
    const bytes = this.#bytes
    let end = valueEnd
    // A final line feed is no line.
    if (end > start && bytes[end - 1] === LINE_FEED) end--
    if (end > start && end - start <= LINE_BYTES_MAX && bytes[start] === BRACE && this.#isShaped(start, end)) {
      this.linesRead++
      return
    }
    for (let from = start; from < end; ) {
      let feed = bytes.indexOf(LINE_FEED, from)
      if (feed < 0 || feed > end) feed = end
      const isPart = from > start || feed < end
      if (!(isPart && bytes[from] === BRACE && feed - from <= LINE_BYTES_MAX && this.#isShaped(from, feed)))
        this.#textLine(from, feed)
      this.line.index++
      this.linesRead++
      from = feed + 1
    }
  }

  #textLine(start: number, feed: number): void {
    const bytes = this.#bytes
    const { line } = this
    this.#clear()
    line.bytes = bytes
    line.start = start
    line.end = feed > start && bytes[feed - 1] === CARRIAGE_RETURN ? feed - 1 : feed
    if (feed - start > LINE_BYTES_MAX) this.tooLong(line, bytes.subarray(start, feed))
    else this.physicalLine(line)
  }

  /** Reads a message of a known shape; false when it is none, or anything in it is unusual. */
  #isShaped(start: number, end: number): boolean {
    const shapes = this.#shapes
    if (shapes === null) return false
    const bytes = this.#bytes
    const { line } = this
    const shape = shapes.match(this.#words, bytes, start, end)
    if (shape === null || !shape.apply(line, bytes)) return false
    const { lineStart, lineEnd, tailStart } = shapes
    const { facts } = shape
    line.isEscaped = false
    const quotes = countQuotes(this.#words, lineStart, lineEnd)
    // Prefixes of `kubectl logs` may hold anything.
    if (quotes < 0 || (bytes[lineStart] === BRACKET && bytes[lineStart + 1] === LETTER_P))
      return this.#isParsed(shape, lineStart, tailStart)
    const stampBytes = shape.hasTextStamp ? line.writtenTo - line.writtenFrom : 0
    line.bytes = bytes
    line.start = lineStart
    line.end = lineEnd
    line.isEscaped = true
    const framing = shape.framing(lineEnd < tailStart)
    if (this.isTakenIn(line, facts, framing, stampBytes, lineEnd - lineStart - quotes)) return true
    const { scanner } = this.parser
    if (scanner?.scanEscaped(bytes, line.start, line.end)) {
      this.readInPlace++
      this.tellScanned(line)
      return true
    }
    this.setContent(line, Buffer.from(line.content(), 'latin1'))
    this.tellContent(line)
    return true
  }

  /** A line with other escapes: its text alone is parsed. False when it is no JSON. */
  #isParsed(shape: MessageShape, lineStart: number, tailStart: number): boolean {
    const { line } = this
    let content: unknown
    try {
      content = JSON.parse(Buffer.prototype.utf8Slice.call(this.#bytes, lineStart - 1, tailStart + 1))
    } catch {
      // The message is no JSON then either: the caller reads it as the text that it is.
      return false
    }
    line.written = line.stamp()
    const { text, framing } = contentOf(content as string, shape.facts)
    this.jsonContent(line, shape.facts, text, framing)
    return true
  }
}

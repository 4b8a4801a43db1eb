import { latin1 } from './latin1.ts'

/** One physical line, or several that belong together, with what its envelope says. One object is reused for all lines. */
export class Line {
  /** Physical number in its source, from 1; of a record of several lines the first. */
  number = 0
  /** Offset of its first byte in the source, uncompressed; of a line in a message the message's offset. */
  byteOffset = 0
  /** Of the lines of one message, from 0. */
  index = 0
  bytes: Buffer = Buffer.alloc(0)
  /** Where the content (without envelope, line feed, carriage return) begins and ends in `bytes`. */
  start = 0
  end = 0
  /** The envelope's stamp, Unix ms with a fraction; NaN without one. */
  timeMs = NaN
  /** The stamp as text, nanoseconds and all; '' without one, or while it stands in `bytes`. Part of the line's identity. */
  written = ''
  /** Where the stamp stands in `bytes`: its text is made only for lines that become records. */
  writtenFrom = 0
  writtenTo = 0
  /** The stamp in `bytes` is a JSON number: its text is what JavaScript makes of it. */
  isWrittenNumber = false
  stream: 'stdout' | 'stderr' | null = null
  pod: string | null = null
  namespace: string | null = null
  container: string | null = null
  node: string | null = null
  /** Shipper's name of the source file (`log_path`), null when the source is the file itself. */
  path: string | null = null
  /** Where the line begins in that file; NaN when the shipper does not tell. */
  logOffset = NaN
  /** The content is JSON text whose only escape is `\"`. */
  isEscaped = false
  /** True when an envelope set something. */
  hasEnvelope = false

  /** The content as Latin-1, a copy that keeps no block alive. */
  content(): string {
    const text = latin1(this.bytes, this.start, this.end)
    return this.isEscaped ? text.replaceAll('\\"', '"') : text
  }

  /** The stamp's text. */
  stamp(): string {
    if (this.written !== '') return this.written
    if (Number.isNaN(this.timeMs)) return ''
    const text = latin1(this.bytes, this.writtenFrom, this.writtenTo)
    return this.isWrittenNumber ? String(Number(text)) : text
  }

  clearEnvelope(): void {
    this.hasEnvelope = false
    this.timeMs = NaN
    this.written = ''
    this.isWrittenNumber = false
    this.stream = null
    this.pod = null
    this.namespace = null
    this.container = null
    this.node = null
    this.path = null
    this.logOffset = NaN
  }
}

/** What a record's line keeps when the block is gone. */
export interface RecordLine {
  /** First physical line, from 1. */
  number: number
  byteOffset: number
  /** The envelope's stamp, Unix ms with a fraction; null without one. */
  timeMs: number | null
  /** The stamp as written; '' without one. */
  written: string
  stream: 'stdout' | 'stderr' | null
  pod: string | null
  namespace: string | null
  container: string | null
  node: string | null
  path: string | null
  /** Content as Latin-1, several physical lines joined by a line feed. */
  raw: string
}

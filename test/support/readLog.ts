import { compileLogFormat, type LogEscape, type LogFormat } from '../../parsers/logFormat.ts'
import { NameTable } from '../../parsers/nameTable.ts'
import { LogReader, type RecordLine } from '../../parsers/reader.ts'
import type { AccessRecord, ParsedRecord } from '../../parsers/record.ts'
import { scannedRecord } from '../../parsers/recordParser.ts'
import { MASK_ALL, Masker } from '../../src/mask.ts'
import { continuationLine, type ParsedLine, parsedLine, rejectedLine } from '../../src/parsedLine.ts'
import { RecordClock } from '../../src/recordTime.ts'

/** Log text holds bytes: every character of the string is one. */
export const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1')

/** What `why5xx parse` would print for the bytes, one object a line, in the order of the lines. */
export function parseLog(bytes: Uint8Array, format: LogFormat | null = null): ParsedLine[] {
  const lines: ParsedLine[] = []
  const masker = new Masker(MASK_ALL)
  const clock = new RecordClock('UTC', null)
  const reader = new LogReader(
    {
      access(view, line) {
        const scanner = reader.parser.scanner!
        clock.setZone(scanner.zoneMs)
        const record = scannedRecord(view, scanner)
        const recordLine = reader.recordLine(line)
        lines.push(parsedLine(record, recordLine, clock.of(record, recordLine), masker))
      },
      record: (record, line) => lines.push(parsedLine(record, line, clock.of(record, line), masker)),
      continuation: number => lines.push(continuationLine(number)),
      reject: (code, column, line) => lines.push(rejectedLine(code, column, line))
    },
    new NameTable(),
    format
  )
  reader.push(bytes)
  reader.end()
  return lines.sort((a, b) => a.lineNumber - b.lineNumber)
}

/** What a reader said of one physical line. */
export interface Told {
  number: number
  kind: ParsedRecord['kind'] | 'continuation' | 'reject'
  record: ParsedRecord | null
  /** Code and column of a reject. */
  reject: string | null
  line: RecordLine | null
}

/** Everything a reader tells about the chunks, in the order told. */
export function tellAll(chunks: Iterable<Uint8Array>, format: LogFormat | null = null): Told[] {
  const told: Told[] = []
  const nothing = { record: null, reject: null, line: null }
  const reader = new LogReader(
    {
      access(view, line) {
        const record = scannedRecord(view, reader.parser.scanner!)
        told.push({ ...nothing, number: line.number, kind: 'access', record, line: reader.recordLine(line) })
      },
      record: (record, line) => told.push({ ...nothing, number: line.number, kind: record.kind, record, line }),
      continuation: number => told.push({ ...nothing, number, kind: 'continuation' }),
      reject: (code, column, line) =>
        told.push({ ...nothing, number: line.number, kind: 'reject', reject: `${code}:${column}`, line })
    },
    new NameTable(),
    format
  )
  for (const chunk of chunks) reader.push(chunk)
  reader.end()
  return told
}

/** Reads lines one by one with one reader, as if each were alone: a good line behind each ends what it opened. */
export function tellEach(texts: readonly string[]): Told[] {
  const told = tellAll([bytesOf(texts.map(text => `${text}\n${SEPARATOR}\n`).join(''))])
  return told.filter(({ number }) => number % 2 === 1).sort((a, b) => a.number - b.number)
}
const SEPARATOR =
  '192.0.2.99 - - [21/Nov/2026:10:02:11 +0000] "GET /separator HTTP/1.1" 200 1 "-" "-" 1 0.001 [a] [] 10.0.0.1:80 1 0.001 200 x'

/** A function that reads lines of one format, or of whatever format it finds, with one reader. */
export function recordReader(format: LogFormat | null = null): (text: string) => ParsedRecord | null {
  let last: ParsedRecord | null = null
  const reader: LogReader = new LogReader(
    {
      access(view) {
        last = scannedRecord(view, reader.parser.scanner!)
      },
      record(record) {
        last = record
      },
      continuation() {},
      reject() {}
    },
    new NameTable(),
    format
  )
  return text => {
    last = null
    reader.push(bytesOf(`${text}\n`))
    reader.flush()
    return last
  }
}

/** The record of a text that is one line of a source; null when it is none. */
export function recordOf(text: string, format: LogFormat | null = null): ParsedRecord | null {
  return tellAll([bytesOf(`${text}\n`)], format)[0]?.record ?? null
}

/** The access record of one line in a format; fails the test when the line has not that format. */
export function accessOf(text: string, format: string, escaping: LogEscape = 'default'): AccessRecord {
  const record = recordOf(text, compileLogFormat(format, 'custom', escaping))
  if (record?.kind !== 'access') throw new Error(`no access line: ${text}`)
  return record
}

import { NameTable } from '../../parsers/nameTable.ts'
import { LogReader } from '../../parsers/reader.ts'
import { scannedRecord } from '../../parsers/recordParser.ts'
import { MASK_ALL, Masker, type MaskOptions } from '../../src/mask.ts'
import { type ParsedLine, parsedLine, rejectedLine } from '../../src/parsedLine.ts'

/** One line as `why5xx parse` prints it. */
export function parseOne(line: string, masking: MaskOptions = MASK_ALL): ParsedLine {
  const masker = new Masker(masking)
  let parsed: ParsedLine | null = null
  const reader = new LogReader(
    {
      access(view, at) {
        parsed = parsedLine(
          scannedRecord(view, reader.parser.scanner!),
          reader.recordLine(at),
          Number.isNaN(at.timeMs) ? view.timeMs : at.timeMs,
          masker
        )
      },
      record(record, at) {
        parsed = parsedLine(record, at, at.timeMs, masker)
      },
      continuation() {},
      reject(code, column, at) {
        parsed = rejectedLine(code, column, at)
      }
    },
    new NameTable()
  )
  reader.push(Buffer.from(`${line}\n`, 'latin1'))
  reader.end()
  return parsed!
}

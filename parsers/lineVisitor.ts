import type { Line, RecordLine } from './line.ts'
import type { ParsedRecord, ParseErrorCode } from './record.ts'
import type { AccessView } from './scanner.ts'

/** Who listens to a reader. `view` and `line` are valid during the call only. */
export interface LineVisitor {
  /** A line that the scanner read: step one. `view` becomes a record on request (`reader.accessRecord`). */
  access(view: AccessView, line: Line): void
  record(record: ParsedRecord, line: RecordLine): void
  /** A physical line that belongs to the record before it. */
  continuation(lineNumber: number): void
  reject(code: ParseErrorCode, column: number, line: RecordLine): void
}

/** Where a source begins that is read on. */
export interface ReadStart {
  byteOffset: number
  /** Physical lines before it. */
  lines: number
}

/** Where a line begins, and its number. */
export type LineStart = Pick<RecordLine, 'byteOffset' | 'number'>

export const BEGIN: ReadStart = { byteOffset: 0, lines: 0 }

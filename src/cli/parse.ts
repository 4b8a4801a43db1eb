import { NameTable } from '../../parsers/nameTable.ts'
import { LogReader } from '../../parsers/reader.ts'
import { scannedRecord } from '../../parsers/recordParser.ts'
import { Masker } from '../mask.ts'
import { continuationLine, type ParsedLine, parsedLine, rejectedLine } from '../parsedLine.ts'
import { RecordClock } from '../recordTime.ts'
import { type Input, openInput } from '../source/input.ts'
import { jsonText, quoteForShell } from '../text.ts'
import type { CommonOptions } from './options.ts'
import { complain, reportInputError, writeOut } from './output.ts'

const IDLE_MS = 1_000

/** Prints one JSON object per physical line, in order. Exit code 1 when an input could not be read to its end. */
export async function runParse(paths: string[], options: CommonOptions): Promise<number> {
  let exitCode = 0
  const { config, maskOptions, logFormat } = await options.load()
  const masker = new Masker(maskOptions)
  // Of stdin there is only one.
  for (const path of paths.filter((name, i) => name !== '-' || paths.indexOf(name) === i)) {
    let recognised = 0
    const printer = new InOrder()
    let idle: NodeJS.Timeout | undefined
    let input: Input
    try {
      input = openInput(path)
    } catch (error) {
      exitCode = reportInputError(error)
      continue
    }
    const clock = new RecordClock(config.timeZone, input.modifiedMs)
    const reader = new LogReader(
      {
        access(view, line) {
          recognised++
          const scanner = reader.parser.scanner!
          clock.setZone(scanner.zoneMs)
          const record = scannedRecord(view, scanner)
          const recordLine = reader.recordLine(line)
          printer.add(parsedLine(record, recordLine, clock.of(record, recordLine), masker))
        },
        record(record, line) {
          if (record.kind !== 'other') recognised++
          printer.add(parsedLine(record, line, clock.of(record, line), masker))
        },
        continuation: number => printer.add(continuationLine(number)),
        reject: (code, column, line) => printer.add(rejectedLine(code, column, line))
      },
      new NameTable(),
      logFormat
    )
    try {
      for await (const chunk of input.chunks()) {
        clearTimeout(idle)
        reader.push(chunk)
        await writeOut(printer.take())
        // A pipe that stays open must not hold back a line for long because another one may continue it.
        idle = setTimeout(() => {
          reader.flush()
          void writeOut(printer.take())
        }, IDLE_MS)
      }
    } catch (error) {
      exitCode = reportInputError(error)
    }
    clearTimeout(idle)
    reader.end()
    await writeOut(printer.take(true))
    if (recognised === 0) {
      complain(`${input.name}: no line was recognised (${reader.lines} read); try why5xx check ${quoteForShell(path)}`)
      exitCode = 1
    }
  }
  return exitCode
}

/** Lines are told out of order when pieces or continuations are put together; they are printed by number. */
class InOrder {
  #next = 1
  #text = ''
  readonly #early = new Map<number, ParsedLine>()

  add(line: ParsedLine): void {
    if (line.lineNumber !== this.#next) {
      this.#early.set(line.lineNumber, line)
      return
    }
    this.#print(line)
    for (let early = this.#early.get(this.#next); early; early = this.#early.get(this.#next)) {
      this.#early.delete(this.#next)
      this.#print(early)
    }
  }

  take(isEnd = false): string {
    if (isEnd) for (const number of [...this.#early.keys()].sort((a, b) => a - b)) this.#print(this.#early.get(number)!)
    const text = this.#text
    this.#text = ''
    return text
  }

  #print(line: ParsedLine): void {
    this.#text += `${jsonText(line)}\n`
    this.#next = line.lineNumber + 1
  }
}

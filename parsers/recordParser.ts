/** Content of one line → record: which kind it is, from the most frequent and the most certain shapes to the damaged ones. */

import { accessRecordOf } from './access.ts'
import { parseControllerLine } from './controller.ts'
import { hasCutErrorHead, parseCutErrorLine, parseErrorLine } from './error.ts'
import { looksLikeErrorMessage, matchErrorMessage, printedCause } from './errorMessage.ts'
import { printable } from './escape.ts'
import { parseJsonAccess } from './jsonAccess.ts'
import { latin1 } from './latin1.ts'
import type { Line } from './line.ts'
import { compileLogFormat, KNOWN_FORMATS, type LogFormat, OP } from './logFormat.ts'
import { parseLooseAccess } from './looseAccess.ts'
import type { NameTable } from './nameTable.ts'
import type { AccessRecord, ControllerRecord, ErrorRecord, ParsedRecord, ParseError } from './record.ts'
import { type AccessView, FormatScanner } from './scanner.ts'
import { parseStreamAccess } from './streamAccess.ts'

export class RecordParser {
  /** The scanner that fitted last; null before the first access line. */
  scanner: FormatScanner | null = null
  /** Lines per format name, in the order met. */
  readonly formats = new Map<string, number>()
  readonly #names: NameTable
  /** True when the format given begins with a time in RFC 3339. */
  readonly startsWithTime: boolean
  readonly #candidates: (() => FormatScanner)[]
  #scanned = 0

  /** With `format` only that one is tried; without, all known formats. */
  constructor(names: NameTable, format: LogFormat | null) {
    this.#names = names
    this.startsWithTime = format?.ops[0]?.op === OP.timeIso
    const formats = format
      ? [() => format]
      : KNOWN_FORMATS.map(known => () => compileLogFormat(known.format, known.name))
    // Compiled when first needed: most sources need one of nine.
    this.#candidates = formats.map(compile => {
      let scanner: FormatScanner | null = null
      return () => (scanner ??= new FormatScanner(compile(), this.#names))
    })
    if (format) this.scanner = this.#candidates[0]!()
  }

  /** One more line for the scanner in use. */
  countScanned(): void {
    this.#scanned++
  }

  /** Lines per format, those of the scanner in use included. */
  formatCounts(): Map<string, number> {
    this.#settle()
    return this.formats
  }

  /** The known format that fits, made the one in use; null when none does. */
  findScanner(line: Line): FormatScanner | null {
    for (const candidate of this.#candidates) {
      const scanner = candidate()
      if (!scanner.scan(line.bytes, line.start, line.end)) continue
      if (scanner !== this.scanner) {
        this.#settle()
        this.scanner = scanner
      }
      this.#scanned++
      return scanner
    }
    return null
  }

  /**
   * The record of a line that no scanner took, if its kind is certain from its first bytes; a ParseError when the kind is
   * known but the line cannot be read; null: none of them.
   */
  parse(raw: string): ParsedRecord | ParseError | null {
    const first = raw.charCodeAt(0)
    if (first >= 0x30 && first <= 0x39) {
      const error = parseErrorLine(raw)
      if (error) return this.#counted('nginx error', error)
    }
    const controller = parseControllerLine(raw)
    if (controller) return this.#counted('klog', controller)
    if (first === 0x5b) {
      const stream = parseStreamAccess(raw)
      if (stream) return this.#counted('stream', stream)
    }
    if (first === 0x7b) {
      const json = parseJsonAccess(raw)
      if (json !== null) return 'code' in json ? json : this.#counted('json', json)
      return { kind: 'other', message: printable(raw), level: null, cause: null }
    }
    if (raw.startsWith('nginx: [') || hasCutErrorHead(raw)) return this.#counted('nginx error', parseCutErrorLine(raw))
    if (/^(?:nginx: lua atpanic|PANIC: )/.test(raw)) return this.#counted('nginx error', panic(raw))
    return isKnownOther(raw) ? { kind: 'other', message: printable(raw), level: null, cause: null } : null
  }

  /** What is left of a damaged line: tried when neither the line nor what stands behind its prefixes is certain. */
  parseDamaged(raw: string): ParsedRecord | null {
    const access = parseLooseAccess(raw)
    if (access) return this.#counted('damaged access line', access)
    // People copy lines from the middle of a connection number on.
    const bare = raw.trim().replace(/^\d{1,10} (?=\S)/, '')
    return looksLikeErrorMessage(bare) ? this.#counted('nginx error', parseCutErrorLine(bare)) : null
  }

  /** Why a line is none of ours, and from which byte on. */
  rejectOf(raw: string): ParseError {
    const binary = /[\x00-\x08\x0e-\x1f]/.exec(raw)
    if (binary) return { code: 'not_text', column: binary.index + 1 }
    // The end of an access line: its bracketed names and lists are there, its request is not.
    const tail = /\d+ \d+\.\d{3} \[[^\]\s]*\] |^[^"]*" \d{3} \d+ "/.exec(raw)
    return tail ? { code: 'truncated_head', column: 1 } : { code: 'unrecognized', column: 1 }
  }

  #counted<T extends ParsedRecord>(format: string, record: T): T {
    this.formats.set(format, (this.formats.get(format) ?? 0) + 1)
    return record
  }

  #settle(): void {
    if (this.scanner === null || this.#scanned === 0) return
    const { name } = this.scanner.view.format
    this.formats.set(name, (this.formats.get(name) ?? 0) + this.#scanned)
    this.#scanned = 0
  }
}

/** The record of the line that `scanner` has just read. */
export function scannedRecord(view: AccessView, scanner: FormatScanner, raw?: string): AccessRecord {
  if (view.isEscaped) {
    const content = raw ?? latin1(view.bytes, view.start, view.end).replaceAll('\\"', '"')
    // With the line feed that scanners stop at.
    scanner.scan(Buffer.from(`${content}\n`, 'latin1'), 0, content.length)
  }
  scanner.locate()
  return accessRecordOf(view, raw)
}

/**
 * True when physical lines that follow may belong to the record: Lua texts carry line feeds, with the context at the very
 * end; the controller prints the output of `nginx -t` behind a colon, and multi-line values behind `=<` (klog).
 */
export function opensBlock(record: ErrorRecord | ControllerRecord): boolean {
  if (record.kind === 'controller') return /(?:^|:|=<)$/.test(record.message.trimEnd())
  if (record.client !== null || record.truncated) return false
  return /lua|stack traceback|failed to run /i.test(record.message)
}

/**
 * Lines inside an open block that would be taken for records of their own: rules and blank lines, and in a controller's
 * block (`head` is its first line) the output of `nginx -t`, which has a date but no connection.
 */
export function isForeignLine(raw: string, head: string): boolean {
  if (/^(?:Error: |-{20,}|\s*$)/.test(raw)) return true
  return (
    /^[IWEF]\d{4} /.test(head) &&
    /^(?:nginx: |\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[(?:emerg|warn|notice|alert)\] \d+#\d+: (?!\*))/.test(raw)
  )
}

function panic(raw: string): ErrorRecord {
  const record = parseCutErrorLine(raw)
  const match = matchErrorMessage(printable(raw), null, false)
  const messageCause = match?.cause ?? 'lua_error'
  return {
    ...record,
    message: printable(raw),
    messageKind: match?.id ?? null,
    messageCause,
    cause: printedCause(messageCause, null)
  }
}

/** Output of nginx, the image's init process and the controller's banner: known, and evidence of nothing. */
function isKnownOther(raw: string): boolean {
  return /^(?:nginx: |\[dumb-init\]|-{20,}$|\s*$|NGINX Ingress controller|Error: exit status |\s+(?:Release|Build|Repository|nginx version):\s)/.test(
    raw
  )
}

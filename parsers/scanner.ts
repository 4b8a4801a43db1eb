/**
 * Step one of parsing: walks the bytes of one access line by a compiled format and fills one reused view.
 *
 * For each format a function is generated, straight-line, with the format's literals as constants: that is twice as fast
 * as interpreting the operations. A success costs no object and no string here; quoted values are skipped with the
 * engine's byte search (memchr), everything else is a few integer steps.
 *
 * Contract: `bytes[end]` exists and is no part of the line (a line feed or a carriage return), so that loops over digits
 * stop by themselves; every other loop compares with `end`.
 */

import { FIELD, FIELD_COUNT, type FormatOp, type LogFormat, makeOp, OP } from './logFormat.ts'
import type { NameTable } from './nameTable.ts'
import { Rfc3339Reader, TimeLocalReader } from './time.ts'

const COMMA = 0x2c
const MINUS = 0x2d
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN = 0x5b
const CLOSE = 0x5d
const SPACE = 0x20
const QUOTE = 0x22

/** What the scanner knows of one access line. Valid only until the next line is scanned. */
export class AccessView {
  bytes: Buffer = Buffer.alloc(0)
  start = 0
  end = 0
  /** The line lies in JSON text: each of its quotes is `\"`. */
  isEscaped = false
  readonly format: LogFormat
  timeMs = NaN
  /** 0..999; -1 when the format has no status. */
  status = -1
  requestTimeMs = 0
  /** Index into the name table of what identifies the service: the alternative name when it is not empty. */
  nameId = 0
  /** Elements of the longest upstream list; 0 when all are `-` or the format has none. */
  attempts = 0
  /** Upstream status of the only attempt; -1 for `-`, and whenever there are several. */
  upstreamStatus = -1
  /** `$request_length` is 0 although an upstream was asked: a subrequest's line. */
  isEmptyRequest = false
  /** Where `$remote_addr` ends and `$request` stands, for the join's look-up; 0 when the format has it not. */
  clientEnd = 0
  requestStart = 0
  requestEnd = 0
  /** Begin and end of each field, -1 when the format has it not. Filled by `locate` alone. */
  readonly offsets = new Int32Array(FIELD_COUNT * 2)

  constructor(format: LogFormat) {
    this.format = format
    this.offsets.fill(-1)
  }
}

type Scan = (bytes: Buffer, start: number, end: number) => boolean

export class FormatScanner {
  readonly view: AccessView
  /** True when the line `[start, end)` has this format to its last byte; then the view describes it. */
  readonly scan: Scan
  readonly #locate: Scan
  readonly #local = new TimeLocalReader()
  readonly #names: NameTable
  #scanEscaped: Scan | null = null

  constructor(format: LogFormat, names: NameTable) {
    this.#names = names
    this.view = new AccessView(format)
    const tools = new ScanTools(format, names, this.#local)
    this.scan = generate(format, this.view, tools, false)
    this.#locate = generate(format, this.view, tools, true)
  }

  /**
   * As `scan`, of a line in JSON text: `[start, end)` has no escape but `\"`, and no quote without it. False is not the last
   * word there: what is escaped where the format expects plain text reads well when it is unescaped.
   */
  get scanEscaped(): Scan {
    return (this.#scanEscaped ??= this.#compileEscaped())
  }

  #compileEscaped(): Scan {
    const { format } = this.view
    // nginx escapes no quote where we would look for it, or the whole message could be such a line.
    const isSafe = format.escape === 'default' && format.ops.some(op => op.literal.includes('"'))
    if (!isSafe) return () => false
    const escaped = { ...format, ops: format.ops.map(op => escapedOp(op)) }
    return generate(escaped, this.view, new ScanTools(escaped, this.#names, this.#local), false, true)
  }

  /** Offset from UTC of the container's clock, ms, as `$time_local` printed it last; NaN when the format has none. */
  get zoneMs(): number {
    return this.#local.zoneMs
  }

  /** Fills the offsets of the line that `scan` has just accepted. */
  locate(): void {
    const { bytes, start, end } = this.view
    this.#locate(bytes, start, end)
  }
}

function escapedOp(op: FormatOp): FormatOp {
  return op.literal.includes('"') ? makeOp(op.op, op.field, op.literal.replaceAll('"', '\\"')) : op
}

/** What the generated functions call. A method returns the end of what it read, -1 when it does not stand there. */
class ScanTools {
  readonly names: NameTable
  readonly local: TimeLocalReader
  readonly iso = new Rfc3339Reader()
  /** Elements of the list that was read last. */
  elements = 0
  /** Value of the decimal that was read last, in ms. */
  number = 0
  readonly #literals: string[]
  readonly #isIso: boolean[]

  constructor(format: LogFormat, names: NameTable, local: TimeLocalReader) {
    this.names = names
    this.local = local
    this.#literals = format.ops.map(op => op.literal)
    this.#isIso = format.ops.map((_, i) => format.ops[i + 2]?.op === OP.timeIso)
  }

  /** The text behind a variable, as the byte search wants it. */
  literal(op: number): number | Buffer {
    const text = this.#literals[op]!
    return text.length === 1 ? text.charCodeAt(0) : Buffer.from(text, 'latin1')
  }

  /** Seconds with decimals, or `-`. */
  decimal(bytes: Uint8Array, from: number): number {
    let pos = from
    this.number = 0
    if (bytes[pos] === MINUS) return pos + 1
    let value = 0
    while ((bytes[pos]! - 48) >>> 0 <= 9) value = value * 10 + bytes[pos++]! - 48
    if (pos === from) return -1
    let scale = 1000
    if (bytes[pos] === 0x2e) {
      const dot = ++pos
      while ((bytes[pos]! - 48) >>> 0 <= 9) value = value * 10 + bytes[pos++]! - 48
      const digits = pos - dot
      scale = digits === 3 ? 1 : 10 ** (3 - digits)
    }
    this.number = scale === 1 ? value : Math.round(value * scale)
    return pos
  }

  iso8601(bytes: Uint8Array, from: number, end: number): number {
    this.number = this.iso.read(bytes, from, end)
    return Number.isNaN(this.number) ? -1 : this.iso.end
  }

  /**
   * Rest of a list whose first element ended at `from`, before a separator. All lists come from one array, so one behind
   * the addresses has no more elements than they (`max`): what goes on is the next field, which may be the client's.
   */
  listRest(bytes: Uint8Array, from: number, isAddress: boolean, stop: number, max: number): number {
    let pos = from
    this.elements = 1
    for (;;) {
      if (this.elements >= max) return pos
      if (bytes[pos] === COMMA && bytes[pos + 1] === SPACE) pos += 2
      else if (bytes[pos] === SPACE && bytes[pos + 1] === COLON && bytes[pos + 2] === SPACE) pos += 3
      else return pos
      this.elements++
      if (isAddress) pos = this.address(bytes, pos, stop)
      else if (bytes[pos] === MINUS) pos++
      else while ((bytes[pos]! - 48) >>> 0 <= 9 || bytes[pos] === 0x2e) pos++
    }
  }

  /** End of one address. `stop` is the byte behind the list; a `]` before `:port` belongs to an IPv6 address. */
  address(bytes: Uint8Array, from: number, stop: number): number {
    let pos = from
    while (bytes[pos]! > SPACE && bytes[pos] !== COMMA && bytes[pos] !== QUOTE) {
      if (bytes[pos] === stop && !(stop === CLOSE && bytes[pos + 1] === COLON)) break
      pos++
    }
    return pos
  }

  /** Basic-auth users may hold ` [`: the end is the first one that a time follows. `[a] - b` is an older format's address. */
  beforeTime(bytes: Buffer, from: number, end: number, op: number): number {
    const literal = this.#literals[op]!
    let pos = from
    while ((pos = bytes.indexOf(literal, pos, 'latin1')) >= 0 && pos < end) {
      const time = pos + literal.length
      const ms = this.#isIso[op] ? this.iso.read(bytes, time, end) : this.local.read(bytes, time)
      if (time + 20 <= end && !Number.isNaN(ms)) {
        if (bytes[from] !== OPEN) return pos
        const border = bytes.indexOf('] - ', from, 'latin1')
        return border >= 0 && border < pos ? -1 : pos
      }
      pos++
    }
    return -1
  }

  /** Everything to the end of the line. A raw quote cannot come from nginx's escape: a torn line, or a longer format. */
  hasQuote(bytes: Buffer, from: number, end: number): boolean {
    const quote = bytes.indexOf(QUOTE, from)
    return quote >= 0 && quote < end
  }

  jsonText(bytes: Buffer, from: number, end: number): number {
    return endOfJsonText(bytes, from, end)
  }
}

/** Position of the quote that ends a JSON text: one with an even number of backslashes before it. */
export function endOfJsonText(bytes: Buffer, from: number, end: number): number {
  let pos = from
  while ((pos = bytes.indexOf(QUOTE, pos)) >= 0 && pos < end) {
    let slashes = 0
    while (pos - 1 - slashes >= from && bytes[pos - 1 - slashes] === BACKSLASH) slashes++
    if (slashes % 2 === 0) return pos
    pos++
  }
  return -1
}

const DIGITS = 'while (bytes[pos] - 48 >>> 0 <= 9) pos++;'

/**
 * Writes the function for one format. Only integers from the format enter the source (character codes, indexes), no text
 * of the user's.
 */
function generate(
  format: LogFormat,
  view: AccessView,
  tools: ScanTools,
  withOffsets: boolean,
  isEscaped = false
): Scan {
  let body =
    'let pos = start, from = start, attempts = 0, nameStart = 0, nameEnd = 0, otherStart = 0, otherEnd = 0, isEmpty = false;\n'
  if (!format.ops.some(op => op.field === FIELD.time)) body += 'view.timeMs = NaN;\n'
  // A request id may be the client's, with the very text in it that ends it: then each occurrence is tried in turn.
  const freeText = format.ops.findIndex(op => op.op === OP.text && op.field === FIELD.requestId)
  const split = freeText < 0 ? format.ops.length : freeText
  body += opsCode(format, 0, split, withOffsets, isEscaped)
  // Locating only: the view has taken over already.
  const finish = withOffsets
    ? 'if (pos !== end) return false; return true;'
    : `if (pos !== end) return false; view.isEscaped = ${isEscaped}; ${TAKE_OVER}`
  if (freeText < 0) body += finish
  else {
    const retry = `${opsCode(format, split + 1, format.ops.length, withOffsets, isEscaped)}${finish}`
    const { field } = format.ops[freeText]!
    body += `const idStart = pos, attemptsBefore = attempts;
retry: for (let mark = pos; ; mark++) {
mark = bytes.indexOf(tools.literal(${freeText}), mark);
if (mark < 0 || mark >= end) return false;
pos = mark; attempts = attemptsBefore;
${withOffsets ? `offsets[${field * 2}] = idStart; offsets[${field * 2 + 1}] = pos;` : ''}
${retry.replaceAll('return false', 'continue retry')}
}`
  }
  const source = `return function scan(bytes, start, end) {\n${body}\n}`
  // oxlint-disable-next-line no-new-func, no-implied-eval -- the source holds nothing but our own text and integers
  return new Function('view', 'offsets', 'tools', source)(view, view.offsets, tools) as Scan
}

/** The line is read to its end: the view takes over. An alternative name of one byte is `-`. */
const TAKE_OVER = `view.bytes = bytes; view.start = start; view.end = end; view.attempts = attempts; view.isEmptyRequest = isEmpty && attempts > 0;
if (otherEnd > otherStart + 1) { nameStart = otherStart; nameEnd = otherEnd; }
view.nameId = tools.names.intern(bytes, nameStart, nameEnd);
return true;`

function opsCode(format: LogFormat, first: number, end: number, withOffsets: boolean, isEscaped: boolean): string {
  const body: string[] = []
  for (let i = first; i < end; i++) {
    const op = format.ops[i]!
    if (op.op !== OP.literal) body.push('from = pos;')
    body.push(isEscaped ? escapedCodeOf(op, i, format) : codeOf(op, i, format))
    if (op.field >= 0 && withOffsets) body.push(`offsets[${op.field * 2}] = from; offsets[${op.field * 2 + 1}] = pos;`)
    if (op.field === FIELD.client) body.push('view.clientEnd = pos;')
    if (op.field === FIELD.requestLength) body.push('isEmpty = pos === from + 1 && bytes[from] === 48;')
    if (op.field === FIELD.request) body.push('view.requestStart = from; view.requestEnd = pos;')
    if (op.field === FIELD.upstreamName) body.push('nameStart = from; nameEnd = pos;')
    if (op.field === FIELD.alternativeName) body.push('otherStart = from; otherEnd = pos;')
  }
  return `${body.join('\n')}\n`
}

/**
 * A backslash is the first byte of every quote, so a quoted value ends at it. What is compared or hashed must be the same
 * bytes without the escape: a client or a name that holds one is not read here.
 */
function escapedCodeOf(op: FormatOp, index: number, format: LogFormat): string {
  switch (op.op) {
    case OP.quoted:
      return 'if (bytes[pos] !== 92) { if (bytes[pos + 1] === 92) pos++; else { pos = bytes.indexOf(92, pos); if (pos < 0) return false; } } if (pos >= end) return false;'
    case OP.text:
      if (op.field === FIELD.client && op.literalBytes[0] === SPACE)
        return 'while (bytes[pos] > 32 && bytes[pos] !== 92) pos++;'
      if ((op.field === FIELD.upstreamName || op.field === FIELD.alternativeName) && op.literalBytes[0] === CLOSE)
        return 'while (bytes[pos] > 93 || (bytes[pos] > 31 && bytes[pos] < 92)) pos++;'
      return `${codeOf(op, index, format)} for (let k = from; k < pos; k++) if (bytes[k] === 92) return false;`
    case OP.rest:
      return 'pos = end; if (tools.hasQuote(bytes, from, end)) return false; if (from > end) return false;'
    default:
      return codeOf(op, index, format)
  }
}

function codeOf(op: FormatOp, index: number, format: LogFormat): string {
  switch (op.op) {
    case OP.literal: {
      const tests = [...op.literalBytes].map((byte, k) => `bytes[pos + ${k}] !== ${byte}`)
      return tests.length === 0 ? '' : `if (${tests.join(' || ')}) return false; pos += ${tests.length};`
    }
    case OP.quoted:
      // `"-"` and `""` are frequent, and cheaper to see than to search for.
      return `if (bytes[pos] !== 34) { if (bytes[pos + 1] === 34) pos++; else { pos = bytes.indexOf(34, pos); if (pos < 0) return false; } } if (pos >= end) return false;`
    case OP.quotedJson:
      return 'pos = tools.jsonText(bytes, pos, end); if (pos < 0) return false;'
    case OP.text: {
      const tests = [...op.literalBytes].map((byte, k) => `bytes[pos + ${k}] === ${byte}`)
      // Addresses hold no blank and names no bracket: the literal behind is compared next, one test a byte is enough here.
      if (op.field === FIELD.client && op.literalBytes[0] === 32) return 'while (bytes[pos] > 32) pos++;'
      const isName = op.field === FIELD.upstreamName || op.field === FIELD.alternativeName
      if (isName && op.literalBytes[0] === 93)
        return 'while (bytes[pos] > 93 || (bytes[pos] > 31 && bytes[pos] !== 93)) pos++;'
      return `for (;; pos++) { if (pos >= end) return false; if (${tests.join(' && ')}) break; }`
    }
    case OP.timeLocal:
      return 'pos += 26; if (pos > end) return false; view.timeMs = tools.local.read(bytes, from); if (view.timeMs !== view.timeMs) return false;'
    case OP.timeIso:
      return 'pos = tools.iso8601(bytes, pos, end); if (pos < 0) return false; view.timeMs = tools.number;'
    case OP.status:
      return `{ const a = bytes[pos] - 48, b = bytes[pos + 1] - 48, c = bytes[pos + 2] - 48;
if (a >>> 0 > 9 || b >>> 0 > 9 || c >>> 0 > 9) return false; pos += 3; view.status = a * 100 + b * 10 + c; }`
    case OP.integer:
      return `if (bytes[pos] === 45) pos++; else { ${DIGITS} if (pos === from) return false; }`
    case OP.decimal: {
      const keep = op.field === FIELD.requestTime ? 'view.requestTimeMs' : op.field === FIELD.time ? 'view.timeMs' : ''
      return `pos = tools.decimal(bytes, pos); if (pos < 0) return false; ${keep && `${keep} = tools.number;`}`
    }
    case OP.addressList:
    case OP.numberList:
      return listCode(op, format)
    case OP.rest:
      return format.escape === 'default'
        ? 'pos = end; if ((pos - from !== 32 || bytes[end - 1] === 34) && tools.hasQuote(bytes, from, end)) return false; if (from > end) return false;'
        : 'pos = end; if (from > end) return false;'
    case OP.textBeforeTime:
      // A lone `-`, the usual case, needs no search.
      return `if (bytes[pos] === 45 && bytes[pos + 1] === 32 && bytes[pos + 2] === 91) pos++;
else { pos = tools.beforeTime(bytes, pos, end, ${index}); if (pos < 0) return false; }`
  }
}

/** The first element here, the rest (one line in a hundred) in a call. */
function listCode(op: FormatOp, format: LogFormat): string {
  const isAddress = op.op === OP.addressList
  const stop = op.literalBytes[0] ?? -1
  const isPlainStop = stop === -1 || stop === SPACE || stop === COMMA || stop === QUOTE
  const address = isPlainStop
    ? 'while (bytes[pos] > 44 || (bytes[pos] > 32 && bytes[pos] !== 44 && bytes[pos] !== 34)) pos++;'
    : `pos = tools.address(bytes, pos, ${stop});`
  const element = isAddress
    ? address
    : 'if (bytes[pos] === 45) pos++; else while (bytes[pos] - 48 >>> 0 <= 9 || bytes[pos] === 46) pos++;'
  // An empty list is an attempt without a peer, but where `escape=json` or `none` prints nothing for "no attempt".
  const none = `pos - from === 1 && bytes[from] === 45${format.escape === 'default' ? '' : ' || pos === from'}`
  const isStatus = op.field === FIELD.upstreamStatus
  const first =
    'view.upstreamStatus = pos - from === 3 ? bytes[from] * 100 + bytes[from + 1] * 10 + bytes[from + 2] - 5328 : -1;'
  const max = isAddress ? 'Infinity' : 'attempts || Infinity'
  return `${element} { let n = ${none} ? 0 : 1;
${isStatus ? first : ''}
if (bytes[pos] === 44 || bytes[pos + 1] === 58) { const q = tools.listRest(bytes, pos, ${isAddress}, ${stop}, ${max});
if (q !== pos) { pos = q; n = tools.elements; ${isStatus ? 'view.upstreamStatus = -1;' : ''} } }
if (n > attempts) attempts = n; }`
}

/**
 * An nginx error line → ErrorRecord (ngx_log.c, ngx_http_log_error_handler).
 *
 *   2026/11/21 10:02:11 [error] 31#31: *812 connect() failed (111: Connection refused) while connecting to upstream,
 *     client: 10.0.0.9, server: shop.example.com, request: "GET /cart HTTP/1.1", upstream: "http://10.2.3.14:8080/cart", host: "…"
 *
 * nothing in it is escaped: request, host and referrer are the client's bytes and may hold forged copies of the fields.
 * So fields are read from the left in nginx's order, and what stands right of a later field never counts as an earlier one.
 */

import { matchErrorMessage, printedCause } from './errorMessage.ts'
import { escapeValue, printable } from './escape.ts'
import type { ErrorRecord, Level } from './record.ts'
import { parseRequest } from './request.ts'
import { parseErrorTime } from './time.ts'

const HEAD =
  /^(\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d) \[(emerg|alert|crit|error|warn|notice|info|debug)\] (?:(\d+)#\d+: ?)?(?:\*(\d+) )?/
/** People cut the date, the level, or all of the head. */
const CUT_HEAD = /^(?:\[(emerg|alert|crit|error|warn|notice|info|debug)\] ?)?(?:(\d+)#\d+: ?)?(?:\*(\d+) )?/
const STDERR_HEAD = /^nginx: (?:\[(emerg|alert|crit|error|warn|notice|info|debug)\] )?/
const CONTEXT = /, (udp )?client: ([^,"]*), server: ?/y
const FIELDS = ['request', 'subrequest', 'upstream', 'host', 'referrer', 'request_id'] as const
type ContextField = (typeof FIELDS)[number]

/** `text` is the whole record as Latin-1, several physical lines joined by a line feed. Null: it is no dated error line. */
export function parseErrorLine(text: string): ErrorRecord | null {
  const head = HEAD.exec(text)
  if (!head) return null
  return build(
    text.slice(head[0].length),
    parseErrorTime(head[1]!),
    head[2] as Level,
    number(head[3]),
    number(head[4]),
    false
  )
}

/** An error line whose head is missing or is `nginx: [emerg] `; the caller knows that it is one. */
export function parseCutErrorLine(text: string): ErrorRecord {
  const head = STDERR_HEAD.exec(text) ?? CUT_HEAD.exec(text)!
  const isStderr = head[0].startsWith('nginx:')
  const body = text.slice(head[0].length)
  return build(
    body,
    null,
    (head[1] as Level | undefined) ?? null,
    isStderr ? null : number(head[2]),
    isStderr ? null : number(head[3]),
    !isStderr
  )
}

/** Level and worker in front of a message without date: `[error] 18089#18089: *51426196 upstream sent …`, `328#328: 32768 …`. */
export function hasCutErrorHead(text: string): boolean {
  const head = CUT_HEAD.exec(text)!
  return head[1] !== undefined || head[2] !== undefined
}

function build(
  body: string,
  localTimeMs: number | null,
  level: Level | null,
  pid: number | null,
  connection: number | null,
  isCut: boolean
): ErrorRecord {
  const context = findContext(body)
  const values = contextValues(context?.rest ?? '')
  const message = printable(trimMessage(context === null ? body : body.slice(0, context.at)))
  const upstream = values.get('upstream') ?? null
  const request = values.has('request') ? escapeValue(values.get('request')!) : null
  const isStream = message.startsWith('stream ') || context?.isStream === true
  const match = matchErrorMessage(matchedText(message), level, isStream)
  const parts = parseRequest(request)
  const isSevere = level === 'error' || level === 'crit' || level === 'alert' || level === 'emerg'
  const messageCause = match?.cause ?? (isSevere ? 'unclassified' : null)
  return {
    kind: 'error',
    localTimeMs,
    level,
    pid,
    connection,
    message,
    client: presence(context?.client),
    server: presence(context === null ? undefined : printable(context.server)),
    request,
    method: parts.method,
    path: parts.path,
    subrequest: escaped(values.get('subrequest')),
    upstream: upstream === null ? null : escapeValue(upstream),
    upstreamAddress: upstream === null ? null : upstreamAddress(escapeValue(upstream)),
    host: escaped(values.get('host')),
    referrer: escaped(values.get('referrer')),
    errno: errnoOf(message),
    messageKind: match?.id ?? null,
    phase: phaseOf(message),
    cause: printedCause(messageCause, level),
    messageCause,
    isStream,
    truncated: isCut || values.isCut || context?.isCut === true
  }
}

/** The table holds first lines; of a text of several the phase stands at the very end. */
function matchedText(message: string): string {
  const end = message.indexOf(LINE_FEED)
  if (end < 0) return message
  const phase = phaseOf(message)
  return phase === null ? message.slice(0, end) : `${message.slice(0, end)} while ${phase}`
}

const LINE_FEED = '\\x0A'

interface Context {
  /** Where the message ends. */
  at: number
  client: string
  server: string
  /** From `, request: "` on. */
  rest: string
  isStream: boolean
  isCut: boolean
}

/**
 * The first `, client: ADDR, server: ` outside the message's quotes: messages may quote header values that hold a copy,
 * and Host and Referer to the right may hold another.
 */
function findContext(body: string): Context | null {
  let fallback: RegExpExecArray | null = null
  let doubtful: RegExpExecArray | null = null
  let quotes = 0
  let counted = 0
  for (let at = body.indexOf('client: '); at >= 0; at = body.indexOf('client: ', at + 1)) {
    // Counted once over the whole line, so that hostile lines cost linear time.
    for (; counted < at; counted++) if (body.charCodeAt(counted) === 0x22) quotes++
    CONTEXT.lastIndex = body.startsWith(', udp ', at - 6) ? at - 6 : at - 2
    const match = at < 2 ? null : CONTEXT.exec(body)
    if (!match) continue
    // A copy whose quoted header closes behind it: `…: "X-A: ", client: 6.6.6.6, server: evil" while reading …`.
    if (!isServerName(body, match.index + match[0].length)) doubtful ??= match
    else if (quotes % 2 === 0) return contextAt(body, match)
    else fallback ??= match
  }
  const best = fallback ?? doubtful
  if (best) return contextAt(body, best)
  const cut = /, client: ([^,"]*)(?:, serv?e?r?:? ?)?$/.exec(body)
  return cut ? { at: cut.index, client: cut[1]!, server: '', rest: '', isStream: false, isCut: true } : null
}

/** Names and listen addresses have neither quotes nor blanks. */
function isServerName(body: string, from: number): boolean {
  const end = body.indexOf(', ', from)
  return !/["\s]/.test(body.slice(from, end < 0 ? undefined : end).trimEnd())
}

function contextAt(body: string, match: RegExpExecArray): Context {
  const rest = body.slice(match.index + match[0].length)
  const field =
    /, (?:request(?:ream)?|subrequest|upstream|host|referrer|request_id|bytes from\/to client|packets from\/to client): ?/.exec(
      rest
    )
  const server = field === null ? rest : rest.slice(0, field.index)
  const isStream = match[1] !== undefined || rest.includes(', bytes from/to client:')
  return { at: match.index, client: match[2]!, server, rest: rest.slice(server.length), isStream, isCut: false }
}

class ContextValues extends Map<ContextField, string> {
  /** A value has no closing quote: nginx cuts lines at 2,048 or 4,096 bytes. */
  isCut = false
}

/** Fields in nginx's order; each ends where the next known one begins, the request preferably behind ` HTTP/1.1`. */
function contextValues(rest: string): ContextValues {
  const values = new ContextValues()
  let pos = 0
  for (const [i, field] of FIELDS.entries()) {
    const opening = `, ${field}: `
    if (!rest.startsWith(opening, pos)) continue
    const isQuoted = rest[pos + opening.length] === '"'
    const from = pos + opening.length + (isQuoted ? 1 : 0)
    const end = valueEnd(rest, from, FIELDS.slice(i + 1), isQuoted, field === 'request')
    values.set(field, rest.slice(from, end.value))
    values.isCut ||= isQuoted && rest[end.value] !== '"'
    pos = end.next
  }
  // A damaged field in between hides those behind it: `requestream: "…", host: "…"`.
  if (values.size === 0) {
    const host = /, host: "([^"]*)"/.exec(rest)
    if (host && !rest.slice(0, host.index).includes('referrer: ')) values.set('host', host[1]!)
  }
  return values
}

function valueEnd(
  rest: string,
  from: number,
  later: readonly string[],
  isQuoted: boolean,
  isRequest: boolean
): { value: number; next: number } {
  const quote = isQuoted ? '"' : ''
  let best = -1
  for (const field of later) {
    const border = `${quote}, ${field}: `
    for (let at = rest.indexOf(border, from); at >= 0; at = rest.indexOf(border, at + 1)) {
      if (isRequest && / HTTP\/\d(?:\.\d)?$/.test(rest.slice(Math.max(from, at - 12), at)))
        return { value: at, next: at + quote.length }
      if (best < 0 || at < best) best = at
      if (!isRequest) break
    }
  }
  if (best >= 0) return { value: best, next: best + quote.length }
  const last = isQuoted ? rest.lastIndexOf('"') : rest.length
  return last >= from ? { value: last, next: rest.length } : { value: rest.length, next: rest.length }
}

/** `http://10.1.2.3:8080/x` → `10.1.2.3:8080`; `http://unix:/a.sock:/x` → `unix:/a.sock`; stream lines print the address alone. */
function upstreamAddress(url: string): string | null {
  const scheme = /^[a-z]+:\/\//.exec(url)
  if (!scheme) return /^[^/\s]+:\d+$/.test(url) ? url : null
  const rest = url.slice(scheme[0].length)
  const socket = /^unix:([^:]*)/.exec(rest)
  if (socket) return `unix:${socket[1]}`
  const authority = rest.slice(0, /[/?#]|$/.exec(rest)!.index)
  return authority.slice(authority.lastIndexOf('@') + 1) || null
}

function trimMessage(message: string): string {
  const text = message.replace(/, context: [\w*.]+$/, '')
  let end = text.length
  while (end > 0 && (text[end - 1] === ',' || text[end - 1]!.trim() === '')) end--
  return text.slice(0, end)
}

/** Text behind the last ` while `: the last action somebody set, which can be stale. */
function phaseOf(message: string): string | null {
  const at = message.lastIndexOf(' while ')
  return at < 0 ? null : message.slice(at + 7).replace(/, resolver: .*$/, '')
}

/** The number in `(111: Connection refused)`. The resolver's numbers are DNS codes, no errno. */
function errnoOf(message: string): number | null {
  let errno: number | null = null
  for (const match of message.matchAll(/\((\d{1,3}): [A-Za-z][^()]*\)?/g)) {
    const before = message.slice(Math.max(0, match.index - 12), match.index)
    if (!/(?:resolved|DNS error) $/.test(before)) errno = Number(match[1])
  }
  return errno
}

function number(text: string | undefined): number | null {
  return text === undefined ? null : Number(text)
}

function escaped(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : escapeValue(text)
}

function presence(text: string | undefined): string | null {
  return text === undefined || text.trim() === '' ? null : printable(text.trim())
}

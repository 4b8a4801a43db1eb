/**
 * What a message of the nginx error log or of the controller means: one row of `error-messages.tsv`.
 *
 *   recv() failed (104: Connection reset by peer) while reading response header from upstream
 *   → row recv-reset-header: connection_reset
 *
 * A row matches as a prefix; an errno counts by its number (musl and glibc differ in words, log-formats.md §10.6). Rows
 * with one text are told apart by the phase behind ` while `, then level, then emitter.
 */

import type { Cause } from './causes.ts'
import { causeOfErrno, type ErrnoSide, errnoOf } from './errno.ts'
import { messageRows } from './errorMessages.generated.ts'
import { compileTemplate, type Template, TemplateIndex } from './messageTemplate.ts'
import type { Level, MessageCause } from './record.ts'

export interface MessageMatch {
  /** Id of the row; `errno-111` when no row matched and the number alone decided. */
  id: string
  cause: MessageCause
  emitter: string
  level: string
  /** True when the table's typical status shows that a request can end with this message. */
  endsRequest: boolean
}

interface Row {
  match: MessageMatch
  template: Template
  phases: readonly string[]
  sides: readonly ErrnoSide[]
  /** The message also occurs without ` while …`. */
  bare: boolean
  /** A failed system or OpenSSL call on a connection: printed at info when that is the client's, else at error. */
  isSocketCall: boolean
}

interface Tables {
  index: TemplateIndex<Row>
  /** Without "while ", longest first. */
  phases: ReadonlySet<string>
}

/** Causes that are marks at notice and below: they explain failures and are none themselves (design §5). */
const MARKS: ReadonlySet<string> = new Set(['config_reload', 'controller_config', 'controller_overload', 'no_route'])
const QUIET_LEVELS: ReadonlySet<string | null> = new Set(['notice', 'info', 'debug'])

/** The cause that a record shows: nothing for `none` and `cancelled`, nor for marks at notice and below. */
export function printedCause(cause: MessageCause | null, level: Level | null): Cause | null {
  if (cause === null || cause === 'none' || cause === 'cancelled') return null
  return MARKS.has(cause) && QUIET_LEVELS.has(level) ? null : cause
}

// The same few messages make up nearly all of an error log, and they carry no address or time.
const MEMO_ENTRIES_MAX = 1024
const MEMO_LENGTH_MAX = 300
const memo = new Map<string, { level: Level | null; isStream: boolean; match: MessageMatch | null }>()

/**
 * The row of an nginx error line. `message` is the text between `*conn ` and `, client:`, phase and errno included; it
 * may lack its head or tail. null when nothing fits, or when a cut message could be several causes.
 */
export function matchErrorMessage(message: string, level: Level | null, isStream: boolean): MessageMatch | null {
  const known = memo.get(message)
  if (known && known.level === level && known.isStream === isStream) return known.match
  const found = findErrorMessage(normalise(message), level, isStream)
  const match = found && isDryRun(message) ? { ...found, cause: 'none' as const, endsRequest: false } : found
  if (message.length <= MEMO_LENGTH_MAX) {
    if (memo.size >= MEMO_ENTRIES_MAX) memo.clear()
    memo.set(message, { level, isStream, match })
  }
  return match
}

function findErrorMessage(text: string, level: Level | null, isStream: boolean): MessageMatch | null {
  const stderr = /^nginx: \[(\w{4,6})\] /.exec(text)
  if (stderr) {
    const inner = findErrorMessage(text.slice(stderr[0].length), stderr[1] as Level, false)
    if (inner !== null) return inner
  }
  const phase = phaseOf(text)
  const side = phase === null ? 'unknown' : sideOf(phase, level)
  const tailIsCut = phase === null && isCutInPhase(text)
  const line: Line = { phase, side, level, isStream, isCut: false, tailIsCut }
  const found = findWhole(text)
  if (found.length > 0) return best(found, line, text)
  return best(findCut(text, CUT_MIN), { ...line, isCut: true, tailIsCut: true }, text) ?? byErrno(text, line)
}

const CUT_MIN = 10

/** As printed, else without `nginx: `, what a cut head leaves over (`20#20: `, `38 ` of `*38 `), or `stream ` of texts that http shares. */
function findWhole(text: string): Row[] {
  const { index } = nginx()
  let found = index.find(text)
  let rest = text
  for (let i = 0; i < LEFTOVERS.length && found.length === 0; i++) {
    const leftover = LEFTOVERS[i].exec(rest)
    if (leftover === null) continue
    rest = rest.slice(leftover[0].length)
    found = index.find(rest)
  }
  return found
}
const LEFTOVERS = [/^nginx: /, /^(?:\d{1,10}#)?\d{1,10}: /, /^\*?\d{1,20} /, /^stream /]

/** Rows that a cut text may have been. The place of a Lua line, `[lua] balancer.lua: `, tells nothing of its message. */
function findCut(text: string, literalMin: number): Row[] {
  const placeLength = text.startsWith('[lua] ') ? text.indexOf(': ') + 2 : 0
  return nginx().index.findCut(text.replace(/(?:\.{3}|\\xE2\\x80\\xA6|…)$/, ''), literalMin + placeLength)
}

/** `limiting requests, dry run, excess: …`: counted, not refused. */
const isDryRun = (text: string): boolean => text.startsWith('limiting ') && text.includes(DRY_RUN)
const DRY_RUN = ', dry run'

/**
 * Takes out what differs by version and place:
 *   `stream [lua] balancer.lua:203: balance(): …` → `[lua] balancer.lua: …`; OpenSSL 3.2's `ssl/tls alert` → `sslv3 alert`;
 *   `limiting requests, dry run, excess: …` → `limiting requests, excess: …`.
 */
function normalise(message: string): string {
  const text = message.trimStart()
  const luaAt = text.startsWith('[lua] ') ? 6 : text.startsWith('stream [lua] ') ? 13 : 0
  if (luaAt > 0) {
    const place = /^\**(?:[^\s:]{0,200}\/)?([^\s:/]{1,100}):\d{1,9}: (?:[\w.:<>~]{1,100}\(\): )?/.exec(
      text.slice(luaAt)
    )
    return place ? `[lua] ${place[1]}: ${text.slice(luaAt + place[0].length)}` : text
  }
  if (text.startsWith('SSL_')) return text.replace('ssl/tls alert', 'sslv3 alert')
  if (isDryRun(text)) return text.replace('connections, dry run,', 'connections').replace(DRY_RUN, '')
  if (text.startsWith('connect() to unix:/tmp/prom')) return text.replace('/tmp/', '/tmp/nginx/')
  return text
}

/** The text behind the last ` while `, when it is a phase of nginx; also the beginning of exactly one. */
function phaseOf(text: string): string | null {
  const at = text.lastIndexOf(WHILE)
  if (at < 0) return null
  const rest = text.slice(at + WHILE.length, at + WHILE.length + PHASE_LENGTH_MAX)
  const { phases } = nginx()
  if (phases.has(rest)) return rest
  for (const phase of phases) if (rest.startsWith(phase) && !/\w/.test(rest.charAt(phase.length))) return phase
  const begun = rest.length > 2 ? [...phases].filter(phase => phase.startsWith(rest)) : []
  return begun.length === 1 ? begun[0] : null
}
const WHILE = ' while '

/** `… refused) whi`, `… refused) while re`: what phase it was cannot be told. */
function isCutInPhase(text: string): boolean {
  const at = text.lastIndexOf(WHILE)
  if (at < 0) return text.includes(' ') && WHILE.startsWith(text.slice(text.lastIndexOf(' ')))
  const rest = text.slice(at + WHILE.length, at + WHILE.length + PHASE_LENGTH_MAX)
  return [...nginx().phases].some(phase => phase.startsWith(rest))
}

const PHASE_LENGTH_MAX = 80

interface Line {
  phase: string | null
  side: ErrnoSide
  level: Level | null
  isStream: boolean
  /** The text ends inside the template. */
  isCut: boolean
  /** There may have been a phase. */
  tailIsCut: boolean
}

/** Phases whose connection may be either side's: the level tells (log-formats.md §10.7). */
const EITHER_SIDE: ReadonlySet<string> = new Set([
  'sending request to upstream',
  'reading response header from upstream',
  'reading upstream',
  'sending to client',
  'proxying upgraded connection',
  'proxying connection'
])
const CLIENT_SIDE =
  /^(?:waiting for request|reading client |SSL handshaking$|keepalive|processing HTTP\/2|reading PROXY|prereading|returning text|initializing session|proxying and (?:reading from|sending to) client)/

function sideOf(phase: string, level: string | null): ErrnoSide {
  if (phase === 'resolving') return 'resolver'
  if (EITHER_SIDE.has(phase)) return level === 'info' || level === 'debug' ? 'client' : 'upstream'
  if (CLIENT_SIDE.test(phase)) return 'client'
  return /upstream|sending PROXY/.test(phase) ? 'upstream' : 'other'
}

/** 3 the row names this phase, 2 one of the same side, 1 it names none, 0 it speaks of another connection. */
function phaseFit(row: Row, line: Line): number {
  const { phase, level } = line
  const otherSide = row.isSocketCall && level !== null && isInfo(level) !== isInfo(row.match.level)
  if (phase === null) {
    if (otherSide) return 0
    if (!row.bare || level === null || line.tailIsCut) return 1
    return level === row.match.level ? 3 : 2
  }
  if (otherSide && EITHER_SIDE.has(phase)) return 0
  if (row.phases.includes(phase)) return 3
  if (row.bare && (!row.isSocketCall || row.phases.length === 0)) return 1
  return line.side !== 'other' && row.sides.includes(line.side) ? 2 : 0
}

const isInfo = (level: string): boolean => level === 'info' || level === 'debug'

const HTTP_ORDER = ['nginx-stream', 'modsecurity', 'lua', 'controller', 'nginx-core', 'nginx-http']
const STREAM_ORDER = ['nginx-http', 'modsecurity', 'controller', 'lua', 'nginx-core', 'nginx-stream']

/** Ranks as one number: connection, literal text, (phase of a line without one), errno, phase, level; emitter breaks ties. */
function rank(row: Row, line: Line): number {
  const fits = phaseFit(row, line)
  let sum = fits > 0 ? 1 : 0
  sum = sum * 10_000 + (line.isCut ? 0 : row.template.weight)
  sum = sum * 10 + (line.phase === null ? fits : 0)
  sum = sum * 10 + (row.template.hasErrno && !line.isCut ? 1 : 0)
  sum = sum * 10 + fits
  return sum * 10 + (row.match.level === line.level ? 1 : 0)
}

/** The row that fits the line best; null when rows that fit equally well disagree on the cause. */
function best(rows: readonly Row[], line: Line, text: string): MessageMatch | null {
  if (rows.length === 0) return null
  if (rows.length === 1) return decided(rows[0], line, text)
  const order = line.isStream ? STREAM_ORDER : HTTP_ORDER
  let first = rows[0]
  let firstRank = -1
  let agreed = true
  for (const row of rows) {
    const rowRank = rank(row, line)
    if (rowRank < firstRank) continue
    const better = order.indexOf(row.match.emitter) > order.indexOf(first.match.emitter)
    if (rowRank > firstRank) agreed = true
    else if (row.match.cause !== first.match.cause) agreed = false
    if (rowRank > firstRank || better) first = row
    firstRank = rowRank
  }
  if (agreed) return decided(first, line, text)
  return documentedTie(rows, line, text) ?? byErrno(text, line)
}

/** `send() failed (111: …)` without client and phase is the resolver (log-formats.md §14). */
function documentedTie(rows: readonly Row[], line: Line, text: string): MessageMatch | null {
  if (line.phase !== null || line.tailIsCut || !text.startsWith('send() failed')) return null
  return rows.find(row => row.phases.includes('resolving'))?.match ?? null
}

/** The table leaves `connect() failed (<errno>)` to the number, and so does a connection of the other side. */
function decided(row: Row, line: Line, text: string): MessageMatch {
  const { match, template } = row
  const isOpenConnect = template.head.startsWith('connect() ') && !template.hasErrno && row.phases.includes(CONNECTING)
  if (!isOpenConnect && !(row.isSocketCall && phaseFit(row, line) === 0)) return match
  const cause = match.cause === 'no_endpoints' ? null : byErrno(text, line)?.cause
  return cause && cause !== match.cause ? { ...match, cause } : match
}
const CONNECTING = 'connecting to upstream'

/** What number and phase say of a text that no row has. */
function byErrno(text: string, line: Line): MessageMatch | null {
  const errno = errnoOf(text)
  const cause = causeOfErrno(text, errno, line.side, line.phase, line.level)
  if (cause === null) return null
  const id = errno === null ? 'tls-text' : `errno-${errno}`
  const isOver = line.phase === 'reading upstream' || line.phase === 'sending to client' || cause === 'client_closed'
  const emitter = line.isStream ? 'nginx-stream' : 'nginx-http'
  return { id, cause, emitter, level: line.level ?? 'error', endsRequest: line.side === 'upstream' && !isOver }
}

/** Fewer characters of fixed text than this also occur in prose. */
const RECOGNISED_MIN = 16

/** True for the rest of an error line whose head is missing: it begins as a known message does, or names a phase. */
export function looksLikeErrorMessage(text: string): boolean {
  const first = text.charAt(0)
  if (text.length < CUT_MIN || first === '{' || first === '<' || isAccessLine(text)) return false
  const context = text.search(/, (?:udp )?client/)
  const message = normalise(context < 0 ? text : text.slice(0, context))
  const phase = phaseOf(message)
  if (phase !== null && /^(?:,|$)/.test(message.slice(message.lastIndexOf(WHILE) + WHILE.length + phase.length)))
    return true
  if (/^\[lua\] [^\s:]{1,100}: /.test(message)) return true
  const rows = findWhole(message)
  if (rows.length > 0) return rows.some(row => row.template.weight >= RECOGNISED_MIN)
  return findCut(message, RECOGNISED_MIN).length > 0
}

function isAccessLine(text: string): boolean {
  return /\] "[^"]*" (?:\d{3}|-) /.test(text) || / HTTP\/\d(?:\.\d)?" (?:\d{3}|-) /.test(text)
}

/** The text of a row as `normalise` leaves messages; reasons of OpenSSL 1.1 have a function before them and no alert number. */
function templateText(message: string): string {
  if (message.startsWith('connect() to 0.0.0.1:')) return message.slice(0, message.indexOf(' (')) // Any errno (design §5).
  return message
    .replace(/^\[lua\] ([^:]+):<line>: (?:<func>\(\): )?/, '[lua] $1: ')
    .replace(/SSL routines::([^:)]+).*/, 'SSL routines:<func>:$1')
    .replace('(SSL: <errors>)', '(SSL:<errors>)') // No blank when OpenSSL queued no error.
    .replace('"<line>"', '"<text>"') // A line of text, not a number.
    .replace(/ \[file ".*/, ' [file "')
}

let nginxTables: Tables | null = null

function nginx(): Tables {
  if (nginxTables) return nginxTables
  const rows: Row[] = []
  const phases = new Set(['closing connection', 'reading client pipelined request line', 'reading client request body'])
  for (const [id, message, phaseText, cause, level, emitter, ends] of messageRows()) {
    if (emitter === 'controller' && level !== 'stderr') continue
    const named = phaseText.split('|')
    const bare = named.includes('-')
    const own = named.filter(phase => phase !== '-').map(phase => phase.replace(/ <addr>$/, ''))
    for (const phase of own) phases.add(phase)
    const match = Object.freeze({ id, cause, emitter, level, endsRequest: ends === 1 })
    const isSocketCall = /^(?:recv|readv|send|writev|sendfile|sendmsg|SSL_\w+)\(\) /.test(message)
    const sides = own.map(phase => sideOf(phase, level))
    rows.push({ match, template: compileTemplate(templateText(message)), phases: own, sides, bare, isSocketCall })
  }
  nginxTables = { index: new TemplateIndex(rows), phases: new Set([...phases].sort((a, b) => b.length - a.length)) }
  return nginxTables
}

interface ControllerRow {
  match: MessageMatch
  template: Template
}

/**
 * The row of a klog message of the controller, the text behind `file:line] `. Structured messages match with and without
 * quotes, whatever `key="value"` pairs follow; a text inside another one (`err="…"`, behind `: `) counts when the outer is unknown.
 */
export function matchControllerMessage(message: string, level: Level | null): MessageMatch | null {
  const text = message.trimStart()
  const { outer, nested } = controller()
  const found = outer.find(controllerCore(text))
  if (found.length > 0) return bestOfController(found, level)
  const whole = text.replaceAll('\\"', '"').toLowerCase()
  let at = 0
  for (let tries = 0; tries < NESTED_TRIES_MAX; tries++) {
    const inside = nested.find(whole.slice(at, at + NESTED_LENGTH_MAX))
    if (inside.length > 0) return bestOfController(inside, level)
    const next = /: |="/g
    next.lastIndex = at
    if (next.exec(whole) === null) break
    at = next.lastIndex
  }
  if (whole.includes('too many open files')) return OUT_OF_FILES
  const cut = outer.findCut(controllerCore(text).replace(/\.{3}$/, ''), CUT_MIN)
  return new Set(cut.map(row => row.match.cause)).size === 1 ? cut[0].match : null
}

const NESTED_TRIES_MAX = 32
const NESTED_LENGTH_MAX = 1024
/** Any Go error text that no row has (log-formats.md §11.1). */
const OUT_OF_FILES: MessageMatch = Object.freeze({
  id: 'go-too-many-open-files',
  cause: 'controller_overload',
  emitter: 'controller',
  level: 'error',
  endsRequest: false
})

/** `"Backend successfully reloaded" key="value"` → `backend successfully reloaded`. */
function controllerCore(text: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"(?= [A-Za-z][\w.]*=|\s*$)/.exec(text)
  return (quoted ? quoted[1].replaceAll('\\"', '"') : text).toLowerCase()
}

function bestOfController(rows: readonly ControllerRow[], level: Level | null): MessageMatch {
  let first = rows[0]
  for (const row of rows) {
    const more = row.template.weight - first.template.weight
    const atLevel = Number(row.match.level === level) - Number(first.match.level === level)
    if (more > 0 || (more === 0 && atLevel > 0)) first = row
  }
  return first.match
}

let controllerTables: { outer: TemplateIndex<ControllerRow>; nested: TemplateIndex<ControllerRow> } | null = null

function controller(): { outer: TemplateIndex<ControllerRow>; nested: TemplateIndex<ControllerRow> } {
  if (controllerTables) return controllerTables
  const outer: ControllerRow[] = []
  const nested: ControllerRow[] = []
  for (const [id, message, , cause, rawLevel, emitter, ends] of messageRows()) {
    if (emitter !== 'controller') continue
    const level = rawLevel.replace(/ \(-v.*/, '').replace(/^warn$/, 'warning')
    const match = Object.freeze({ id, cause, emitter, level, endsRequest: ends === 1 })
    const row = { match, template: compileTemplate(controllerCore(message)) }
    if (level === 'nested') nested.push(row)
    else outer.push(row)
  }
  controllerTables = { outer: new TemplateIndex(outer), nested: new TemplateIndex(nested) }
  return controllerTables
}

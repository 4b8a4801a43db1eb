/**
 * Compiles an nginx `log_format` string into the operations that the scanner runs over the bytes of a line.
 *
 *   $remote_addr - $remote_user [$time_local] "$request" $status
 *   → text until " - " · text until " [" followed by a time · 26 bytes of time · `] "` · quoted · `" ` · 3 digits
 *
 * nginx has no separator of its own: a variable ends where the literal text behind it begins. What a variable may
 * contain decides how its end is found (see OP). Source: ngx_http_log_module.c.
 */

/** What is kept of a line: index into the view's offset table. */
export const FIELD = {
  client: 0,
  remoteUser: 1,
  time: 2,
  request: 3,
  method: 4,
  uri: 5,
  args: 6,
  protocol: 7,
  host: 8,
  status: 9,
  bodyBytes: 10,
  bytesSent: 11,
  referrer: 12,
  userAgent: 13,
  requestLength: 14,
  requestTime: 15,
  upstreamName: 16,
  alternativeName: 17,
  upstreamAddress: 18,
  upstreamLength: 19,
  upstreamTime: 20,
  upstreamStatus: 21,
  connectTime: 22,
  headerTime: 23,
  requestId: 24,
  connection: 25,
  namespace: 26,
  ingress: 27,
  service: 28,
  traceId: 29
} as const

export type Field = (typeof FIELD)[keyof typeof FIELD]
export const FIELD_COUNT = 30

/** nginx variable → field. A variable that is not here is read past. */
const VARIABLES = new Map<string, Field>([
  ['remote_addr', FIELD.client],
  ['the_real_ip', FIELD.client],
  ['remote_user', FIELD.remoteUser],
  ['time_local', FIELD.time],
  ['time_iso8601', FIELD.time],
  ['msec', FIELD.time],
  ['request', FIELD.request],
  ['request_method', FIELD.method],
  ['request_uri', FIELD.uri],
  ['uri', FIELD.uri],
  ['args', FIELD.args],
  ['query_string', FIELD.args],
  ['server_protocol', FIELD.protocol],
  ['host', FIELD.host],
  ['http_host', FIELD.host],
  ['status', FIELD.status],
  ['body_bytes_sent', FIELD.bodyBytes],
  ['bytes_sent', FIELD.bytesSent],
  ['http_referer', FIELD.referrer],
  ['http_user_agent', FIELD.userAgent],
  ['request_length', FIELD.requestLength],
  ['request_time', FIELD.requestTime],
  ['proxy_upstream_name', FIELD.upstreamName],
  ['proxy_alternative_upstream_name', FIELD.alternativeName],
  ['upstream_addr', FIELD.upstreamAddress],
  ['upstream_response_length', FIELD.upstreamLength],
  ['upstream_response_time', FIELD.upstreamTime],
  ['upstream_status', FIELD.upstreamStatus],
  ['upstream_connect_time', FIELD.connectTime],
  ['upstream_header_time', FIELD.headerTime],
  ['req_id', FIELD.requestId],
  ['request_id', FIELD.requestId],
  ['connection', FIELD.connection],
  ['namespace', FIELD.namespace],
  ['ingress_name', FIELD.ingress],
  ['service_name', FIELD.service],
  ['opentelemetry_trace_id', FIELD.traceId],
  ['trace_id', FIELD.traceId]
])

/** Kinds of variables, by how their end is found. */
export const OP = {
  /** Literal text that must stand here. */
  literal: 0,
  /** Up to the first occurrence of the literal behind it. */
  text: 1,
  /** Up to the next `"`: nginx escapes every `"` inside, so this is exact. */
  quoted: 2,
  /** The same under `escape=json`, where a `"` inside is `\"`. */
  quotedJson: 3,
  timeLocal: 4,
  timeIso: 5,
  status: 6,
  /** Digits, or `-`. */
  integer: 7,
  /** Digits with an optional fraction, or `-`. */
  decimal: 8,
  /** Lists of the upstream module: elements between `, ` and ` : `, each may be empty. */
  addressList: 9,
  numberList: 10,
  /** Everything to the end of the line. */
  rest: 11,
  /** Text before a time: ends at the first literal that a time follows, because the text itself may hold that literal. */
  textBeforeTime: 12
} as const

export interface FormatOp {
  op: (typeof OP)[keyof typeof OP]
  /** -1: read past. */
  field: number
  /** The text itself for `literal`; the text behind the variable else ('' at the end of the line). */
  literal: string
  literalBytes: Uint8Array
}

export interface LogFormat {
  /** What `check` and `explain` call it. */
  name: string
  ops: FormatOp[]
  escape: LogEscape
}

export type LogEscape = 'default' | 'json' | 'none'

const INTEGERS = new Set([
  'body_bytes_sent',
  'bytes_sent',
  'request_length',
  'connection',
  'connection_requests',
  'pid'
])
const DECIMALS = new Set(['request_time', 'msec', 'session_time'])
const NUMBER_LISTS = new Set([
  'upstream_response_length',
  'upstream_response_time',
  'upstream_status',
  'upstream_connect_time',
  'upstream_header_time',
  'upstream_bytes_received',
  'upstream_bytes_sent'
])

/**
 * `format` is the string of `log-format-upstream` (or of nginx's `log_format`, quotes around it removed). Throws a
 * RangeError with a sentence for people when it cannot be parsed back: two variables with nothing between them.
 */
export function compileLogFormat(format: string, name = 'custom', escaping: LogEscape = 'default'): LogFormat {
  const parts = splitFormat(format)
  const ops: FormatOp[] = []
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (!part.isVariable) {
      ops.push(makeOp(OP.literal, -1, part.text))
      continue
    }
    const next = parts[i + 1]
    if (next?.isVariable) {
      throw new RangeError(
        `log format: nothing stands between $${part.text} and $${next.text}, so their border cannot be found`
      )
    }
    const before = parts[i - 1]?.text ?? ''
    ops.push(
      makeOp(
        opOf(part.text, before, next?.text ?? '', parts[i + 2]?.text, escaping),
        VARIABLES.get(part.text) ?? -1,
        next?.text ?? ''
      )
    )
  }
  return { name, ops, escape: escaping }
}

/** `literal`: the text itself, or the text behind the variable. */
export function makeOp(op: FormatOp['op'], field: number, literal: string): FormatOp {
  return { op, field, literal, literalBytes: Uint8Array.from(literal, c => c.charCodeAt(0) & 0xff) }
}

function opOf(
  variable: string,
  before: string,
  after: string,
  variableAfter: string | undefined,
  escaping: LogEscape
): FormatOp['op'] {
  if (variable === 'time_local') return OP.timeLocal
  if (variable === 'time_iso8601') return OP.timeIso
  if (variable === 'status') return OP.status
  if (INTEGERS.has(variable)) return OP.integer
  if (DECIMALS.has(variable)) return OP.decimal
  if (variable === 'upstream_addr') return OP.addressList
  if (NUMBER_LISTS.has(variable)) return OP.numberList
  if (after === '') return OP.rest
  if (before.endsWith('"') && after.startsWith('"') && escaping !== 'none')
    return escaping === 'json' ? OP.quotedJson : OP.quoted
  return variableAfter === 'time_local' || variableAfter === 'time_iso8601' ? OP.textBeforeTime : OP.text
}

interface FormatPart {
  isVariable: boolean
  text: string
}

function splitFormat(format: string): FormatPart[] {
  const parts: FormatPart[] = []
  let last = 0
  for (const match of format.matchAll(/\$(?:\{(\w+)\}|(\w+))/g)) {
    if (match.index > last) parts.push({ isVariable: false, text: format.slice(last, match.index) })
    parts.push({ isVariable: true, text: match[1] ?? match[2]! })
    last = match.index + match[0].length
  }
  if (last < format.length) parts.push({ isVariable: false, text: format.slice(last) })
  return parts
}

const HEAD =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
const OLD_HEAD = `$remote_addr - [$x_forwarded] - ${HEAD.slice('$remote_addr - '.length)}`
const LISTS = '$upstream_addr $upstream_response_length $upstream_response_time $upstream_status'

/** `upstreaminfo` of controller v0.26 to the last release (internal/ingress/controller/config/config.go). */
export const UPSTREAMINFO = `${HEAD} $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] ${LISTS} $req_id`

/** Built-in formats in the order of trial. The older shapes are told apart by `- [addr] -` and the number of brackets. */
export const KNOWN_FORMATS: readonly { name: string; format: string }[] = [
  { name: 'upstreaminfo', format: UPSTREAMINFO },
  // What this project ships: the connection number joins error lines almost exactly, the connect time tells refused from closed.
  {
    name: 'upstreaminfo+why5xx',
    format: `${UPSTREAMINFO} $connection $namespace $ingress_name $service_name $upstream_connect_time $upstream_header_time "$host"`
  },
  {
    name: 'upstreaminfo-0.25',
    format: `${OLD_HEAD} $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] ${LISTS} $req_id`
  },
  {
    name: 'upstreaminfo-0.15',
    format: `${OLD_HEAD} $request_length $request_time [$proxy_upstream_name] ${LISTS} $req_id`
  },
  { name: 'upstreaminfo-0.9', format: `${OLD_HEAD} $request_length $request_time [$proxy_upstream_name] ${LISTS}` },
  { name: 'upstreaminfo-2017', format: `${OLD_HEAD} $request_length $request_time [$proxy_upstream_name] ${LISTS}"` },
  { name: 'upstreaminfo-2016', format: `${OLD_HEAD} $request_length $request_time ${LISTS}` },
  { name: 'combined', format: HEAD },
  { name: 'main', format: `${HEAD} "$http_x_forwarded_for"` }
]

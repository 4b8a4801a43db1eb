/**
 * The record types every parser fills and everything behind parsing reads.
 *
 * All strings are printable ASCII: a byte outside 0x20..0x7e stands as `\xHH` (upper-case hex), the way nginx's default
 * log escape writes it, so text from access and error lines compares equal and is safe on any terminal. Values that a
 * client chose (request, host, referrer, user agent) also have `"` as `\x22` and `\` as `\x5C`.
 * `null` means nginx wrote `-`, nothing, or the line does not have the field; 0 means zero.
 */

import type { Cause } from './causes.ts'

export type LineKind = 'access' | 'error' | 'controller' | 'stream_access' | 'other' | 'continuation' | 'reject'

/** Levels of nginx; klog's I W E F are stored as info, warning, error, fatal. */
export type Level = 'emerg' | 'alert' | 'crit' | 'error' | 'warn' | 'notice' | 'info' | 'debug' | 'warning' | 'fatal'

/** One try of nginx at one backend. */
export interface UpstreamAttempt {
  /** `10.1.2.3:8080`, `[2001:db8::1]:80`, `unix:/path`, an upstream's name ("no live upstreams"), or null without a peer. */
  address: string | null
  /** Number of the group, from 0; a new one begins at ` : ` (internal redirect, custom error page). */
  group: number
  /** Status of this attempt: nginx's own for failures (502, 504), else the application's; null where nginx wrote `-`. */
  status: number | null
  responseTimeMs: number | null
  responseBytes: number | null
  /** Only where the log format has `$upstream_connect_time` / `$upstream_header_time`; null is "not logged" or `-`. */
  connectTimeMs: number | null
  headerTimeMs: number | null
}

export interface AccessRecord {
  kind: 'access'
  /** nginx's own time of the line (end of the request); null when the format has none. */
  timeMs: number | null
  client: string | null
  remoteUser: string | null
  /** `$request` as logged. */
  request: string | null
  method: string | null
  /** Without the query. */
  path: string | null
  /** Behind `?`, without it; null without one. Never printed unmasked. */
  query: string | null
  httpVersion: string | null
  host: string | null
  /** null: the line was cut before or after it. 0 for `000`. */
  status: number | null
  bodyBytes: number | null
  referrer: string | null
  userAgent: string | null
  requestLength: number | null
  requestTimeMs: number | null
  /** `$proxy_upstream_name`: null is "not in this format", '' is `[]`, '-' is `[-]` (they mean different things). */
  upstreamName: string | null
  /** The canary's name; null when empty or not in the format. */
  alternativeUpstreamName: string | null
  /** Empty when nginx wrote `-` for all; null when the format has no upstream fields at all. */
  attempts: UpstreamAttempt[] | null
  /** True when the four upstream lists had different lengths, so values other than addresses may be missing. */
  attemptsUncertain: boolean
  /** True when the format logs connect times: then null in an attempt means `-`. */
  hasConnectTime: boolean
  requestId: string | null
  /** `$connection`, where the format has it. */
  connection: number | null
  namespace: string | null
  ingress: string | null
  service: string | null
  traceId: string | null
  /** True for a line whose head or tail is missing: read as far as it goes, never counted as a client's request without a status. */
  truncated: boolean
}

export interface ErrorRecord {
  kind: 'error'
  /** Local wall time of the container read as if it were UTC, ms; null when the head is cut. */
  localTimeMs: number | null
  level: Level | null
  pid: number | null
  connection: number | null
  /** Text between `*conn ` and the context fields, ` while …` included, as printed (control and high bytes escaped). */
  message: string
  client: string | null
  server: string | null
  request: string | null
  method: string | null
  path: string | null
  subrequest: string | null
  /** `upstream:` as printed. */
  upstream: string | null
  /** `host:port`, `unix:/path` or a name, taken from `upstream`. */
  upstreamAddress: string | null
  host: string | null
  referrer: string | null
  /** errno that nginx printed in `(111: …)`. */
  errno: number | null
  /** Id of the row of the message table that matched, null when none does. */
  messageKind: string | null
  /** Text behind ` while `, without it. */
  phase: string | null
  /** Cause of the message by itself; null for informational texts (`none`, `cancelled`) and marks (design: notice and below). */
  cause: Cause | null
  /** What the table says before marks are blanked: also 'none' and 'cancelled'. */
  messageCause: MessageCause | null
  /** From a `stream {}` block: no request of a client. */
  isStream: boolean
  truncated: boolean
}

/** What `error-messages.tsv` can say of a message. */
export type MessageCause = Cause | 'none' | 'cancelled'

export interface ControllerRecord {
  kind: 'controller'
  /** Month, day and time of day read in 1972, a leap year, as if UTC, ms: klog prints no year. */
  localTimeMs: number | null
  level: Level
  pid: number | null
  sourceFile: string | null
  sourceLine: number | null
  message: string
  messageKind: string | null
  cause: Cause | null
  messageCause: MessageCause | null
  /** `namespace/name` when the message names exactly one Service. */
  service: string | null
}

export interface StreamAccessRecord {
  kind: 'stream_access'
  timeMs: number | null
  client: string | null
  protocol: 'TCP' | 'UDP'
  status: number
  bytesSent: number | null
  bytesReceived: number | null
  sessionTimeMs: number | null
}

/** A known line that is no evidence: `nginx: configuration file … test is successful`, init process output. */
export interface OtherRecord {
  kind: 'other'
  message: string
  /** `nginx: [emerg] …` and Lua panics carry one. */
  level: Level | null
  cause: Cause | null
}

export type ParseErrorCode =
  | 'unrecognized'
  | 'not_text'
  | 'line_too_long'
  | 'truncated_head'
  | 'invalid_json'
  /** A Kafka message without a value. */
  | 'no_value'

/** A line no parser accepts. `column` counts bytes from 1. */
export interface ParseError {
  code: ParseErrorCode
  column: number
}

export type ParsedRecord = AccessRecord | ErrorRecord | ControllerRecord | StreamAccessRecord | OtherRecord

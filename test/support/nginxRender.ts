/**
 * Prints access and error lines the way nginx does (ngx_http_log_module.c, ngx_http_upstream.c, ngx_http_request.c;
 * log-formats.md 4, 6.1, 10.1). Strings hold bytes, one a character; null is a variable without value.
 */

export type Escaping = 'default' | 'json' | 'none'
export type Variables = Record<string, string | null>

/** Written by the log module itself, or by it in figures: never escaped. */
const OWN = new Set([
  'time_local',
  'time_iso8601',
  'msec',
  'request_time',
  'status',
  'bytes_sent',
  'body_bytes_sent',
  'request_length',
  'connection',
  'pipe'
])

export function renderAccess(format: string, variables: Variables, escaping: Escaping = 'default'): string {
  return format.replace(/\$(\w+)/g, (_all, name: string) => {
    const value = variables[name] ?? null
    if (value === null) return escaping === 'default' ? '-' : ''
    return OWN.has(name) || escaping === 'none' ? value : escaping === 'json' ? escapeJson(value) : escapeDefault(value)
  })
}

const hex = (char: string): string => char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')

export function escapeDefault(value: string): string {
  return value.replace(/[\x00-\x1f"\\\x7f-\xff]/g, char => `\\x${hex(char)}`)
}

const JSON_LETTERS: Record<string, string> = { '\n': 'n', '\r': 'r', '\t': 't', '\b': 'b', '\f': 'f' }

export function escapeJson(value: string): string {
  return value.replace(/[\x00-\x1f"\\]/g, char => {
    if (char === '"' || char === '\\') return `\\${char}`
    return char in JSON_LETTERS ? `\\${JSON_LETTERS[char]}` : `\\u00${hex(char)}`
  })
}

/** One entry of `r->upstream_states`; without a peer it is a border between groups, or an attempt that never got a peer. */
export interface UpstreamState {
  peer: string | null
  status: number | null
  responseTimeMs: number | null
  responseBytes: number
  connectTimeMs: number | null
  headerTimeMs: number | null
}

/** What a list shows: the states that are printed, in which group; null where a trailing border is followed by nothing. */
export interface Shown {
  group: number
  state: UpstreamState | null
}

/** The loop that all upstream lists share. */
export function shownStates(states: readonly UpstreamState[]): Shown[] {
  const shown: Shown[] = []
  let group = 0
  for (let i = 0; i < states.length; ) {
    shown.push({ group, state: states[i]! })
    if (++i === states.length || states[i]!.peer !== null) continue
    group++
    if (++i === states.length) shown.push({ group, state: null })
  }
  return shown
}

export function upstreamVariables(states: readonly UpstreamState[]): Variables {
  const shown = shownStates(states)
  const list = (print: (state: UpstreamState) => string): string | null => {
    let text = ''
    for (const [i, { group, state }] of shown.entries()) {
      if (i > 0) text += group === shown[i - 1]!.group ? ', ' : ' : '
      if (state !== null) text += print(state)
    }
    return states.length === 0 ? null : text
  }
  return {
    upstream_addr: list(state => state.peer ?? ''),
    upstream_status: list(state => (state.status === null ? '-' : String(state.status))),
    upstream_response_time: list(state => seconds(state.responseTimeMs)),
    upstream_response_length: list(state => String(state.responseBytes)),
    upstream_connect_time: list(state => seconds(state.connectTimeMs)),
    upstream_header_time: list(state => seconds(state.headerTimeMs))
  }
}

/** `%T.%03M`. */
export function seconds(ms: number | null): string {
  return ms === null ? '-' : `${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, '0')}`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const two = (value: number): string => String(value).padStart(2, '0')

/** The time variables for a Unix time, in a container whose clock is `zoneMinutes` ahead of UTC. */
export function timeVariables(ms: number, zoneMinutes: number): Variables {
  const local = new Date(Math.floor(ms / 1000) * 1000 + zoneMinutes * 60_000)
  const zone = (colon: string): string => {
    const minutes = Math.abs(zoneMinutes)
    return `${zoneMinutes < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${colon}${two(minutes % 60)}`
  }
  const clock = local.toISOString().slice(11, 19)
  const day = two(local.getUTCDate())
  return {
    time_local: `${day}/${MONTHS[local.getUTCMonth()]}/${local.getUTCFullYear()}:${clock} ${zone('')}`,
    time_iso8601: `${local.toISOString().slice(0, 19)}${zone(':')}`,
    msec: seconds(ms)
  }
}

/** Fields of an error line; null: nginx prints nothing of it. Values are raw bytes, nothing is escaped. */
export interface ErrorLine {
  /** Local time of the container, as if it were UTC. */
  timeMs: number
  level: string
  pid: number
  connection: number | null
  message: string
  client: string | null
  server: string
  request: string | null
  subrequest: string | null
  upstream: string | null
  host: string | null
  referrer: string | null
}

export function renderError(line: ErrorLine): string {
  const time = new Date(line.timeMs).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ')
  let text = `${time} [${line.level}] ${line.pid}#${line.pid}: `
  if (line.connection !== null) text += `*${line.connection} `
  text += line.message
  if (line.client === null) return text
  text += `, client: ${line.client}, server: ${line.server}`
  for (const field of ['request', 'subrequest', 'upstream', 'host', 'referrer'] as const)
    if (line[field] !== null) text += `, ${field}: "${line[field]}"`
  return text
}

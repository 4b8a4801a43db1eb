/**
 * Takes the frame off a line: CRI, `kubectl logs --timestamps --prefix`, docker json-file, the JSON of Fluent Bit, Fluentd,
 * Vector, Filebeat and journald, and the text prefixes of stern, compose and syslog. Checked for every line, because
 * one file can hold several (log-formats.md 1.2).
 */

import { utf8AsLatin1 } from './escape.ts'
import { latin1 } from './latin1.ts'
import type { Line } from './line.ts'
import { parseTimeText, Rfc3339Reader } from './time.ts'

const SPACE = 0x20
const OPEN = 0x5b
const CLOSE = 0x5d
const BRACE = 0x7b
const MINUS = 0x2d
const LETTER_T = 0x54

/** What an envelope says of its content. */
export type Framing =
  /** The content is whole. */
  | 'whole'
  /** Only a piece: the next line of the same stream goes on. */
  | 'piece'
  /** The last piece, or a whole line in CRI. */
  | 'last'

/** `[NAMESPACE ]POD CONTAINER ` of stern, before what begins as one of our lines. */
const STERN =
  /^(?:([a-z0-9-]+) )?([a-z0-9][a-z0-9.-]*-[a-z0-9]{5}) ([a-z0-9-]+) (?=\d{4}[/-]\d\d[/-]\d\d[ T]|[IWEF]\d{4} \d\d:|[0-9a-f.:]{3,45} - |\[[0-9a-f.:]{3,45}\] \[|\{")/
const STERN_PODS_MAX = 1000

export class EnvelopeReader {
  readonly #stamp = new Rfc3339Reader()
  /** `[pod/NAME/CONTAINER] ` of the line before, by its bytes. */
  #prefix: Buffer = Buffer.alloc(0)
  #prefixPod: string | null = null
  #prefixContainer: string | null = null

  /** Moves `line.start` behind the text frames it knows, sets what they say. JSON is left to `openJson`. */
  open(line: Line): Framing {
    const { bytes } = line
    const first = bytes[line.start]!
    if (first === OPEN && bytes[line.start + 1] === 0x70) this.#podPrefix(line)
    else if (first >= 0x61 && first <= 0x7a) this.#sternPrefix(line)
    const at = line.start
    if (bytes[at + 4] !== MINUS || bytes[at + 10] !== LETTER_T) return 'whole'
    const ms = this.#stamp.read(bytes, at, line.end)
    if (Number.isNaN(ms) || this.#stamp.end >= line.end || bytes[this.#stamp.end] !== SPACE) return 'whole'
    line.hasEnvelope = true
    line.timeMs = ms
    line.written = ''
    this.#writtenFrom = at
    this.#writtenTo = this.#stamp.end
    line.start = this.#stamp.end + 1
    return this.#criStream(line)
  }

  #writtenFrom = 0
  #writtenTo = 0

  /** The stamp's text, made only for lines that become records. */
  written(line: Line): string {
    if (line.written !== '') return line.written
    return Number.isNaN(line.timeMs) ? '' : latin1(line.bytes, this.#writtenFrom, this.#writtenTo)
  }

  /** `stdout F `, `stderr P `, tags may be several (`F:x`). Content may be empty. */
  #criStream(line: Line): Framing {
    const { bytes, start } = line
    // `std` and a blank behind six letters.
    if (bytes[start] !== 0x73 || bytes[start + 1] !== 0x74 || bytes[start + 2] !== 0x64 || bytes[start + 6] !== SPACE)
      return 'whole'
    const isOut = bytes[start + 3] === 0x6f && bytes[start + 4] === 0x75 && bytes[start + 5] === 0x74
    const isErr = bytes[start + 3] === 0x65 && bytes[start + 4] === 0x72 && bytes[start + 5] === 0x72
    const tag = bytes[start + 7]
    if ((!isOut && !isErr) || (tag !== 0x50 && tag !== 0x46)) return 'whole'
    let pos = start + 8
    while (pos < line.end && bytes[pos] !== SPACE) pos++
    if (pos > start + 8 && bytes[start + 8] !== 0x3a) return 'whole'
    line.stream = isOut ? 'stdout' : 'stderr'
    line.start = Math.min(pos + 1, line.end)
    return tag === 0x50 ? 'piece' : 'last'
  }

  /** Prefixes of stern met so far: continuations of a record carry them too, and nothing else tells them from prose. */
  readonly #stern = new Map<string, { namespace: string | null; pod: string; container: string }>()

  #sternPrefix(line: Line): void {
    const { bytes, start, end } = line
    let pos = start
    for (let words = 1; words <= 3; words++) {
      while (isNameByte(bytes[pos]!)) pos++
      if (pos >= end || bytes[pos] !== SPACE) return
      pos++
      if (words === 1) continue
      const prefix = latin1(bytes, start, pos)
      let known = this.#stern.get(prefix)
      if (known === undefined) {
        const match = STERN.exec(latin1(bytes, start, Math.min(end, start + 512)))
        if (match === null || this.#stern.size >= STERN_PODS_MAX) return
        if (match[0] !== prefix) continue
        known = { namespace: match[1] ?? null, pod: match[2]!, container: match[3]! }
        this.#stern.set(prefix, known)
      }
      line.hasEnvelope = true
      line.namespace = known.namespace
      line.pod = known.pod
      line.container = known.container
      line.start = pos
      return
    }
  }

  #podPrefix(line: Line): void {
    const { bytes, start } = line
    if (!startsWith(bytes, start, this.#prefix)) {
      let end = start
      while (end < line.end && bytes[end] !== CLOSE) end++
      if (end >= line.end || bytes[end + 1] !== SPACE) return
      const match = /^\[pod\/([^/\]]+)\/([^/\]]+)\] $/.exec(latin1(bytes, start, end + 2))
      if (!match) return
      this.#prefix = Buffer.from(bytes.subarray(start, end + 2))
      this.#prefixPod = match[1]!
      this.#prefixContainer = match[2]!
    }
    line.hasEnvelope = true
    line.pod = this.#prefixPod
    line.container = this.#prefixContainer
    line.start = start + this.#prefix.length
  }
}

function startsWith(bytes: Buffer, start: number, prefix: Buffer): boolean {
  // From the end: what tells pods apart is the end of their names.
  for (let i = prefix.length - 1; i >= 0; i--) if (bytes[start + i] !== prefix[i]) return false
  return prefix.length > 0
}

/** Of namespaces, pods and containers. */
function isNameByte(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === MINUS || byte === 0x2e
}

/** Content and facts of a JSON envelope; null when the line is none (an access log in JSON, or no JSON at all). */
export interface JsonEnvelope {
  /** Content as Latin-1 of its UTF-8 bytes, without the final line feed. */
  content: string
  framing: Framing
}

/**
 * `{"log":"…\n","stream":"stdout","time":"…"}` and the shapes of shippers: the content under `log`, `message`, `body` or
 * `MESSAGE`. Fluent Bit puts CRI pieces together itself and keeps `_p: "P"`, so only docker's own lines can be pieces.
 */
export function openJson(line: Line): JsonEnvelope | null {
  if (line.bytes[line.start] !== BRACE) return null
  let value: unknown
  try {
    value = JSON.parse(Buffer.prototype.utf8Slice.call(line.bytes, line.start, line.end))
  } catch {
    // Not JSON: an access log whose format puts bare values between braces. The caller goes on with the line itself.
    return null
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const object = value as Record<string, unknown>
  const content =
    text(object.log) ?? text(object.message) ?? text(object.body) ?? text(object.MESSAGE) ?? text(object.msg)
  if (content === null || isAccessLog(object)) return null
  const keys = Object.keys(object)
  line.hasEnvelope = true
  const isDocker = keys.every(key => key === 'log' || key === 'stream' || key === 'time' || key === 'attrs')
  const kubernetes = record(object.kubernetes)
  const stamp = stampOf(object)
  const ms = parseTimeText(stamp)
  if (ms !== null) {
    line.timeMs = ms
    line.written = stamp
  }
  const stream = text(object.stream) ?? text(record(object.log)?.stream)
  line.stream = stream === 'stdout' || stream === 'stderr' ? stream : line.stream
  line.pod = text(kubernetes?.pod_name) ?? text(record(kubernetes?.pod)?.name) ?? line.pod
  line.namespace =
    text(kubernetes?.namespace_name) ?? text(kubernetes?.namespace) ?? text(kubernetes?.pod_namespace) ?? line.namespace
  line.container = text(kubernetes?.container_name) ?? text(record(kubernetes?.container)?.name) ?? line.container
  line.node = text(kubernetes?.host) ?? text(object.node) ?? text(kubernetes?.pod_node_name) ?? line.node
  line.path = text(object.log_path) ?? text(object.file) ?? text(record(record(object.log)?.file)?.path) ?? null
  if (line.path !== null) takePath(line, line.path)
  const bytes = utf8AsLatin1(content)
  const isWhole = bytes.endsWith('\n')
  return {
    content: isWhole ? bytes.replace(/\r?\n$/, '') : bytes.replace(/\r$/, ''),
    framing: isDocker ? (isWhole ? 'last' : 'piece') : 'whole'
  }
}

/** Pod, namespace and container from a kubelet path, either `/var/log/containers/…` or `/var/log/pods/…`. */
export function takePath(line: Line, path: string): void {
  const container = /([^/_]+)_([^/_]+)_([^/_]+)-[0-9a-f]{64}\.log/.exec(path)
  const pod = container ? null : /\/([^/_]+)_([^/_]+)_[0-9a-f-]{8,}\/([^/]+)\/\d+\.log/.exec(path)
  if (container) {
    line.pod ??= container[1]!
    line.namespace ??= container[2]!
    line.container ??= container[3]!
  } else if (pod) {
    line.namespace ??= pod[1]!
    line.pod ??= pod[2]!
    line.container ??= pod[3]!
  }
}

/** A JSON access format may have a `message` too; what it surely has is a status. */
function isAccessLog(object: Record<string, unknown>): boolean {
  return 'status' in object || 'remote_addr' in object || 'upstream_addr' in object
}

/** Fluent Bit writes seconds as a number, under `date` or, into Kafka, `@timestamp`; journald microseconds as text. */
function stampOf(object: Record<string, unknown>): string {
  for (const key of ['time', '@timestamp', 'timestamp', 'date']) {
    const value = object[key]
    if (typeof value === 'string' || typeof value === 'number') return String(value)
  }
  const microseconds = text(object.__REALTIME_TIMESTAMP)
  return microseconds !== null && /^\d{16}$/.test(microseconds)
    ? `${microseconds.slice(0, 10)}.${microseconds.slice(10)}`
    : ''
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null
}

/** Prefixes that carry nothing but must go: quoting, indentation, compose, syslog, journald, stern. Tried only when nothing else fits. */
const PREFIXES = [
  /^[\s#>]+/,
  /^[\w.@-]{1,80} {1,40}\| /,
  /^(?:<\d{1,3}>)?[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d \S{1,80} [^\s:]{1,80}: /,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d \d{4} \S{1,40} [^\s:]{1,40}: /,
  // RFC 5424: the version here, the stamp by `open`, then host, application, process, message id, structured data.
  /^<\d{1,3}>1 (?=\d{4}-)/,
  /^\S{1,255} \S{1,48} (?:\d{1,10}|-) [\w.-]{1,32} (?:-|(?:\[[\w@.]{1,32}(?: [^\]]{1,150})?\])+) (?=\S)/,
  /^<?\d{0,3}>?1? ?\d{4}-\d\d-\d\dT[\d:.]{8,20}(?:Z|[+-]\d\d:?\d\d) (?=\S)/,
  /^\[(?:err|out)\] {1,4}(?=\S)/,
  /^[^\s:]{1,80}(?:\[\d{1,7}\])?: (?=\S)/,
  // A virtual host in front of the client.
  /^[\w.:-]{1,253} (?=[0-9a-f.:]{3,45} - )/,
  /^\S{1,120} \S{1,80} (?=\d{4}\/\d\d\/\d\d |[IWEF]\d{4} \d\d:|[0-9a-f.:]{3,45} - |\[[0-9a-f.:]{3,45}\] \[)/
]

/** Length of the prefix in front of `content`, 0 when there is none. */
export function prefixLength(content: string): number {
  const head = content.slice(0, 256)
  for (const prefix of PREFIXES) {
    const match = prefix.exec(head)
    if (match) return match[0].length
  }
  return 0
}

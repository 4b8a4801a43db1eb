/**
 * Takes the text frame off a line: CRI, `kubectl logs --timestamps --prefix`, what logcli prints, and the prefixes of stern,
 * compose, journald and syslog. Checked for every line, because one file can hold several (log-formats.md 1.2).
 */

import { latin1 } from './latin1.ts'
import type { Line } from './line.ts'
import { LogcliLabels } from './logcliLabels.ts'
import { Rfc3339Reader } from './time.ts'

const SPACE = 0x20
const OPEN = 0x5b
const CLOSE = 0x5d
const OPEN_BRACE = 0x7b
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
  readonly #labels = new LogcliLabels()
  /** `[pod/NAME/CONTAINER] ` of the line before, by its bytes. */
  #prefix: Buffer = Buffer.alloc(0)
  #prefixPod: string | null = null
  #prefixContainer: string | null = null

  /** Moves `line.start` behind the text frames it knows, sets what they say. JSON is left to jsonEnvelope.ts. */
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
    line.writtenFrom = at
    line.writtenTo = this.#stamp.end
    line.isWrittenNumber = false
    line.start = this.#stamp.end + 1
    if (bytes[line.start] === OPEN_BRACE) this.#labels.take(line)
    return this.#criStream(line)
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

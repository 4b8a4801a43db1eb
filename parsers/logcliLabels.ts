/**
 * The labels that `logcli query` prints between its stamp and the line, padded to the longest of its batch:
 *
 *   2026-11-21T10:02:11Z {pod="ingress-nginx-controller-6b8f7d5c9-x2x7k", stream="stderr"}   2026/11/21 10:02:11 [error] …
 *
 * With `-o jsonl` the same labels are an object: jsonEnvelope.ts reads that.
 */

import { latin1 } from './latin1.ts'
import type { Line } from './line.ts'

const OPEN = 0x7b
const CLOSE = 0x7d
const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
/** Loki takes 15 labels of up to 2 kB each by default; nobody has so many. */
const LABELS_BYTES_MAX = 4_096
/** Labels of a stream are few; what Loki keeps beside a single line (a trace's id) makes as many sets as there are lines. */
const SETS_MAX = 1_000

const LABELS = /^\{(?:[A-Za-z_][A-Za-z0-9_]*="(?:[^"\\]|\\.)*"(?:, |(?=\})))*\}$/
const LABEL = /([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"/g

/** What labels say of a line, as Promtail and Alloy name them; null where they do not. */
export interface LabelFacts {
  pod: string | null
  namespace: string | null
  container: string | null
  node: string | null
  stream: 'stdout' | 'stderr' | null
  /** Name of the container's log on its node. */
  path: string | null
}

export function labelFacts(label: (name: string) => string | null): LabelFacts {
  const stream = label('stream')
  return {
    pod: label('pod'),
    namespace: label('namespace'),
    container: label('container'),
    node: label('node_name') ?? label('node'),
    stream: stream === 'stdout' || stream === 'stderr' ? stream : null,
    path: label('filename')
  }
}

export class LogcliLabels {
  /** Sets of labels met so far; null: it only looked like one. */
  readonly #known = new Map<string, LabelFacts | null>()

  /** Moves `line.start` behind labels that begin there, and sets what they say. */
  take(line: Line): void {
    const { bytes, start } = line
    if (bytes[start] !== OPEN || bytes[start + 1] === QUOTE) return
    const end = closing(bytes, start, Math.min(line.end, start + LABELS_BYTES_MAX))
    if (end === -1 || bytes[end] !== SPACE) return
    const text = latin1(bytes, start, end)
    let facts = this.#known.get(text)
    if (facts === undefined) {
      if (this.#known.size >= SETS_MAX) this.#known.clear()
      facts = LABELS.test(text) ? read(text) : null
      this.#known.set(text, facts)
    }
    if (facts === null) return
    line.pod = facts.pod ?? line.pod
    line.namespace = facts.namespace ?? line.namespace
    line.container = facts.container ?? line.container
    line.node = facts.node ?? line.node
    line.stream = facts.stream ?? line.stream
    line.start = end
    while (line.start < line.end && bytes[line.start] === SPACE) line.start++
  }
}

/** Behind the brace that closes the one at `start`, whatever stands in quotes between them; -1 without one. */
function closing(bytes: Buffer, start: number, limit: number): number {
  let isQuoted = false
  for (let pos = start + 1; pos < limit; pos++) {
    const byte = bytes[pos]
    if (isQuoted && byte === BACKSLASH) pos++
    else if (byte === QUOTE) isQuoted = !isQuoted
    else if (!isQuoted && byte === CLOSE) return pos + 1
  }
  return -1
}

function read(text: string): LabelFacts {
  const labels = new Map<string, string>()
  for (const [, name, value] of text.matchAll(LABEL)) labels.set(name!, value!)
  return labelFacts(name => labels.get(name) ?? null)
}

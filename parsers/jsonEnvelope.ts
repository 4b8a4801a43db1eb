/**
 * Takes the JSON frame off a line: docker json-file, the records of Fluent Bit, Fluentd, Vector, Filebeat and journald, and
 * what `logcli -o jsonl` prints.
 *
 *   {"log":"…\n","stream":"stdout","time":"…"}
 *
 * The content lies under `log`, `message`, `body`, `MESSAGE`, or `line` (logcli). Fluent Bit puts CRI pieces together itself and keeps
 * `_p: "P"`, so only docker's own lines can be pieces.
 */

import type { Framing } from './envelope.ts'
import { utf8AsLatin1 } from './escape.ts'
import type { Line } from './line.ts'
import { labelFacts } from './logcliLabels.ts'
import { parseTimeText } from './time.ts'

const BRACE = 0x7b

/** What every record of one producer, stream and container has in common. */
export interface EnvelopeFacts {
  /** Key of the content. */
  contentKey: string
  /** Key of the stamp; null without one. */
  stampKey: string | null
  /** It is a text, not a number. */
  isStampText: boolean
  /** Path of the number that says where the line begins in its file; null without one. */
  offsetPath: readonly string[] | null
  /** docker's own: a line without its line feed is a piece. */
  isDocker: boolean
  /** Fluent Bit put the line together from pieces (`_p` is not `F`). */
  isJoined: boolean
  stream: 'stdout' | 'stderr' | null
  pod: string | null
  namespace: string | null
  container: string | null
  node: string | null
  path: string | null
}

export interface JsonEnvelope {
  facts: EnvelopeFacts
  /** Latin-1 of its UTF-8 bytes, without the final line feed. */
  content: string
  framing: Framing
  /** As text; '' without one. */
  stamp: string
  /** NaN without one. */
  logOffset: number
}

/** The envelope around `line`; null when it is none (an access log in JSON, or no JSON at all). */
export function openJson(line: Line): JsonEnvelope | null {
  if (line.bytes[line.start] !== BRACE) return null
  let value: unknown
  try {
    value = JSON.parse(Buffer.prototype.utf8Slice.call(line.bytes, line.start, line.end))
  } catch {
    // Not JSON: an access log whose format puts bare values between braces. The caller goes on with the line itself.
    return null
  }
  const object = record(value)
  const facts = object === null ? null : factsOf(object)
  if (object === null || facts === null) return null
  const { text, framing } = contentOf(object[facts.contentKey] as string, facts)
  const offset = facts.offsetPath?.reduce<unknown>((inner, key) => record(inner)?.[key], object)
  return {
    facts,
    content: text,
    framing,
    stamp: stampOf(object, facts),
    logOffset: typeof offset === 'number' ? offset : Number.NaN
  }
}

/** `content` as JSON holds it → the line's bytes as Latin-1, and whether it goes on. */
export function contentOf(content: string, { isDocker }: EnvelopeFacts): { text: string; framing: Framing } {
  const bytes = utf8AsLatin1(content)
  const isWhole = bytes.endsWith('\n')
  const text = isWhole ? bytes.replace(/\r?\n$/, '') : bytes.replace(/\r$/, '')
  return { text, framing: isDocker ? (isWhole ? 'last' : 'piece') : 'whole' }
}

/**
 * Bytes of the CRI line, with frame and line feed, that a shipper made a record of by taking the frame off; null when it
 * cannot be told. `stampBytes` and `contentBytes` are the lengths in the record.
 */
export function criLength(facts: EnvelopeFacts, stampBytes: number, contentBytes: number): number | null {
  // The shipper's own stamp under another key has not the length of the runtime's.
  const hasFrame = facts.stampKey === 'time' && facts.isStampText && facts.stream !== null
  if (!hasFrame || facts.isJoined || stampBytes === 0) return null
  return stampBytes + ' stdout F '.length + contentBytes + 1
}

/** Says on `line` what the envelope says; what it does not say stays. */
export function applyEnvelope(line: Line, { facts, stamp, logOffset }: JsonEnvelope): void {
  line.hasEnvelope = true
  const ms = parseTimeText(stamp)
  if (ms !== null) {
    line.timeMs = ms
    line.written = stamp
  }
  line.stream = facts.stream ?? line.stream
  line.pod = facts.pod ?? line.pod
  line.namespace = facts.namespace ?? line.namespace
  line.container = facts.container ?? line.container
  line.node = facts.node ?? line.node
  line.path = facts.path
  line.logOffset = logOffset
  // A prefix in front of the record tells the pod before its path does.
  if (line.path !== null) takePath(line, line.path)
}

/** A path with the id of a container or a pod in it: there is one such file in the world. */
export function isKubeletPath(path: string): boolean {
  return CONTAINER_PATH.test(path) || POD_PATH.test(path)
}

const CONTAINER_PATH = /([^/_]+)_([^/_]+)_([^/_]+)-[0-9a-f]{64}\.log/
const POD_PATH = /\/([^/_]+)_([^/_]+)_[0-9a-f-]{8,}\/([^/]+)\/\d+\.log/

type Place = Pick<Line, 'pod' | 'namespace' | 'container'>

/** Pod, namespace and container from a kubelet path, either `/var/log/containers/…` or `/var/log/pods/…`. */
export function takePath(place: Place, path: string): void {
  const container = CONTAINER_PATH.exec(path)
  const pod = container ? null : POD_PATH.exec(path)
  if (container) {
    place.pod ??= container[1]!
    place.namespace ??= container[2]!
    place.container ??= container[3]!
  } else if (pod) {
    place.namespace ??= pod[1]!
    place.pod ??= pod[2]!
    place.container ??= pod[3]!
  }
}

const CONTENT_KEYS = ['log', 'message', 'body', 'MESSAGE', 'msg', 'line'] as const
const STAMP_KEYS = ['time', '@timestamp', 'timestamp', 'date'] as const
/** Fluent Bit's `offset_key` as we ship it, Vector's file source, Filebeat. */
const OFFSET_PATHS = [['log_offset'], ['offset'], ['log', 'offset']] as const

/** Every place that facts are read from, as paths joined by a line feed: what stands there tells records apart. */
export const FACT_PATHS: ReadonlySet<string> = new Set([
  '_p',
  'stream',
  'log\nstream',
  'kubernetes\npod_name',
  'kubernetes\npod\nname',
  'kubernetes\nnamespace_name',
  'kubernetes\nnamespace',
  'kubernetes\npod_namespace',
  'kubernetes\ncontainer_name',
  'kubernetes\ncontainer\nname',
  'kubernetes\nhost',
  'kubernetes\npod_node_name',
  'node',
  'log_path',
  'file',
  'log\nfile\npath',
  '__REALTIME_TIMESTAMP',
  'labels\npod',
  'labels\nnamespace',
  'labels\ncontainer',
  'labels\nnode_name',
  'labels\nnode',
  'labels\nstream',
  'labels\nfilename'
])

function factsOf(object: Record<string, unknown>): EnvelopeFacts | null {
  const contentKey = CONTENT_KEYS.find(key => text(object[key]) !== null)
  if (contentKey === undefined || isAccessLog(object)) return null
  const kubernetes = record(object.kubernetes)
  const log = record(object.log)
  const labels = contentKey === 'line' ? record(object.labels) : null
  const told = labelFacts(name => (labels !== null && Object.hasOwn(labels, name) ? text(labels[name]) : null))
  const stream = text(object.stream) ?? text(log?.stream) ?? told.stream
  const stampKey = STAMP_KEYS.find(key => typeof object[key] === 'string' || typeof object[key] === 'number') ?? null
  return {
    contentKey,
    stampKey,
    isStampText: stampKey !== null && typeof object[stampKey] === 'string',
    offsetPath:
      OFFSET_PATHS.find(path => {
        const value = path.reduce<unknown>((inner, key) => record(inner)?.[key], object)
        return typeof value === 'number'
      }) ?? null,
    isDocker: Object.keys(object).every(key => key === 'log' || key === 'stream' || key === 'time' || key === 'attrs'),
    isJoined: '_p' in object && object._p !== 'F',
    stream: stream === 'stdout' || stream === 'stderr' ? stream : null,
    pod: text(kubernetes?.pod_name) ?? text(record(kubernetes?.pod)?.name) ?? told.pod,
    namespace:
      text(kubernetes?.namespace_name) ??
      text(kubernetes?.namespace) ??
      text(kubernetes?.pod_namespace) ??
      told.namespace,
    container: text(kubernetes?.container_name) ?? text(record(kubernetes?.container)?.name) ?? told.container,
    node: text(kubernetes?.host) ?? text(object.node) ?? text(kubernetes?.pod_node_name) ?? told.node,
    path: text(object.log_path) ?? text(object.file) ?? text(record(log?.file)?.path) ?? told.path
  }
}

/** A JSON access format may have a `message` too; what it surely has is a status. */
function isAccessLog(object: Record<string, unknown>): boolean {
  return 'status' in object || 'remote_addr' in object || 'upstream_addr' in object
}

/** Fluent Bit writes seconds as a number, under `date` or, into Kafka, `@timestamp`; journald microseconds as text. */
function stampOf(object: Record<string, unknown>, { stampKey }: EnvelopeFacts): string {
  if (stampKey !== null) return String(object[stampKey])
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

/** The logs of a world as a shipper brings them into a topic: in chunks that come late, twice, and behind a rotation. */
import type { Random } from '../../bench/random.ts'
import type { RawMessage } from '../../src/source/kafka/batches.ts'
import { accessLine, cri, DAY_MS } from '../support/lines.ts'
import { fluentBitValue, SHIPPED_FROM, type ShippedRecord, shippedRecords } from '../support/shippedLog.ts'
import type { SimulatedPartition } from './clusterBroker.ts'
import { containerLog, PODS } from './world.ts'

interface Message {
  value: string
  /** The line, as nginx wrote it. */
  content: string
  /** The minute by its stamp; null: it has none. */
  minute: string | null
  isResend: boolean
}

interface Shipped {
  record: ShippedRecord
  path: string
}

interface Logs {
  chunks: Message[][]
  ends: Message[]
}

export interface SimulatedTopic {
  partitions: SimulatedPartition[]
  /** The same offsets, without what came twice. */
  withoutResends: SimulatedPartition[]
  /** `minute upstream` → requests and failures, counted from the lines themselves. */
  truth: Map<string, [requests: number, failures: number]>
}

const CHUNK_LINES_MAX = 12
/**
 * An error line that says that a success was cut comes this close behind it, and only so long a success is looked for. A
 * chunk that ends between the two and comes late leaves to chance whether it is still known.
 */
const TWO_PIPES_MS = 120
/** Later than every window reaches, and not so far ahead that it is not believed. */
const CLOSING_MS = DAY_MS + 1_800_000
const CLOSING_ACCESS = accessLine({ timeMs: CLOSING_MS, request: 'GET /closing HTTP/1.1', status: 200 })
/** A success and a notice, behind everything. */
const CLOSING = [
  cri(CLOSING_MS, 'stdout', CLOSING_ACCESS),
  cri(CLOSING_MS + 1, 'stderr', 'I1121 00:30:00.101010       7 main.go:1] "Closing"')
]
/** No file is written full and begun anew in less. */
const ROTATION_MS = 200
const ACCESS = /\[21\/Nov\/2026:(\d\d:\d\d):.*" (\d{3}) \d+ ".*" (\d+) [\d.]+ \[([^\]]*)\] \[([^\]]*)\] /

export function topicOf(seed: number, random: Random): SimulatedTopic {
  const [first, second] = PODS.map((pod, i) => {
    const path = `/var/log/containers/${pod}_ingress-nginx_controller-${'0123456789abcdef'.repeat(4)}.log`
    const generations = rotated(containerLog(seed * 7 + i, random), random)
    return generations.map(text => shippedRecords(Buffer.from(text, 'latin1')).map(record => ({ record, path })))
  }) as [Shipped[][], Shipped[][]]
  const shipped = [first, second].map(generations => {
    // Nothing is behind the closing lines.
    const ends = generations.at(-1)!.splice(-CLOSING.length)
    return { chunks: chunksOf(generations, random), ends: ends.map(messageOf) }
  })
  const plain = plainMessages(containerLog(seed * 7 + 5, random, false))
  const [{ chunks: ofFirst, ends: firstEnds }, { chunks: ofSecond, ends: secondEnds }] = shipped as [Logs, Logs]
  const messages =
    seed % 4 === 0
      ? [[...merged(ofFirst, ofSecond, random), ...firstEnds, ...secondEnds], [], plain]
      : [[...ofFirst.flat(), ...firstEnds], [...ofSecond.flat(), ...secondEnds], plain]
  const all = messages.map(partitionOf)
  return {
    partitions: all.map(({ partition }) => partition),
    withoutResends: all.map(({ withoutResends }) => withoutResends),
    truth: truthOf(messages.flat().filter(({ isResend }) => !isResend))
  }
}

/** One to three files. A rotation takes its time. */
function rotated(text: string, random: Random): string[] {
  const lines = [...text.split('\n').slice(0, -1), ...CLOSING]
  const stampMs = (line: string): number => Date.parse(`${line.slice(0, 23)}Z`)
  const files: string[][] = [[]]
  for (const [i, line] of lines.entries()) {
    const silenceMs = i === 0 ? 0 : stampMs(line) - stampMs(lines[i - 1]!)
    const isRotated = silenceMs >= ROTATION_MS && i < lines.length - CLOSING.length && random.share() < 0.06
    if (isRotated && files.length < 3) files.push([])
    files.at(-1)!.push(line)
  }
  return files.map(file => `${file.join('\n')}\n`)
}

/** What one container wrote, generation behind generation, in the order in which its chunks arrive. */
function chunksOf(generations: readonly Shipped[][], random: Random): Message[][] {
  const chunks: Message[][] = []
  for (const generation of generations) {
    const left = [...generation]
    while (left.length > 0) {
      let count = Math.min(left.length, 1 + random.below(CHUNK_LINES_MAX))
      while (count < left.length && silenceMs(left[count - 1]!, left[count]!) < TWO_PIPES_MS) count++
      chunks.push(left.splice(0, count).map(messageOf))
    }
  }
  // A chunk that failed is sent again later: behind others, and what of it had arrived comes twice.
  for (let at = chunks.length - 1; at >= 0; at--) {
    const chunk = chunks[at]!
    const fate = random.share()
    if (fate < 0.12) insertLater(chunks, at, again(chunk, random), random)
    else if (fate < 0.2) {
      chunks.splice(at, 1)
      insertLater(chunks, at - 1, chunk, random)
    }
  }
  return chunks
}

function silenceMs(before: Shipped, after: Shipped): number {
  return Date.parse(`${after.record.time.slice(0, 23)}Z`) - Date.parse(`${before.record.time.slice(0, 23)}Z`)
}

function insertLater(chunks: Message[][], at: number, chunk: Message[], random: Random): void {
  chunks.splice(Math.min(chunks.length, at + 2 + random.below(5)), 0, chunk)
}

function again(chunk: readonly Message[], random: Random): Message[] {
  const from = random.share() < 0.5 ? 0 : random.below(chunk.length)
  return chunk.slice(from).map(message => ({ ...message, isResend: true }))
}

function messageOf({ record, path }: Shipped): Message {
  const value = fluentBitValue(record, { ...SHIPPED_FROM, path })
  return { value, content: record.content, minute: record.time.slice(0, 16), isResend: false }
}

function merged(first: Message[][], second: Message[][], random: Random): Message[] {
  const messages: Message[] = []
  while (first.length + second.length > 0) {
    const isFirst = random.below(first.length + second.length) < first.length
    messages.push(...(isFirst ? first : second).shift()!)
  }
  return messages
}

/** Lines of a producer that sends nothing but them. */
function plainMessages(text: string): Message[] {
  const lines = [...text.split('\n').slice(0, -1), CLOSING_ACCESS]
  return lines.map(line => ({ value: line, content: line, minute: null, isResend: false }))
}

function partitionOf(messages: readonly Message[]): {
  partition: SimulatedPartition
  withoutResends: SimulatedPartition
} {
  const all: RawMessage[] = messages.map(({ value }, offset) => ({ offset, value: Buffer.from(value) }))
  const first = all.filter((_, offset) => !messages[offset]!.isResend)
  const end = messages.length
  return { partition: { messages: all, end }, withoutResends: { messages: first, end } }
}

function truthOf(messages: readonly Message[]): SimulatedTopic['truth'] {
  const truth: SimulatedTopic['truth'] = new Map()
  for (const { content, minute } of messages) {
    const fields = ACCESS.exec(content)
    if (fields === null) continue
    const [, ended, status, , name, alternative] = fields
    const key = `${minute ?? `2026-11-21T${ended}`} ${alternative || name}`
    const [requests, failures] = truth.get(key) ?? [0, 0]
    truth.set(key, [requests + 1, failures + (/^5|^00/.test(status!) ? 1 : 0)])
  }
  return truth
}

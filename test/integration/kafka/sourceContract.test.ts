/**
 * What every source must do, of a topic: a stream is a partition, a line is a message. The suite speaks of bytes, so offsets
 * are translated: the bytes of a message are its value and a line feed.
 */
import type { MessageBatch } from '../../../parsers/messageBatch.ts'
import { START } from '../../../src/checkpoint.ts'
import { KafkajsDriver } from '../../../src/source/kafka/kafkajsDriver.ts'
import { KafkaSource } from '../../../src/source/kafka/kafkaSource.ts'
import type { Source, SourceEvent, SourceStream, StreamState } from '../../../src/source/source.ts'
import { systemTicker, type Ticker } from '../../../src/source/ticker.ts'
import { describeSource, type SourceBed } from '../../source/contract.ts'
import { kafka, plain, SESSION_MS, TestTopic } from './kafkaBed.ts'

const PIECE_BYTES = 100_000

/** A tenth of a second is a second, so that silence comes sooner. */
const fastTicker: Ticker = {
  wallMs: () => systemTicker.wallMs(),
  steadyMs: () => systemTicker.steadyMs() * 10,
  sleep: (ms, signal) => systemTicker.sleep(ms / 10, signal)
}

/** Where each message of each partition begins, in bytes; the last entry is the end. */
class Layout {
  readonly #begins = new Map<number, number[]>()

  add(partition: number, values: string[]): void {
    const begins = this.#begins.get(partition) ?? [0]
    for (const value of values) begins.push(begins.at(-1)! + value.length + 1)
    this.#begins.set(partition, begins)
  }

  byteOf(partition: number, offset: number): number {
    return this.#begins.get(partition)![offset]!
  }

  offsetOf(partition: number, byte: number): number {
    return this.#begins.get(partition)!.indexOf(byte)
  }
}

/** Every value with its line feed, without what lies between them. */
function valuesOf({ bytes, starts, ends }: MessageBatch): Buffer[] {
  return Array.from(ends, (end, i) => bytes.subarray(starts[i], end + 1))
}

/** Whole messages each: the suite stops in the middle of a fetch as well. */
function* piecesOf(values: readonly Buffer[]): Generator<Buffer> {
  let piece: Buffer[] = []
  let length = 0
  for (const [i, value] of values.entries()) {
    piece.push(value)
    length += value.length
    if (length < PIECE_BYTES && i < values.length - 1) continue
    yield Buffer.concat(piece)
    piece = []
    length = 0
  }
}

/** Tells messages as chunks. */
class ByteSource implements Source {
  readonly isRepeatable = true
  readonly #source: KafkaSource
  readonly #layout: Layout
  readonly #streams = new Map<SourceStream, SourceStream>()

  constructor(source: KafkaSource, layout: Layout) {
    this.#source = source
    this.#layout = layout
  }

  async *read(signal: AbortSignal): AsyncGenerator<SourceEvent> {
    for await (const event of this.#source.read(signal)) {
      if (event.kind !== 'messages') yield event
      else if (event.batch.count > 0) {
        const values = valuesOf(event.batch)
        const stream = this.#streamOf(event.stream, Buffer.concat(values))
        for (const bytes of piecesOf(values)) if (!signal.aborted) yield { kind: 'chunk', stream, bytes }
      }
    }
  }

  #streamOf(stream: SourceStream, first: Buffer): SourceStream {
    let known = this.#streams.get(stream)
    if (known === undefined) {
      const { id, name, resume } = stream
      const from = resume === null ? 0 : this.#layout.byteOf(stream.partition!.partition, resume.from)
      const head = first.subarray(0, 1_024)
      const place = (readTo: number) => stream.place(this.#layout.offsetOf(stream.partition!.partition, readTo))
      known = {
        id,
        name,
        group: null,
        modifiedMs: null,
        head,
        resume: resume && { ...resume, from },
        isAtEnd: false,
        newestMs: 0,
        place
      }
      this.#streams.set(stream, known)
    }
    return known
  }
}

function topicBed(): SourceBed {
  const layout = new Layout()
  const created = TestTopic.create(3)
  const drivers: KafkajsDriver[] = []
  /** What the suite has abandoned leaves the group, as a process that died does. */
  const forget = () => Promise.all(drivers.splice(0).map(driver => driver.leave()))
  return {
    open: known => {
      const leaving = forget()
      let source: KafkaSource | null = null
      const open = async (): Promise<KafkaSource> => {
        await leaving
        const topic = await created
        const { groupId, name } = topic
        const driver = new KafkajsDriver(plain(topic.brokers), {
          topic: name,
          groupId,
          sessionTimeoutMs: SESSION_MS,
          log: () => {}
        })
        drivers.push(driver)
        const claim = async (streams: string[]) =>
          known.filter(({ stream }) => streams.includes(stream)).map(state => inOffsets(state, layout))
        return new KafkaSource({ driver, config: { topic: name, groupId }, claim, log: () => {}, ticker: fastTicker })
      }
      return {
        isRepeatable: true,
        async *read(signal) {
          source ??= await open()
          yield* new ByteSource(source, layout).read(signal)
        }
      }
    },
    write: async (stream, bytes) => {
      const partition = Number(stream.slice(1))
      const values = bytes.split('\n').slice(0, -1)
      layout.add(partition, values)
      const topic = await created
      for (let at = 0; at < values.length; at += 2_000) await topic.write(partition, values.slice(at, at + 2_000))
    },
    finish: () => {},
    taken: () => null,
    remove: async () => {
      await forget()
      await (await created).remove()
    }
  }
}

function inOffsets(state: StreamState, layout: Layout): StreamState {
  const { partition } = state.place as { partition: number }
  const offset = layout.offsetOf(partition, state.read.readTo)
  return { ...state, read: { ...START, readTo: offset, from: offset } }
}

if (kafka !== null) describeSource('a topic', { streams: 3, resumes: true, ends: false }, topicBed)

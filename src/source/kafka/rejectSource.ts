/** The topic of rejects, from its beginning to where it ends now: lines to read again, documents to write again. */

import { randomUUID } from 'node:crypto'
import type { Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs'
import { ShipperRuns } from '../shipperRuns.ts'
import type { Source, SourceEvent, SourceStream } from '../source.ts'
import { batchesOf } from './batches.ts'
import { registerCodecs } from './codecs.ts'
import type { KafkaConnection } from './connection.ts'
import type { DriverLog } from './driver.ts'
import { createClient, kafkaError, RETRY } from './kafkajsClient.ts'

const REQUEST_MS = 120_000
const SESSION_MS = 45_000
/** What waits here before reading pauses. */
const BYTES_MAX = 16 << 20

export interface RejectSourceOptions {
  connection: KafkaConnection
  /** `source.kafka.rejectTopic`. */
  topic: string
  /** Of the workers: the group for this occasion has it in its name. */
  groupId: string
  /** Told of each document that the store had refused, as text. */
  onDocument: (json: string) => void
  log: DriverLog
}

interface Waiting {
  stream: SourceStream
  messages: KafkaMessage[]
}

export class RejectSource implements Source {
  readonly isRepeatable = true
  /** Messages that were met; rejects of lines among them. */
  messages = 0
  readonly #options: RejectSourceOptions
  /** `stream@offset` → where the line was read first, `topic/partition@offset`. */
  readonly #origins = new Map<string, string>()
  readonly #waiting: Waiting[] = []
  #bytes = 0
  #error: unknown = null
  #wake: () => void = () => {}

  constructor(options: RejectSourceOptions) {
    this.#options = options
  }

  /** What names the line that was read from `stream` at this offset, the same however often it was rejected and replayed. */
  originOf(stream: string, offset: number): string {
    return this.#origins.get(`${stream}@${offset}`) ?? `${stream}@${offset}`
  }

  async *read(signal: AbortSignal): AsyncGenerator<SourceEvent> {
    const { connection, topic, groupId, log } = this.#options
    await registerCodecs()
    const client = createClient({ connection, log, requestTimeoutMs: REQUEST_MS })
    const admin = client.admin()
    const occasion = `${groupId}-replay-${randomUUID()}`
    const consumer = client.consumer({
      groupId: occasion,
      sessionTimeout: SESSION_MS,
      allowAutoTopicCreation: false,
      retry: RETRY
    })
    try {
      await admin.connect()
      const marks = await admin.fetchTopicOffsets(topic)
      const ends = new Map(marks.map(({ partition, high }) => [partition, Number(high)]))
      const left = new Set(
        marks.filter(({ low, high }) => Number(low) < Number(high)).map(({ partition }) => partition)
      )
      const streams = new Map(marks.map(({ partition }) => [partition, streamOf(topic, partition)]))
      if (left.size === 0) return
      await this.#run(consumer, streams)
      while (left.size > 0 && !signal.aborted) {
        if (this.#error !== null) throw this.#error
        const next = this.#waiting.shift()
        if (next === undefined) {
          yield { kind: 'idle', idleMs: 0 }
          await this.#something(signal)
          continue
        }
        const { stream, messages } = next
        const { partition } = stream.partition!
        this.#bytes -= bytesOf(messages)
        if (this.#bytes < BYTES_MAX / 2) consumer.resume([{ topic }])
        const wanted = messages.filter(({ offset }) => Number(offset) < ends.get(partition)!)
        for (const batch of batchesOf(this.#lines(stream, wanted))) yield { kind: 'messages', stream, batch }
        if (Number(messages.at(-1)!.offset) + 1 < ends.get(partition)!) continue
        left.delete(partition)
        yield { kind: 'end', stream }
      }
    } catch (error) {
      throw kafkaError(`cannot read topic ${topic}`, connection, error)
    } finally {
      await consumer.disconnect()
      // Nobody comes back to it.
      await admin.deleteGroups([occasion]).catch(() => {})
      await admin.disconnect()
    }
  }

  async #run(consumer: Consumer, streams: ReadonlyMap<number, SourceStream>): Promise<void> {
    const { topic } = this.#options
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (payload.restart) return
      this.#error = payload.error
      this.#wake()
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch, pause }: EachBatchPayload) => {
        this.#waiting.push({ stream: streams.get(batch.partition)!, messages: batch.messages })
        this.#bytes += bytesOf(batch.messages)
        if (this.#bytes > BYTES_MAX) pause()
        this.#wake()
        return Promise.resolve()
      }
    })
  }

  /** Lines that nobody could read; documents are told at once. */
  #lines(stream: SourceStream, messages: readonly KafkaMessage[]): KafkaMessage[] {
    return messages.filter(({ headers, offset, value }) => {
      this.messages++
      const header = (name: string): string | undefined => headers?.[`why5xx.${name}`]?.toString()
      if (header('stage') === 'sink') {
        if (value !== null) this.#options.onDocument(value.toString())
        return false
      }
      const first = header('topic')
      if (first !== undefined)
        this.#origins.set(`${stream.id}@${offset}`, `${first}/${header('partition')}@${header('offset')}`)
      return true
    })
  }

  /** Something has come, a second is over, or the reading is to end. */
  #something(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(() => this.#wake(), 1_000)
      const wake = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#wake = wake
      signal.addEventListener('abort', wake, { once: true })
    })
  }
}

function streamOf(topic: string, partition: number): SourceStream {
  return {
    id: `${topic}/${partition}`,
    name: `${topic}/${partition}`,
    group: null,
    modifiedMs: null,
    head: Buffer.alloc(0),
    resume: null,
    isAtEnd: false,
    partition: { topic, partition, shipper: new ShipperRuns(null) },
    newestMs: Number.NEGATIVE_INFINITY,
    // Lines that fail again are to be tried again the next time, so no position is kept.
    place: () => null
  }
}

function bytesOf(messages: readonly KafkaMessage[]): number {
  return messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
}

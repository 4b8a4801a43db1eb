/** The topic of rejects, from its beginning to where it ends now: lines to read again, documents to write again. */

import { randomUUID } from 'node:crypto'
import type { Consumer, KafkaMessage } from 'kafkajs'
import type { Source, SourceEvent } from '../source.ts'
import { registerCodecs } from './codecs.ts'
import type { KafkaConnection } from './connection.ts'
import type { DriverLog } from './driver.ts'
import { createClient, kafkaError, RETRY } from './kafkajsClient.ts'
import { RejectedLines } from './rejectedLines.ts'

const REQUEST_MS = 120_000
const SESSION_MS = 45_000
const ASKED_MS = 10_000
const ASKED_RETRY = { ...RETRY, retries: 2 }
/** What waits here before reading pauses. */
const BYTES_MAX = 16 << 20

export interface RejectSourceOptions {
  connection: KafkaConnection
  /** `source.kafka.rejectTopic`. */
  topic: string
  /** Of the workers: the group for this occasion has it in its name. */
  groupId: string
  /** Takes documents that the store had refused, as texts; no more are read before it resolves. */
  onDocuments: (texts: string[]) => Promise<void>
  log: DriverLog
}

interface Waiting {
  partition: number
  messages: KafkaMessage[]
}

export class RejectSource implements Source {
  readonly isRepeatable = true
  /** Messages that were met, rejects of lines and of documents. */
  messages = 0
  readonly #options: RejectSourceOptions
  readonly #lines = new RejectedLines()
  readonly #waiting: Waiting[] = []
  #bytes = 0
  #error: unknown = null
  #wake: () => void = () => {}

  constructor(options: RejectSourceOptions) {
    this.#options = options
  }

  async *read(signal: AbortSignal): AsyncGenerator<SourceEvent> {
    const { connection, topic, groupId, log } = this.#options
    await registerCodecs()
    const client = createClient({ connection, log, requestTimeoutMs: REQUEST_MS })
    // A wrong address or name is to be told at once: a person waits.
    const admin = createClient({ connection, log, requestTimeoutMs: ASKED_MS, retry: ASKED_RETRY }).admin()
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
      if (left.size === 0) return
      await this.#run(consumer)
      while (left.size > 0 && !signal.aborted) {
        if (this.#error !== null) throw this.#error
        const next = this.#waiting.shift()
        if (next === undefined) {
          yield { kind: 'idle', idleMs: 0 }
          await this.#something(signal)
          continue
        }
        const { partition, messages } = next
        const end = ends.get(partition)!
        this.#bytes -= bytesOf(messages)
        if (this.#bytes < BYTES_MAX / 2) consumer.resume([{ topic }])
        const wanted = messages.filter(({ offset }) => Number(offset) < end)
        this.messages += wanted.length
        yield* this.#lines.events(
          topic,
          partition,
          wanted.filter(message => !isDocument(message))
        )
        await this.#tellDocuments(wanted.filter(isDocument))
        if (Number(messages.at(-1)!.offset) + 1 >= end) left.delete(partition)
      }
      for (const stream of this.#lines.streams) yield { kind: 'end', stream }
    } catch (error) {
      throw kafkaError(`cannot read topic ${topic}`, connection, error)
    } finally {
      await consumer.disconnect()
      // Nobody comes back to it.
      await admin.deleteGroups([occasion]).catch(() => {})
      await admin.disconnect()
    }
  }

  async #run(consumer: Consumer): Promise<void> {
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
      eachBatch: payload => {
        const { batch } = payload
        this.#waiting.push({ partition: batch.partition, messages: batch.messages })
        this.#bytes += bytesOf(batch.messages)
        if (this.#bytes > BYTES_MAX) payload.pause()
        this.#wake()
        return Promise.resolve()
      }
    })
  }

  async #tellDocuments(messages: readonly KafkaMessage[]): Promise<void> {
    const texts = messages.flatMap(({ value }) => (value === null ? [] : [value.toString()]))
    if (texts.length > 0) await this.#options.onDocuments(texts)
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

function isDocument({ headers }: KafkaMessage): boolean {
  return headers?.['why5xx.stage']?.toString() === 'sink'
}

function bytesOf(messages: readonly KafkaMessage[]): number {
  return messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
}

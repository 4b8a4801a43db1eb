/** Writes the record into a topic: a message an event, in one order, by one sender. */

import kafkajs, { type Producer } from 'kafkajs'
import type { KafkaConnection } from '../source/kafka/connection.ts'
import type { DriverLog } from '../source/kafka/driver.ts'
import { isTooLarge, kafkaError } from '../source/kafka/kafkaError.ts'
import { createClient } from '../source/kafka/kafkajsClient.ts'
import type { ClusterEvent } from './event.ts'
import { requireRecordTopic } from './kafkaRecordTopic.ts'
import type { ClusterRecordWriter, RecordWriterFacts } from './record.ts'
import { nameOnly } from './recordedJson.ts'
import { type EncodedEvent, RecordQueue } from './recordQueue.ts'

export interface KafkaRecordOptions {
  connection: KafkaConnection
  topic: string
  /** Id of this watch. */
  writer: string
  /** Events were given up: a whole list is needed. */
  onOverflow: () => void
  /** A sentence for the log. */
  say: (text: string) => void
  log: DriverLog
  waitingBytesMax?: number
  closingMs?: number
}

const REQUEST_MS = 10_000
/** Short: the queue tries again itself, and says so. */
const ATTEMPT = { initialRetryTime: 200, retries: 2, maxRetryTime: 1_000, factor: 0.2, multiplier: 2 }

/** Throws Why5xxError `WHY5XX_KAFKA` when the brokers cannot be reached, or the topic cannot be had. */
export async function openKafkaRecord(options: KafkaRecordOptions): Promise<ClusterRecordWriter> {
  const { connection, topic, say, log } = options
  const admin = createClient({ connection, log, requestTimeoutMs: REQUEST_MS, retry: ATTEMPT }).admin()
  try {
    await admin.connect()
    await requireRecordTopic(admin, topic, say)
  } catch (error) {
    throw kafkaError(`cannot record into topic ${topic}`, connection, error)
  } finally {
    await admin.disconnect().catch(() => {})
  }
  return new KafkaRecordWriter(options)
}

class KafkaRecordWriter implements ClusterRecordWriter {
  readonly #options: KafkaRecordOptions
  readonly #queue: RecordQueue
  readonly #producer: Producer
  #isConnected = false
  /** Of what the brokers have of a batch that failed: it comes again. */
  #sentNumber = 0

  constructor(options: KafkaRecordOptions) {
    const { connection, topic, writer, onOverflow, say, log, waitingBytesMax, closingMs } = options
    this.#options = options
    this.#producer = createClient({ connection, log, requestTimeoutMs: REQUEST_MS, retry: ATTEMPT }).producer({
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      retry: ATTEMPT
    })
    this.#queue = new RecordQueue({
      writer,
      onOverflow,
      say,
      write: batch => this.#send(batch.filter(({ number }) => number > this.#sentNumber)),
      reasonOf: error => kafkaError(`cannot record into topic ${topic}`, connection, error).message,
      ...(waitingBytesMax !== undefined && { waitingBytesMax }),
      ...(closingMs !== undefined && { closingMs })
    })
  }

  get facts(): RecordWriterFacts {
    return this.#queue.facts
  }

  append(events: readonly ClusterEvent[]): Promise<void> {
    return this.#queue.append(events)
  }

  async close(): Promise<void> {
    await this.#queue.close()
    await this.#producer.disconnect()
  }

  async #send(batch: readonly EncodedEvent[]): Promise<void> {
    if (batch.length === 0) return
    try {
      await this.#attempt(batch)
    } catch (error) {
      if (!isTooLarge(error)) throw error
      if (batch.length === 1) return this.#sendName(batch[0]!)
      // The topic takes less than brokers do by default. In order: the first half first.
      const middle = batch.length >> 1
      await this.#send(batch.slice(0, middle))
      await this.#send(batch.slice(middle))
    }
  }

  async #attempt(batch: readonly EncodedEvent[]): Promise<void> {
    if (!this.#isConnected) await this.#producer.connect()
    this.#isConnected = true
    await this.#producer.send({
      topic: this.#options.topic,
      acks: -1,
      compression: kafkajs.CompressionTypes.GZIP,
      messages: batch.map(({ event, json }) => ({
        partition: 0,
        key: keyOf(event),
        value: json,
        timestamp: String(Math.floor(event.at))
      }))
    })
    this.#sentNumber = batch.at(-1)!.number
  }

  /** The topic does not take the object: that it is there is told all the same. */
  async #sendName(event: EncodedEvent): Promise<void> {
    const { topic, say } = this.#options
    const json = nameOnly(event.json)
    this.facts.cut++
    try {
      say(`topic ${topic} does not take ${keyOf(event.event)}, ${event.bytes} bytes: its name is recorded alone`)
      await this.#attempt([{ ...event, json }])
    } catch (error) {
      if (!isTooLarge(error)) throw error
      say(`topic ${topic} does not even take that: ${keyOf(event.event)} is not recorded`)
      this.facts.dropped++
      this.#sentNumber = event.number
    }
  }
}

/** For whoever reads the topic with other tools. */
function keyOf(event: ClusterEvent): string {
  if (!('object' in event)) return event.type
  const { kind, metadata } = event.object
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name}`.slice(0, 1_000)
}

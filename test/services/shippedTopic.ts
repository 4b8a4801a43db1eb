/** What a shipper has put into a topic, read by a group of the test's own. */
import { randomUUID } from 'node:crypto'
import kafkajs, { type Consumer } from 'kafkajs'
import { registerCodecs } from '../../src/source/kafka/codecs.ts'
import { shippedRecords } from '../support/shippedLog.ts'
import type { ContainerLog } from './containerLog.ts'
import { eventually } from './latch.ts'

const ALL_SENT_MS = 60_000

/** A record as Fluent Bit writes it. */
export interface SentRecord {
  '@timestamp': string
  time: string
  stream: string
  _p: string
  log: string
  log_path: string
  log_offset: number
  node: string
  cluster: string
}

export interface SentMessage {
  partition: number
  key: string
  /** Its text. */
  value: string
  record: SentRecord
}

export class ShippedTopic {
  /** In the order of their partition; of several partitions in any. */
  readonly messages: SentMessage[] = []
  /** `path time offset` of every record. */
  readonly #known = new Set<string>()
  readonly #consumer: Consumer
  readonly #forget: () => Promise<void>

  private constructor(consumer: Consumer, forget: () => Promise<void>) {
    this.#consumer = consumer
    this.#forget = forget
  }

  /** Reads the topic from its beginning on. */
  static async follow(brokers: string[], topic: string): Promise<ShippedTopic> {
    await registerCodecs()
    const client = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 20 } })
    const groupId = `shipped-${randomUUID()}`
    const consumer = client.consumer({ groupId, maxWaitTimeInMs: 100 })
    const followed = new ShippedTopic(consumer, async () => {
      const admin = client.admin()
      await admin.connect()
      await admin.deleteGroups([groupId])
      await admin.disconnect()
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ partition, message: { key, value } }) =>
        followed.#take(partition, String(key), String(value))
    })
    return followed
  }

  /** Waits until the topic holds every line of these logs. */
  static async holdsAll(brokers: string[], topic: string, logs: readonly ContainerLog[]): Promise<void> {
    const followed = await ShippedTopic.follow(brokers, topic)
    try {
      await followed.holds(logs)
    } finally {
      await followed.close()
    }
  }

  async holds(logs: readonly ContainerLog[]): Promise<void> {
    const expected = logs.flatMap(log =>
      log
        .generations()
        .flatMap(bytes => shippedRecords(bytes).map(({ time, offset }) => nameOf(log.path, time, offset)))
    )
    await eventually(
      () => (expected.every(name => this.#known.has(name)) ? true : undefined),
      'not every line was sent',
      ALL_SENT_MS
    )
  }

  async close(): Promise<void> {
    await this.#consumer.disconnect()
    await this.#forget()
  }

  #take(partition: number, key: string, value: string): void {
    const record = JSON.parse(value) as SentRecord
    this.messages.push({ partition, key, value, record })
    this.#known.add(nameOf(record.log_path, record.time, record.log_offset))
  }
}

function nameOf(path: string, time: string, offset: number): string {
  return `${path} ${time} ${offset}`
}

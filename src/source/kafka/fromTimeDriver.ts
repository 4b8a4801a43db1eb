/**
 * A driver whose group is its own and begins at a moment: partitions are read from the messages of that time on, nothing is
 * committed, and the group goes with the process. So any number of processes read the topic whole, beside each other.
 */

import type { Admin } from 'kafkajs'
import type { KafkaConnection } from './connection.ts'
import type { DriverHandlers, DriverLog, KafkaDriver, Watermarks } from './driver.ts'
import { kafkaError } from './kafkaError.ts'
import { createClient, RETRY } from './kafkajsClient.ts'

export interface FromTimeOptions {
  connection: KafkaConnection
  topic: string
  groupId: string
  /** Times of messages, Unix ms. */
  fromMs: () => number
  log: DriverLog
  /** The client library, in tests. */
  create?: typeof createClient
}

const REQUEST_MS = 10_000

export class FromTimeDriver implements KafkaDriver {
  readonly #driver: KafkaDriver
  readonly #options: FromTimeOptions
  /** Where partitions begin: asked for once each, and moved by commits. */
  readonly #begins = new Map<number, number>()
  #admin: Admin | null = null

  /** `driver` is one of the same topic and group. */
  constructor(driver: KafkaDriver, options: FromTimeOptions) {
    this.#driver = driver
    this.#options = options
  }

  async join(handlers: DriverHandlers): Promise<void> {
    const { connection, topic, log, create = createClient } = this.#options
    const admin = create({ connection, log, requestTimeoutMs: REQUEST_MS, retry: { ...RETRY, retries: 3 } }).admin()
    try {
      await admin.connect()
    } catch (error) {
      throw kafkaError(`cannot read topic ${topic}`, connection, error)
    }
    this.#admin = admin
    await this.#driver.join(handlers)
  }

  /** What was "committed" is where to begin; a partition without newer messages begins at its end. */
  async committed(): Promise<ReadonlyMap<number, number>> {
    const { topic, fromMs } = this.#options
    if (this.#admin === null) throw new Error('not connected')
    const found = await this.#admin.fetchTopicOffsetsByTimestamp(topic, Math.floor(fromMs()))
    for (const { partition, offset } of found)
      if (!this.#begins.has(partition)) this.#begins.set(partition, Number(offset))
    return this.#begins
  }

  /** Remembered here, and nowhere else. */
  async commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    for (const [partition, offset] of offsets) this.#begins.set(partition, offset)
  }

  async leave(): Promise<void> {
    const { groupId, log } = this.#options
    const admin = this.#admin
    this.#admin = null
    await this.#driver.leave()
    // Without offsets the brokers would forget it as well, some time later.
    await admin?.deleteGroups([groupId]).catch((error: Error) => log('debug', error.message, { groupId }))
    await admin?.disconnect().catch(() => {})
  }

  start(partition: number, offset: number): void {
    this.#driver.start(partition, offset)
  }

  pause(partition: number): void {
    this.#driver.pause(partition)
  }

  resume(partition: number): void {
    this.#driver.resume(partition)
  }

  watermarks(): Promise<ReadonlyMap<number, Watermarks>> {
    return this.#driver.watermarks()
  }

  get aliveMs(): number | null {
    return this.#driver.aliveMs
  }

  get hasJoined(): boolean {
    return this.#driver.hasJoined
  }
}

/** The fast driver: librdkafka through node-rdkafka. Members of one group must all use the same driver: their assignments differ. */

import { setTimeout } from 'node:timers/promises'
import { Why5xxError } from '../../errors.ts'
import { batchesOf } from './batches.ts'
import type { KafkaConnection } from './connection.ts'
import type { DriverHandlers, DriverOptions, KafkaDriver, Watermarks } from './driver.ts'
import { kafkaError } from './kafkaError.ts'
import {
  connectionSettings,
  loadRdkafka,
  type RdkafkaConsumer,
  type RdkafkaError,
  type RdkafkaMessage,
  type RdkafkaPartition
} from './rdkafka.ts'

const ASSIGN = -175
const REVOKE = -174
/** The partition's fetcher has not started yet. */
const WRONG_STATE = -172
/** Codec, damage, fatal, not allowed, another kind of member in the group: no attempt after these will do better. */
const HOPELESS = new Map([
  [-170, 'a batch has a codec that is not known'],
  [-198, 'a batch cannot be unpacked'],
  [-199, 'a batch is damaged'],
  [-150, 'the client has given up'],
  [23, 'members of the group use another driver: all must use the same'],
  [29, 'we may not read the topic'],
  [30, 'we may not join the group']
])
const CONNECT_MS = 15_000
const REQUEST_MS = 5_000
const SEEK_MS = 5_000
const RETRY_MS = 100
/** How long one call waits for messages, and how many it brings. */
const CONSUME_MS = 200
const CONSUME_COUNT = 2_000

export class RdkafkaDriver implements KafkaDriver {
  aliveMs: number | null = null
  hasJoined = false
  readonly #connection: KafkaConnection
  readonly #options: DriverOptions
  readonly #load: typeof loadRdkafka
  #consumer: RdkafkaConsumer | null = null
  #handlers: DriverHandlers | null = null
  #generation = 0
  /** By partition that is ours: its generation. */
  readonly #owned = new Map<number, number>()
  /** By partition that was started: where its next message is expected. */
  readonly #nextOffsets = new Map<number, number>()
  /** By partition: started, but not before the call that brings messages is over. */
  readonly #starts = new Map<number, number>()
  /** Offsets that were passed over: holes, or what had expired. */
  #skipped: { partition: number; generation: number; from: number; to: number }[] = []
  readonly #marks = new Map<number, Watermarks>()
  #committing: { resolve: () => void; reject: (error: Error) => void } | null = null
  #loop: Promise<void> = Promise.resolve()

  /** `load`: the client library, in tests. */
  constructor(connection: KafkaConnection, options: DriverOptions, load = loadRdkafka) {
    this.#connection = connection
    this.#options = options
    this.#load = load
  }

  async join(handlers: DriverHandlers): Promise<void> {
    const { topic } = this.#options
    const { KafkaConsumer } = await this.#load()
    const settings = {
      ...this.#settings(),
      ...connectionSettings(this.#connection),
      // Also of one that we have left: it waits for an answer before it closes.
      rebalance_cb: (error: RdkafkaError, partitions: RdkafkaPartition[]) =>
        this.#rebalance(consumer, error, partitions),
      offset_commit_cb: (error: RdkafkaError | null) => this.#commitAnswered(error)
    }
    let consumer: RdkafkaConsumer
    try {
      consumer = new KafkaConsumer(settings, { 'auto.offset.reset': 'earliest' })
    } catch (error) {
      throw kafkaError('node-rdkafka refuses its settings', this.#connection, error)
    }
    this.#consumer = consumer
    this.#handlers = handlers
    try {
      await called(done => consumer.connect({ timeout: CONNECT_MS }, done))
      const metadata = await called<{ topics: { name: string; partitions: unknown[] }[] }>(done =>
        consumer.getMetadata({ topic, timeout: REQUEST_MS }, done)
      )
      if (!metadata.topics.some(({ name, partitions }) => name === topic && partitions.length > 0))
        throw new Why5xxError(
          'WHY5XX_KAFKA',
          `the brokers have no topic ${topic}, or we are not allowed to see it: create it first`
        )
    } catch (error) {
      if (this.#consumer !== consumer) return
      await this.leave()
      throw kafkaError(`cannot read topic ${topic}`, this.#connection, error)
    }
    if (this.#consumer !== consumer) return
    consumer.on('event.stats', ({ message }) => {
      if (hasBroker(message)) this.aliveMs = Date.now()
    })
    consumer.on('event.error', error => this.#trouble(error))
    consumer.setDefaultConsumeTimeout(CONSUME_MS)
    consumer.subscribe([topic])
    this.#loop = this.#run(consumer)
  }

  start(partition: number, offset: number): void {
    if (!this.#owned.has(partition)) return
    this.#nextOffsets.delete(partition)
    this.#starts.set(partition, offset)
  }

  pause(partition: number): void {
    if (this.#nextOffsets.has(partition)) this.#consumer?.pause([this.#of(partition)])
  }

  resume(partition: number): void {
    if (this.#nextOffsets.has(partition)) this.#consumer?.resume([this.#of(partition)])
  }

  async committed(): Promise<ReadonlyMap<number, number>> {
    const consumer = this.#theConsumer
    const asked = [...this.#owned.keys()].map(partition => this.#of(partition))
    const found = await called<(RdkafkaPartition | Error)[]>(done => consumer.committed(asked, REQUEST_MS, done))
    const offsets = new Map<number, number>()
    for (const one of found) {
      if (one instanceof Error) throw one
      if (one.offset !== undefined && one.offset >= 0) offsets.set(one.partition, one.offset)
    }
    return offsets
  }

  /** Of the partitions that are ours. */
  async watermarks(): Promise<ReadonlyMap<number, Watermarks>> {
    const consumer = this.#theConsumer
    const { topic } = this.#options
    const marks = new Map<number, Watermarks>()
    await Promise.all(
      [...this.#owned.keys()].map(async partition => {
        const { lowOffset: low, highOffset: high } = await called<{ lowOffset: number; highOffset: number }>(done =>
          consumer.queryWatermarkOffsets(topic, partition, REQUEST_MS, done)
        )
        marks.set(partition, { low, high })
        this.#marks.set(partition, { low, high })
      })
    )
    this.aliveMs = Date.now()
    this.#tellExpired(marks)
    return marks
  }

  commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    return new Promise((resolve, reject) => {
      // One that was never answered: its connection is gone.
      this.#committing?.reject(new Error('the commit was not answered'))
      this.#committing = { resolve, reject }
      this.#theConsumer.commit([...offsets].map(([partition, offset]) => ({ ...this.#of(partition), offset })))
    })
  }

  async leave(): Promise<void> {
    const consumer = this.#consumer
    this.#consumer = null
    this.#handlers = null
    this.#owned.clear()
    this.#nextOffsets.clear()
    this.#starts.clear()
    this.hasJoined = false
    this.#committing?.reject(new Error('the group was left'))
    this.#committing = null
    // Closing waits for the callback of the rebalance; the call that brings messages must be over first.
    await this.#loop
    if (consumer !== null) await new Promise<void>(resolve => consumer.disconnect(resolve))
  }

  get #theConsumer(): RdkafkaConsumer {
    if (this.#consumer === null) throw new Error('not connected')
    return this.#consumer
  }

  #of(partition: number): RdkafkaPartition {
    return { topic: this.#options.topic, partition }
  }

  #settings(): Record<string, unknown> {
    const { groupId, sessionTimeoutMs } = this.#options
    return {
      'group.id': groupId,
      'session.timeout.ms': sessionTimeoutMs,
      'heartbeat.interval.ms': Math.min(3_000, Math.floor(sessionTimeoutMs / 3)),
      'max.poll.interval.ms': Math.max(300_000, sessionTimeoutMs),
      'partition.assignment.strategy': 'cooperative-sticky',
      'enable.auto.commit': false,
      'enable.auto.offset.store': false,
      // Otherwise a call goes on until it has all it asked for, as long as there is a trickle.
      'enable.partition.eof': true,
      // A question to a broker waits behind the fetch that waits there.
      'fetch.wait.max.ms': 100,
      'queued.min.messages': CONSUME_COUNT,
      'queued.max.messages.kbytes': 8_192,
      'statistics.interval.ms': 5_000
    }
  }

  /** librdkafka waits until it was told what to do about the partitions. */
  #rebalance(consumer: RdkafkaConsumer, { code, message }: RdkafkaError, partitions: RdkafkaPartition[]): void {
    const numbers = partitions.map(({ partition }) => partition)
    try {
      if (code === ASSIGN) this.#assigned(consumer, partitions, numbers)
      else if (code === REVOKE) this.#revoked(consumer, partitions, numbers)
      else this.#options.log('warn', `node-rdkafka: ${message}`, {})
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      this.#options.log('warn', `node-rdkafka: a rebalance failed: ${text}`, { partitions: numbers })
    }
  }

  #assigned(consumer: RdkafkaConsumer, partitions: RdkafkaPartition[], numbers: number[]): void {
    if (consumer.rebalanceProtocol() === 'COOPERATIVE') consumer.incrementalAssign(partitions)
    else consumer.assign(partitions)
    if (partitions.length > 0) consumer.pause(partitions)
    if (this.#consumer !== consumer) return
    this.hasJoined = true
    this.#generation++
    for (const partition of numbers) this.#owned.set(partition, this.#generation)
    this.#handlers?.assigned(this.#generation, numbers)
  }

  #revoked(consumer: RdkafkaConsumer, partitions: RdkafkaPartition[], numbers: number[]): void {
    if (this.#consumer === consumer) {
      this.#handlers?.rebalancing()
      for (const partition of numbers) {
        this.#owned.delete(partition)
        this.#nextOffsets.delete(partition)
        this.#starts.delete(partition)
      }
      this.#handlers?.revoked(numbers)
    }
    if (consumer.rebalanceProtocol() === 'COOPERATIVE') consumer.incrementalUnassign(partitions)
    else consumer.unassign()
  }

  /** Starts come between two calls, so that no message from before a start can be taken for one behind it. */
  async #run(consumer: RdkafkaConsumer): Promise<void> {
    while (this.#consumer === consumer) {
      try {
        for (const [partition, offset] of this.#starts) await this.#start(consumer, partition, offset)
        if (this.#consumer !== consumer) return
        this.#take(await called<RdkafkaMessage[]>(done => consumer.consume(CONSUME_COUNT, done)))
      } catch (error) {
        if (this.#consumer !== consumer) return
        this.#trouble(error as RdkafkaError)
        await setTimeout(RETRY_MS)
      }
    }
  }

  async #start(consumer: RdkafkaConsumer, partition: number, offset: number): Promise<void> {
    try {
      await called(done => consumer.seek({ ...this.#of(partition), offset }, SEEK_MS, done))
    } catch (error) {
      // It stays in the list; meanwhile the others are read.
      const { code, message } = error as RdkafkaError
      if (code !== WRONG_STATE) this.#options.log('warn', `node-rdkafka: ${message}`, { partition, offset })
      return
    }
    if (this.#starts.get(partition) !== offset) return
    this.#starts.delete(partition)
    this.#nextOffsets.set(partition, offset)
    consumer.resume([this.#of(partition)])
  }

  #take(messages: RdkafkaMessage[]): void {
    const byPartition = new Map<number, RdkafkaMessage[]>()
    for (const message of messages) {
      const expected = this.#nextOffsets.get(message.partition)
      if (expected === undefined || message.offset < expected) continue
      const { partition, offset } = message
      const generation = this.#owned.get(partition)!
      if (offset > expected) this.#skipped.push({ partition, generation, from: expected, to: offset })
      this.#nextOffsets.set(partition, offset + 1)
      const taken = byPartition.get(partition)
      if (taken) taken.push(message)
      else byPartition.set(partition, [message])
    }
    for (const [partition, taken] of byPartition) {
      const nextOffset = this.#nextOffsets.get(partition)!
      const high = Math.max(nextOffset, this.#marks.get(partition)?.high ?? 0)
      this.#handlers?.messages(this.#owned.get(partition)!, partition, { batches: batchesOf(taken), nextOffset, high })
    }
  }

  /** A partition has holes of its own; what lies below its first offset by now had expired. */
  #tellExpired(marks: ReadonlyMap<number, Watermarks>): void {
    for (const { partition, generation, from, to } of this.#skipped.splice(0)) {
      if ((marks.get(partition)?.low ?? 0) >= to) this.#handlers?.expired(generation, partition, from, to)
    }
  }

  #commitAnswered(error: RdkafkaError | null): void {
    const { resolve, reject } = this.#committing ?? {}
    this.#committing = null
    if (error) reject?.(error)
    else resolve?.()
  }

  /** Brokers come and go: most of it mends itself. */
  #trouble(error: RdkafkaError): void {
    const why = HOPELESS.get(error.code)
    if (why === undefined) return this.#options.log('info', `node-rdkafka: ${error.message}`, { code: error.code })
    const at = [...this.#nextOffsets].map(([partition, offset]) => `${partition} from ${offset}`).join(', ')
    const sentence = `reading topic ${this.#options.topic} has stopped: ${why}; it was reading partitions ${at || 'none'}`
    this.#handlers?.failed(kafkaError(sentence, this.#connection, error))
  }
}

/** A call of node-rdkafka as a promise. */
function called<T = unknown>(call: (done: (error?: RdkafkaError | null, result?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, result) => {
      if (error) reject(error)
      else resolve(result as T)
    })
  })
}

/** librdkafka's statistics: is any broker connected? */
function hasBroker(stats: string): boolean {
  try {
    const { brokers } = JSON.parse(stats) as { brokers?: Record<string, { state?: string }> }
    return Object.values(brokers ?? {}).some(({ state }) => state === 'UP')
  } catch {
    // Statistics that cannot be read say nothing.
    return false
  }
}

/** The default driver: kafkajs, pure JavaScript. */

import type { Admin, Consumer, ConsumerCrashEvent, ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs'
import { Why5xxError } from '../../errors.ts'
import { batchesOf } from './batches.ts'
import { batchOrigin } from './batchOrigin.ts'
import { CodecError, registerCodecs } from './codecs.ts'
import type { KafkaConnection } from './connection.ts'
import { type DriverHandlers, type DriverOptions, type KafkaDriver, RESTARTS_MAX, type Watermarks } from './driver.ts'
import { deepest, kafkaError } from './kafkaError.ts'
import { createClient, RETRY } from './kafkajsClient.ts'

const REBALANCE_MS = 60_000
const GROUP_REQUEST_MS = 120_000
/** Questions that are asked again soon. */
const ADMIN_REQUEST_MS = 10_000
const ADMIN_RETRY = { ...RETRY, retries: 3 }
const FETCH_BYTES_MAX = 8 << 20
const FETCH_WAIT_MS = 500
/** Answers of a broker that show that we are alive to it. */
const SIGNS_OF_LIFE = ['Fetch', 'Heartbeat']

type CommitOffsets = EachBatchPayload['commitOffsetsIfNecessary']

export class KafkajsDriver implements KafkaDriver {
  aliveMs: number | null = null
  hasJoined = false
  readonly #connection: KafkaConnection
  readonly #options: DriverOptions
  readonly #create: typeof createClient
  #consumer: Consumer | null = null
  #admin: Admin | null = null
  #handlers: DriverHandlers | null = null
  #generation = 0
  #owned: number[] = []
  /** By partition that was started: where its next fetch begins. */
  readonly #nextOffsets = new Map<number, number>()
  /** `consumer.commitOffsets` tries again also as another generation, for partitions that are ours no longer: this one does not. */
  #commitOffsets: CommitOffsets | null = null
  #restarts = 0

  /** `create`: the client library, in tests. */
  constructor(connection: KafkaConnection, options: DriverOptions, create = createClient) {
    this.#connection = connection
    this.#options = options
    this.#create = create
  }

  async join(handlers: DriverHandlers): Promise<void> {
    const { topic, groupId, sessionTimeoutMs, log } = this.#options
    await registerCodecs()
    const client = { connection: this.#connection, log }
    const admin = this.#create({ ...client, requestTimeoutMs: ADMIN_REQUEST_MS, retry: ADMIN_RETRY }).admin()
    const requestTimeoutMs = Math.max(GROUP_REQUEST_MS, sessionTimeoutMs + REBALANCE_MS)
    const consumer = this.#create({ ...client, requestTimeoutMs }).consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(REBALANCE_MS, sessionTimeoutMs),
      heartbeatInterval: Math.min(3_000, Math.floor(sessionTimeoutMs / 3)),
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytes: FETCH_BYTES_MAX,
      allowAutoTopicCreation: false,
      retry: RETRY
    })
    this.hasJoined = false
    this.#admin = admin
    this.#consumer = consumer
    this.#handlers = handlers
    this.#restarts = 0
    const isOurs = () => this.#consumer === consumer
    try {
      await admin.connect()
      if (isOurs()) await this.#requireTopic(admin)
      if (isOurs()) this.#listen(consumer)
      if (isOurs()) await consumer.connect()
      if (isOurs()) await consumer.subscribe({ topics: [topic], fromBeginning: true })
      if (isOurs())
        await consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: 3,
          eachBatch: payload => this.#eachBatch(consumer, payload)
        })
      // Left meanwhile: what was opened since is closed.
      if (!isOurs()) await Promise.all([consumer.disconnect(), admin.disconnect()])
    } catch (error) {
      if (!isOurs()) return
      await this.leave()
      throw kafkaError(`cannot read topic ${topic}`, this.#connection, error)
    }
  }

  start(partition: number, offset: number): void {
    if (this.#consumer === null || !this.#owned.includes(partition)) return
    const { topic } = this.#options
    this.#nextOffsets.set(partition, offset)
    this.#seek(partition, offset)
    this.#consumer.resume([{ topic, partitions: [partition] }])
  }

  pause(partition: number): void {
    if (!this.#nextOffsets.has(partition)) return
    this.#consumer?.pause([{ topic: this.#options.topic, partitions: [partition] }])
  }

  resume(partition: number): void {
    if (!this.#nextOffsets.has(partition)) return
    this.#consumer?.resume([{ topic: this.#options.topic, partitions: [partition] }])
  }

  async committed(): Promise<ReadonlyMap<number, number>> {
    const { topic, groupId } = this.#options
    const topics = await this.#theAdmin.fetchOffsets({ groupId, topics: [topic] })
    const offsets = topics.flatMap(({ partitions }) => partitions)
    // Negative: none. kafkajs itself commits -2 when an offset has expired.
    return new Map(offsets.map(one => [one.partition, Number(one.offset)] as const).filter(([, offset]) => offset >= 0))
  }

  async watermarks(): Promise<ReadonlyMap<number, Watermarks>> {
    const marks = await this.#theAdmin.fetchTopicOffsets(this.#options.topic)
    return new Map(marks.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]))
  }

  async commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    const { topic } = this.#options
    const partitions = [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) }))
    if (this.#commitOffsets !== null) return this.#commitOffsets({ topics: [{ topic, partitions }] })
    // Nothing has come in this generation: what the one before us has left is durable, and may be committed by anybody.
    await this.#consumer?.commitOffsets(partitions.map(one => ({ topic, ...one })))
  }

  async leave(): Promise<void> {
    const consumer = this.#consumer
    const admin = this.#admin
    this.#consumer = null
    this.#admin = null
    this.#handlers = null
    this.#commitOffsets = null
    this.#owned = []
    this.#nextOffsets.clear()
    this.hasJoined = false
    await Promise.all([consumer?.disconnect(), admin?.disconnect()])
  }

  #seek(partition: number, offset: number): void {
    this.#consumer?.seek({ topic: this.#options.topic, partition, offset: String(offset) })
  }

  get #theAdmin(): Admin {
    if (this.#admin === null) throw new Error('not connected')
    return this.#admin
  }

  async #requireTopic(admin: Admin): Promise<void> {
    const { topic } = this.#options
    if ((await admin.listTopics()).includes(topic)) return
    throw new Why5xxError(
      'WHY5XX_KAFKA',
      `the brokers have no topic ${topic}, or we are not allowed to see it: create it first`
    )
  }

  #listen(consumer: Consumer): void {
    const { GROUP_JOIN, REBALANCING, CRASH, REQUEST, START_BATCH_PROCESS } = consumer.events
    const { topic } = this.#options
    // All of these are called at once, inside of what they tell.
    consumer.on(GROUP_JOIN, ({ payload }) => this.#joined(consumer, payload))
    consumer.on(REBALANCING, () => this.#handlers?.rebalancing())
    consumer.on(CRASH, ({ payload }) => this.#crashed(payload))
    consumer.on(REQUEST, ({ payload }) => {
      if (!SIGNS_OF_LIFE.includes(payload.apiName)) return
      this.aliveMs = Date.now()
      if (payload.apiName === 'Fetch') this.#restarts = 0
    })
    consumer.on(
      START_BATCH_PROCESS,
      ({ payload: { topic: of, batchSize, partition, firstOffset, lastOffset, highWatermark } }) => {
        // Only what marks the end of a transaction, or what compaction left: no batch comes of it.
        if (of === topic && batchSize === 0)
          this.#skipped(partition, firstOffset, Number(lastOffset) + 1, Number(highWatermark))
      }
    )
  }

  #joined(consumer: Consumer, { memberAssignment }: ConsumerGroupJoinEvent['payload']): void {
    const { topic } = this.#options
    const before = this.#owned
    const partitions = [...(memberAssignment[topic] ?? [])]
    this.#owned = partitions
    this.#nextOffsets.clear()
    if (partitions.length > 0) consumer.pause([{ topic, partitions }])
    this.hasJoined = true
    this.#generation++
    if (before.length > 0) this.#handlers?.revoked(before)
    this.#handlers?.assigned(this.#generation, partitions)
  }

  /** Must not throw: a TypeError would stop kafkajs for good. What it throws itself in a heartbeat, behind this, it needs. */
  async #eachBatch(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
    if (this.#consumer !== consumer) return
    this.#commitOffsets = offsets => payload.commitOffsetsIfNecessary(offsets)
    try {
      this.#take(payload)
    } catch (error) {
      const { topic, partition } = payload.batch
      const doing = `cannot take messages of ${topic}/${partition} from ${payload.batch.firstOffset()} on`
      this.#handlers?.failed(kafkaError(doing, this.#connection, error))
    }
  }

  #take(payload: EachBatchPayload): void {
    const { batch } = payload
    const { partition } = batch
    const expected = this.#nextOffsets.get(partition)
    // Read before it was stopped: it will be read again.
    if (expected === undefined) return
    const fetched = Number((batch as unknown as { fetchedOffset: string }).fetchedOffset)
    // A batch of an earlier generation may still come: it is no part of what was started since.
    if (fetched < expected) return this.#seek(partition, expected)
    if (fetched > expected) return this.#outOfRange(partition)
    const nextOffset = Number(batch.lastOffset()) + 1
    const batches = batchesOf(batch.messages)
    this.#nextOffsets.set(partition, nextOffset)
    payload.resolveOffset(batch.lastOffset())
    this.#handlers?.messages(this.#generation, partition, { batches, nextOffset, high: Number(batch.highWatermark) })
  }

  #skipped(partition: number, firstOffset: string | null, nextOffset: number, high: number): void {
    const expected = this.#nextOffsets.get(partition)
    if (expected === undefined || nextOffset <= expected || Number(firstOffset ?? expected) < expected) return
    this.#nextOffsets.set(partition, nextOffset)
    this.#handlers?.messages(this.#generation, partition, { batches: [], nextOffset, high })
  }

  /** kafkajs has gone elsewhere: the offset had expired. Where reading goes on is not for it to say. */
  #outOfRange(partition: number): void {
    this.pause(partition)
    this.#nextOffsets.delete(partition)
    this.#handlers?.outOfRange(this.#generation, partition)
  }

  #crashed({ error, restart }: ConsumerCrashEvent['payload']): void {
    const { topic } = this.#options
    const handlers = this.#handlers
    if (handlers === null) return
    const owned = this.#owned
    this.#owned = []
    this.#commitOffsets = null
    this.hasJoined = false
    const reason = this.#crashText(error, owned)
    this.#nextOffsets.clear()
    if (owned.length > 0) handlers.revoked(owned)
    if (restart && ++this.#restarts <= RESTARTS_MAX) return
    const why = restart ? `; it was started ${RESTARTS_MAX} times anew without reading anything` : ''
    handlers.failed(kafkaError(`reading topic ${topic} has stopped${why}`, this.#connection, new Error(reason)))
  }

  #crashText(error: Error, owned: readonly number[]): string {
    const cause = deepest(error)
    if (!(cause instanceof CodecError)) return cause.message
    const { topic } = this.#options
    const origin = batchOrigin(cause.packed, owned)
    const partition = origin?.partition ?? null
    const at =
      partition === null
        ? `one of the partitions ${owned.join(', ')} of ${topic}`
        : `partition ${partition} of ${topic}`
    return `cannot unpack the batch at offset ${origin?.offset ?? 'unknown'} of ${at}, which was written with ${cause.message}`
  }
}

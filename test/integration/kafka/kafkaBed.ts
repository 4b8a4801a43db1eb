/** A topic of one test on a real broker, and members of a group that read it as the pipeline does. */
import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import kafkajs, { type Admin, type Kafka, type Producer } from 'kafkajs'
import { inject, vi } from 'vitest'
import { START } from '../../../src/checkpoint.ts'
import { registerCodecs } from '../../../src/source/kafka/codecs.ts'
import type { KafkaConnection } from '../../../src/source/kafka/connection.ts'
import type { DriverOptions, KafkaDriver } from '../../../src/source/kafka/driver.ts'
import { KafkajsDriver } from '../../../src/source/kafka/kafkajsDriver.ts'
import { type KafkaLimits, KafkaSource } from '../../../src/source/kafka/kafkaSource.ts'
import { RdkafkaDriver } from '../../../src/source/kafka/rdkafkaDriver.ts'
import type { SourceEvent, SourceGap, SourceStream, StreamState } from '../../../src/source/source.ts'
import { createTopics } from '../../services/kafkaTopics.ts'

/** Long enough for a rebalance on a busy machine. */
export const DEADLINE = { timeout: 60_000, interval: 50 }
export const SESSION_MS = 6_000

export const kafka = inject('kafka')
export const DRIVERS = inject('nodeRdkafka') ? (['kafkajs', 'node-rdkafka'] as const) : (['kafkajs'] as const)
export type DriverName = (typeof DRIVERS)[number]

export function plain(brokers: string[]): KafkaConnection {
  return { brokers, tls: null, sasl: null }
}

export function createDriver(name: DriverName, connection: KafkaConnection, options: DriverOptions): KafkaDriver {
  return name === 'kafkajs' ? new KafkajsDriver(connection, options) : new RdkafkaDriver(connection, options)
}

/** A client of the test's own, that says nothing. */
export function testClient(brokers: string[]): Kafka {
  return new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 20, maxRetryTime: 1_000 } })
}

export class TestTopic {
  readonly name = `kafka-test-${randomUUID()}`
  readonly groupId = `${this.name}-workers`
  readonly brokers: string[]
  /** The store: what is known of each stream. */
  readonly states = new Map<string, StreamState>()
  readonly admin: Admin
  readonly #producer: Producer
  readonly #members: Member[] = []
  #isDeleted = false

  private constructor(brokers: string[]) {
    this.brokers = brokers
    const client = testClient(brokers)
    this.admin = client.admin()
    this.#producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  }

  static async create(numPartitions: number, brokers = kafka!.brokers): Promise<TestTopic> {
    await registerCodecs()
    const topic = new TestTopic(brokers)
    await topic.admin.connect()
    const configEntries = [{ name: 'max.message.bytes', value: String(12 << 20) }]
    await createTopics(topic.admin, [{ topic: topic.name, numPartitions, replicationFactor: 1, configEntries }])
    await topic.#producer.connect()
    return topic
  }

  async write(partition: number, values: (string | Buffer | null)[], compression = 0): Promise<void> {
    const messages = values.map(value => ({ partition, value }))
    await this.#producer.send({ topic: this.name, compression, messages })
  }

  member(driver: DriverName, limits: Partial<KafkaLimits> = {}): Member {
    const member = new Member(this, driver, limits)
    this.#members.push(member)
    return member
  }

  async committed(): Promise<Record<number, number>> {
    const found = await this.admin.fetchOffsets({ groupId: this.groupId, topics: [this.name] })
    return Object.fromEntries(found[0]!.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
  }

  /** As an operator does it: the group must be empty. */
  async moveCommit(partition: number, offset: number): Promise<void> {
    const { groupId, name: topic } = this
    const partitions = [{ partition, offset: String(offset) }]
    await vi.waitFor(() => this.admin.setOffsets({ groupId, topic, partitions }), DEADLINE)
  }

  /** What lies below `offset` expires. */
  async expire(partition: number, offset: number): Promise<void> {
    const partitions = [{ partition, offset: String(offset) }]
    await vi.waitFor(() => this.admin.deleteTopicRecords({ topic: this.name, partitions }), DEADLINE)
  }

  /** The topic only. */
  async delete(): Promise<void> {
    if (!this.#isDeleted) await this.admin.deleteTopics({ topics: [this.name] })
    this.#isDeleted = true
  }

  async remove(): Promise<void> {
    for (const member of this.#members) await member.stop()
    await this.delete()
    await this.#producer.disconnect()
    await this.admin.disconnect()
  }
}

interface ReadMessage {
  partition: number
  offset: number
  value: string | null
}

/** Reads all the time, and makes everything durable that it has read unless it is told not to. */
export class Member {
  readonly source: KafkaSource
  readonly read: ReadMessage[] = []
  readonly gaps: SourceGap[] = []
  readonly lost: number[] = []
  readonly logged: string[] = []
  readonly streams = new Map<number, SourceStream>()
  idleMs = 0
  /** Set: nobody asks for the next event, as a pipeline that waits for its store. */
  isHeld = false
  /** The next event was asked for last, and is not taken. */
  isHolding = false
  failure: unknown = null
  readonly #topic: TestTopic
  readonly #stop = new AbortController()
  readonly #running: Promise<void>

  constructor(topic: TestTopic, driver: DriverName, limits: Partial<KafkaLimits>) {
    const { name, groupId, brokers, states } = topic
    const log = (_level: string, message: string) => void this.logged.push(message)
    this.#topic = topic
    this.source = new KafkaSource({
      driver: createDriver(driver, plain(brokers), { topic: name, groupId, sessionTimeoutMs: SESSION_MS, log }),
      config: { topic: name, groupId },
      claim: async streams => streams.flatMap(stream => states.get(stream) ?? []),
      log,
      limits: { commitMs: 1_000, ...limits }
    })
    this.#running = this.#run()
  }

  values(partition: number): (string | null)[] {
    return this.read.filter(message => message.partition === partition).map(({ value }) => value)
  }

  get partitions(): number[] {
    return this.source.facts.partitions.map(({ partition }) => partition).sort((a, b) => a - b)
  }

  /** Stops as a SIGTERM does it. */
  async stop(): Promise<void> {
    this.isHeld = false
    this.#stop.abort()
    await this.#running
    await this.source.close()
  }

  async #run(): Promise<void> {
    try {
      for await (const event of this.source.read(this.#stop.signal)) {
        this.#take(event)
        for (this.isHolding = this.isHeld; this.isHeld; ) await setImmediate()
        this.isHolding = false
      }
    } catch (error) {
      this.failure = error
    }
  }

  #take(event: SourceEvent): void {
    if (event.kind === 'idle') this.idleMs = event.idleMs
    if (event.kind === 'gap') this.gaps.push(event.gap)
    if (event.kind === 'lost') this.lost.push(event.stream.partition!.partition)
    if (event.kind !== 'messages' || event.batch.count === 0) return
    const { bytes, count, offsets, starts, ends } = event.batch
    const { stream } = event
    const { partition } = stream.partition!
    this.streams.set(partition, stream)
    this.idleMs = 0
    for (let i = 0; i < count; i++) {
      const value = ends[i] === -1 ? null : bytes.toString('latin1', starts[i], ends[i])
      this.read.push({ partition, offset: offsets[i]!, value })
    }
    const from = offsets[count - 1]! + 1
    const place = JSON.parse(JSON.stringify(stream.place(from))) as Record<string, unknown>
    const state = { stream: stream.id, place, read: { ...START, from, readTo: from }, isDone: false }
    this.#topic.states.set(stream.id, state)
    this.source.durable([state])
  }
}

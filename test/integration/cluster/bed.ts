/** A topic with the logs of several controller pods, an Elasticsearch namespace, and workers between them. */
import { createHash } from 'node:crypto'
import { Client } from '@elastic/elasticsearch'
import kafkajs, { type Admin } from 'kafkajs'
import { expect, inject, test, vi } from 'vitest'
import type { ShippedLine } from '../../../bench/cluster/shipped.ts'
import type { Incident } from '../../../src/alert/incident.ts'
import type { KafkaConnection } from '../../../src/source/kafka/connection.ts'
import { openElasticsearchReader } from '../../../src/store/elasticsearch/openReader.ts'
import { createTopics } from '../../services/kafkaTopics.ts'
import { configOf } from '../../store/elasticsearch/config.ts'
import { why5xx } from '../../support/program.ts'
import { RunningProgram } from '../../support/runningProgram.ts'

const { CompressionTypes, Kafka, logLevel } = kafkajs
const BATCH = 1_000
export const SESSION_TIMEOUT_MS = 6_000

/** A test that needs both servers. */
export const clusterTest = test.skipIf(inject('kafka') === null || inject('elasticsearch') === null)

export class ClusterBed {
  readonly topic: string
  readonly rejectTopic: string
  readonly namespace: string
  readonly client: Client
  readonly #kafka: InstanceType<typeof Kafka>
  readonly #admin: Admin
  readonly #topics: string[]
  readonly #brokers: string[]
  readonly #nodes: string[]
  readonly workers: RunningProgram[] = []

  constructor(name: string, { brokers = inject('kafka')!.brokers, url = inject('elasticsearch')!.url } = {}) {
    const unique = `${name}${process.pid}${createHash('sha1').update(String(Date.now())).digest('hex').slice(0, 6)}`
    this.topic = `${unique}.raw`
    this.rejectTopic = `${unique}.reject`
    this.#topics = [this.topic, this.rejectTopic]
    this.namespace = unique
    this.#brokers = brokers
    this.#nodes = [url]
    this.client = new Client({ node: url })
    this.#kafka = new Kafka({ brokers, clientId: unique, logLevel: logLevel.NOTHING, retry: { retries: 20 } })
    this.#admin = this.#kafka.admin()
  }

  /** The options of a worker, by path. */
  get options(): Record<string, string | number | string[]> {
    return {
      'source.kind': 'kafka',
      'source.kafka.brokers': this.#brokers,
      'source.kafka.topic': this.topic,
      'source.kafka.rejectTopic': this.rejectTopic,
      'source.kafka.groupId': this.namespace,
      'source.kafka.sessionTimeoutMs': SESSION_TIMEOUT_MS,
      'sink.kind': 'elasticsearch',
      'sink.elasticsearch.nodes': this.#nodes,
      'sink.elasticsearch.namespace': this.namespace,
      'web.listen': '127.0.0.1:0'
    }
  }

  /** The same, as `--set` takes them. */
  get settings(): string[] {
    return Object.entries(this.options).flatMap(([path, value]) => ['--set', `${path}=${String(value)}`])
  }

  async prepare(partitions: number): Promise<void> {
    await this.#admin.connect()
    const topics = this.#topics.map(topic => ({
      topic,
      numPartitions: partitions,
      replicationFactor: 1
    }))
    await createTopics(this.#admin, topics)
    const { code, stderr } = await why5xx(['setup', ...this.settings])
    if (code !== 0) throw new Error(stderr)
  }

  async send(values: Iterable<SentValue>, compression = CompressionTypes.GZIP): Promise<void> {
    const producer = this.#kafka.producer({ allowAutoTopicCreation: false })
    await producer.connect()
    let messages: SentValue[] = []
    for (const value of values) {
      messages.push(value)
      if (messages.length < BATCH) continue
      await producer.send({ topic: this.topic, messages, compression })
      messages = []
    }
    if (messages.length > 0) await producer.send({ topic: this.topic, messages, compression })
    await producer.disconnect()
  }

  start(...more: string[]): RunningProgram {
    const worker = new RunningProgram(['run', ...this.settings, ...more])
    this.workers.push(worker)
    return worker
  }

  /** By partition; -1: nothing was ever committed. */
  async committed(): Promise<Map<number, number>> {
    const [committed] = await this.#admin.fetchOffsets({ groupId: this.namespace, topics: [this.topic] })
    return new Map(committed!.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
  }

  /** Offsets between what the group has committed and the ends of the partitions. */
  async committedLag(): Promise<number> {
    const ends = await this.#admin.fetchTopicOffsets(this.topic)
    const offsets = await this.committed()
    return ends.reduce((sum, { partition, high }) => sum + Number(high) - Math.max(0, offsets.get(partition) ?? 0), 0)
  }

  /** How many failures are stored. */
  async failures(): Promise<number> {
    const index = `why5xx-failure-${this.namespace}-*`
    await this.client.indices.refresh({ index, ignore_unavailable: true })
    const { count } = await this.client.count({ index, allow_no_indices: true, ignore_unavailable: true })
    return count
  }

  async allCommitted(timeoutMs = 120_000): Promise<void> {
    const look = async (): Promise<void> => {
      const lag = await this.committedLag()
      if (lag > 0)
        throw new Error(`${lag} offsets are not committed:\n${this.workers.map(({ stderr }) => stderr).join('')}`)
    }
    await vi.waitFor(look, { timeout: timeoutMs, interval: 250 })
  }

  /** Every document of a kind, with its index and id. */
  async documents(kind: 'failure' | 'controller' | 'reject' | 'rollup'): Promise<StoredHit[]> {
    const index = `why5xx-${kind}-${this.namespace}-*`
    await this.client.indices.refresh({ index, ignore_unavailable: true })
    const hits: StoredHit[] = []
    const helper = this.client.helpers.scrollSearch<Record<string, unknown>>({ index, size: 1_000 }, { ignore: [404] })
    for await (const { body } of helper) hits.push(...(body.hits.hits as unknown as StoredHit[]))
    return hits
  }

  /** Everything in the topic of rejects; headers without `why5xx.`. */
  async rejects(): Promise<KeptMessage[]> {
    const ends = await this.#admin.fetchTopicOffsets(this.rejectTopic)
    const expected = ends.reduce((sum, { high }) => sum + Number(high), 0)
    const found: KeptMessage[] = []
    const groupId = `${this.namespace}-look-${Date.now()}`
    const consumer = this.#kafka.consumer({ groupId })
    await consumer.connect()
    await consumer.subscribe({ topics: [this.rejectTopic], fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message: { value, headers = {} } }) => {
        const named = Object.entries(headers).map(([name, text]) => [name.replace('why5xx.', ''), String(text)])
        found.push({ value: value!, headers: Object.fromEntries(named) as Record<string, string> })
      }
    })
    await vi.waitFor(() => expect(found.length).toBe(expected), { timeout: 30_000 })
    await consumer.disconnect()
    await this.#admin.deleteGroups([groupId])
    return found
  }

  /** One more topic, without messages. */
  async emptyTopic(): Promise<string> {
    const topic = `${this.namespace}.empty`
    await createTopics(this.#admin, [{ topic, numPartitions: 1 }])
    this.#topics.push(topic)
    return topic
  }

  get kafkaOptions(): { connection: KafkaConnection } {
    return { connection: { brokers: this.#brokers, tls: null, sasl: null } }
  }

  /** Groups of this bed that the brokers know, but for that of the workers. */
  async groups(): Promise<string[]> {
    const { groups } = await this.#admin.listGroups()
    return groups.map(({ groupId }) => groupId).filter(name => name.startsWith(`${this.namespace}-`))
  }

  /** As the reader of the store gives them. */
  async incidents(): Promise<Incident[]> {
    const reader = openElasticsearchReader(configOf(this.#nodes[0]!, { namespace: this.namespace }))
    const all = {
      fromMs: Number.NEGATIVE_INFINITY,
      toMs: Number.POSITIVE_INFINITY,
      services: [],
      causes: [],
      state: null
    }
    try {
      return await reader.incidents(all)
    } finally {
      await reader.close()
    }
  }

  async remove(): Promise<void> {
    for (const worker of this.workers) await worker.kill('SIGKILL')
    await this.client.indices.delete({ index: await this.#indices(), ignore_unavailable: true })
    await this.client.close()
    await this.#admin.deleteTopics({ topics: this.#topics })
    await this.#admin.disconnect()
  }

  /** Deleting by pattern is refused by default. */
  async #indices(): Promise<string[]> {
    const found = await this.client.indices.get({ index: `why5xx-*-${this.namespace}*`, allow_no_indices: true })
    const names = Object.keys(found)
    return names.length === 0 ? ['none'] : names
  }
}

export interface SentValue {
  key: string
  value: string | Buffer | null
  /** Left out: by the key. */
  partition?: number
  /** Unix ms; left out: now. */
  timestamp?: string
}

export interface KeptMessage {
  value: Buffer
  headers: Record<string, string>
}

export interface StoredHit {
  _id: string
  _index: string
  _source: Record<string, unknown>
}

/** What Fluent Bit puts into Kafka of the lines. */
export function* fluentBit(lines: Iterable<ShippedLine>): Generator<{ key: string; value: string }> {
  for (const { path, record } of lines) yield { key: path, value: JSON.stringify(record) }
}

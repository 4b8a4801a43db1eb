/** The record of a cluster's state in a topic of a real broker. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { Admin } from 'kafkajs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ClusterEvent } from '../../../src/cluster/event.ts'
import { kafkaRecord } from '../../../src/cluster/kafkaRecordReader.ts'
import { openKafkaRecord } from '../../../src/cluster/kafkaRecordWriter.ts'
import type { KubeObject } from '../../../src/cluster/objects.ts'
import type { ClusterRecordWriter } from '../../../src/cluster/record.ts'
import { RecordMerge } from '../../../src/cluster/recordMerge.ts'
import { ClusterWatch } from '../../../src/clusterWatch.ts'
import { openClusterKnowledge } from '../../../src/clusterWiring.ts'
import { loadConfig } from '../../../src/config.ts'
import { isKafkaAvailable, type KafkaServer, startKafka } from '../../services/kafkaServer.ts'
import { createTopics } from '../../services/kafkaTopics.ts'
import { HeardRecord } from '../../support/heardRecord.ts'
import { ListedObjects } from '../../support/listedObjects.ts'
import { Folder } from '../../support/program.ts'
import { heartbeat, list, mark, pod, told } from '../../support/recordedEvents.ts'
import { ScriptedApiServer } from '../../support/scriptedApiServer.ts'
import { DEADLINE, kafka, plain, testClient } from './kafkaBed.ts'

const HOUR = 3_600_000
/** Messages have these times: what is older than a topic's retention would go. */
const T = Date.now() - 9 * HOUR
const silent = (): void => {}

class RecordBed {
  readonly topic = `kafka-record-${randomUUID()}`
  readonly groupId = `${this.topic}-workers`
  readonly said: string[] = []
  readonly brokers: string[]
  readonly admin: Admin
  readonly #open: { close(): Promise<void> }[] = []

  constructor(brokers: string[]) {
    this.brokers = brokers
    this.admin = testClient(brokers).admin()
  }

  async writer(id = 'a', waitingBytesMax = 1 << 20, onOverflow = silent): Promise<ClusterRecordWriter> {
    const say = (text: string): void => void this.said.push(text)
    const connection = plain(this.brokers)
    const { topic } = this
    const writer = await openKafkaRecord({
      connection,
      topic,
      writer: id,
      onOverflow,
      say,
      log: silent,
      waitingBytesMax
    })
    this.#open.push(writer)
    return writer
  }

  reader(fromMs: number, limitMs?: number): HeardRecord {
    const { topic, groupId } = this
    const say = (text: string): void => void this.said.push(text)
    const connection = plain(this.brokers)
    const heard = new HeardRecord(
      kafkaRecord({ connection, topic, groupId, say, log: silent, missingMs: 200 }),
      fromMs,
      limitMs
    )
    this.#open.push(heard.reader)
    return heard
  }

  /** What lies below `offset` expires. */
  async expire(offset: number): Promise<void> {
    const partitions = [{ partition: 0, offset: String(offset) }]
    await vi.waitFor(async () => {
      // The client wants to know the leader.
      await this.admin.fetchTopicOffsets(this.topic)
      await this.admin.deleteTopicRecords({ topic: this.topic, partitions })
    }, DEADLINE)
  }

  /** The topic was made by the first writer. */
  async remove(): Promise<void> {
    for (const open of this.#open.reverse()) await open.close()
    await this.admin.deleteTopics({ topics: [this.topic] }).catch(silent)
    await this.admin.disconnect()
  }
}

/** A list each, a change and a heartbeat between. */
function hours(from: number, to: number): ClusterEvent[] {
  return Array.from({ length: to - from }, (_, i) => {
    const hour = from + i
    const at = T + hour * HOUR
    return [
      ...list(at, pod('x', hour * 10 + 1)),
      told(at + 1_000, 'MODIFIED', pod('x', hour * 10 + 5)),
      heartbeat(at + 2_000)
    ]
  }).flat()
}

describe.skipIf(kafka === null)('a record in Kafka', () => {
  let bed: RecordBed
  beforeEach(async () => {
    bed = new RecordBed(kafka!.brokers)
    await bed.admin.connect()
  })
  afterEach(() => bed.remove())

  test('makes its topic: one partition, kept for 30 days, and says so', async () => {
    await bed.writer()
    await vi.waitFor(async () => {
      const { topics } = await bed.admin.fetchTopicMetadata({ topics: [bed.topic] })
      expect(topics[0]!.partitions).toHaveLength(1)
    }, DEADLINE)
    const configNames = ['cleanup.policy', 'retention.ms']
    const described = await bed.admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: bed.topic, configNames }]
    })
    const entries = described.resources[0]!.configEntries.map(({ configName, configValue }) => [
      configName,
      configValue
    ])
    expect(Object.fromEntries(entries)).toEqual({ 'cleanup.policy': 'delete', 'retention.ms': '2592000000' })
    expect(bed.said).toEqual([`topic ${bed.topic} was made: one partition, kept for 30 days`])
  })

  test('says which brokers do not answer', async () => {
    const nobody = { connection: plain(['127.0.0.1:1']), topic: bed.topic, writer: 'a', say: silent, log: silent }
    await expect(openKafkaRecord({ ...nobody, onOverflow: silent })).rejects.toThrow(
      `cannot record into topic ${bed.topic} (brokers 127.0.0.1:1)`
    )
  })

  test('refuses a topic of more partitions', async () => {
    await createTopics(bed.admin, [{ topic: bed.topic, numPartitions: 2 }])
    await expect(bed.writer()).rejects.toThrow(`topic ${bed.topic} has 2 partitions`)
  })

  test.each<[string, number, number]>([
    ['from between two lists', 1.5, 1],
    ['from a long silence before the moment', 8, 2],
    ['from the oldest, when none is as old', -99, 0]
  ])('is read %s, and followed', async (_name, hour, first) => {
    const writer = await bed.writer()
    await writer.append(hours(0, 3))
    const heard = bed.reader(T + hour * HOUR)
    await vi.waitFor(() => expect(heard.caught).toBeGreaterThan(0), DEADLINE)
    expect(heard.begun).toEqual([T + first * HOUR])
    expect(heard.heard.map(({ writer: _writer, number: _number, ...event }) => event)).toEqual(hours(first, 3))
    await writer.append(hours(3, 4))
    await vi.waitFor(() => expect(heard.state.names).toEqual(['x@35']), DEADLINE)
    expect(heard.heard.map(({ number }) => number)).toEqual(
      Array.from({ length: 20 - 5 * first }, (_, i) => 5 * first + i + 1)
    )
    expect(writer.facts).toMatchObject({ cut: 0, dropped: 0, listedMs: T + 3 * HOUR })
    // Nothing of the reader stays with the broker.
    await heard.reader.close()
    const { groups } = await bed.admin.listGroups()
    expect(groups.filter(({ groupId }) => groupId.startsWith(bed.groupId))).toEqual([])
  })

  test('is asked for again until it is there, and has a list', async () => {
    const heard = bed.reader(T)
    await vi.waitFor(() => expect(heard.missed).toBeGreaterThan(0), DEADLINE)
    const writer = await bed.writer()
    await writer.append([heartbeat(T), mark(T, 'LIST_START')])
    await vi.waitFor(() => expect(heard.caught).toBeGreaterThan(0), DEADLINE)
    expect(heard.begun).toEqual([])
    await writer.append([mark(T + 1, 'LIST_END')])
    await vi.waitFor(() => expect(heard.told).toEqual([`${T} LIST_START`, `${T + 1} LIST_END`]), DEADLINE)
    expect(heard.begun).toEqual([T])
  })

  test('stands still behind the limit of a reader', async () => {
    const writer = await bed.writer()
    for (let hour = 0; hour < 4; hour++) await writer.append(hours(hour, hour + 1))
    const heard = bed.reader(T, T)
    await vi.waitFor(() => expect(heard.heard.length).toBeGreaterThan(0), DEADLINE)
    heard.reader.readTo(Number.POSITIVE_INFINITY)
    await vi.waitFor(() => expect(heard.heard).toHaveLength(20), DEADLINE)
  })

  test('may lose its begin: the oldest whole list is the next one', async () => {
    const writer = await bed.writer()
    await writer.append(hours(0, 3))
    // In the midst of the first list.
    await bed.expire(1)
    const heard = bed.reader(T)
    await vi.waitFor(() => expect(heard.caught).toBeGreaterThan(0), DEADLINE)
    expect(heard.begun).toEqual([T + HOUR])
    expect(heard.heard).toHaveLength(10)
  })

  test('may lose what a reader that stands still wanted next: it begins anew', async () => {
    const writer = await bed.writer()
    // More than one fetch.
    const noise = Array.from({ length: 40 }, () => ({ ...pod('n', 1), noise: randomBytes(300_000).toString('hex') }))
    await writer.append(hours(0, 1))
    for (const object of noise) await writer.append([told(T + 3_000, 'MODIFIED', object as KubeObject)])
    const heard = bed.reader(T, T)
    await vi.waitFor(() => expect(heard.heard.length).toBeGreaterThan(5), DEADLINE)
    expect(heard.heard.length).toBeLessThan(45)
    await writer.append(hours(1, 3))
    await bed.expire(46)
    heard.reader.readTo(Number.POSITIVE_INFINITY)
    await vi.waitFor(() => expect(heard.state.names).toContain('x@25'), DEADLINE)
    expect(heard.begun).toEqual([T, T + 2 * HOUR])
  })

  test('of two watches is one truth', async () => {
    const [a, b] = [await bed.writer('a'), await bed.writer('b')]
    const [x, y] = [pod('x', 1), pod('y', 2)]
    await a.append(list(T, x, y))
    await b.append([mark(T + 1, 'LIST_START'), told(T + 1, 'ADDED', x)])
    await a.append([told(T + 2, 'MODIFIED', pod('x', 7)), told(T + 2, 'DELETED', pod('y', 8))])
    await b.append([told(T + 3, 'ADDED', y), mark(T + 3, 'LIST_END'), told(T + 4, 'MODIFIED', pod('x', 6))])
    await a.append([heartbeat(T + 5)])
    const heard = bed.reader(T)
    await vi.waitFor(() => expect(heard.heard).toHaveLength(12), DEADLINE)
    const state = new ListedObjects()
    const merge = new RecordMerge(event => state.apply(event))
    for (const event of heard.heard) merge.add(event)
    expect(state.names).toEqual(['x@7'])
    // Believed in turn, they would say something else.
    expect(heard.state.names).not.toEqual(['x@7'])
  })

  test('is written by the watch role and answers a worker', async () => {
    const api = await ScriptedApiServer.start()
    const folder = new Folder()
    const at = (version: number) => ({ ...pod('cart-1', version), status: { podIP: `10.0.0.${version}` } })
    api.items.set('pods', [at(5)])
    const { config } = loadConfig({
      file: null,
      environment: {},
      set: [
        'source.kind=kafka',
        `source.kafka.brokers=${bed.brokers.join()}`,
        `source.kafka.groupId=${bed.groupId}`,
        `kubernetes.topic=${bed.topic}`,
        'kubernetes.api=kubeconfig',
        `kubernetes.kubeconfig=${folder.write('kubeconfig', api.kubeconfig)}`
      ]
    })
    const recordLog = { say: (text: string) => void bed.said.push(text), log: silent }
    const watching = await ClusterWatch.start(config, recordLog)
    const knowledge = (await openClusterKnowledge(config, recordLog))!
    const startMs = Date.now()
    await vi.waitFor(() => expect(watching.unready).toEqual([]), DEADLINE)
    await vi.waitFor(() => expect(api.isWatched('pods')).toBe(true), DEADLINE)
    api.tell('pods', 'MODIFIED', at(6))
    await vi.waitFor(async () => {
      // Of moments before the first list nothing is known.
      const askedMs = Date.now() - 1
      const { known } = await knowledge.ready(askedMs, askedMs)
      expect({ known, holders: knowledge.state.tenures('10.0.0.6').length }).toEqual({ known: true, holders: 1 })
    }, DEADLINE)
    expect(knowledge.state.tenures('10.0.0.5')[0]!.toMs).toBeGreaterThan(startMs)
    await knowledge.close()
    await watching.close()
    expect(watching.failure).toBe(null)
    await api.close()
    folder.remove()
  })

  test('holds what is too large in part', async () => {
    const writer = await bed.writer('a', 8 << 20)
    const large: KubeObject = {
      ...pod('big', 3),
      spec: { containers: Array.from({ length: 90 }, (_, i) => ({ name: `c${i}`, args: ['y'.repeat(20_000)] })) }
    } as KubeObject
    await writer.append(list(T, large, pod('x', 1)))
    const heard = bed.reader(T)
    await vi.waitFor(() => expect(heard.state.names).toEqual(['big@3', 'x@1']), DEADLINE)
    expect(writer.facts.cut).toBe(1)
    const [, event] = heard.heard
    expect(JSON.stringify(event).length).toBeLessThan(900_000)
    expect(event).toMatchObject({ object: { metadata: { uid: 'big-uid' }, spec: { containers: { length: 90 } } } })
    expect(bed.said.at(-1)).toBe('Pod shop/big is too large: it is recorded in part')
  })

  test('in a topic that takes little: names, and what does fit', async () => {
    const configEntries = [{ name: 'max.message.bytes', value: '1500' }]
    await createTopics(bed.admin, [{ topic: bed.topic, numPartitions: 1, configEntries }])
    const writer = await bed.writer()
    // Does not get smaller by compression.
    const noise = Array.from({ length: 100 }, () => randomUUID()).join('')
    const odd = { ...pod('odd', 3), noise } as KubeObject
    await writer.append(list(T, pod('x', 1), odd, pod('y', 2)))
    const heard = bed.reader(T)
    await vi.waitFor(() => expect(heard.state.names).toEqual(['odd@3', 'x@1', 'y@2']), DEADLINE)
    expect(heard.heard.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5])
    expect(writer.facts).toMatchObject({ cut: 1, dropped: 0 })
  })
})

describe.skipIf(!isKafkaAvailable())('a record on a broker that dies', () => {
  let server: KafkaServer
  let bed: RecordBed
  beforeAll(async () => {
    server = await startKafka()
    bed = new RecordBed(server.brokers)
    await bed.admin.connect()
  })
  afterAll(async () => {
    await bed?.remove()
    await server?.stop()
  })

  test('goes on when it is back, in order; what was too much is a gap', async () => {
    const overflow = vi.fn()
    const writer = await bed.writer('a', 4_000, overflow)
    await writer.append(hours(0, 2))
    const heard = bed.reader(T)
    await vi.waitFor(() => expect(heard.heard).toHaveLength(10), DEADLINE)
    await server.kill()
    const written = [writer.append(hours(2, 3))]
    await vi.waitFor(() => expect(writer.facts.pausedBecause).toContain(bed.topic), DEADLINE)
    const at = T + 3 * HOUR
    for (let i = 0; i < 40; i++) written.push(writer.append([told(at + i, 'MODIFIED', pod('x', 100 + i))]))
    expect(writer.facts.dropped).toBeGreaterThan(10)
    await server.restart()
    await Promise.all(written)
    await vi.waitFor(() => expect(overflow).toHaveBeenCalledTimes(1), DEADLINE)
    await writer.append(list(at + 100, pod('x', 900)))
    await vi.waitFor(() => expect(heard.state.names).toEqual(['x@900']), DEADLINE)
    const numbers = [...new Set(heard.heard.map(({ number }) => number))]
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => i + 1))
    const gaps = heard.heard.filter(({ type }) => type.startsWith('GAP'))
    expect(gaps.map(({ type }) => type)).toEqual(['GAP_START', 'GAP_END'])
    expect(gaps[1]!.at).toBe(at + 39)
  })
})

/**
 * The topic that keeps incidents where lines come from Kafka, so that a restart needs no store: one partition, compacted, key is
 * the incident's id, value a line as in `incidents.ndjson`. What ended long ago is deleted from it.
 */

import { randomUUID } from 'node:crypto'
import kafkajs, { type Admin, type Message, type Producer } from 'kafkajs'
import type { Incident } from '../../alert/incident.ts'
import { Why5xxError } from '../../errors.ts'
import { sizedParts } from '../../sizedParts.ts'
import { NewestIncidents } from '../../store/incidentFilter.ts'
import { incidentLine } from '../../store/incidentLine.ts'
import { incidentOfLine, unreadText } from '../../store/incidentRecord.ts'
import type { IncidentWriter } from '../../store/store.ts'
import { clip } from '../../text.ts'
import { textsOf } from './batches.ts'
import type { KafkaConnection } from './connection.ts'
import type { DriverHandlers, DriverLog } from './driver.ts'
import { isTooLarge, kafkaError } from './kafkaError.ts'
import { createClient, RETRY } from './kafkajsClient.ts'
import { KafkajsDriver } from './kafkajsDriver.ts'
import { requireSingleTopic, type SingleTopic } from './singleTopic.ts'

export interface IncidentTopicOptions {
  connection: KafkaConnection
  /** `alerts.topic`. */
  topic: string
  /** Of the workers: what reads the topic has a group of its own with it in its name. */
  groupId: string
  /** A sentence for the log. */
  say: (text: string) => void
  log: DriverLog
  nowMs?: () => number
  /** How long `readAll` may take. */
  readMs?: number
}

/** For whoever reads the topic after this long the incident is over. */
const KEPT_MS = 7 * 86_400_000
const KEYS_MAX = 20_000
const REQUEST_MS = 10_000
const REQUEST_BYTES_MAX = 512 << 10
/** Short: the caller tries again. */
const ATTEMPT = { initialRetryTime: 200, retries: 2, maxRetryTime: 1_000, factor: 0.2, multiplier: 2 }
const SESSION_MS = 45_000
const READ_MS = 30_000
const LOOK_MS = 250
/** Fetches that are answered with nothing for so long: what was at the end has been compacted away. */
const QUIET_MS = 5_000
const PARTITION = 0

export class IncidentTopic implements IncidentWriter {
  readonly #options: IncidentTopicOptions
  readonly #nowMs: () => number
  #producer: Promise<Producer> | null = null
  /** By id, the one that was written longest ago first: when it ended, or was heard of last, Unix ms. */
  readonly #seenMs = new Map<string, number>()

  constructor(options: IncidentTopicOptions) {
    this.#options = options
    this.#nowMs = options.nowMs ?? Date.now
  }

  /** Throws Why5xxError `WHY5XX_KAFKA` when the brokers do not take them: the caller tries again. */
  async put(incidents: readonly Incident[]): Promise<void> {
    for (const incident of incidents) this.#remember(incident)
    const gone = this.#tooOld()
    const messages: Message[] = [
      ...incidents
        .filter(({ id }) => !gone.includes(id))
        .map(incident => ({ partition: PARTITION, key: incident.id, value: incidentLine(incident) })),
      ...gone.map(id => ({ partition: PARTITION, key: id, value: null }))
    ]
    const { topic, connection } = this.#options
    try {
      for (const part of sizedParts(messages, bytesOf, REQUEST_BYTES_MAX)) await this.#send(part)
    } catch (error) {
      throw kafkaError(`cannot write incidents to topic ${topic}`, connection, error)
    }
    for (const id of gone) this.#seenMs.delete(id)
  }

  /**
   * Incidents of the last seven days as of this call, each as it was written last; none where there is no topic yet. Throws
   * Why5xxError `WHY5XX_KAFKA` when they cannot be read in time.
   */
  async readAll(): Promise<Incident[]> {
    const { topic, connection, log, say } = this.#options
    const retry = { ...RETRY, retries: 3 }
    const admin = createClient({ connection, log, requestTimeoutMs: REQUEST_MS, retry }).admin()
    try {
      await admin.connect()
      if (!(await admin.listTopics()).includes(topic)) {
        say(
          `no topic ${topic}, or our user may not see it: open incidents of an earlier process are not known from it. ` +
            'The first start finds none; else allow DESCRIBE and READ on it'
        )
        return []
      }
      const { low, high } = await this.#marks(admin)
      return low >= high ? [] : await this.#readTo(admin, low, high)
    } catch (error) {
      throw kafkaError(`cannot read incidents from topic ${topic}`, connection, error)
    } finally {
      await admin.disconnect().catch(() => {})
    }
  }

  async close(): Promise<void> {
    const producer = await this.#producer?.catch(() => null)
    this.#producer = null
    await producer?.disconnect()
  }

  #remember({ id, endMs, updatedMs }: Incident): void {
    this.#seenMs.delete(id)
    this.#seenMs.set(id, endMs ?? updatedMs)
  }

  #tooOld(): string[] {
    const oldestMs = this.#nowMs() - KEPT_MS
    const excess = this.#seenMs.size - KEYS_MAX
    return [...this.#seenMs].filter(([, seenMs], i) => seenMs < oldestMs || i < excess).map(([id]) => id)
  }

  async #send(part: Message[]): Promise<void> {
    try {
      this.#producer ??= this.#connect()
      const producer = await this.#producer
      const { topic } = this.#options
      await producer.send({ topic, acks: -1, compression: kafkajs.CompressionTypes.GZIP, messages: part })
    } catch (error) {
      if (!isTooLarge(error)) {
        await this.close().catch(() => {})
        throw error
      }
      if (part.length > 1) for (const message of part) await this.#send([message])
      else this.#tooLarge(part[0]!)
    }
  }

  #tooLarge(message: Message): void {
    const { topic, say } = this.#options
    say(`topic ${topic} does not take incident ${clip(String(message.key), 100)}, ${bytesOf(message)} bytes: left out`)
  }

  async #connect(): Promise<Producer> {
    const { connection, topic, log, say } = this.#options
    const client = createClient({ connection, log, requestTimeoutMs: REQUEST_MS, retry: ATTEMPT })
    const admin = client.admin()
    try {
      await admin.connect()
      await requireSingleTopic(admin, description(topic), say)
    } finally {
      await admin.disconnect().catch(() => {})
    }
    const producer = client.producer({
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      retry: ATTEMPT
    })
    await producer.connect()
    return producer
  }

  async #marks(admin: Admin): Promise<{ low: number; high: number }> {
    const marks = await admin.fetchTopicOffsets(this.#options.topic)
    const { low, high } = marks.find(({ partition }) => partition === PARTITION)!
    return { low: Number(low), high: Number(high) }
  }

  async #readTo(admin: Admin, low: number, high: number): Promise<Incident[]> {
    const { connection, topic, log, say, readMs = READ_MS } = this.#options
    const groupId = `${this.#options.groupId}-incidents-${randomUUID()}`
    const driver = new KafkajsDriver(connection, { topic, groupId, sessionTimeoutMs: SESSION_MS, log })
    const found = new NewestIncidents()
    let unread = 0
    let timer: NodeJS.Timeout | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        const startedMs = Date.now()
        let readAtMs: number | null = null
        const nothing = (): void => {}
        const anew = (): void => void this.#marks(admin).then(marks => driver.start(PARTITION, marks.low), reject)
        const handlers: DriverHandlers = {
          assigned: () => {
            readAtMs = Date.now()
            driver.start(PARTITION, low)
          },
          rebalancing: nothing,
          revoked: nothing,
          messages: (_generation, _partition, read) => {
            readAtMs = Date.now()
            for (const { text } of textsOf(read)) {
              const incident = incidentOfLine(text)
              if (incident === null) unread++
              else found.add(incident)
            }
            if (read.nextOffset >= high) resolve()
          },
          outOfRange: anew,
          expired: nothing,
          failed: reject
        }
        timer = setInterval(() => {
          const isAnswered = readAtMs !== null && (driver.aliveMs ?? 0) - readAtMs >= QUIET_MS
          if (isAnswered) resolve()
          else if (Date.now() - startedMs > readMs)
            reject(new Why5xxError('WHY5XX_KAFKA', `topic ${topic} was not read to its end within ${readMs / 1_000} s`))
        }, LOOK_MS)
        driver.join(handlers).catch(reject)
      })
    } finally {
      clearInterval(timer)
      await driver.leave()
      // Without offsets the broker would forget it as well, some time later.
      await admin.deleteGroups([groupId]).catch(() => {})
    }
    if (unread > 0) say(unreadText(`topic ${topic}`, unread))
    const all = found.matching()
    for (const incident of all) this.#remember(incident)
    const oldestMs = this.#nowMs() - KEPT_MS
    return all.filter(({ endMs, updatedMs }) => (endMs ?? updatedMs) >= oldestMs)
  }
}

/** Small segments: only closed ones are compacted, and a start reads them all. */
function description(topic: string): SingleTopic {
  return {
    name: topic,
    settings: {
      'cleanup.policy': 'compact',
      'segment.bytes': String(16 << 20),
      'segment.ms': String(3_600_000),
      'min.cleanable.dirty.ratio': '0.1',
      'delete.retention.ms': String(86_400_000)
    },
    option: 'alerts.topic',
    needsOne: 'incidents need one, which is read whole at a start',
    made: 'one partition, compacted'
  }
}

function bytesOf({ key, value }: Message): number {
  return Buffer.byteLength(String(key)) + (value === null ? 0 : Buffer.byteLength(value))
}

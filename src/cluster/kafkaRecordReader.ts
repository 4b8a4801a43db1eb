/**
 * Reads the record in a topic, and follows it. Where to begin is found by the times of messages: from an hour before the
 * moment on, then from ever earlier, until a whole list is found. Nothing is committed, and the group goes with the reader.
 */

import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Admin } from 'kafkajs'
import type { Why5xxError } from '../errors.ts'
import { textsOf } from '../source/kafka/batches.ts'
import type { KafkaConnection } from '../source/kafka/connection.ts'
import type { DriverHandlers, DriverLog, DriverRead, KafkaDriver } from '../source/kafka/driver.ts'
import { kafkaError } from '../source/kafka/kafkaError.ts'
import { createClient, RETRY } from '../source/kafka/kafkajsClient.ts'
import { KafkajsDriver } from '../source/kafka/kafkajsDriver.ts'
import { type FoundList, ListSearch } from './listSearch.ts'
import type { ClusterRecord, ClusterRecordReader, RecordHandlers } from './record.ts'
import { parseHead, parseRecorded } from './recordLine.ts'

/** A list comes every hour. */
const STEP_MS = 70 * 60_000
const STEPS_MAX = 20
const SESSION_MS = 45_000
const REQUEST_MS = 10_000
const ASKED_AGAIN_MS = 5_000
const MISSING_MS = 30_000
/** How long `close` lets the group be left. */
const CLOSING_MS = 3_000
const PARTITION = 0

export interface KafkaRecordSettings {
  connection: KafkaConnection
  topic: string
  /** Of the workers: the reader's own group has it in its name. */
  groupId: string
  /** A sentence for the log. */
  say: (text: string) => void
  log: DriverLog
  /** How long a topic that is missing is not asked for again. */
  missingMs?: number
}

export function kafkaRecord(settings: KafkaRecordSettings): ClusterRecord {
  return {
    read: (fromMs: number, handlers: RecordHandlers): ClusterRecordReader => new Reader(settings, fromMs, handlers)
  }
}

interface Searching {
  lists: ListSearch<number>
  /** Nothing is older than where it began. */
  isAtLow: boolean
  steps: number
}

class Reader implements ClusterRecordReader {
  readonly #settings: KafkaRecordSettings
  readonly #fromMs: number
  readonly #handlers: RecordHandlers
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  readonly #groupId: string
  #driver: KafkaDriver | null = null
  #admin: Admin | null = null
  /** null: its list was found, and it follows. */
  #search: Searching | null = null
  /** What is read next. */
  #offset: number | null = null
  #lastAtMs = Number.NEGATIVE_INFINITY
  #limitMs = Number.NEGATIVE_INFINITY
  #fail: (error: unknown) => void = () => {}

  constructor(settings: KafkaRecordSettings, fromMs: number, handlers: RecordHandlers) {
    this.#settings = settings
    this.#fromMs = fromMs
    this.#handlers = handlers
    this.#groupId = `${settings.groupId}-cluster-${randomUUID()}`
    // Not before the caller has this reader in its hands.
    this.#running = Promise.resolve().then(() => this.#run())
  }

  readTo(atMs: number): void {
    const wasHeld = this.#lastAtMs > this.#limitMs
    this.#limitMs = atMs
    if (wasHeld && this.#lastAtMs <= atMs) this.#driver?.resume(PARTITION)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#fail(null)
    // Brokers that do not answer are not waited for.
    const given = new AbortController()
    await Promise.race([this.#running, delay(CLOSING_MS, undefined, { signal: given.signal }).catch(() => {})])
    given.abort()
  }

  async #run(): Promise<void> {
    const { connection, topic, say } = this.#settings
    const { signal } = this.#stop
    let said = ''
    while (!signal.aborted) {
      let waitMs = ASKED_AGAIN_MS
      try {
        if (await this.#read()) said = ''
        else waitMs = this.#settings.missingMs ?? MISSING_MS
      } catch (error) {
        if (signal.aborted) break
        const { message } = kafkaError(`cannot read the state of the cluster from topic ${topic}`, connection, error)
        if (message !== said) say(`${message}; it is tried again`)
        said = message
      }
      await delay(waitMs, undefined, { signal }).catch(() => {})
    }
  }

  /** Until it is closed or fails. False: there is no topic. */
  async #read(): Promise<boolean> {
    const { connection, topic, log } = this.#settings
    const failed = new Promise<void>((resolve, reject) => {
      this.#fail = error => (error === null ? resolve() : reject(error as Error))
    })
    // It may fail before anybody waits for it.
    failed.catch(() => {})
    const retry = { ...RETRY, retries: 3 }
    const admin = createClient({ connection, log, requestTimeoutMs: REQUEST_MS, retry }).admin()
    this.#admin = admin
    try {
      await admin.connect()
      if (!(await admin.listTopics()).includes(topic)) {
        this.#handlers.missing()
        return false
      }
      if (this.#offset === null) await this.#searchFrom(1)
      if (this.#stop.signal.aborted) return true
      const options = { topic, groupId: this.#groupId, sessionTimeoutMs: SESSION_MS, log }
      this.#driver = new KafkajsDriver(connection, options)
      await this.#driver.join(this.#driverHandlers())
      await failed
      return true
    } finally {
      const driver = this.#driver
      this.#driver = null
      this.#admin = null
      await driver?.leave()
      // Without offsets the broker would forget it as well, some time later.
      if (driver !== null) await admin.deleteGroups([this.#groupId]).catch(() => {})
      await admin.disconnect().catch(() => {})
    }
  }

  #driverHandlers(): DriverHandlers {
    const nothing = (): void => {}
    const anew = (): void => void this.#searchAnew()
    return {
      assigned: (_generation, partitions) => {
        if (partitions.includes(PARTITION)) this.#start()
      },
      rebalancing: nothing,
      revoked: nothing,
      messages: (_generation, partition, read) => {
        if (partition === PARTITION) this.#take(read)
      },
      // What was to be read next has expired, or the topic is another one: other lists may be all there is.
      outOfRange: anew,
      expired: anew,
      failed: (error: Why5xxError) => this.#fail(error)
    }
  }

  #start(): void {
    this.#driver?.start(PARTITION, this.#offset!)
    if (this.#search === null && this.#lastAtMs > this.#limitMs) this.#driver?.pause(PARTITION)
  }

  /** Looks for a list from so many steps before the moment on. */
  async #searchFrom(steps: number): Promise<void> {
    const { topic } = this.#settings
    const admin = this.#admin
    if (admin === null) return
    const marks = await admin.fetchTopicOffsets(topic)
    const { low, high } = marks.find(({ partition }) => partition === PARTITION)!
    for (let step = steps; ; step++) {
      const fromMs = this.#fromMs - STEP_MS * 2 ** (step - 1)
      const offset = step > STEPS_MAX || fromMs <= 0 ? Number(low) : await this.#offsetAt(admin, fromMs)
      const isAtLow = offset <= Number(low)
      // All that there is is older.
      if (offset >= Number(high) && !isAtLow) continue
      this.#search = { lists: new ListSearch(this.#fromMs), isAtLow, steps: step }
      this.#offset = Math.max(offset, Number(low))
      if (low === high) this.#handlers.caughtUp()
      return
    }
  }

  async #offsetAt(admin: Admin, ms: number): Promise<number> {
    const found = await admin.fetchTopicOffsetsByTimestamp(this.#settings.topic, Math.floor(ms))
    return Number(found.find(({ partition }) => partition === PARTITION)?.offset ?? 0)
  }

  async #searchAnew(steps = 1): Promise<void> {
    try {
      this.#driver?.pause(PARTITION)
      this.#search = null
      this.#offset = null
      await this.#searchFrom(steps)
      if (this.#offset !== null) this.#start()
    } catch (error) {
      this.#fail(error)
    }
  }

  #take(read: DriverRead): void {
    // What was on its way while the next step of the search is asked for.
    if (this.#offset === null) return
    this.#offset = read.nextOffset
    const isAtEnd = read.nextOffset >= read.high
    if (this.#search !== null) return this.#searchIn(this.#search, read, isAtEnd)
    const events = [...textsOf(read)].map(({ text }) => parseRecorded(text)).filter(event => event !== null)
    if (events.length > 0) {
      this.#lastAtMs = events.at(-1)!.at
      this.#handlers.events(events)
    }
    if (isAtEnd) this.#handlers.caughtUp()
    if (this.#lastAtMs > this.#limitMs) this.#driver?.pause(PARTITION)
  }

  #searchIn({ lists, isAtLow, steps }: Searching, read: DriverRead, isAtEnd: boolean): void {
    for (const { offset, text } of textsOf(read)) {
      const head = parseHead(text)
      if (head !== null) lists.add(offset, head)
      if (lists.isOver && (lists.best ?? (isAtLow ? lists.next : null)) !== null) break
    }
    if (!lists.isOver && !isAtEnd) return
    if (lists.best !== null) return this.#follow(lists.best)
    if (!isAtLow) return void this.#searchAnew(steps + 1)
    if (lists.next !== null) return this.#follow(lists.next)
    // There is none so far: the next one will do.
    if (isAtEnd) this.#handlers.caughtUp()
  }

  #follow({ position, atMs }: FoundList<number>): void {
    this.#search = null
    this.#offset = position
    this.#lastAtMs = Number.NEGATIVE_INFINITY
    this.#handlers.begins(atMs)
    this.#start()
  }
}

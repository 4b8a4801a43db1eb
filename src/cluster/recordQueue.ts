/**
 * Events on their way into a record: in order, in batches, with bounded memory. While nothing can be written they wait; when
 * too many do, the rest is given up, which the record says by a gap, and the watch is asked to list again.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { Why5xxError } from '../errors.ts'
import type { ClusterEvent } from './event.ts'
import { type ClusterRecordWriter, countDurable, noFacts } from './record.ts'
import { recordedJson } from './recordedJson.ts'

const WAITING_BYTES_MAX = 64 << 20
/** What one attempt writes: half of what brokers take, before compression. */
const BATCH_BYTES_MAX = 512 << 10
const WAIT_MS_MIN = 500
const WAIT_MS_MAX = 5_000
const CLOSING_MS = 10_000

export interface EncodedEvent {
  event: ClusterEvent
  json: string
  bytes: number
  number: number
}

export interface RecordQueueOptions {
  /** Id of this watch. */
  writer: string
  /**
   * Makes a batch durable, whole or in part: it comes again after an error. A Why5xxError is for ever, everything else is
   * tried again.
   */
  write: (batch: readonly EncodedEvent[]) => Promise<void>
  /** Events were given up: a whole list is needed. */
  onOverflow: () => void
  /** A sentence for the log. */
  say: (text: string) => void
  /** What went wrong, in words. */
  reasonOf: (error: unknown) => string
  waitingBytesMax?: number
  waitMsMin?: number
  closingMs?: number
}

interface Waiter {
  number: number
  resolve: () => void
  reject: (error: Error) => void
}

export class RecordQueue implements ClusterRecordWriter {
  readonly facts = noFacts()
  readonly #options: RecordQueueOptions
  readonly #stop = new AbortController()
  #waiting: EncodedEvent[] = []
  #bytes = 0
  #number = 0
  #waiters: Waiter[] = []
  #running: Promise<void> | null = null
  #failure: Error | null = null
  /** `at` of the newest event that was given up; null: none is just now. */
  #droppedToMs: number | null = null
  #lastAtMs = 0
  /** Something of the list that is told just now was given up: its end must not be written. */
  #isListBroken = false

  constructor(options: RecordQueueOptions) {
    this.#options = options
  }

  append(events: readonly ClusterEvent[]): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    for (const event of events) this.#add(event)
    if (this.#waiting.length === 0) return Promise.resolve()
    const number = this.#waiting.at(-1)!.number
    return new Promise((resolve, reject) => {
      this.#waiters.push({ number, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  async close(): Promise<void> {
    const timer = setTimeout(() => this.#stop.abort(), this.#options.closingMs ?? CLOSING_MS)
    await this.#running
    clearTimeout(timer)
    this.#stop.abort()
  }

  #add(event: ClusterEvent): void {
    if (event.type === 'LIST_START') this.#isListBroken = false
    const isFull = this.#bytes >= (this.#options.waitingBytesMax ?? WAITING_BYTES_MAX)
    if (this.#droppedToMs !== null || isFull) return this.#drop(event)
    if (event.type === 'LIST_END' && this.#isListBroken) return
    this.#push(event)
  }

  #push(event: ClusterEvent): void {
    const number = ++this.#number
    const { json, bytes, isCut } = recordedJson(event, this.#options.writer, number)
    if (isCut) {
      this.facts.cut++
      const { kind, metadata } = (event as Extract<ClusterEvent, { object: unknown }>).object
      this.#options.say(`${kind} ${metadata.namespace ?? ''}/${metadata.name} is too large: it is recorded in part`)
    }
    this.#waiting.push({ event, json, bytes, number })
    this.#bytes += bytes
    this.#lastAtMs = event.at
  }

  #drop(event: ClusterEvent): void {
    if (this.#droppedToMs === null) {
      const why = this.facts.pausedBecause === null ? '' : ` (${this.facts.pausedBecause})`
      this.#options.say(`more of the cluster's state waits than may${why}: it is given up until there is room`)
      this.#push({ at: this.#lastAtMs, type: 'GAP_START', kind: null })
    }
    this.#droppedToMs = event.at
    this.#isListBroken = true
    this.facts.dropped++
  }

  async #run(): Promise<void> {
    let waitMs = this.#options.waitMsMin ?? WAIT_MS_MIN
    while (this.#waiting.length > 0 && !this.#stop.signal.aborted) {
      const batch = this.#nextBatch()
      try {
        await this.#options.write(batch)
      } catch (error) {
        if (error instanceof Why5xxError) return this.#fail(error)
        const reason = this.#options.reasonOf(error)
        if (this.facts.pausedBecause !== reason) this.#options.say(`${reason}; it is tried again`)
        this.facts.pausedBecause = reason
        await delay(waitMs, undefined, { signal: this.#stop.signal }).catch(() => {})
        waitMs = Math.min(2 * waitMs, WAIT_MS_MAX)
        continue
      }
      waitMs = this.#options.waitMsMin ?? WAIT_MS_MIN
      if (this.facts.pausedBecause !== null) this.#options.say("the cluster's state is recorded again")
      this.facts.pausedBecause = null
      this.#written(batch)
    }
    this.#running = null
    // Told to stop while nothing could be written.
    if (this.#waiting.length > 0)
      this.#fail(
        new Why5xxError('WHY5XX_STORE', `${this.#waiting.length} events of the cluster are not recorded: it was closed`)
      )
  }

  #nextBatch(): EncodedEvent[] {
    let bytes = 0
    const end = this.#waiting.findIndex(event => (bytes += event.bytes) > BATCH_BYTES_MAX)
    return this.#waiting.slice(0, end === -1 ? this.#waiting.length : Math.max(1, end))
  }

  #written(batch: readonly EncodedEvent[]): void {
    const bytes = batch.reduce((sum, event) => sum + event.bytes, 0)
    this.#waiting = this.#waiting.slice(batch.length)
    this.#bytes -= bytes
    const last = batch.at(-1)!.number
    countDurable(
      this.facts,
      batch.map(({ event }) => event),
      bytes
    )
    const done = this.#waiters.filter(({ number }) => number <= last)
    this.#waiters = this.#waiters.filter(({ number }) => number > last)
    if (this.#droppedToMs !== null && this.#waiting.length === 0) this.#goOn(this.#droppedToMs)
    for (const { resolve } of done) resolve()
  }

  #goOn(droppedToMs: number): void {
    this.#droppedToMs = null
    this.#push({ at: droppedToMs, type: 'GAP_END', kind: null })
    this.#options.onOverflow()
  }

  #fail(error: Error): void {
    this.#failure = error
    this.#running = null
    this.#waiting = []
    for (const { reject } of this.#waiters) reject(error)
    this.#waiters = []
  }
}

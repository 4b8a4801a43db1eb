/** The topic for what nobody could read: the only place beside the input that has the original bytes. */

import { setTimeout } from 'node:timers/promises'
import kafkajs, { type Kafka, type Message, type Producer } from 'kafkajs'
import { Why5xxError } from '../../errors.ts'
import { sizedParts } from '../../sizedParts.ts'
import { registerCodecs } from './codecs.ts'
import type { KafkaConnection } from './connection.ts'
import type { DriverLog } from './driver.ts'
import { isTooLarge, kafkaError } from './kafkaError.ts'
import { createClient } from './kafkajsClient.ts'

export interface RejectMessage {
  value: Buffer
  headers: Record<string, string>
}

export interface RejectTopicOptions {
  connection: KafkaConnection
  topic: string
  log: DriverLog
  /** The client library, in tests. */
  create?: typeof createClient
}

const REQUEST_MS = 10_000
/** Of a batch of a partition: half of what brokers take by default, because keys, headers and frames are to fit in as well. */
const REQUEST_BYTES_MAX = 512 << 10
/** Short: we try again ourselves, and say so. */
const ATTEMPT = { initialRetryTime: 200, retries: 2, maxRetryTime: 1_000, factor: 0.2, multiplier: 2 }
const WAIT_MS_MIN = 500
const WAIT_MS_MAX = 5_000
/** What every topic takes, whatever else is wrong with it. */
const CUT_BYTES_MIN = 1_024

/** Says how long a value was that the topic did not take whole. */
const CUT_HEADER = 'why5xx.cut_from_bytes'

export class RejectTopic {
  readonly #options: RejectTopicOptions
  readonly #client: Kafka
  readonly #stop = new AbortController()
  #producer: Promise<Producer> | null = null
  /** Sends that failed and are tried again, and why. */
  readonly #waiting = new Map<symbol, string>()

  constructor(options: RejectTopicOptions) {
    const { connection, log, create = createClient } = options
    this.#options = options
    this.#client = create({ connection, log, requestTimeoutMs: REQUEST_MS, retry: ATTEMPT })
  }

  /** Why what was to be kept waits, as a sentence; null: nothing does. */
  get pausedBecause(): string | null {
    return this.#waiting.values().next().value ?? null
  }

  /**
   * Resolves when the brokers have all of them. Sends again, without end, while brokers are away or the topic is missing:
   * a message may then be there twice. Returns how many the topic refuses whatever is left of them: those are told and
   * given up. Throws Why5xxError `WHY5XX_KAFKA` only when it is closed meanwhile.
   */
  async send(rejects: readonly RejectMessage[]): Promise<number> {
    await registerCodecs()
    const turn = Symbol('send')
    try {
      return await this.#sendAll(rejects, because => this.#waiting.set(turn, because))
    } finally {
      this.#waiting.delete(turn)
    }
  }

  async #sendAll(rejects: readonly RejectMessage[], wait: (because: string) => void): Promise<number> {
    const { topic, connection, log } = this.#options
    let waitMs = WAIT_MS_MIN
    let dropped = 0
    for (let waiting = sizedParts(rejects, ({ value }) => value.length, REQUEST_BYTES_MAX); waiting.length > 0; ) {
      const part = waiting[0]!
      try {
        this.#throwWhenClosed()
        await this.#attempt(part)
        waiting.shift()
        waitMs = WAIT_MS_MIN
      } catch (error) {
        this.#throwWhenClosed()
        if (isTooLarge(error)) {
          const parts = smaller(part)
          if (parts.length === 0) {
            dropped++
            log(
              'warn',
              `topic ${topic} does not even take a reject of ${part[0]!.value.length} bytes: it is not kept there`,
              {
                code: part[0]!.headers['why5xx.code']
              }
            )
          }
          waiting = [...parts, ...waiting.slice(1)]
          continue
        }
        const because = kafkaError(`cannot write to topic ${topic}`, connection, error).message
        wait(because)
        log('warn', because, { againInMs: waitMs })
        await setTimeout(waitMs, undefined, { signal: this.#stop.signal }).catch(() => {})
        waitMs = Math.min(2 * waitMs, WAIT_MS_MAX)
      }
    }
    return dropped
  }

  async close(): Promise<void> {
    this.#stop.abort()
    const producer = await this.#producer?.catch(() => null)
    await producer?.disconnect()
  }

  async #attempt(messages: RejectMessage[]): Promise<void> {
    this.#producer ??= this.#connect()
    let producer: Producer
    try {
      producer = await this.#producer
    } catch (error) {
      this.#producer = null
      throw error
    }
    await producer.send({ topic: this.#options.topic, acks: -1, messages: messages as Message[] })
  }

  async #connect(): Promise<Producer> {
    const producer = this.#client.producer({
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      retry: ATTEMPT
    })
    await producer.connect()
    return producer
  }

  #throwWhenClosed(): void {
    if (!this.#stop.signal.aborted) return
    throw new Why5xxError('WHY5XX_KAFKA', `not everything was written to topic ${this.#options.topic}: it was closed`)
  }
}

/** One by one; a single one that is too large keeps its first half, and says so. Nothing: there is too little to halve. */
function smaller(part: RejectMessage[]): RejectMessage[][] {
  if (part.length > 1) return part.map(reject => [reject])
  const { value, headers } = part[0]!
  // Not even its headers fit: nobody would ever take it.
  if (value.length <= CUT_BYTES_MIN) return []
  const cut = value.subarray(0, value.length >> 1)
  return [[{ value: cut, headers: { ...headers, [CUT_HEADER]: headers[CUT_HEADER] ?? String(value.length) } }]]
}

/** A topic that is read in a consumer group: its partitions come, go, and come again. */

import type { KafkaConfig } from '../../clusterOptions.ts'
import type { KafkaFacts, Source, SourceEvent, StreamState } from '../source.ts'
import { systemTicker, type Ticker } from '../ticker.ts'
import type { DriverLog, KafkaDriver } from './driver.ts'
import { KafkaReading } from './kafkaReading.ts'

export interface KafkaLimits {
  /** What is read ahead of one partition: bytes, messages; it is paused then, and goes on below half of it. */
  partitionBytes: number
  partitionMessages: number
  /** Of all partitions together, bytes. */
  bytes: number
  /** How often what is durable is committed, ms. */
  commitMs: number
  /** How long the last commit and leaving the group may take, ms each. */
  closeMs: number
}

export const KAFKA_LIMITS: KafkaLimits = {
  partitionBytes: 20 << 20,
  partitionMessages: 50_000,
  bytes: 64 << 20,
  commitMs: 5_000,
  closeMs: 5_000
}

export interface KafkaSourceOptions {
  driver: KafkaDriver
  /** `topic` is the one that the driver reads; `groupId` names streams, also when the driver's group is another one. */
  config: Pick<KafkaConfig, 'topic' | 'groupId'>
  /** What the store knows of these streams, which are ours from now on. May take as long as the store is away. */
  claim: (streams: string[]) => Promise<StreamState[]>
  /** Told when a claimed stream begins to be read, by its id, and when it does no more: at once, with nothing left to be read. */
  begins?: (stream: string) => void
  ends?: (stream: string) => void
  log: DriverLog
  limits?: Partial<KafkaLimits>
  ticker?: Ticker
}

export type ReadingOptions = Omit<Required<KafkaSourceOptions>, 'limits'> & { limits: KafkaLimits }

export class KafkaSource implements Source {
  readonly isRepeatable = true
  readonly #options: ReadingOptions
  #reading: KafkaReading

  constructor({ limits, ...options }: KafkaSourceOptions) {
    this.#options = {
      ticker: systemTicker,
      begins: () => {},
      ends: () => {},
      ...options,
      limits: { ...KAFKA_LIMITS, ...limits }
    }
    this.#reading = new KafkaReading(this.#options)
  }

  /**
   * Joins the group anew with each call. After an abort the group is left by `close`, so that what becomes durable
   * meanwhile can still be committed; when reading is given up otherwise it is left at once, without a commit.
   */
  async *read(signal: AbortSignal): AsyncGenerator<SourceEvent> {
    const reading = new KafkaReading(this.#options)
    this.#reading = reading
    let hasFailed = false
    try {
      yield* reading.events(signal)
    } catch (error) {
      hasFailed = true
      throw error
    } finally {
      reading.stop()
      if (!signal.aborted || hasFailed) await reading.leave()
    }
  }

  durable(states: readonly StreamState[]): void {
    this.#reading.durable(states)
  }

  lost(states: readonly StreamState[]): void {
    this.#reading.lost(states)
  }

  async close(): Promise<void> {
    await this.#reading.finish()
    await this.#reading.leave()
  }

  get facts(): KafkaFacts {
    return this.#reading.facts
  }
}

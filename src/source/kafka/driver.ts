/** What the Kafka source needs of a client library: one topic, one group. Free of any library's types. */

import type { MessageBatch } from '../../../parsers/messageBatch.ts'
import type { Why5xxError } from '../../errors.ts'

/** What a driver tells. All of them return at once: a handler that waits would stop the heartbeats. */
export interface DriverHandlers {
  /** Ours from now on, and standing still until `start`. Generations ascend; a partition that comes again has a higher one. */
  assigned(generation: number, partitions: readonly number[]): void
  /** A rebalance begins: the last moment at which the group may accept a commit. */
  rebalancing(): void
  /** No longer ours, or ours anew: an `assigned` follows then. */
  revoked(partitions: readonly number[]): void
  /** What was read from a partition since `start`, without holes and in order. */
  messages(generation: number, partition: number, read: DriverRead): void
  /** The offset at which the partition should be read is not there: it stands still until `start`. */
  outOfRange(generation: number, partition: number): void
  /** Offsets that were passed over in reading had expired: `to` is where it went on. */
  expired(generation: number, partition: number, from: number, to: number): void
  /** The driver will never read again. */
  failed(error: Why5xxError): void
}

export interface DriverRead {
  /** Each about 1 MiB at most, or a single message. None: offsets that hold nothing to read, as transactions leave them. */
  batches: MessageBatch[]
  /** Where the next read begins. */
  nextOffset: number
  /** Offset behind the newest message of the partition, as of this read. */
  high: number
}

/** First offset that is kept, and the one behind the newest. */
export interface Watermarks {
  low: number
  high: number
}

export interface KafkaDriver {
  /**
   * Joins the group; partitions come through the handlers. Throws Why5xxError `WHY5XX_KAFKA` when the brokers cannot be
   * reached or refuse us, or there is no such topic. May be called again after `leave`.
   */
  join(handlers: DriverHandlers): Promise<void>
  /** Reads a partition of ours from this offset on. */
  start(partition: number, offset: number): void
  pause(partition: number): void
  resume(partition: number): void
  /** What the group has committed, by partition; those without a commit are left out. */
  committed(): Promise<ReadonlyMap<number, number>>
  /** By partition. */
  watermarks(): Promise<ReadonlyMap<number, Watermarks>>
  /** One attempt, as the member that we are at the moment of the call: the group refuses it when it has moved on. */
  commit(offsets: ReadonlyMap<number, number>): Promise<void>
  leave(): Promise<void>
  /** Wall time of the last answered fetch or heartbeat, Unix ms; null before the first. */
  readonly aliveMs: number | null
  readonly hasJoined: boolean
}

/** A client library's own log lines; `fields` hold no secret. */
export type DriverLog = (
  level: 'error' | 'warn' | 'info' | 'debug',
  message: string,
  fields: Record<string, unknown>
) => void

export interface DriverOptions {
  topic: string
  groupId: string
  sessionTimeoutMs: number
  log: DriverLog
}

/** How often a consumer may start anew without having read anything in between. */
export const RESTARTS_MAX = 5

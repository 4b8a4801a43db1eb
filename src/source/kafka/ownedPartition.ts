/** A partition that is ours for one generation: as a stream, and with what was read ahead of it. */

import type { MessageBatch } from '../../../parsers/messageBatch.ts'
import type { ReadPosition } from '../../checkpoint.ts'
import { ShipperRuns } from '../shipperRuns.ts'
import type { SourceStream, StreamPartition } from '../source.ts'
import type { DriverRead } from './driver.ts'
import type { StartPoint } from './startPoint.ts'

/** Of a message beside its bytes: offset, begin, end. */
const MESSAGE_BYTES = 16

export class PartitionStream implements SourceStream {
  readonly id: string
  readonly name: string
  readonly group = null
  readonly modifiedMs = null
  readonly head = Buffer.alloc(0)
  readonly resume: ReadPosition | null
  readonly partition: StreamPartition
  isAtEnd = false
  newestMs: number
  readonly #owned: OwnedPartition

  constructor(owned: OwnedPartition, id: string, topic: string, start: StartPoint) {
    const { partition } = owned
    this.id = id
    this.name = `${topic}/${partition}`
    this.resume = start.resume
    this.partition = { topic, partition, shipper: new ShipperRuns(start.runs) }
    this.newestMs = start.resume?.newestMs ?? Number.NEGATIVE_INFINITY
    this.#owned = owned
  }

  /** As of what was given out last: the runs lie a batch behind or before no position that anybody asks about. */
  place(): Record<string, unknown> {
    const { topic, partition, shipper } = this.partition
    const { committed, generation } = this.#owned
    return { topic, partition, runs: shipper.toJSON(), committed, generation }
  }
}

export class OwnedPartition {
  readonly partition: number
  readonly generation: number
  /** null: its state is being claimed, and nothing is read. */
  stream: PartitionStream | null = null
  /** An event has told of the stream. */
  isAnnounced = false
  isPaused = false
  /** Where the next read begins. */
  nextOffset = 0
  /** Behind what was given out. */
  readTo = 0
  /** Behind the newest message, as known last. */
  high = 0
  low = 0
  /** What the group has committed; null: nothing. */
  committed: number | null = null
  /** Where the newest durable state of this generation begins; null: there is none yet. */
  durable: number | null = null
  bytes = 0
  messages = 0
  readonly #batches: MessageBatch[] = []

  constructor(partition: number, generation: number) {
    this.partition = partition
    this.generation = generation
  }

  begin(stream: PartitionStream, offset: number): void {
    this.stream = stream
    this.nextOffset = offset
    this.readTo = offset
  }

  /** Keeps what was read; offsets that are known already are no part of it. */
  push({ batches, nextOffset, high }: DriverRead): void {
    for (const batch of batches) {
      if (batch.count === 0 || batch.offsets[0]! < this.nextOffset) continue
      this.#batches.push(batch)
      this.bytes += sizeOf(batch)
      this.messages += batch.count
    }
    if (nextOffset > this.nextOffset) this.nextOffset = nextOffset
    if (high > this.high) this.high = high
    if (this.#batches.length === 0) this.readTo = this.nextOffset
  }

  shift(): MessageBatch | null {
    const batch = this.#batches.shift() ?? null
    if (batch === null) return null
    this.bytes -= sizeOf(batch)
    this.messages -= batch.count
    this.readTo = this.#batches[0]?.offsets[0] ?? this.nextOffset
    return batch
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0
  }

  /** Nothing unread is known to be there. */
  get isRead(): boolean {
    return this.stream !== null && this.isEmpty && this.nextOffset >= this.high
  }

  /** What may be committed; null: nothing new. */
  get committable(): number | null {
    if (this.stream === null || this.durable === null) return null
    return this.durable > (this.committed ?? -1) ? this.durable : null
  }
}

function sizeOf(batch: MessageBatch): number {
  return batch.bytes.length + batch.count * MESSAGE_BYTES
}

/** How much is read ahead of the pipeline, and whose turn it is. */

import type { KafkaDriver } from './driver.ts'
import type { KafkaLimits } from './kafkaSource.ts'
import type { OwnedPartition } from './ownedPartition.ts'

export class ReadAhead {
  readonly #driver: KafkaDriver
  readonly #limits: KafkaLimits
  readonly #partitions: ReadonlyMap<number, OwnedPartition>
  /** The partition that had its turn last. */
  #last = -1

  constructor(driver: KafkaDriver, limits: KafkaLimits, partitions: ReadonlyMap<number, OwnedPartition>) {
    this.#driver = driver
    this.#limits = limits
    this.#partitions = partitions
  }

  /** The next partition, in turns, that has something to give; null: none has. */
  next(): OwnedPartition | null {
    const filled = [...this.#partitions.values()].filter(owned => !owned.isEmpty)
    if (filled.length === 0) return null
    filled.sort((a, b) => a.partition - b.partition)
    const owned = filled.find(({ partition }) => partition > this.#last) ?? filled[0]!
    this.#last = owned.partition
    return owned
  }

  /** Something came of a partition. */
  limit(owned: OwnedPartition): void {
    const { partitionBytes, partitionMessages, bytes } = this.#limits
    if (owned.bytes >= partitionBytes || owned.messages >= partitionMessages) this.#pause(owned)
    if (this.#bytes >= bytes) this.pauseAll()
  }

  /** Something was given out. */
  resume(): void {
    const { partitionBytes, partitionMessages, bytes } = this.#limits
    if (this.#bytes > bytes / 2) return
    for (const owned of this.#partitions.values()) {
      if (!owned.isPaused || owned.bytes > partitionBytes / 2 || owned.messages > partitionMessages / 2) continue
      owned.isPaused = false
      this.#driver.resume(owned.partition)
    }
  }

  pauseAll(): void {
    for (const owned of this.#partitions.values()) this.#pause(owned)
  }

  #pause(owned: OwnedPartition): void {
    if (owned.isPaused || owned.stream === null) return
    owned.isPaused = true
    this.#driver.pause(owned.partition)
  }

  get #bytes(): number {
    let sum = 0
    for (const owned of this.#partitions.values()) sum += owned.bytes
    return sum
  }
}

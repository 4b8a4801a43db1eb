/** Which partitions are ours, and how they become so: claimed from the store, then looked up at the brokers. */

import type { StreamState } from '../source.ts'
import type { Watermarks } from './driver.ts'
import type { ReadingOptions } from './kafkaSource.ts'
import { OwnedPartition } from './ownedPartition.ts'

const RETRY_MS = 1_000

interface OwnershipListener {
  /** All is known that is needed to read the partition. `state` null: the store knows nothing; `committed`: nor the group. */
  begin(owned: OwnedPartition, state: StreamState | null, committed: number | null, marks: Watermarks): void
  /** Reading goes on behind messages that expired meanwhile. */
  expired(owned: OwnedPartition, to: number): void
  /** What was read is not what is there: it is given up, and taken anew. */
  replaced(owned: OwnedPartition): void
  /** Resolves when what was lost is known to whoever reads: until then positions of it may be written. */
  told(): Promise<void>
  failed(error: unknown): void
}

export class Ownership {
  readonly partitions: ReadonlyMap<number, OwnedPartition>
  rebalances = -1
  /** An event has told of a partition that went. */
  hasLost = false
  readonly #owned = new Map<number, OwnedPartition>()
  readonly #options: ReadingOptions
  readonly #listener: OwnershipListener
  /** Resends that were recognised in partitions that went. */
  #resends = 0
  /** One claim after the other: the last one made is the last one that counts. */
  #claims: Promise<void> = Promise.resolve()

  constructor(options: ReadingOptions, listener: OwnershipListener) {
    this.partitions = this.#owned
    this.#options = options
    this.#listener = listener
  }

  get resends(): number {
    let sum = this.#resends
    for (const { stream } of this.#owned.values()) sum += stream?.partition.shipper.resends ?? 0
    return sum
  }

  /** The group has said which partitions are ours. */
  get isSettled(): boolean {
    return this.rebalances >= 0 && this.#options.driver.hasJoined
  }

  /** Something was read of each of them, or there is nothing to read. */
  get isWhole(): boolean {
    return this.isSettled && [...this.#owned.values()].every(({ isAnnounced, isRead }) => isAnnounced || isRead)
  }

  idOf(partition: number): string {
    const { groupId, topic } = this.#options.config
    return `${groupId}/${topic}/${partition}`
  }

  /** null: it is ours no longer, or anew. */
  current(generation: number, partition: number): OwnedPartition | null {
    const owned = this.#owned.get(partition)
    return owned?.generation === generation ? owned : null
  }

  assigned(generation: number, partitions: readonly number[]): void {
    this.rebalances++
    this.take(generation, partitions)
  }

  /** They are ours, but for what is to be known of them. */
  take(generation: number, partitions: readonly number[]): void {
    const taken = partitions.map(partition => new OwnedPartition(partition, generation))
    for (const owned of taken) this.#owned.set(owned.partition, owned)
    if (taken.length > 0) this.#take(taken)
  }

  /** What goes is returned. */
  revoked(partitions: readonly number[]): OwnedPartition[] {
    const gone = partitions.flatMap(partition => this.#owned.get(partition) ?? [])
    for (const { partition, stream, isAnnounced } of gone) {
      this.#owned.delete(partition)
      this.#resends += stream?.partition.shipper.resends ?? 0
      this.hasLost ||= isAnnounced
    }
    return gone
  }

  /** What was to be read is not there. */
  again(generation: number, partition: number): void {
    const owned = this.current(generation, partition)
    if (owned !== null) void this.#again(owned)
  }

  async #again(owned: OwnedPartition): Promise<void> {
    const { driver } = this.#options
    const marks = (await this.#lookUp([owned]))?.marks.get(owned.partition)
    if (marks === undefined || !this.#isCurrent(owned)) return
    if (owned.nextOffset > marks.high) return this.#listener.replaced(owned)
    if (owned.nextOffset < marks.low) this.#listener.expired(owned, marks.low)
    owned.isPaused = false
    driver.start(owned.partition, owned.nextOffset)
  }

  #isCurrent(owned: OwnedPartition): boolean {
    return this.#owned.get(owned.partition) === owned
  }

  #take(taken: OwnedPartition[]): void {
    this.#claims = this.#claims.then(async () => {
      try {
        // As ours again, the positions of an earlier reading would be taken for those of this one.
        await this.#listener.told()
        const current = taken.filter(owned => this.#isCurrent(owned))
        if (current.length === 0) return
        const states = await this.#options.claim(current.map(({ partition }) => this.idOf(partition)))
        const byId = new Map(states.map(state => [state.stream, state]))
        // Looked up afterwards: while the store was away, messages may have expired.
        const known = await this.#lookUp(current)
        if (known === null) return
        for (const owned of current) {
          const marks = known.marks.get(owned.partition)
          if (marks === undefined || !this.#isCurrent(owned)) continue
          const state = byId.get(this.idOf(owned.partition)) ?? null
          this.#listener.begin(owned, state, known.committed.get(owned.partition) ?? null, marks)
        }
        const partitions = current.filter(owned => this.#isCurrent(owned)).map(({ partition }) => partition)
        this.#options.log('info', `assigned ${partitions.length} of ${known.marks.size} partitions`, { partitions })
      } catch (error) {
        this.#listener.failed(error)
      }
    })
  }

  /** What the brokers know; asked until they answer. null: all of the partitions went meanwhile. */
  async #lookUp(
    wanted: readonly OwnedPartition[]
  ): Promise<{ committed: ReadonlyMap<number, number>; marks: ReadonlyMap<number, Watermarks> } | null> {
    const { driver, ticker, log } = this.#options
    while (wanted.some(owned => this.#isCurrent(owned))) {
      try {
        const [committed, marks] = await Promise.all([driver.committed(), driver.watermarks()])
        return { committed, marks }
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error)
        log('warn', 'where partitions begin is not known yet', { error: text })
        await ticker.sleep(RETRY_MS, new AbortController().signal)
      }
    }
    return null
  }
}

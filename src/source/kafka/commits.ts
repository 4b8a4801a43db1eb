/** What of our partitions may be committed, and when. A commit that fails costs reading again, and nothing else. */

import type { StreamState } from '../source.ts'
import type { ReadingOptions } from './kafkaSource.ts'
import type { OwnedPartition } from './ownedPartition.ts'
import { partitionPlace } from './startPoint.ts'

export class Commits {
  readonly #options: ReadingOptions
  readonly #partitions: ReadonlyMap<number, OwnedPartition>
  #running: Promise<void> | null = null

  constructor(options: ReadingOptions, partitions: ReadonlyMap<number, OwnedPartition>) {
    this.#options = options
    this.#partitions = partitions
  }

  durable(states: readonly StreamState[]): void {
    for (const state of states) {
      const owned = this.ofState(state)
      if (owned !== null) owned.durable = state.read.from
    }
  }

  /** States of an earlier generation speak of a position that is ours no longer: null. */
  ofState({ stream, place }: StreamState): OwnedPartition | null {
    const { success, data } = partitionPlace.safeParse(place)
    const owned = success ? this.#partitions.get(data.partition) : undefined
    return owned?.stream?.id === stream && owned.generation === data?.generation ? owned : null
  }

  /** Commits what is new, one commit at a time. Sent before it returns: in a rebalance there is only this moment. */
  commit(): void {
    if (this.#running !== null) return
    const due = new Map<OwnedPartition, number>()
    for (const owned of this.#partitions.values()) {
      const offset = owned.committable
      if (offset !== null) due.set(owned, offset)
    }
    if (due.size === 0) return
    const offsets = new Map([...due].map(([{ partition }, offset]) => [partition, offset]))
    this.#running = this.#options.driver
      .commit(offsets)
      .then(
        () => {
          for (const [owned, offset] of due) owned.committed = offset
        },
        (error: unknown) => {
          const text = error instanceof Error ? error.message : String(error)
          this.#options.log('info', 'the group did not take a commit', { error: text })
        }
      )
      .finally(() => {
        this.#running = null
      })
  }

  /** Once more, behind the one that is on its way. */
  async finish(): Promise<void> {
    await this.#running
    this.commit()
    await this.#running
  }
}

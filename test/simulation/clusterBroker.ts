/** A topic and its consumer group, as one broker keeps them: generations, assignments, committed offsets. */
import type { Random } from '../../bench/random.ts'
import { batchesOf, type RawMessage } from '../../src/source/kafka/batches.ts'
import type { DriverRead, Watermarks } from '../../src/source/kafka/driver.ts'
import type { SimulatedDriver } from './clusterDriver.ts'
import type { Wire } from './clusterWire.ts'

/** One partition; offsets ascend, and may have holes. `end`: behind the last one. */
export interface SimulatedPartition {
  messages: RawMessage[]
  end: number
}

export class SimulatedBroker {
  readonly partitions: SimulatedPartition[]
  readonly committed = new Map<number, number>()
  /** A rebalance moves only what has to move, and in two steps; else everything is given up and dealt anew. */
  readonly isCooperative: boolean
  generation = 0
  /** A fetch brings so many, or fewer. */
  fetchMessagesMax = Number.POSITIVE_INFINITY
  readonly #random: Random
  readonly #wire: Wire
  readonly #members = new Set<SimulatedDriver>()
  /** Members of the round that is going on; null: none is. */
  #joined: Set<SimulatedDriver> | null = null

  constructor(partitions: SimulatedPartition[], random: Random, wire: Wire, isCooperative: boolean) {
    this.partitions = partitions
    this.#random = random
    this.#wire = wire
    this.isCooperative = isCooperative
  }

  get isCommitted(): boolean {
    return this.partitions.every(({ end }, partition) => (this.committed.get(partition) ?? 0) === end)
  }

  has(driver: SimulatedDriver): boolean {
    return this.#members.has(driver)
  }

  /** The group waits for this member. */
  isWaitingFor(driver: SimulatedDriver): boolean {
    return this.#joined !== null && this.#members.has(driver) && !this.#joined.has(driver)
  }

  join(driver: SimulatedDriver): void {
    this.#members.add(driver)
    this.#joined ??= new Set()
    this.#joined.add(driver)
    this.#deal()
  }

  /** Leaves, or was not heard of for a session timeout. */
  remove(driver: SimulatedDriver): void {
    if (!this.#members.delete(driver)) return
    this.#joined ??= new Set()
    if (this.#joined.delete(driver)) this.#wire.tell(driver.host, () => driver.refused())
    this.#deal()
  }

  /** Whoever asked to join and died before that arrived is not heard of either. */
  removeDead(): void {
    for (const driver of this.#members) if (driver.host.state === 'dead') this.remove(driver)
  }

  rebalance(): void {
    if (this.#members.size > 0) this.#joined ??= new Set()
  }

  /** Throws when the group has moved on. */
  commit(driver: SimulatedDriver, generation: number, offsets: ReadonlyMap<number, number>): void {
    if (!this.#members.has(driver)) throw new Error('UNKNOWN_MEMBER_ID')
    if (generation !== this.generation) throw new Error('ILLEGAL_GENERATION')
    for (const [partition, offset] of offsets) this.committed.set(partition, offset)
  }

  watermarks(): Map<number, Watermarks> {
    return new Map(this.partitions.map(({ end }, partition) => [partition, { low: 0, high: end }]))
  }

  read(partition: number, from: number): DriverRead {
    const { messages, end } = this.partitions[partition]!
    const left = messages.filter(({ offset }) => Number(offset) >= from)
    const read = left.slice(0, 1 + Math.floor(this.#random.share() * this.fetchMessagesMax))
    const nextOffset = read.length === left.length ? end : Number(read.at(-1)!.offset) + 1
    return { batches: batchesOf(read), nextOffset, high: end }
  }

  /** Everybody is there: a generation begins. */
  #deal(): void {
    const joined = this.#joined
    if (joined === null || joined.size < this.#members.size) return
    this.#joined = null
    this.generation++
    const members = [...this.#members]
    const first = this.#random.below(Math.max(1, members.length))
    const given = new Map<SimulatedDriver, number[]>(members.map(member => [member, []]))
    for (const partition of members.length > 0 ? this.partitions.keys() : []) {
      const wanted = members[(first + partition) % members.length]!
      const owner = members.find(member => member.owned.has(partition))
      // Given up first, dealt in the next round.
      if (this.isCooperative && owner !== undefined && owner !== wanted) continue
      given.get(wanted)!.push(partition)
    }
    const { generation } = this
    for (const [member, partitions] of given)
      this.#wire.tell(member.host, () => member.synchronised(generation, partitions))
  }
}

/** A member of the simulated group: it knows what it was told, which may be true no longer. */
import type { DriverHandlers, KafkaDriver, Watermarks } from '../../src/source/kafka/driver.ts'
import type { SimulatedBroker } from './clusterBroker.ts'
import type { Host, Wire } from './clusterWire.ts'

interface Reading {
  generation: number
  nextOffset: number
  isPaused: boolean
  isFetching: boolean
}

const lossOf = (): Error => new Error('no broker')

export class SimulatedDriver implements KafkaDriver {
  readonly aliveMs = null
  hasJoined = false
  readonly host: Host
  /** By partition: its generation, as this driver counts them. */
  readonly owned = new Map<number, number>()
  readonly #broker: SimulatedBroker
  readonly #wire: Wire
  #handlers: DriverHandlers | null = null
  readonly #readings = new Map<number, Reading>()
  #generation = 0
  /** Of the group, when it was heard last. */
  #groupGeneration = -1
  /** Asked to be a member of the next generation, and not answered. */
  #isJoining = false

  constructor(host: Host, broker: SimulatedBroker, wire: Wire) {
    this.host = host
    this.#broker = broker
    this.#wire = wire
  }

  async join(handlers: DriverHandlers): Promise<void> {
    this.#handlers = handlers
    this.#join()
  }

  start(partition: number, offset: number): void {
    const generation = this.owned.get(partition)
    if (generation === undefined) return
    this.#readings.set(partition, { generation, nextOffset: offset, isPaused: false, isFetching: false })
  }

  pause(partition: number): void {
    const reading = this.#readings.get(partition)
    if (reading) reading.isPaused = true
  }

  resume(partition: number): void {
    const reading = this.#readings.get(partition)
    if (reading) reading.isPaused = false
  }

  committed(): Promise<ReadonlyMap<number, number>> {
    return this.#wire.ask(this.host, () => new Map(this.#broker.committed), lossOf)
  }

  watermarks(): Promise<ReadonlyMap<number, Watermarks>> {
    return this.#wire.ask(this.host, () => this.#broker.watermarks(), lossOf)
  }

  /** Requests of one connection keep their order: none arrives when it was given up. */
  commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    const generation = this.#groupGeneration
    const sent = new Map(offsets)
    return this.#wire.ask(this.host, () => this.#broker.commit(this, generation, sent), lossOf, false)
  }

  leave(): Promise<void> {
    this.#handlers = null
    this.owned.clear()
    this.#readings.clear()
    this.hasJoined = false
    return this.#wire.ask(this.host, () => this.#broker.remove(this), lossOf)
  }

  /** What the group thinks of us; true when it was news. */
  heartbeat(): boolean {
    const handlers = this.#handlers
    if (handlers === null || this.#isJoining || this.host.state !== 'running') return false
    if (!this.#broker.has(this)) {
      if (this.#broker.isCooperative) this.#giveUp([...this.owned.keys()])
    } else if (this.#broker.isWaitingFor(this)) handlers.rebalancing()
    else return false
    this.#join()
    return true
  }

  /** The group has given us up while we waited for the next generation. */
  refused(): void {
    this.#isJoining = false
  }

  /** A generation has begun, with these partitions ours. */
  synchronised(groupGeneration: number, partitions: readonly number[]): void {
    this.#isJoining = false
    const handlers = this.#handlers
    if (handlers === null) return
    this.#groupGeneration = groupGeneration
    this.hasJoined = true
    this.#generation++
    const stays = (partition: number): boolean => this.#broker.isCooperative && partitions.includes(partition)
    const gone = [...this.owned.keys()].filter(partition => !stays(partition))
    const come = partitions.filter(partition => !this.owned.has(partition) || !stays(partition))
    if (gone.length > 0) {
      if (this.#broker.isCooperative) handlers.rebalancing()
      this.#giveUp(gone)
    }
    for (const partition of come) this.owned.set(partition, this.#generation)
    handlers.assigned(this.#generation, come)
    // Others wait for what was given up.
    if (this.#broker.isCooperative && gone.length > 0) this.#join()
  }

  /** Fetches of a partition of ours, if there is anything to fetch; false when there was nothing. */
  fetch(partition: number): boolean {
    const reading = this.#readings.get(partition)
    if (reading === undefined || reading.isPaused || reading.isFetching || this.host.state !== 'running') return false
    if (reading.nextOffset >= this.#broker.partitions[partition]!.end) return false
    reading.isFetching = true
    const serve = () => this.#broker.read(partition, reading.nextOffset)
    this.#wire.send(this.host, serve, read => {
      reading.isFetching = false
      reading.nextOffset = read.nextOffset
      const isBefore = this.#readings.get(partition) !== reading && this.owned.get(partition) === reading.generation
      if (isBefore) return
      // Also of a generation that is over: a client library may still bring it.
      this.#handlers?.messages(reading.generation, partition, read)
    })
    return true
  }

  #join(): void {
    this.#isJoining = true
    this.#wire.send(
      this.host,
      () => this.#broker.join(this),
      () => {}
    )
  }

  #giveUp(partitions: number[]): void {
    for (const partition of partitions) {
      this.owned.delete(partition)
      this.#readings.delete(partition)
    }
    if (partitions.length > 0) this.#handlers?.revoked(partitions)
  }
}

/** A cluster from its first line to the last commit, with whatever happens to its workers on the way. */
import { setImmediate } from 'node:timers/promises'
import { Random } from '../../bench/random.ts'
import type { LogFormat } from '../../parsers/logFormat.ts'
import { SimulatedBroker, type SimulatedPartition } from './clusterBroker.ts'
import { type ElasticsearchFaults, HEALTHY, SimulatedElasticsearch } from './clusterElasticsearch.ts'
import { SAFE, Wire, type WireFaults } from './clusterWire.ts'
import { type Cluster, SimulatedWorker } from './clusterWorker.ts'

/** Probabilities: of one step, but for those of requests and items. */
export interface ClusterFaults {
  workers: number
  /** What one fetch brings, at most. */
  fetchMessages: number
  kill: number
  stop: number
  freeze: number
  rebalance: number
  /** The group gives up a worker that goes on. */
  expire: number
  wire: WireFaults
  elasticsearch: ElasticsearchFaults
}

export const NO_FAULTS: ClusterFaults = {
  workers: 1,
  fetchMessages: Number.POSITIVE_INFINITY,
  kill: 0,
  stop: 0,
  freeze: 0,
  rebalance: 0,
  expire: 0,
  wire: SAFE,
  elasticsearch: HEALTHY
}

/** What has happened, for whoever doubts that anything did. */
export interface Happened {
  steps: number
  killed: number
  stopped: number
  frozen: number
  expired: number
  generations: number
}

export interface Played extends Cluster {
  happened: Happened
}

const FAULTY_STEPS = 900
/** Of one step: so rarely that a worker goes on for a while with what is its own no longer. */
const HEARTBEAT = 0.05
const STEPS_MAX = 20_000
/** How long time stands still at most, and how far it goes then. */
const PASSES_MS = [200, 1_000, 1_000, 5_000, 20_000]

export interface Stage {
  seed: number
  partitions: SimulatedPartition[]
  logFormat: LogFormat | null
  isRefused: (index: string, id: string) => boolean
}

/** Plays until everything is committed. Throws when it never is, and what no process should end with. */
export async function play(stage: Stage, faults: ClusterFaults): Promise<Played> {
  return new Play(stage, faults).play()
}

class Play {
  readonly #faults: ClusterFaults
  readonly #random: Random
  readonly #cluster: Cluster
  readonly #happened: Happened = { steps: 0, killed: 0, stopped: 0, frozen: 0, expired: 0, generations: 0 }
  #workers: SimulatedWorker[] = []
  #claims = 0

  constructor({ seed, partitions, logFormat, isRefused }: Stage, faults: ClusterFaults) {
    const random = new Random(seed)
    const wire = new Wire(random)
    const broker = new SimulatedBroker(partitions, random, wire, seed % 2 === 0)
    const elasticsearch = new SimulatedElasticsearch(random, isRefused)
    broker.fetchMessagesMax = faults.fetchMessages
    this.#faults = faults
    this.#random = random
    this.#cluster = { wire, broker, elasticsearch, kept: new Set(), random, logFormat }
  }

  async play(): Promise<Played> {
    const { wire, elasticsearch, broker } = this.#cluster
    const happened = this.#happened
    wire.faults = this.#faults.wire
    elasticsearch.faults = this.#faults.elasticsearch
    while (!broker.isCommitted) {
      if (happened.steps++ === FAULTY_STEPS) this.#calm()
      if (happened.steps > STEPS_MAX) throw new Error(`after ${STEPS_MAX} steps not everything is committed`)
      this.#step(happened.steps <= FAULTY_STEPS)
      await setImmediate()
      this.#sweep()
    }
    // What is still on its way must not undo anything.
    while (wire.arriveLate());
    for (const worker of this.#workers) worker.state = 'dead'
    happened.generations = broker.generation
    return { ...this.#cluster, happened }
  }

  /** From now on nothing goes wrong any more. */
  #calm(): void {
    this.#cluster.wire.faults = SAFE
    this.#cluster.elasticsearch.faults = HEALTHY
    for (const worker of this.#workers) worker.state = 'running'
  }

  #step(isFaulty: boolean): void {
    const random = this.#random
    const { wire, broker } = this.#cluster
    if (this.#workers.length < this.#faults.workers && random.share() < 0.2) return this.#start()
    if (isFaulty && this.#goWrong()) return
    // A session times out.
    if (random.share() < 0.02) broker.removeDead()
    for (const worker of this.#workers) {
      if (worker.state === 'frozen' && random.share() < 0.01) worker.state = 'running'
      if (worker.state === 'frozen' && random.share() < 0.02) this.#expire(worker)
    }
    if (random.share() < HEARTBEAT && this.#anyOf(({ driver }) => driver.heartbeat())) return
    if (random.share() < 0.25 && this.#anyOf(({ driver }) => this.#fetch(driver))) return
    if (random.share() < 0.94 && wire.step()) return
    if (this.#anyOf(({ driver }) => this.#fetch(driver) || driver.heartbeat())) return
    wire.pass(random.pick(PASSES_MS))
  }

  #start(): void {
    const claim = String(++this.#claims)
    // A container that is started again has its name still; a new pod has one of its own.
    const instance = this.#random.share() < 0.5 ? `worker-${this.#random.below(3)}` : `pod-${claim}`
    const isTaken = this.#workers.some(worker => worker.instance === instance)
    this.#workers.push(new SimulatedWorker(this.#cluster, isTaken ? `pod-${claim}` : instance, claim))
  }

  #goWrong(): boolean {
    const { kill, stop, freeze, rebalance, expire } = this.#faults
    const fate = this.#random.share()
    const running = this.#workers.filter(({ state }) => state === 'running')
    if (running.length === 0) return false
    const worker = this.#random.pick(running)
    if (fate < kill) this.#kill(worker)
    else if (fate < kill + stop) worker.stop()
    else if (fate < kill + stop + freeze) {
      worker.state = 'frozen'
      this.#happened.frozen++
      if (this.#random.share() < 0.5) this.#cluster.wire.slowDown(worker)
    } else if (fate < kill + stop + freeze + rebalance) this.#cluster.broker.rebalance()
    else if (fate < kill + stop + freeze + rebalance + expire) this.#expire(worker)
    else return false
    return true
  }

  #kill(worker: SimulatedWorker): void {
    worker.state = 'dead'
    this.#cluster.wire.bury(worker)
    this.#happened.killed++
  }

  /** The group has not heard of it for a session timeout. */
  #expire({ driver }: SimulatedWorker): void {
    if (!this.#cluster.broker.has(driver)) return
    this.#cluster.broker.remove(driver)
    this.#happened.expired++
  }

  /** Takes away who has ended. */
  #sweep(): void {
    const { wire } = this.#cluster
    for (const worker of this.#workers) {
      if (worker.bug !== null) throw new Error('a process has crashed', { cause: worker.bug })
      if (worker.ending !== null) {
        if (worker.ending === 'stopped') this.#happened.stopped++
        worker.state = 'dead'
        wire.bury(worker)
      }
    }
    this.#workers = this.#workers.filter(({ state }) => state !== 'dead')
  }

  #anyOf(does: (worker: SimulatedWorker) => boolean): boolean {
    const first = this.#random.below(Math.max(1, this.#workers.length))
    return this.#workers.some((_, i) => does(this.#workers[(first + i) % this.#workers.length]!))
  }

  #fetch(driver: SimulatedWorker['driver']): boolean {
    return [...driver.owned.keys()].some(partition => driver.fetch(partition))
  }
}

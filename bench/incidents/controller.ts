import type { Endpoints, Peer } from './cluster.ts'
import type { Random } from './random.ts'

export interface Worker {
  pid: number
  /** Offset of its one-second balancer timer. */
  tickPhaseMs: number
  roundRobin: Map<string, number>
  /** Last use of the idle connection to a backend, by address. */
  idleSince: Map<string, number>
}

/** One client connection: it stays with its worker, and its number is in every error line. */
export interface Connection {
  controller: Controller
  worker: Worker
  number: number
  busyUntil: number
  lastUsed: number
}

/** One ingress-nginx pod: its workers, replaced at each reload, and the counter that numbers connections. */
export class Controller {
  readonly pod: string
  readonly uid: string
  /** Of its own Pod object, which does not change while it runs. */
  readonly resourceVersion: number
  readonly #random: Random
  readonly #generations: { at: number; workers: Worker[] }[] = []
  #connections: number
  #temporaryFiles: number

  constructor(pod: string, random: Random) {
    this.pod = pod
    this.#random = random
    this.uid = random.uuid()
    this.#connections = random.integer(120_000, 2_900_000)
    this.#temporaryFiles = random.integer(40, 900)
    this.resourceVersion = random.integer(41_000_000, 48_000_000)
    this.#startWorkers(Number.NEGATIVE_INFINITY, random.integer(29, 36))
  }

  reload(at: number): void {
    const newest = this.#generations.at(-1)!.workers.at(-1)!.pid
    this.#startWorkers(at, newest + this.#random.integer(3, 190))
  }

  #startWorkers(at: number, firstPid: number): void {
    const workers = Array.from({ length: 4 }, (_, index) => ({
      pid: firstPid + index,
      tickPhaseMs: this.#random.integer(0, 999),
      roundRobin: new Map<string, number>(),
      idleSince: new Map<string, number>()
    }))
    this.#generations.push({ at, workers })
  }

  workersAt(ms: number): readonly Worker[] {
    return this.#generations.findLast(generation => generation.at <= ms)!.workers
  }

  /** nginx numbers client and upstream connections with one counter. */
  nextConnection(): number {
    this.#connections += this.#random.weighted([
      [6, 1],
      [2, 2],
      [1, 4]
    ])
    return this.#connections
  }

  nextTemporaryFile(): string {
    return `/tmp/nginx/client-body/${String(++this.#temporaryFiles).padStart(10, '0')}`
  }
}

/** Round robin, a position per worker and service. */
export function choosePeer(
  worker: Worker,
  service: string,
  endpoints: Endpoints,
  ms: number,
  random: Random
): Peer | null {
  const peers = endpoints.seenAt(ms, worker.tickPhaseMs)
  if (peers.length === 0) return null
  const position = worker.roundRobin.get(service) ?? random.integer(0, peers.length - 1)
  worker.roundRobin.set(service, position + 1)
  return peers[position % peers.length]!
}

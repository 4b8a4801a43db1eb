/** The cluster of a simulated world: its pods die while requests fail, and that is told late. */
import { Random } from '../../bench/random.ts'
import { openClusterState } from '../../src/cluster/clusterIndex.ts'
import type { ClusterEvent } from '../../src/cluster/event.ts'
import type { Readiness } from '../../src/cluster/knowledge.ts'
import type { ClusterState } from '../../src/cluster/state.ts'
import type { Knowledge } from '../../src/judge.ts'
import { matchesFilter } from '../../src/store/matchesFilter.ts'
import type { StoreReader } from '../../src/store/store.ts'
import { failureRow } from '../../src/store/store.ts'
import { DAY_MS } from '../support/lines.ts'
import type { MemoryDisk } from '../support/memoryDisk.ts'
import { readMemory } from '../support/memoryStore.ts'
import { ShopCluster, told } from '../support/shopCluster.ts'

/** Wall time when the first process starts: behind all that the logs tell of. */
export const FIRST_MS = DAY_MS + 430_000
/** By then everything is told; what is settled is older. */
const TOLD_MS = 10_000
export const SETTLE_MS = 20_000

/** By the time at which it is told. */
export function clusterOf(seed: number): ClusterEvent[] {
  const random = new Random(seed)
  const shop = new ShopCluster({ addresses: ['10.0.0.7', '10.0.0.8', '10.0.0.9'], port: 80, nowMs: DAY_MS })
  const late = [0, 1].map(pod => {
    const atMs = DAY_MS + (240 + random.below(180)) * 1_000
    return told(
      FIRST_MS + random.below(TOLD_MS),
      'MODIFIED',
      shop.oomKilled(pod, atMs, atMs + 10_000 + random.below(120_000))
    )
  })
  return [...shop.listed(DAY_MS - 600_000), ...late.sort((a, b) => a.at - b.at)]
}

/** What one process knows: nothing before it has read the record, then what was told by now. */
export class SimulatedKnowledge implements Knowledge {
  readonly #events: readonly ClusterEvent[]
  readonly #nowMs: () => number
  readonly #isLate: () => boolean
  readonly #state = openClusterState()
  #next = 0
  #hasRead = false

  constructor(events: readonly ClusterEvent[], nowMs: () => number, isLate: () => boolean) {
    this.#events = events
    this.#nowMs = nowMs
    this.#isLate = isLate
  }

  get state(): ClusterState {
    if (!this.#hasRead) return this.#state
    const nowMs = this.#nowMs()
    while (this.#next < this.#events.length && this.#events[this.#next]!.at <= nowMs)
      this.#state.apply(this.#events[this.#next++]!)
    this.#state.apply({ at: nowMs, type: 'HEARTBEAT' })
    return this.#state
  }

  async ready(): Promise<Readiness> {
    this.#hasRead ||= !this.#isLate()
    // Late is what was never recorded: the first verdict stands.
    return { known: this.#hasRead, isCaughtUp: true, fromMs: Number.NEGATIVE_INFINITY }
  }

  read(): void {
    this.#hasRead = true
  }
}

/** What a second process would find on the disk: what is committed. */
export function readerOf(disk: MemoryDisk): Pick<StoreReader, 'search' | 'close'> {
  return {
    async search(filter) {
      const { rows } = await readMemory(disk)
      const found = rows
        .filter(row => row.kind === 'failure')
        .map(row => {
          const document = row.document as Record<string, unknown>
          const stored = { id: row.id!, version: row.version!, timeMs: Date.parse(row.time as string), document }
          return { ...failureRow(stored), document }
        })
      return { rows: found.filter(row => matchesFilter(filter, row)), next: null }
    },
    close: async () => {}
  }
}

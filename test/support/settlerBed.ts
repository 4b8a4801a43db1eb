/** A settler over a store in memory and a cluster whose terminations are told late. */
import { START } from '../../src/checkpoint.ts'
import { openClusterState } from '../../src/cluster/clusterIndex.ts'
import type { ClusterState } from '../../src/cluster/state.ts'
import { Counters } from '../../src/counters.ts'
import { diagnose } from '../../src/diagnose/diagnose.ts'
import { inputOfFailure } from '../../src/failureInput.ts'
import type { Knowledge } from '../../src/judge.ts'
import { MASK_ALL, Masker } from '../../src/mask.ts'
import { Settler, type SettlerParts } from '../../src/settler.ts'
import type { StreamState } from '../../src/source/source.ts'
import { buildDocument, type StoredDocument } from '../../src/store/document.ts'
import { options, T } from '../store/examples.ts'
import { batch } from '../store/failures.ts'
import { runEngine } from './engineRun.ts'
import { accessLine, cri, errorLine, MESSAGES } from './lines.ts'
import { ShopCluster, told } from './shopCluster.ts'
import { VersionedStore } from './versionedStore.ts'

export const SETTLE_MS = 120_000
export const HOUR_MS = 3_600_000
export const shop = new ShopCluster({ addresses: ['10.2.3.14'], nowMs: T })

/** Terminations are told `lateMs` after the fact. */
export function stateAt(nowMs: number, lateMs = 20_000): ClusterState {
  const state = openClusterState()
  const events = [
    ...shop.listed(T - 600_000),
    told(T - 1_000 + lateMs, 'MODIFIED', shop.oomKilled(0, T - 1_000)),
    { at: nowMs, type: 'HEARTBEAT' as const }
  ]
  for (const event of events) if (event.at <= nowMs) state.apply(event)
  return state
}

interface Written {
  /** By which it is told from others. */
  path?: string
  timeMs?: number
  ingestedMs?: number
  partition?: number | null
  topic?: string
  clusterName?: string
}

/** As a worker stored it at once. */
export function failure(given: Written = {}): StoredDocument {
  const { path = '/cart', timeMs = T, ingestedMs = timeMs + 1_000, partition = null, topic = 'raw' } = given
  const request = `GET ${path} HTTP/1.1`
  const [found] = runEngine([
    cri(timeMs, 'stderr', errorLine({ timeMs, message: MESSAGES.refused, upstream: '10.2.3.14:8080', request })),
    cri(timeMs, 'stdout', accessLine({ timeMs, status: 502, request, up: '10.2.3.14:8080|0|0.001|502' }))
  ]).failures
  if (partition !== null) {
    const position = { topic, partition, offset: 1 }
    found!.access!.position = position
    for (const error of found!.errors) error.position = position
  }
  const diagnosis = diagnose(inputOfFailure(found!, new Masker(MASK_ALL)), stateAt(ingestedMs))
  found!.judgement = { isKnown: true, diagnosis }
  return buildDocument(found!, {
    ...options(),
    clusterName: given.clusterName ?? 'prod',
    nowMs: () => ingestedMs
  }).toJSON()
}

export function streamState(stream: string, settledToMs?: number, isDone = false): StreamState {
  return { stream, place: {}, read: START, isDone, ...(settledToMs !== undefined && { settledToMs }) }
}

/** A record that was read so far, `isCaughtUp`: to its end. */
export function knowledgeOf(state: ClusterState, known = true, isCaughtUp = true): Knowledge {
  return { ready: () => Promise.resolve({ known, isCaughtUp, fromMs: Number.NEGATIVE_INFINITY }), state }
}

export class SettlerBed {
  readonly store = new VersionedStore()
  readonly counters = new Counters(0)
  nowMs = T
  known = true
  inFlightMs = Number.POSITIVE_INFINITY
  oldestWrittenMs = Number.POSITIVE_INFINITY
  opened = 0
  readonly said: string[] = []
  settler: Settler
  readonly #more: Partial<SettlerParts>

  constructor(more: Partial<SettlerParts> = {}) {
    this.#more = more
    this.settler = this.start()
  }

  /** Another process over the same store. */
  start(more: Partial<SettlerParts> = {}): Settler {
    const bed: SettlerBed = Object.assign(this)
    return (this.settler = new Settler({
      knowledge: {
        ready: () => Promise.resolve({ known: bed.known, isCaughtUp: true, fromMs: Number.NEGATIVE_INFINITY }),
        get state() {
          return stateAt(bed.nowMs)
        }
      },
      openReader: async () => {
        bed.opened++
        return bed.store
      },
      write: written => bed.store.write(written),
      oldestInFlightMs: () => bed.inFlightMs,
      oldestFailureMs: () => bed.oldestWrittenMs,
      counters: this.counters,
      clusterName: 'prod',
      labels: [],
      isOfPartitions: false,
      settleMs: SETTLE_MS,
      nowMs: () => bed.nowMs,
      notify: text => void bed.said.push(text),
      ...this.#more,
      ...more
    }))
  }

  async put(...failures: StoredDocument[]): Promise<void> {
    await this.store.write({ ...batch({}), failures: [], built: failures })
    this.store.batches.length = 0
  }

  /** One round at that moment; gives what it has written. */
  async round(nowMs: number): Promise<string[]> {
    this.nowMs = nowMs
    const from = this.store.batches.length
    await this.settler.settle(new AbortController().signal)
    return this.store.batches.slice(from).flatMap(({ built }) => built.map(pathOf))
  }

  /** What the store keeps of a stream, when a batch is written now. */
  async mark(...streams: string[]): Promise<void> {
    for (const state of this.settler.mark(streams.map(stream => streamState(stream))))
      this.store.states.set(state.stream, state)
  }
}

function pathOf({ document }: StoredDocument): string {
  return (document.url as { path: string }).path
}

export const causes = (bed: SettlerBed): unknown[] =>
  bed.store.documents.map(document => (document.why5xx as { root_cause: { kind: string } }).root_cause.kind)

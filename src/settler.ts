/**
 * Judges failures once more when the cluster has told all it knows of their moment: kubelet and node controller report
 * seconds to a minute late. It reads what was stored, so a restart forgets nothing; only changed verdicts are written again.
 */

import { isCause } from '../parsers/causes.ts'
import type { Counters } from './counters.ts'
import type { DiagnosisInput } from './diagnose/input.ts'
import { DiagnosisMemo } from './diagnose/memo.ts'
import { inputOfDocument, valueAt } from './failureInput.ts'
import { type Knowledge, REFRESH_MS } from './judge.ts'
import type { StreamState } from './source/source.ts'
import type { FailureDocument, StoredDocument } from './store/document.ts'
import { rejudged } from './store/rejudged.ts'
import type { RawBatch } from './store/sink.ts'
import type { StoreReader, WriteResult } from './store/store.ts'
import { Unjudged } from './unjudged.ts'

export interface SettlerParts {
  knowledge: Knowledge
  openReader: () => Promise<Pick<StoreReader, 'search' | 'close'>>
  write: (batch: RawBatch) => Promise<WriteResult>
  /** Wall time at which the oldest batch was made that a reader may not find yet, Unix ms; Infinity: all are found. */
  oldestInFlightMs: () => number
  /** `@timestamp` of the oldest failure that this process has written since, Unix ms; Infinity: none. */
  oldestFailureMs: (sinceMs: number) => number
  counters: Counters
  /** Failures of other clusters may lie in the same store: their state is not ours. */
  clusterName: string
  labels: readonly string[]
  /** The source is a topic: other workers settle what they read. */
  isOfPartitions: boolean
  settleMs: number
  nowMs: () => number
  /** Takes sentences for the log. */
  notify: (text: string) => void
}

/** Documents a page: 3 kB each, some more. */
const PAGE = 500
/** Clocks of nodes and of this machine differ, and a batch may wait for the state of the cluster. */
const SLACK_MS = 300_000
/** Nobody waits for a second judgement, and a record is long. */
const WAIT_MS = 60_000
/** A process before us may have read what was old: once, so far back is looked for it. A state knows no more of what is gone. */
const BEFORE_US_MS = 24 * 3_600_000
/** Files, and a pipe, are read by one process: all its failures are settled together. */
const ALL_STREAMS = ''

export class Settler {
  readonly #parts: SettlerParts
  /** By partition's stream, or of all streams: failures of it that were written by `ms` are settled; `isOurs`: by us. A stream that comes
   * back has another one: a round that was begun before says nothing of it. */
  readonly #settledTo = new Map<string, { ms: number; isOurs: boolean }>()
  /** What the store told of a stream when we took it over: losing it may be heard of later than getting it back. */
  readonly #toldMs = new Map<string, number>()
  readonly #memo = new DiagnosisMemo()
  readonly #unjudged: Unjudged
  #reader: Pick<StoreReader, 'search' | 'close'> | null = null

  constructor(parts: SettlerParts) {
    this.#parts = parts
    this.#unjudged = new Unjudged(parts.notify, parts.nowMs)
  }

  /** What the store tells of streams. Those of a topic are ours when they `begin`: a partition may go while it is claimed. */
  claimed(states: readonly StreamState[]): void {
    if (!this.#parts.isOfPartitions) return this.own(states)
    for (const { stream, settledToMs } of states) if (settledToMs !== undefined) this.#toldMs.set(stream, settledToMs)
  }

  /** A partition that was claimed is ours from now on. */
  begin(stream: string): void {
    this.#ownPartition(stream)
  }

  /** Streams are ours from now on, with what the store tells of them; a stream that nobody settled before begins now. */
  own(states: readonly StreamState[]): void {
    if (!this.#parts.isOfPartitions) {
      if (this.#settledTo.has(ALL_STREAMS)) return
      // A stream that was done long ago says how far it was then: the newest is where the last process stood.
      const toldMs = Math.max(...states.map(({ settledToMs }) => settledToMs ?? Number.NEGATIVE_INFINITY))
      this.#settledTo.set(ALL_STREAMS, {
        ms: Number.isFinite(toldMs) ? toldMs : this.#beginMs,
        isOurs: !Number.isFinite(toldMs)
      })
      return
    }
    this.claimed(states)
    for (const { stream } of states) this.#ownPartition(stream)
  }

  /** What is written in this very millisecond is still to be settled. */
  get #beginMs(): number {
    return this.#parts.nowMs() - 1
  }

  #ownPartition(stream: string): void {
    if (this.#settledTo.has(stream)) return
    const toldMs = this.#toldMs.get(stream)
    this.#settledTo.set(stream, { ms: toldMs ?? this.#beginMs, isOurs: toldMs === undefined })
  }

  /** Another process settles them. */
  lose(streams: readonly string[]): void {
    for (const stream of streams) this.#settledTo.delete(stream)
  }

  /** The same states with how far their failures are settled. */
  mark(states: readonly StreamState[]): StreamState[] {
    this.own(states)
    return states.map(state => ({ ...state, settledToMs: this.#settledTo.get(this.#keyOf(state.stream))!.ms }))
  }

  /** One round over what has become old enough. Throws what the store throws; the next round begins where this one began. */
  async settle(signal: AbortSignal): Promise<void> {
    const { nowMs, settleMs, oldestInFlightMs } = this.#parts
    const toMs = Math.min(nowMs() - Math.max(settleMs, REFRESH_MS), oldestInFlightMs() - 1)
    const begun = [...this.#settledTo]
    const fromMs = Math.min(...begun.map(([, { ms }]) => ms))
    const writtenMs = this.#parts.oldestFailureMs(fromMs)
    if (fromMs >= toMs) return
    this.#reader ??= await this.#parts.openReader()
    const earlierMs = begun.every(([, { isOurs }]) => isOurs) ? SLACK_MS : BEFORE_US_MS
    const window = { fromMs: Math.min(fromMs - settleMs - earlierMs, writtenMs), toMs: toMs + SLACK_MS }
    const partitions = begun.flatMap(([stream]) => /\/(\d+)$/.exec(stream)?.[1] ?? []).map(Number)
    const filter = {
      ...window,
      ingested: { fromMs, toMs },
      services: [],
      causes: [],
      pods: [],
      statuses: [],
      ...(this.#parts.isOfPartitions && { partitions })
    }
    let after: string | null = null
    do {
      const page = await this.#reader.search(filter, { limit: PAGE, order: 'oldest', after })
      const due = page.rows.map(row => row.document).filter(document => this.#isDue(document, toMs))
      // The next round asks again, from where this one began.
      if (!(await this.#judge(due))) return
      after = page.next
    } while (after !== null && !signal.aborted)
    if (signal.aborted) return
    for (const [stream, settled] of begun) {
      if (this.#settledTo.get(stream) !== settled) continue
      settled.ms = Math.max(settled.ms, toMs)
      settled.isOurs = true
    }
  }

  async close(): Promise<void> {
    await this.#reader?.close()
  }

  #keyOf(stream: string): string {
    return this.#parts.isOfPartitions ? stream : ALL_STREAMS
  }

  /** Written since its stream was settled last, and by a process that had the stream. */
  #isDue(document: FailureDocument, toMs: number): boolean {
    if (valueAt(document, 'orchestrator.cluster.name') !== this.#parts.clusterName) return false
    const ingested = valueAt(document, 'event.ingested')
    if (typeof ingested !== 'string') return false
    const ms = Date.parse(ingested)
    const settledToMs = this.#settledToOf(document)
    return settledToMs !== null && ms > settledToMs && ms <= toMs
  }

  /** null: its partition is another worker's. */
  #settledToOf(document: FailureDocument): number | null {
    if (!this.#parts.isOfPartitions) return this.#settledTo.get(ALL_STREAMS)?.ms ?? null
    const position = valueAt(document, 'why5xx.origin.access') ?? valueAt(document, 'why5xx.origin.errors.0')
    const { topic, partition } = (position ?? {}) as { topic?: string; partition?: number }
    for (const [stream, { ms }] of this.#settledTo) if (stream.endsWith(`/${topic}/${partition}`)) return ms
    return null
  }

  /** False: the record is still being read, and may tell more of them. */
  async #judge(documents: readonly FailureDocument[]): Promise<boolean> {
    if (documents.length === 0) return true
    const { knowledge, labels, counters, write, nowMs } = this.#parts
    const inputs = documents.flatMap(document => this.#questionOf(document) ?? [])
    if (inputs.length === 0) {
      counters.settled.unjudged += documents.length
      return true
    }
    const times = inputs.map(({ input }) => input.timeMs)
    // What was told since counts: a record that is read from its beginning knows the moment long before it knows that.
    const newestMs = Math.max(...times, nowMs() - REFRESH_MS)
    const { known, isCaughtUp } = await knowledge.ready(Math.min(...times), newestMs, WAIT_MS)
    if (!known && !isCaughtUp) return false
    counters.settled.unjudged += documents.length - inputs.length
    const { state } = knowledge
    const built: StoredDocument[] = []
    for (const { document, input } of inputs) {
      // What is not known by now was not recorded: the first judgement stands.
      if (!known && state.knownToMs <= input.timeMs) continue
      try {
        const judgement = { isKnown: true, diagnosis: this.#memo.diagnose(input, state) }
        // A process that was started since may know less of then than the one that judged at once.
        const isPartial = state.knownFromMs > input.timeMs || state.forgottenToMs > input.timeMs
        const isWorse = isPartial && (judgement.diagnosis?.confidence ?? 0) < confidenceIn(document)
        const better = isWorse ? null : rejudged(document, judgement, labels)
        if (better !== null) built.push(better)
        counters.settled.judged++
      } catch (error) {
        counters.settled.unjudged++
        this.#unjudged.tell(error)
      }
    }
    counters.settled.changed += built.length
    if (built.length > 0)
      await write({
        failures: [],
        built,
        controllers: [],
        rejects: [],
        gaps: [],
        totals: [],
        streams: [],
        engine: null
      })
    return true
  }

  /** null: another version wrote it, and will judge it, or nobody can. */
  #questionOf(document: FailureDocument): { document: FailureDocument; input: DiagnosisInput } | null {
    try {
      const input = inputOfDocument(document)
      return isCause(input.symptom) && Number.isFinite(input.timeMs) ? { document, input } : null
    } catch (error) {
      this.#unjudged.tell(error)
      return null
    }
  }
}

/** Of the root cause that is stored; -1: none is. */
function confidenceIn(document: FailureDocument): number {
  return (valueAt(document, 'why5xx.root_cause.confidence') as number | undefined) ?? -1
}

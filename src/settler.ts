/**
 * Judges failures once more when the cluster has told all it knows of their moment: kubelet and node controller report
 * seconds to a minute late. It reads what was stored, so a restart forgets nothing; only changed verdicts are written again.
 */

import type { Counters } from './counters.ts'
import { DiagnosisMemo } from './diagnose/memo.ts'
import { inputOfDocument, valueAt } from './failureInput.ts'
import type { Knowledge } from './judge.ts'
import type { StreamState } from './source/source.ts'
import type { FailureDocument, StoredDocument } from './store/document.ts'
import { rejudged } from './store/rejudged.ts'
import type { RawBatch } from './store/sink.ts'
import type { StoreReader, WriteResult } from './store/store.ts'

export interface SettlerParts {
  knowledge: Knowledge
  openReader: () => Promise<Pick<StoreReader, 'search' | 'close'>>
  write: (batch: RawBatch) => Promise<WriteResult>
  /** Wall time at which the oldest batch was made that is not durable yet, Unix ms; Infinity: all are. */
  oldestInFlightMs: () => number
  counters: Counters
  labels: readonly string[]
  /** The source is a topic: other workers settle what they read. */
  isOfPartitions: boolean
  settleMs: number
  nowMs: () => number
}

/** Documents a page: 3 kB each, some more. */
const PAGE = 500
/** What was written is found only behind the index refresh (5 s). */
const REFRESH_MS = 10_000
/** Clocks of nodes and of this machine differ, and a batch may wait for the state of the cluster. */
const SLACK_MS = 300_000

export class Settler {
  readonly #parts: SettlerParts
  /** By stream: failures of it that were written by then are settled, Unix ms. */
  readonly #settledToMs = new Map<string, number>()
  readonly #memo = new DiagnosisMemo()
  #reader: Pick<StoreReader, 'search' | 'close'> | null = null

  constructor(parts: SettlerParts) {
    this.#parts = parts
  }

  /** Streams are ours from now on; a stream that nobody settled before begins now. */
  own(states: readonly StreamState[]): void {
    const nowMs = this.#parts.nowMs()
    for (const { stream, settledToMs } of states)
      if (!this.#settledToMs.has(stream)) this.#settledToMs.set(stream, settledToMs ?? nowMs)
  }

  /** Another process settles them. */
  lose(streams: readonly string[]): void {
    for (const stream of streams) this.#settledToMs.delete(stream)
  }

  /** The same states with how far their failures are settled. */
  mark(states: readonly StreamState[]): StreamState[] {
    this.own(states)
    return states.map(state => ({ ...state, settledToMs: this.#settledToMs.get(state.stream)! }))
  }

  /** One round over what has become old enough. Throws what the store throws; the next round begins where this one began. */
  async settle(signal: AbortSignal): Promise<void> {
    const { nowMs, settleMs, oldestInFlightMs } = this.#parts
    const toMs = Math.min(nowMs() - Math.max(settleMs, REFRESH_MS), oldestInFlightMs() - 1)
    const fromMs = Math.min(...this.#settledToMs.values())
    if (this.#settledToMs.size === 0 || fromMs >= toMs) return
    const streams = [...this.#settledToMs.keys()]
    this.#reader ??= await this.#parts.openReader()
    const window = { fromMs: fromMs - settleMs - SLACK_MS, toMs }
    const partitions = streams.flatMap(stream => /\/(\d+)$/.exec(stream)?.[1] ?? []).map(Number)
    const filter = {
      ...window,
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
      await this.#judge(due)
      after = page.next
    } while (after !== null && !signal.aborted)
    if (signal.aborted) return
    for (const stream of streams) if (this.#settledToMs.has(stream)) this.#settledToMs.set(stream, toMs)
  }

  async close(): Promise<void> {
    await this.#reader?.close()
  }

  /** Written since its stream was settled last, and by a process that had the stream. */
  #isDue(document: FailureDocument, toMs: number): boolean {
    const ingested = valueAt(document, 'event.ingested')
    if (typeof ingested !== 'string') return false
    const ms = Date.parse(ingested)
    const settledToMs = this.#settledToOf(document)
    return settledToMs !== null && ms > settledToMs && ms <= toMs
  }

  /** null: its partition is another worker's. Of files there is one process: the stream that was settled least speaks for all. */
  #settledToOf(document: FailureDocument): number | null {
    if (!this.#parts.isOfPartitions) return Math.min(...this.#settledToMs.values())
    const position = valueAt(document, 'why5xx.origin.access') ?? valueAt(document, 'why5xx.origin.errors.0')
    const { topic, partition } = (position ?? {}) as { topic?: string; partition?: number }
    for (const [stream, ms] of this.#settledToMs) if (stream.endsWith(`/${topic}/${partition}`)) return ms
    return null
  }

  async #judge(documents: readonly FailureDocument[]): Promise<void> {
    if (documents.length === 0) return
    const { knowledge, labels, counters, write } = this.#parts
    const inputs = documents.map(document => ({ document, input: inputOfDocument(document) }))
    const times = inputs.map(({ input }) => input.timeMs)
    const { known } = await knowledge.ready(Math.min(...times), Math.max(...times))
    const { state } = knowledge
    const built: StoredDocument[] = []
    for (const { document, input } of inputs) {
      // What is not known by now was not recorded: the first judgement stands.
      if (!known && state.knownToMs <= input.timeMs) continue
      const judgement = { isKnown: true, diagnosis: this.#memo.diagnose(input, state) }
      const better = rejudged(document, judgement, labels)
      if (better !== null) built.push(better)
    }
    counters.settled.judged += documents.length
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
  }
}

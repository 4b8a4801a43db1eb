/** Says of classified failures what was wrong in the cluster, before their documents are made. */

import type { ClusterKnowledge } from './cluster/knowledge.ts'
import type { Counters } from './counters.ts'
import { DiagnosisMemo } from './diagnose/memo.ts'
import { inputOfFailure } from './failureInput.ts'
import type { Failure } from './model.ts'
import { ingressOf, namespaceOf, serviceOf } from './store/diagnosisFields.ts'
import type { DocumentOptions } from './store/document.ts'
import { judgedFacts } from './store/documentFacts.ts'
import { documentOf, failureText, type RawBatch, type RawFailure, type Sink } from './store/sink.ts'
import type { WriteResult } from './store/store.ts'
import { Unjudged } from './unjudged.ts'

/** A batch whose failures are classified, and no more. */
export interface ClassifiedBatch extends Omit<RawBatch, 'failures' | 'built'> {
  classified: RawFailure[]
}

/** Whoever looks for incidents in what is judged. Its methods return at once and throw nothing. */
export interface JudgedListener {
  /** Behind the judging and before anything is stored, in the order of batches. */
  judged(batch: ClassifiedBatch): void
  /** Of everything up to this record time (`Intake.readToMs`) was told; wall time of that moment. Both Unix ms. */
  passed(readToMs: number, nowMs: number): void
  /** Nothing more will come. */
  ended(): void
}

/** What is durable is found only behind the index refresh (5 s). */
export const REFRESH_MS = 10_000

/** Batches that are remembered for second judgements; where nobody asks for them, the oldest become one. */
const FLIGHTS_MAX = 10_000

/** What a judge needs of `ClusterKnowledge`. */
export type Knowledge = Pick<ClusterKnowledge, 'ready' | 'state'>

/** A batch, by the wall times at which it was given to the judge and became durable; Infinity: not yet. */
interface Flight {
  atMs: number
  durableMs: number
  /** `@timestamp` of its oldest failure; Infinity: it has none. */
  oldestMs: number
}

export class Judge {
  readonly #store: Sink
  readonly #options: Omit<DocumentOptions, 'sourceOf'>
  readonly #counters: Counters
  readonly #knowledge: Knowledge | null
  readonly #memo = new DiagnosisMemo()
  readonly #flights = new Set<Flight>()
  readonly #unjudged: Unjudged
  readonly #listener: JudgedListener | null
  /** Settles when every batch so far was judged. */
  #judged: Promise<unknown> = Promise.resolve()
  /** Of a batch that could not be handed to the store. */
  #failure: { error: unknown } | null = null

  /**
   * `knowledge` null: nothing is known of any cluster, and failures go on as they were classified. `notify` takes sentences
   * for the log. `listener` null: nobody looks for incidents.
   */
  constructor(
    store: Sink,
    options: Omit<DocumentOptions, 'sourceOf'>,
    counters: Counters,
    knowledge: Knowledge | null,
    notify: (text: string) => void = () => {},
    listener: JudgedListener | null = null
  ) {
    this.#listener = listener
    this.#store = store
    this.#options = options
    this.#counters = counters
    this.#knowledge = knowledge
    this.#unjudged = new Unjudged(notify, () => this.#nowMs())
  }

  /** When the oldest batch was given to it that a reader may not find yet, Unix ms; Infinity: all are found. */
  get oldestInFlightMs(): number {
    let oldestMs = Number.POSITIVE_INFINITY
    for (const flight of this.#flights) if (!this.#isFound(flight)) oldestMs = Math.min(oldestMs, flight.atMs)
    return oldestMs
  }

  /** `@timestamp` of the oldest failure that was written since, Unix ms; Infinity: none was. What is older is forgotten. */
  oldestFailureMs(sinceMs: number): number {
    let oldestMs = Number.POSITIVE_INFINITY
    for (const flight of this.#flights) {
      if (flight.durableMs < sinceMs && this.#isFound(flight)) this.#flights.delete(flight)
      else oldestMs = Math.min(oldestMs, flight.oldestMs)
    }
    return oldestMs
  }

  /** Batches that are remembered. */
  get flights(): number {
    return this.#flights.size
  }

  #isFound({ durableMs }: Flight): boolean {
    return durableMs <= this.#nowMs() - REFRESH_MS
  }

  get pausedBecause(): string | null {
    return this.#store.pausedBecause
  }

  /**
   * As `Sink.write`, in the order of calls, although a batch may wait for the state of its moment. Once a batch did not get to
   * the store, all behind it are refused: their positions would say that it was read.
   */
  async write(batch: ClassifiedBatch): Promise<WriteResult> {
    // Nobody settles what nobody judges.
    if (this.#knowledge === null) return this.#write(batch)
    const oldestMs = batch.classified.reduce((oldest, { failure }) => Math.min(oldest, failure.timeMs), Infinity)
    const flight = { atMs: this.#nowMs(), durableMs: Number.POSITIVE_INFINITY, oldestMs }
    this.#flights.add(flight)
    if (this.#flights.size > FLIGHTS_MAX) this.#foldFlights()
    try {
      return await this.#write(batch)
    } finally {
      flight.durableMs = this.#nowMs()
    }
  }

  /** Rounds that fail for hours forget nothing: what a reader finds by now is remembered as one batch, no less careful. */
  #foldFlights(): void {
    const fold: Flight = { atMs: Infinity, durableMs: -Infinity, oldestMs: Infinity }
    for (const flight of this.#flights) {
      if (!this.#isFound(flight)) continue
      this.#flights.delete(flight)
      fold.atMs = Math.min(fold.atMs, flight.atMs)
      fold.durableMs = Math.max(fold.durableMs, flight.durableMs)
      fold.oldestMs = Math.min(fold.oldestMs, flight.oldestMs)
    }
    if (fold.durableMs !== -Infinity) this.#flights.add(fold)
  }

  /** Tells the listener, behind all batches so far. */
  passed(readToMs: number, nowMs: number): void {
    this.#tell(listener => listener.passed(readToMs, nowMs))
  }

  /** As `passed`. Resolves when it was told. */
  async ended(): Promise<void> {
    await this.#judged
    this.#listener?.ended()
  }

  #tell(say: (listener: JudgedListener) => void): void {
    const listener = this.#listener
    if (listener === null) return
    if (this.#knowledge === null) say(listener)
    else void this.#judged.then(() => say(listener))
  }

  #notePlace(failure: Failure): void {
    const { upstreamName } = failure
    if (upstreamName === null) return
    const facts = judgedFacts(failure)
    this.#counters.notePlace(upstreamName, namespaceOf(facts), serviceOf(facts), ingressOf(facts))
  }

  #nowMs(): number {
    return this.#options.nowMs?.() ?? 0
  }

  async #write(batch: ClassifiedBatch): Promise<WriteResult> {
    return this.#store.write(await this.#made(batch))
  }

  async #made(batch: ClassifiedBatch): Promise<RawBatch> {
    try {
      if (this.#knowledge !== null) {
        const judged = this.#judge(batch.classified, this.#knowledge, this.#judged)
        this.#judged = Promise.allSettled([judged])
        await judged
      }
      if (this.#failure !== null) throw this.#failure.error
      for (const { failure } of batch.classified) this.#notePlace(failure)
      this.#listener?.judged(batch)
      const { classified, ...rest } = batch
      if (this.#store.isForgetting) return { ...rest, failures: [], built: [] }
      // A store with a thread makes documents there.
      const failures = this.#store.isThread ? classified.map(failureText) : []
      const built = this.#store.isThread ? [] : classified.map(raw => documentOf(raw, this.#options))
      return { ...rest, failures, built }
    } catch (error) {
      this.#failure ??= { error }
      throw error
    }
  }

  async #judge(failures: readonly RawFailure[], knowledge: Knowledge, before: Promise<unknown>): Promise<void> {
    await before
    if (failures.length === 0) return
    let oldestMs = Number.POSITIVE_INFINITY
    let newestMs = Number.NEGATIVE_INFINITY
    for (const { failure } of failures) {
      oldestMs = Math.min(oldestMs, failure.timeMs)
      newestMs = Math.max(newestMs, failure.timeMs)
    }
    const { known, fromMs } = await knowledge.ready(oldestMs, newestMs)
    const { state } = knowledge
    for (const { failure } of failures) {
      // Counted by whoever judged it first.
      const isFirst = !(failure.access ?? failure.errors[0]!).isJudgedAgain
      const isKnown = known || (state.knownToMs > failure.timeMs && failure.timeMs >= fromMs)
      try {
        const diagnosis = isKnown ? this.#memo.diagnose(inputOfFailure(failure, this.#options.masker), state) : null
        failure.judgement = { isKnown, diagnosis }
        if (isFirst) this.#counters.countDiagnosis(isKnown ? (diagnosis?.rootCause ?? 'unreadable') : 'state_unknown')
      } catch (error) {
        // What was classified is true without a root cause.
        failure.judgement = { isKnown, diagnosis: null }
        if (isFirst) this.#counters.unjudged++
        this.#unjudged.tell(error)
      }
    }
  }
}

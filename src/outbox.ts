/** What the engine decides, until it goes to the judge and the store together with totals and positions. */

import { causeTable } from '../parsers/causes.ts'
import type { RecordLine } from '../parsers/line.ts'
import type { ParseErrorCode } from '../parsers/record.ts'
import type { Counters } from './counters.ts'
import type { Engine, EngineListener } from './engine.ts'
import type { EngineSource } from './engineSource.ts'
import type { ClassifiedBatch } from './judge.ts'
import type { ControllerEntry, Failure } from './model.ts'
import type { SourceGap, StreamState } from './source/source.ts'
import { buildControllerDocument } from './store/controllerDocument.ts'
import type { DocumentOptions, StoredDocument } from './store/document.ts'
import { buildRejectDocument } from './store/rejectDocument.ts'
import { type RawFailure, rawFailure } from './store/sink.ts'
import type { StoredReject, TotalsRow } from './store/store.ts'

const STATE_BYTES = 500
/** Of a failure's document beside what its lines hold. */
const DOCUMENT_BYTES = 2_500

export class Outbox implements EngineListener {
  /** Of what waits here, about, as JSON. */
  #bytes = 0
  #classified: RawFailure[] = []
  #controllers: StoredDocument[] = []
  #rejects: StoredReject[] = []
  #gaps: SourceGap[] = []
  readonly #options: DocumentOptions
  readonly #counters: Counters
  readonly #warn: (text: string) => void

  /** `warn` is told of gaps, in sentences. */
  constructor(options: DocumentOptions, counters: Counters, warn: (text: string) => void) {
    this.#options = options
    this.#counters = counters
    this.#warn = warn
  }

  /** Of the next batch, about, as JSON: what waits here, and the totals of `engine`. */
  bytes({ minutes }: Engine): number {
    return this.#bytes + minutes!.bytes
  }

  failure(failure: Failure): void {
    this.#classified.push(rawFailure(failure, this.#options))
    this.#bytes += DOCUMENT_BYTES + (failure.access?.line.raw.length ?? 0)
    for (const { line } of failure.errors) this.#bytes += line.raw.length
    // Counted by whoever decided it first.
    if ((failure.access ?? failure.errors[0]!).isJudgedAgain) return
    const { category, slo } = causeTable[failure.cause]
    const status = failure.access?.record.status
    this.#counters.joins[failure.join]++
    this.#counters.countFailure({
      upstream: failure.upstreamName ?? '',
      cause: failure.cause,
      category,
      status: status === null || status === undefined ? '-' : String(status).padStart(3, '0'),
      // What a retry saved, nobody saw.
      slo: slo && failure.counted
    })
  }

  /** An error line without a request is evidence of nothing that is stored. */
  alone(): void {}

  controller(entry: ControllerEntry): void {
    const document = buildControllerDocument(entry, this.#options)
    if (document === null) return
    this.#controllers.push(document)
    this.#bytes += STATE_BYTES + entry.line.raw.length
  }

  stream(): void {}

  reject(code: ParseErrorCode, column: number, line: RecordLine, source: EngineSource): void {
    const lastMs = Number.isFinite(source.newestMs) ? source.newestMs : (source.modifiedMs ?? 0)
    const rejected = {
      code,
      column,
      line,
      position: source.placeOf(line),
      value: source.value,
      stream: source.id,
      timeMs: line.timeMs ?? lastMs
    }
    this.#rejects.push(buildRejectDocument(rejected, this.#options))
    this.#bytes += STATE_BYTES + line.raw.length + (rejected.value ?? line.raw).length
    const { rejectsByCode } = this.#counters
    rejectsByCode.set(code, (rejectsByCode.get(code) ?? 0) + 1)
  }

  gap(gap: SourceGap): void {
    this.#gaps.push(gap)
    this.#warn(gap.text)
    this.#bytes += STATE_BYTES
    this.#counters.gaps++
    this.#counters.gapBytes += gap.bytes ?? 0
    if (gap.reason === 'unreadable') this.#counters.unreadable++
  }

  /** Everything since the last call, as one batch with the engine's totals; null when there is nothing to keep. */
  take(engine: Engine, streams: StreamState[]): ClassifiedBatch | null {
    const totals = this.#takeTotals(engine)
    if (this.#bytes === 0 && totals.length === 0 && streams.length === 0) return null
    const batch: ClassifiedBatch = {
      classified: this.#classified,
      controllers: this.#controllers,
      rejects: this.#rejects,
      gaps: this.#gaps,
      totals,
      streams,
      engine: engine.takeState()
    }
    this.#classified = []
    this.#controllers = []
    this.#rejects = []
    this.#gaps = []
    this.#bytes = 0
    return batch
  }

  #takeTotals({ counts, minutes }: Engine): TotalsRow[] {
    const { access, error, controller, streamAccess, other } = counts.records
    const { continuations: continuation, rejects: reject } = counts
    const { lines } = this.#counters
    Object.assign(lines, { access, error, controller, stream_access: streamAccess, other, continuation, reject })
    const rows = minutes!.take()
    for (const row of rows) {
      this.#counters.countRequests(row.upstream, row.requests)
      // A stream's id is unique by itself.
      if (row.container !== row.stream) row.container = `${this.#options.clusterName}/${row.container}`
    }
    return rows
  }
}

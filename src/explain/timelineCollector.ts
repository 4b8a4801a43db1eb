/** Saved logs as a timeline: the same rows that a store would hold of them. */

import type { RecordLine } from '../../parsers/reader.ts'
import type { ParseErrorCode } from '../../parsers/record.ts'
import type { Incident } from '../alert/incident.ts'
import type { EngineSource } from '../engineSource.ts'
import type { ControllerEntry, Failure } from '../model.ts'
import { buildControllerDocument, controllerRow } from '../store/controllerDocument.ts'
import { buildDocument, type DocumentOptions } from '../store/document.ts'
import { failureRow } from '../store/store.ts'
import type { Timeline } from '../timeline/model.ts'
import { TimelineBuilder, type TimelineFilter } from '../timeline/timeline.ts'
import type { MinuteTotals } from '../totals.ts'

export class TimelineCollector {
  readonly #filter: TimelineFilter
  readonly #options: DocumentOptions
  readonly #builder: TimelineBuilder
  /** Upstream names with requests in the window. */
  readonly #upstreams = new Set<string>()

  constructor(filter: TimelineFilter, options: DocumentOptions) {
    this.#filter = filter
    this.#options = options
    this.#builder = new TimelineBuilder(filter)
  }

  failure(failure: Failure): void {
    const stored = buildDocument(failure, this.#options)
    this.#builder.failure(failureRow(stored), stored)
  }

  controller(entry: ControllerEntry): void {
    const stored = buildControllerDocument(entry, this.#options)
    if (stored !== null) this.#builder.controller(controllerRow(stored))
  }

  /** At the time that a store would give it: of the envelope, else of the lines before it. */
  reject(code: ParseErrorCode, line: RecordLine, source: EngineSource): void {
    const lastMs = Number.isFinite(source.newestMs) ? source.newestMs : (source.modifiedMs ?? 0)
    const timeMs = Math.floor(line.timeMs ?? lastMs)
    if (timeMs >= this.#filter.fromMs && timeMs < this.#filter.toMs) this.#builder.rejects(code, 1)
  }

  /** What was counted since the last call. */
  take(minutes: MinuteTotals): void {
    for (const { minuteMs: timeMs, ...row } of minutes.take()) {
      this.#builder.totals({ timeMs, ...row })
      if (row.upstream !== '' && timeMs >= this.#filter.fromMs && timeMs < this.#filter.toMs)
        this.#upstreams.add(row.upstream)
    }
  }

  incidents(list: readonly Incident[]): void {
    this.#builder.incidents(list)
  }

  finish(): Timeline {
    return this.#builder.finish([], { span: null, upstreams: [...this.#upstreams] })
  }
}

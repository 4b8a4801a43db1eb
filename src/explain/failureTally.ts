/**
 * Failures of a whole log by series and minute, where only their incidents are asked for: a failure costs two counts in maps of
 * numbers. Nothing is put into words before an incident was found.
 */

import type { Cause } from '../../parsers/causes.ts'
import { MINUTE_MS } from '../alert/finding.ts'
import type { CountedSeries } from '../alert/logParts.ts'
import type { Diagnosis } from '../diagnose/diagnosis.ts'
import type { Failure } from '../model.ts'
import { clip } from '../text.ts'

/** As long as a field that can be searched. */
const TEXT_MAX = 1_024

/** Failures that tell the same of their incident: what of the first one does, in texts of its own, and how many by minute. */
export interface FailureKind {
  status: number | null
  masked: boolean
  counted: boolean
  namespace: string | null
  service: string | null
  ingress: string | null
  /** null: nobody was asked, or nothing is known. */
  diagnosis: Diagnosis | null
  minutes: Map<number, number>
}

export interface TalliedSeries extends CountedSeries {
  minutes: Map<number, number>
  /** By what tells them apart, see `keyOf`. */
  kinds: Map<number | string, FailureKind>
}

export interface TallyLimits {
  /** Series × minute; beyond them nothing is known any more, see `isFull`. */
  cells: number
  /** Kind × minute: beyond them only counts are known. */
  kindCells: number
}

export class FailureTally {
  /** By upstream, then by cause. */
  readonly #series = new Map<string, Map<Cause, TalliedSeries>>()
  readonly #limits: TallyLimits
  #cells = 0
  #kindCells = 0

  constructor(limits: TallyLimits) {
    this.#limits = limits
  }

  get isFull(): boolean {
    return this.#cells > this.#limits.cells
  }

  get series(): TalliedSeries[] {
    return [...this.#series.values()].flatMap(causes => [...causes.values()])
  }

  /** Judged, where anybody judges. */
  add(failure: Failure): void {
    if (this.isFull) return
    const { minutes, kinds } = this.#of(failure.upstreamName ?? '', failure.cause)
    const minute = Math.floor(failure.timeMs / MINUTE_MS)
    const count = minutes.get(minute)
    if (count === undefined && ++this.#cells > this.#limits.cells) return this.#series.clear()
    minutes.set(minute, (count ?? 0) + 1)
    const key = keyOf(failure)
    let kind = kinds.get(key)
    if (kind === undefined) kinds.set(key, (kind = kindOf(failure)))
    const alike = kind.minutes.get(minute)
    if (alike !== undefined) kind.minutes.set(minute, alike + 1)
    else if (this.#kindCells < this.#limits.kindCells) {
      this.#kindCells++
      kind.minutes.set(minute, 1)
    } else if (kind.minutes.size === 0) kinds.delete(key)
  }

  #of(upstream: string, cause: Cause): TalliedSeries {
    let causes = this.#series.get(upstream)
    if (causes === undefined) this.#series.set(upstream, (causes = new Map()))
    let series = causes.get(cause)
    if (series === undefined) causes.set(cause, (series = { upstream, cause, minutes: new Map(), kinds: new Map() }))
    return series
  }
}

/** A number where nobody judges: this is what most of the time of counting goes into. */
function keyOf({ access, masked, judgement }: Failure): number | string {
  const status = (access?.record.status ?? -1) * 2 + (masked ? 1 : 0)
  const diagnosis = judgement?.diagnosis ?? null
  return diagnosis === null ? status : `${status}\n${diagnosis.rootCause}\n${diagnosis.ref ?? ''}`
}

function kindOf({ access, masked, counted, judgement }: Failure): FailureKind {
  const record = access?.record ?? null
  return {
    status: record?.status ?? null,
    masked,
    counted,
    namespace: own(record?.namespace),
    service: own(record?.service),
    ingress: own(record?.ingress),
    diagnosis: judgement?.diagnosis ?? null,
    minutes: new Map()
  }
}

/** A text that is cut out of a line keeps the whole line in memory. */
function own(text: string | null | undefined): string | null {
  return text == null ? null : Buffer.from(clip(text, TEXT_MAX)).toString()
}

/**
 * Failures of a whole log by series and minute, where only their incidents are asked for: a failure costs an increment, a minute
 * of a series an entry in a map of numbers. Nothing is put into words before an incident was found.
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
  /** Without those of `minute`, which is being read. */
  minutes: Map<number, number>
  minute: number
  /** In `minute`. */
  count: number
}

export interface TalliedSeries extends Pick<CountedSeries, 'upstream' | 'cause'> {
  /** By what tells them apart, see `keyOf`. */
  kinds: Map<number | string, FailureKind>
}

export class FailureTally {
  /** By upstream, then by cause. */
  readonly #series = new Map<string, Map<Cause, TalliedSeries>>()
  readonly #cellsMax: number
  #cells = 0

  /** `cellsMax`: kinds, and their minutes; beyond them nothing is known any more, see `isFull`. */
  constructor(cellsMax: number) {
    this.#cellsMax = cellsMax
  }

  get isFull(): boolean {
    return this.#cells > this.#cellsMax
  }

  /** What was added so far. */
  get series(): TalliedSeries[] {
    const series = [...this.#series.values()].flatMap(causes => [...causes.values()])
    for (const { kinds } of series) for (const kind of kinds.values()) this.#keep(kind)
    return this.isFull ? [] : series
  }

  /** Judged, where anybody judges. */
  add(failure: Failure): void {
    if (this.isFull) return
    const { kinds } = this.#of(failure.upstreamName ?? '', failure.cause)
    const minute = Math.floor(failure.timeMs / MINUTE_MS)
    const key = keyOf(failure)
    let kind = kinds.get(key)
    if (kind === undefined) {
      kinds.set(key, (kind = kindOf(failure, minute)))
      this.#cells++
    }
    if (kind.minute !== minute) {
      this.#keep(kind)
      kind.minute = minute
    }
    kind.count++
  }

  #keep(kind: FailureKind): void {
    if (kind.count === 0) return
    const before = kind.minutes.get(kind.minute)
    if (before === undefined) this.#cells++
    kind.minutes.set(kind.minute, (before ?? 0) + kind.count)
    kind.count = 0
    if (this.isFull) this.#series.clear()
  }

  #of(upstream: string, cause: Cause): TalliedSeries {
    let causes = this.#series.get(upstream)
    if (causes === undefined) this.#series.set(upstream, (causes = new Map()))
    let series = causes.get(cause)
    if (series === undefined) causes.set(cause, (series = { upstream, cause, kinds: new Map() }))
    return series
  }
}

/** A number where nobody judges: texts take time. */
function keyOf({ access, masked, judgement }: Failure): number | string {
  const status = (access?.record.status ?? -1) * 2 + (masked ? 1 : 0)
  const diagnosis = judgement?.diagnosis ?? null
  return diagnosis === null ? status : `${status}\n${diagnosis.rootCause}\n${diagnosis.ref ?? ''}`
}

function kindOf({ access, masked, counted, judgement }: Failure, minute: number): FailureKind {
  const record = access?.record ?? null
  return {
    status: record?.status ?? null,
    masked,
    counted,
    namespace: own(record?.namespace),
    service: own(record?.service),
    ingress: own(record?.ingress),
    diagnosis: judgement?.diagnosis ?? null,
    minutes: new Map(),
    minute,
    count: 0
  }
}

export function countsOf({ upstream, cause, kinds }: TalliedSeries): CountedSeries {
  const [first, ...others] = kinds.values()
  const minutes = others.length === 0 ? first!.minutes : new Map(first!.minutes)
  for (const other of others)
    for (const [minute, count] of other.minutes) minutes.set(minute, (minutes.get(minute) ?? 0) + count)
  return { upstream, cause, minutes }
}

/** A text that is cut out of a line keeps the whole line in memory. */
function own(text: string | null | undefined): string | null {
  return text == null ? null : Buffer.from(clip(text, TEXT_MAX)).toString()
}

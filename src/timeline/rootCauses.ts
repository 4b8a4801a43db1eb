/** Root causes of one cause at one upstream: a line for each root cause and pod. */

import { causeName } from '../diagnose/rootCauses.ts'
import type { FailureDocument } from '../store/document.ts'
import type { FailureRow } from '../store/store.ts'
import type { Documented } from './causeGroup.ts'
import { iso } from './course.ts'
import type { Listed, RootCauseEntry } from './model.ts'

const KEPT_MAX = 200
const SHOWN_MAX = 5
const EVIDENCE_SHOWN = 4

interface Kept {
  rootCause: string
  pod: string | null
  documents: number
  firstMs: number
  lastMs: number
  /** The one that it was surest of; of equal ones the oldest, by time and id. */
  example: { id: string; confidence: number; timeMs: number; stored: Documented | null }
}

export class RootCauses {
  readonly #byKey = new Map<string, Kept>()

  add(row: FailureRow, stored: Documented | null): void {
    const { rootCause, pod, timeMs, id } = row
    if (rootCause === null || rootCause === 'undetermined') return
    const key = JSON.stringify([rootCause, pod])
    const example = { id, confidence: row.confidence, timeMs, stored }
    const known = this.#byKey.get(key)
    if (known === undefined) {
      if (this.#byKey.size >= KEPT_MAX) return
      this.#byKey.set(key, { rootCause, pod, documents: 1, firstMs: timeMs, lastMs: timeMs, example })
      return
    }
    known.documents++
    known.firstMs = Math.min(known.firstMs, timeMs)
    known.lastMs = Math.max(known.lastMs, timeMs)
    if (isBetter(example, known.example)) known.example = example
  }

  exampleIds(): string[] {
    return this.#sorted()
      .slice(0, SHOWN_MAX)
      .map(({ example }) => example.id)
  }

  entries(documents: ReadonlyMap<string, FailureDocument>): Listed<RootCauseEntry> {
    const all = this.#sorted()
    const shown = all.slice(0, SHOWN_MAX).map(kept => {
      const { id, stored } = kept.example
      return entryOf(kept, documents.get(id) ?? stored?.document ?? {})
    })
    return { shown, more: all.length - shown.length }
  }

  #sorted(): Kept[] {
    return [...this.#byKey.values()].sort(
      (a, b) => b.documents - a.documents || a.firstMs - b.firstMs || (a.example.id < b.example.id ? -1 : 1)
    )
  }
}

function isBetter(a: Kept['example'], b: Kept['example']): boolean {
  if (a.confidence !== b.confidence) return a.confidence > b.confidence
  if (a.timeMs !== b.timeMs) return a.timeMs < b.timeMs
  return a.id < b.id
}

/** A stored document may be of an older version: fields can be missing. */
function entryOf(
  { rootCause, pod, documents, firstMs, lastMs, example }: Kept,
  document: FailureDocument
): RootCauseEntry {
  const { why5xx } = document as {
    why5xx?: {
      root_cause?: {
        sentence?: string
        advice?: string
        at?: string
        until?: string
        confidence?: number
        evidence?: { cite: string }[]
      }
    }
  }
  const { sentence, advice = '', at = null, until = null, confidence = null, evidence = [] } = why5xx?.root_cause ?? {}
  return {
    rootCause,
    pod,
    documents,
    first: iso(firstMs),
    last: iso(lastMs),
    at,
    until,
    sentence: sentence ?? causeName(rootCause),
    advice,
    confidence,
    evidence: evidence.slice(0, EVIDENCE_SHOWN).map(({ cite }) => cite),
    id: example.id
  }
}

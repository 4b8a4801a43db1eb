/** Root causes of one cause at one upstream: a line for each root cause and pod. */

import { causeName, type RootCause } from '../diagnose/rootCauses.ts'
import { isoText, timeOf } from '../diagnose/times.ts'
import type { FailureDocument } from '../store/document.ts'
import type { FailureRow } from '../store/store.ts'
import { at, list, number, rootCauseOf, text } from '../store/storedValue.ts'
import type { Documented } from './causeGroup.ts'
import { iso } from './course.ts'
import type { Listed, RootCauseEntry } from './model.ts'

const KEPT_MAX = 200
const SHOWN_MAX = 5
const EVIDENCE_SHOWN = 4

interface Kept {
  rootCause: RootCause
  pod: string | null
  documents: number
  firstMs: number
  lastMs: number
  /** The oldest, by time and id. */
  example: { id: string; timeMs: number; stored: Documented | null }
}

export class RootCauses {
  readonly #byKey = new Map<string, Kept>()

  add(row: FailureRow, stored: Documented | null): void {
    const { pod, timeMs, id } = row
    const rootCause = rootCauseOf(row.rootCause)
    if (rootCause === null || rootCause === 'undetermined') return
    const key = JSON.stringify([rootCause, pod])
    const example = { id, timeMs, stored }
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
  return a.timeMs === b.timeMs ? a.id < b.id : a.timeMs < b.timeMs
}

/** A stored document may be of an older version, or of anybody: fields can be missing, and of any type. */
function entryOf(
  { rootCause, pod, documents, firstMs, lastMs, example }: Kept,
  document: FailureDocument
): RootCauseEntry {
  const stored = at(document, 'why5xx.root_cause')
  const said = (name: string): string | null => text(at(stored, name))
  return {
    rootCause,
    pod,
    documents,
    first: iso(firstMs),
    last: iso(lastMs),
    at: isoText(timeOf(said('at'))),
    until: isoText(timeOf(said('until'))),
    sentence: said('sentence') ?? causeName(rootCause),
    advice: said('advice') ?? '',
    confidence: number(at(stored, 'confidence')),
    evidence: list(at(stored, 'evidence'))
      .map(item => text(at(item, 'cite')))
      .filter(cite => cite !== null)
      .slice(0, EVIDENCE_SHOWN),
    id: example.id
  }
}

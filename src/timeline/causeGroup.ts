/** What is kept of one cause at one upstream, and what the timeline says of it. */

import type { Cause } from '../../parsers/causes.ts'
import type { FailureDocument } from '../store/document.ts'
import type { FailureRow } from '../store/store.ts'
import { at, list, number, text } from '../store/storedValue.ts'
import { addCounts, BoundedMap } from './bounded.ts'
import { iso, QUIET_MS, runsOf } from './course.ts'
import type { CauseEntry, DocumentCounts, DocumentKind, Example, Listed } from './model.ts'
import { RootCauses } from './rootCauses.ts'
import { Series } from './series.ts'

const CELLS_MAX = 720
const ADDRESSES_MAX = 256
const ADDRESSES_SHOWN = 10
const EPISODES_SHOWN = 100
const EVIDENCE_SHOWN = 4

export function kindOf(row: FailureRow): DocumentKind {
  return row.counted ? 'failed' : row.masked ? 'masked' : 'other'
}

/** One document of a kind, as columns of a series. */
export const ONE: Record<DocumentKind, readonly number[]> = { failed: [1, 0, 0], masked: [0, 1, 0], other: [0, 0, 1] }

export function countsOf([failed = 0, masked = 0, other = 0]: readonly number[]): DocumentCounts {
  return { failed, masked, other }
}

/** Whose document is made when it is asked for. */
export interface Documented {
  readonly document: FailureDocument
}

/** A document that may be shown as evidence. */
interface Candidate {
  id: string
  score: number
  timeMs: number
  stored: Documented | null
}

export class CauseGroup {
  readonly cause: Cause
  readonly upstream: string
  readonly counts = [0, 0, 0]
  readonly series = new Series(CELLS_MAX)
  firstMs = Number.POSITIVE_INFINITY
  lastMs = Number.NEGATIVE_INFINITY
  /** `address\npod` → documents. */
  readonly #addresses = new BoundedMap<number[]>(ADDRESSES_MAX, () => [0], addCounts)
  readonly #statuses = new Map<number, number>()
  readonly #rootCauses = new RootCauses()
  #withErrorLine = 0
  /** Thousandths: whole numbers add up to the same in any order. */
  #confidence = 0
  /** The oldest and the newest of those that show most. */
  #oldest: Candidate | null = null
  #newest: Candidate | null = null

  constructor(cause: Cause, upstream: string) {
    this.cause = cause
    this.upstream = upstream
  }

  add(row: FailureRow, stored: Documented | null): void {
    const kind = kindOf(row)
    const { timeMs } = row
    addCounts(this.counts, ONE[kind])
    this.series.add(timeMs, ONE[kind])
    if (timeMs < this.firstMs) this.firstMs = timeMs
    if (timeMs > this.lastMs) this.lastMs = timeMs
    if (row.address !== null) this.#addresses.of(`${row.address}\n${row.pod ?? ''}`)[0]!++
    if (row.status !== null && kind !== 'masked')
      this.#statuses.set(row.status, (this.#statuses.get(row.status) ?? 0) + 1)
    if (row.hasErrorLine) this.#withErrorLine++
    this.#rootCauses.add(row, stored)
    this.#confidence += Math.round(row.confidence * 1000)
    const score = (row.hasErrorLine ? 2 : 0) + (row.counted ? 1 : 0)
    this.#consider({ id: row.id, score, timeMs, stored })
  }

  merge(other: CauseGroup): void {
    addCounts(this.counts, other.counts)
    this.series.merge(other.series)
    this.firstMs = Math.min(this.firstMs, other.firstMs)
    this.lastMs = Math.max(this.lastMs, other.lastMs)
  }

  get documents(): number {
    return this.counts[0]! + this.counts[1]! + this.counts[2]!
  }

  exampleIds(): string[] {
    return [...new Set([...this.#exampleIds(), ...this.#rootCauses.exampleIds()])]
  }

  #exampleIds(): string[] {
    return [...new Set([this.#oldest, this.#newest].flatMap(candidate => (candidate === null ? [] : [candidate.id])))]
  }

  entry(basis: number, documents: Map<string, FailureDocument>): CauseEntry {
    const cells = this.series.cells()
    const column = this.counts[basis]! > 0 ? basis : this.counts.findIndex(count => count > 0)
    const peak = cells.reduce((best, cell) => (cell.values[column]! > best.values[column]! ? cell : best))
    const quietMs = Math.max(QUIET_MS, this.series.stepMs)
    const episodes = runsOf(cells, quietMs)
    const shown = [...episodes]
      .sort((a, b) => sum(b.values) - sum(a.values) || a.firstMs - b.firstMs)
      .slice(0, EPISODES_SHOWN)
      .sort((a, b) => a.firstMs - b.firstMs)
    return {
      cause: this.cause,
      upstream: this.upstream,
      ...countsOf(this.counts),
      first: iso(this.firstMs),
      last: iso(this.lastMs),
      episodes: {
        shown: shown.map(({ firstMs, lastMs, values }) => ({
          from: iso(firstMs),
          to: iso(lastMs),
          ...countsOf(values)
        })),
        more: episodes.length - shown.length
      },
      quietMinutes: quietMs / 60_000,
      peak: { at: iso(peak.startMs), minutes: this.series.stepMs / 60_000, count: peak.values[column]! },
      addresses: this.#shownAddresses(),
      statuses: [...this.#statuses]
        .sort((a, b) => b[1] - a[1] || a[0] - b[0])
        .map(([status, count]) => ({ status, count })),
      toldByErrorLine: this.#withErrorLine / this.documents,
      confidence: Math.round(this.#confidence / this.documents) / 1000,
      rootCauses: this.#rootCauses.entries(documents),
      examples: this.#examples(documents)
    }
  }

  #shownAddresses(): Listed<{ address: string; pod: string | null; documents: number }> {
    const addresses = this.#addresses.entries().sort(([a, [n = 0]], [b, [m = 0]]) => m - n || (a < b ? -1 : 1))
    return {
      shown: addresses.slice(0, ADDRESSES_SHOWN).map(([key, [documents = 0]]) => {
        const [address = '', pod] = key.split('\n')
        return { address, pod: pod || null, documents }
      }),
      more: Math.max(0, addresses.length - ADDRESSES_SHOWN)
    }
  }

  #examples(documents: Map<string, FailureDocument>): Example[] {
    const held = new Map(
      [this.#oldest, this.#newest].flatMap(candidate =>
        candidate?.stored ? [[candidate.id, candidate.stored] as const] : []
      )
    )
    return this.#exampleIds().flatMap(id => {
      const document = documents.get(id) ?? held.get(id)?.document
      return document === undefined ? [] : [exampleOf(id, document)]
    })
  }

  #consider(candidate: Candidate): void {
    if (isBetter(candidate, this.#oldest, -1)) this.#oldest = candidate
    if (isBetter(candidate, this.#newest, 1)) this.#newest = candidate
  }
}

/** Shows more; of equal ones the one further in `direction` of time; of these the first by id. */
function isBetter(a: Candidate, b: Candidate | null, direction: 1 | -1): boolean {
  if (b === null) return true
  if (a.score !== b.score) return a.score > b.score
  if (a.timeMs !== b.timeMs) return (a.timeMs - b.timeMs) * direction > 0
  return a.id < b.id
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** What a failure document says for people. Its fields can be missing, and of any type. */
function exampleOf(id: string, document: FailureDocument): Example {
  return {
    id,
    at: text(document['@timestamp']) ?? '',
    status: number(at(document, 'http.response.status_code')),
    message: text(at(document, 'message')) ?? '',
    evidence: folded(list(at(document, 'why5xx.evidence'))).slice(0, EVIDENCE_SHOWN)
  }
}

/** Three attempts that failed alike are told once. */
function folded(lines: readonly unknown[]): Example['evidence'] {
  const byText = new Map<string, Example['evidence'][number]>()
  for (const line of lines) {
    const [kind, said] = [text(at(line, 'kind')), text(at(line, 'text'))]
    if (kind === null || said === null) continue
    const key = `${kind}\n${said}`
    const known = byText.get(key)
    if (known) known.count++
    else byText.set(key, { kind, at: text(at(line, 'at')), ref: text(at(line, 'ref')) ?? '', text: said, count: 1 })
  }
  return [...byText.values()]
}

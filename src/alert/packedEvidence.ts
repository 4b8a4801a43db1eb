/** Evidence of a minute that is over. There are twenty for each series: so it is few objects, and keeps nothing of a line. */

import type { Place } from './places.ts'
import type { SightedRootCause } from './sighting.ts'

/** What is counted, in the order in which it is packed. */
interface Tallied {
  pods: string
  nodes: string
  controllers: string
  statuses: string
  places: Place
  rootCauses: SightedRootCause
}

const KINDS = ['pods', 'nodes', 'controllers', 'statuses', 'places', 'rootCauses'] as const
/** Of the number of values of a kind: eight are kept. */
const SIZE_BITS = 4

/** Collects what was counted, kind by kind in their order. */
export class Tallies {
  readonly entries: unknown[] = []
  sizes = 0
  #kind = 0

  add<K extends keyof Tallied>(_kind: K, value: Tallied[K], count: number): void {
    this.entries.push(value, count)
    this.sizes += 1 << (this.#kind * SIZE_BITS)
  }

  endOf(kind: keyof Tallied): void {
    if (KINDS[this.#kind] !== kind) throw new Error(`${kind} are packed out of order`)
    this.#kind++
  }
}

export interface PackedFields {
  sighted: number
  masked: number
  judged: number
  firstMs: number
  firstId: string
  /** Counted from the first one, as `exampleAfterMs`. */
  lastAfterMs: number
  lastId: string
  /** null: the example has none. */
  exampleRootCause: SightedRootCause | null
  exampleRank: number
  exampleAfterMs: number
  exampleId: string
  /** `[status, method, host, path, address, pod]` as JSON: most are never asked for. */
  exampleText: string
}

export class PackedEvidence implements PackedFields {
  readonly sighted: number
  readonly masked: number
  readonly judged: number
  readonly firstMs: number
  readonly firstId: string
  readonly lastAfterMs: number
  readonly lastId: string
  readonly exampleRootCause: SightedRootCause | null
  readonly exampleRank: number
  readonly exampleAfterMs: number
  readonly exampleId: string
  readonly exampleText: string
  readonly #sizes: number
  /** Value, count, value, count. */
  readonly #entries: readonly unknown[]

  constructor(fields: PackedFields, { sizes, entries }: Tallies) {
    const { firstId, lastId, exampleId } = fields
    this.sighted = fields.sighted
    this.masked = fields.masked
    this.judged = fields.judged
    this.firstMs = fields.firstMs
    this.firstId = firstId
    this.lastAfterMs = fields.lastAfterMs
    this.lastId = lastId === firstId ? firstId : lastId
    this.exampleRootCause = fields.exampleRootCause
    this.exampleRank = fields.exampleRank
    this.exampleAfterMs = fields.exampleAfterMs
    this.exampleId = exampleId === firstId ? firstId : exampleId
    this.exampleText = fields.exampleText
    this.#sizes = sizes
    // Without the room in which it grew.
    this.#entries = entries.slice()
  }

  each<K extends keyof Tallied>(kind: K, visit: (value: Tallied[K], count: number) => void): void {
    let at = 0
    let sizes = this.#sizes
    for (const other of KINDS) {
      const size = sizes & ((1 << SIZE_BITS) - 1)
      if (other === kind) {
        for (let i = at; i < at + size; i++)
          visit(this.#entries[2 * i] as Tallied[K], this.#entries[2 * i + 1] as number)
        return
      }
      at += size
      sizes >>>= SIZE_BITS
    }
  }
}

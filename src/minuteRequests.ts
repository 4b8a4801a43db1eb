/** How many requests each service had in each minute, in whatever order of time they come: all that a search for spikes needs of successes. */

import { NAMES_MAX } from '../parsers/nameTable.ts'

const MINUTE_MS = 60_000

/**
 * Counting one costs an increment: the minute that is being read lies in an array by id of the name, and goes to the others
 * when time moves on.
 */
export class MinuteRequests {
  /** By id of the name: minute since the epoch → requests. */
  readonly #byName: (Map<number, number> | undefined)[] = []
  readonly #cellsMax: number
  #cells = 0
  readonly #current = new Float64Array(NAMES_MAX + 1)
  /** Ids of names that have a count in `#current`. */
  #touched: number[] = []
  #minute = 0
  /** Of `#minute`, Unix ms. */
  #fromMs = 0
  #toMs = 0

  /** `cellsMax`: service × minute; beyond them nothing is known any more, see `isFull`. */
  constructor(cellsMax: number) {
    this.#cellsMax = cellsMax
  }

  count(timeMs: number, nameId: number): void {
    if (!(timeMs >= this.#fromMs && timeMs < this.#toMs)) this.#turn(timeMs)
    if (this.#current[nameId]!++ === 0) this.#touched.push(nameId)
  }

  get isFull(): boolean {
    return this.#cells > this.#cellsMax
  }

  /** Service × minute. */
  get cells(): number {
    this.#keep()
    return this.#cells
  }

  /** Minute → requests, of one name. */
  of(nameId: number): ReadonlyMap<number, number> {
    this.#keep()
    return this.#byName[nameId] ?? new Map()
  }

  #turn(timeMs: number): void {
    this.#keep()
    this.#minute = Math.floor(timeMs / MINUTE_MS)
    this.#fromMs = this.#minute * MINUTE_MS
    this.#toMs = this.#fromMs + MINUTE_MS
  }

  #keep(): void {
    for (const nameId of this.#touched) {
      if (!this.isFull) this.#add(nameId, this.#current[nameId]!)
      this.#current[nameId] = 0
    }
    this.#touched = []
  }

  #add(nameId: number, count: number): void {
    let minutes = this.#byName[nameId]
    if (minutes === undefined) this.#byName[nameId] = minutes = new Map()
    const before = minutes.get(this.#minute)
    if (before === undefined) this.#cells++
    minutes.set(this.#minute, (before ?? 0) + count)
    if (this.isFull) this.#byName.length = 0
  }
}

/** Counts over time in a bounded number of cells. */

const MINUTE_MS = 60_000
/** Widths of a cell, in minutes; each divides the next, so that cells merge whole. */
const LADDER = [1, 5, 15, 60, 180, 720, 1_440, 10_080, 100_800, 1_008_000, 10_080_000]

export interface Cell {
  /** Exact times of the first and last thing counted here, Unix ms. */
  firstMs: number
  lastMs: number
  values: number[]
}

/**
 * Sums per minute; once more than `cellsMax` minutes have something, per 5 minutes, per quarter of an hour, and so on. The
 * width depends on which minutes have something and on nothing else: in whatever order things come, the result is the same.
 */
export class Series {
  readonly #cellsMax: number
  #rung = 0
  #cells = new Map<number, Cell>()

  constructor(cellsMax: number) {
    this.#cellsMax = cellsMax
  }

  get stepMs(): number {
    return LADDER[this.#rung]! * MINUTE_MS
  }

  /** `firstMs` to `lastMs` within one cell: as much as the caller knows of it. */
  add(firstMs: number, values: readonly number[], lastMs = firstMs): void {
    const index = Math.floor(firstMs / this.stepMs)
    const cell = this.#cells.get(index)
    if (cell) return merge(cell, firstMs, lastMs, values)
    this.#cells.set(index, { firstMs, lastMs, values: [...values] })
    while (this.#cells.size > this.#cellsMax && this.#rung < LADDER.length - 1) this.#coarsen()
  }

  merge(other: Series): void {
    while (this.#rung < other.#rung) this.#coarsen()
    for (const { firstMs, lastMs, values } of other.#cells.values()) this.add(firstMs, values, lastMs)
  }

  /** Oldest first, each with its begin. */
  cells(): (Cell & { startMs: number })[] {
    return [...this.#cells]
      .sort(([a], [b]) => a - b)
      .map(([index, cell]) => ({ startMs: index * this.stepMs, ...cell }))
  }

  /** Values per bucket of `stepMs` from `fromMs` on; both fit the cells. Column `column` of the values. */
  buckets(fromMs: number, stepMs: number, count: number, column: number): number[] {
    const sums = Array.from({ length: count }, () => 0)
    for (const [index, cell] of this.#cells) {
      const at = Math.floor((index * this.stepMs - fromMs) / stepMs)
      if (at >= 0 && at < count) sums[at]! += cell.values[column]!
    }
    return sums
  }

  #coarsen(): void {
    const cells = [...this.#cells.values()]
    this.#rung++
    this.#cells = new Map()
    for (const { firstMs, lastMs, values } of cells) {
      const index = Math.floor(firstMs / this.stepMs)
      const cell = this.#cells.get(index)
      if (cell) merge(cell, firstMs, lastMs, values)
      else this.#cells.set(index, { firstMs, lastMs, values })
    }
  }
}

function merge(cell: Cell, firstMs: number, lastMs: number, values: readonly number[]): void {
  if (firstMs < cell.firstMs) cell.firstMs = firstMs
  if (lastMs > cell.lastMs) cell.lastMs = lastMs
  for (let i = 0; i < values.length; i++) cell.values[i]! += values[i]!
}

/** The narrowest width on the ladder that covers `[fromMs, toMs)` in about `bucketsMax` cells, ms. */
export function stepFor(fromMs: number, toMs: number, bucketsMax: number): number {
  const minutes = LADDER.find(width => (toMs - fromMs) / (width * MINUTE_MS) <= bucketsMax) ?? LADDER.at(-1)!
  return minutes * MINUTE_MS
}

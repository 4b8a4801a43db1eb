/** Maps that stay small whatever comes, and hold the same in whatever order it comes. */

/** At most `max` keys: the alphabetically first ones; what all others hold is merged into `rest`. */
export class BoundedMap<V> {
  readonly #max: number
  readonly #create: (key: string) => V
  readonly #merge: (into: V, from: V) => void
  readonly #entries = new Map<string, V>()
  /** Keys behind this one were given up, and are again. */
  #lastKey: string | null = null
  #rest: V | null = null

  constructor(max: number, create: (key: string) => V, merge: (into: V, from: V) => void) {
    this.#max = max
    this.#create = create
    this.#merge = merge
  }

  /** What to count for `key`. Not to be kept: a key can be given up later. */
  of(key: string): V {
    if (this.#lastKey !== null && key > this.#lastKey) return (this.#rest ??= this.#create(''))
    let value = this.#entries.get(key)
    if (value === undefined) {
      this.#entries.set(key, (value = this.#create(key)))
      if (this.#entries.size > 2 * this.#max) {
        this.#shrink()
        return this.of(key)
      }
    }
    return value
  }

  entries(): [key: string, value: V][] {
    if (this.#entries.size > this.#max) this.#shrink()
    return [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** null: no key was given up. */
  get rest(): V | null {
    if (this.#entries.size > this.#max) this.#shrink()
    return this.#rest
  }

  #shrink(): void {
    const keys = [...this.#entries.keys()].sort()
    this.#lastKey = keys[this.#max - 1]!
    this.#rest ??= this.#create('')
    for (const key of keys.slice(this.#max)) {
      this.#merge(this.#rest, this.#entries.get(key)!)
      this.#entries.delete(key)
    }
  }
}

/** Adds `counts` up in place. */
export function addCounts(into: number[], counts: readonly number[]): void {
  for (let i = 0; i < counts.length; i++) into[i]! += counts[i]!
}

/**
 * Counts by key; with more than `max` of them all keys become coarser by one level (a route's path shorter, a client's
 * network wider), until they fit. `fold(fold(key, 1), 2)` must be `fold(key, 2)`.
 */
export class FoldedCounts {
  readonly #max: number
  readonly #fold: (key: string, level: number) => string
  #counts = new Map<string, number[]>()
  level = 0

  constructor(max: number, fold: (key: string, level: number) => string) {
    this.#max = max
    this.#fold = fold
  }

  add(key: string, counts: readonly number[]): void {
    this.#put(this.level === 0 ? key : this.#fold(key, this.level), counts)
    while (this.#counts.size > this.#max) {
      const before = this.#counts
      this.#counts = new Map()
      this.level++
      for (const [known, sums] of before) this.#put(this.#fold(known, this.level), sums)
    }
  }

  get size(): number {
    return this.#counts.size
  }

  /** Most first; equal ones by name. */
  top(count: number): [key: string, counts: number[]][] {
    return [...this.#counts].sort(mostFirst).slice(0, count)
  }

  #put(key: string, counts: readonly number[]): void {
    const sums = this.#counts.get(key)
    if (sums) addCounts(sums, counts)
    else this.#counts.set(key, [...counts])
  }
}

/** Orders entries by their counts, the first column weighing most; equal ones by name. */
function mostFirst(a: [string, number[]], b: [string, number[]]): number {
  for (let i = 0; i < a[1].length; i++) if (a[1][i] !== b[1][i]) return b[1][i]! - a[1][i]!
  return a[0] < b[0] ? -1 : 1
}

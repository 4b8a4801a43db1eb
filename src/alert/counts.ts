/** How often which name came up. */

/** Names that are counted while a minute goes on: far more than are kept, so that the most frequent ones are known then. */
export const OPEN_MAX = 64
/** Names that are kept of a minute that is over, and of an incident. */
export const KEPT_MAX = 8

/** At most `OPEN_MAX` names: of what comes behind these nothing is counted. The same in any order as long as there are no more. */
export class Counts {
  /** `counts[i]` is of `names[i]`. Most have one name, or two: no map finds these sooner. */
  #names: string[] | null = null
  #counts: number[] = NONE

  add(name: string | null, count = 1): void {
    if (name === null || name === '' || count <= 0) return
    if (this.#names === null) {
      this.#names = [name]
      this.#counts = [count]
      return
    }
    const at = this.#names.indexOf(name)
    if (at >= 0) this.#counts[at]! += count
    else if (this.#names.length < OPEN_MAX) {
      this.#names.push(name)
      this.#counts.push(count)
    }
  }

  merge(other: Counts): void {
    for (const [name, count] of other.top(OPEN_MAX)) this.add(name, count)
  }

  /** Most frequent first, at most `KEPT_MAX`. */
  each(visit: (name: string, count: number) => void): void {
    if (this.size === 1) visit(this.#names![0]!, this.#counts[0]!)
    else for (const [name, count] of this.top()) visit(name, count)
  }

  get size(): number {
    return this.#names === null ? 0 : this.#names.length
  }

  get total(): number {
    return this.#counts.reduce((total, count) => total + count, 0)
  }

  /** Most frequent first, then by name. */
  top(max = KEPT_MAX): [string, number][] {
    const all: [string, number][] = []
    for (let i = 0; i < this.size; i++) all.push([this.#names![i]!, this.#counts[i]!])
    if (all.length > 1) all.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    return all.length > max ? all.slice(0, max) : all
  }

  cut(): void {
    if (this.size <= KEPT_MAX) return
    const top = this.top()
    this.#names = top.map(([name]) => name)
    this.#counts = top.map(([, count]) => count)
  }
}

const NONE: number[] = []

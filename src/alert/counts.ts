/** How often which name came up. */

/** Names that are counted while a minute goes on: far more than are kept, so that the most frequent ones are known then. */
export const OPEN_MAX = 64
/** Names that are kept of a minute that is over, and of an incident. */
export const KEPT_MAX = 8

/** At most `OPEN_MAX` names: of what comes behind these nothing is counted. The same in any order as long as there are no more. */
export class Counts {
  /** Most have no name, or one: a Map begins with the second. */
  #name: string | null = null
  #count = 0
  #more: Map<string, number> | null = null

  add(name: string | null, count = 1): void {
    if (name === null || name === '' || count <= 0) return
    if (this.#more === null && (this.#name === null || this.#name === name)) {
      this.#name = name
      this.#count += count
      return
    }
    const counts = (this.#more ??= new Map([[this.#name!, this.#count]]))
    const before = counts.get(name)
    if (before !== undefined || counts.size < OPEN_MAX) counts.set(name, (before ?? 0) + count)
  }

  merge(other: Counts): void {
    if (other.#more === null) this.add(other.#name, other.#count)
    else for (const [name, count] of other.top(OPEN_MAX)) this.add(name, count)
  }

  get total(): number {
    return this.top(OPEN_MAX).reduce((total, [, count]) => total + count, 0)
  }

  /** Most frequent first, then by name. */
  top(max = KEPT_MAX): [string, number][] {
    if (this.#more === null) return this.#name === null ? [] : [[this.#name, this.#count]]
    return [...this.#more].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, max)
  }

  cut(): void {
    if (this.#more !== null && this.#more.size > KEPT_MAX) this.#more = new Map(this.top())
  }
}

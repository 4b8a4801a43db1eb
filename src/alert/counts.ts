/** How often which name came up. */

/** Names that are counted while a minute goes on: far more than are kept, so that the most frequent ones are known then. */
export const OPEN_MAX = 64
/** Names that are kept of a minute that is over, and of an incident. */
export const KEPT_MAX = 8

/** At most `OPEN_MAX` names: of what comes behind these nothing is counted. The same in any order as long as there are no more. */
export class Counts {
  /** Most have no name, or one: no Map for these. */
  #counts: Map<string, number> | null = null

  add(name: string | null, count = 1): void {
    if (name === null || name === '' || count <= 0) return
    const counts = (this.#counts ??= new Map())
    const before = counts.get(name)
    if (before !== undefined || counts.size < OPEN_MAX) counts.set(name, (before ?? 0) + count)
  }

  merge(other: Counts): void {
    for (const [name, count] of other.top(OPEN_MAX)) this.add(name, count)
  }

  get total(): number {
    let total = 0
    for (const count of this.#counts?.values() ?? []) total += count
    return total
  }

  /** Most frequent first, then by name. */
  top(max = KEPT_MAX): [string, number][] {
    if (this.#counts === null) return []
    return [...this.#counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, max)
  }

  cut(): void {
    if (this.#counts !== null && this.#counts.size > KEPT_MAX) this.#counts = new Map(this.top())
  }
}

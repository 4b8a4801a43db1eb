/**
 * Is the data wrong, or the cluster? One document that does not fit is a reject. When half of them are refused, templates or
 * cluster are wrong, and nothing may be rejected. Pure.
 */

const ITEMS_MIN = 100
const REQUESTS_MIN = 2
const SHARE_MAX = 0.5

export class Refusals {
  /** Items of the last requests, oldest first: as few of them as make a decision. */
  readonly #requests: { items: number; refused: number }[] = []
  #items = 0
  #refused = 0

  add(items: number, refused: number): void {
    if (items === 0) return
    this.#requests.push({ items, refused })
    this.#items += items
    this.#refused += refused
    while (this.#requests.length > REQUESTS_MIN && this.#items - this.#requests[0]!.items >= ITEMS_MIN) {
      const oldest = this.#requests.shift()!
      this.#items -= oldest.items
      this.#refused -= oldest.refused
    }
  }

  /** `undecided`: too little was seen; what was refused is held. */
  get decision(): 'undecided' | 'data' | 'cluster' {
    if (this.#items < ITEMS_MIN || this.#requests.length < REQUESTS_MIN) return 'undecided'
    return this.#refused >= SHARE_MAX * this.#items ? 'cluster' : 'data'
  }

  /** Of what was seen, little as it may be. */
  get isMostlyAccepted(): boolean {
    return this.#refused < SHARE_MAX * this.#items
  }

  /** Begins anew: what was refused so far was held, and comes again. */
  clear(): void {
    this.#requests.length = 0
    this.#items = 0
    this.#refused = 0
  }
}

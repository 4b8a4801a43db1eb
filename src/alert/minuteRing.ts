/**
 * Counts of the latest minutes, by minute since the epoch: 4 bytes each. It does not know which minutes it holds: who
 * owns it clears a minute before it comes into reach, and asks for none out of reach.
 */
export class MinuteRing {
  readonly #counts: Uint32Array
  readonly #mask: number

  /** `size`: minutes within reach, a power of two. */
  constructor(size: number) {
    this.#counts = new Uint32Array(size)
    this.#mask = size - 1
  }

  add(minute: number, count: number): void {
    this.#counts[minute & this.#mask]! += count
  }

  at(minute: number): number {
    return this.#counts[minute & this.#mask]!
  }

  clear(minute: number): void {
    this.#counts[minute & this.#mask] = 0
  }

  /** Of `[from, to]`. */
  sum(from: number, to: number): number {
    let total = 0
    for (let minute = from; minute <= to; minute += 1) total += this.#counts[minute & this.#mask]!
    return total
  }
}

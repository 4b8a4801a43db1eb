/** How far record time has come in one stream, told by the lines that were read last. Pure. */

/** Clocks of nodes differ by a little; a line further ahead of the wall is wrong, and says nothing. */
const AHEAD_MS = 60_000
/** Looks that found such lines alone: then the clock of whoever writes them is wrong, and none of them says anything. */
const LOOKS_MAX = 10

export class ReadTime {
  /** Of the lines that made sense, the newest. */
  #newestMs = Number.NEGATIVE_INFINITY
  /** Of the line that was read last; NaN: none since the last look. */
  #lastMs = Number.NaN
  #hasRead = false
  #looksAhead = 0

  /** Lines were read, the last of them of this record time, Unix ms; -Infinity: none of them had one. */
  read(lineMs: number): void {
    this.#hasRead = true
    if (Number.isFinite(lineMs)) this.#lastMs = lineMs
  }

  /** Unix ms; -Infinity: nothing was read yet; Infinity: what was read tells no time. */
  atMs(nowMs: number): number {
    if (this.#lastMs <= nowMs + AHEAD_MS) {
      this.#newestMs = Math.max(this.#newestMs, this.#lastMs)
      this.#looksAhead = 0
    } else if (!Number.isNaN(this.#lastMs)) this.#looksAhead++
    this.#lastMs = Number.NaN
    if (!this.#hasRead) return Number.NEGATIVE_INFINITY
    if (this.#looksAhead >= LOOKS_MAX || !Number.isFinite(this.#newestMs)) return Number.POSITIVE_INFINITY
    return this.#newestMs
  }
}

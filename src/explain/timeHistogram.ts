/** Counts over time in a bounded number of buckets: when the range outgrows them, their width doubles. */
export class TimeHistogram {
  #widthMs = 1_000
  #counts = new Map<number, number>()
  readonly #bucketsMax: number

  constructor(bucketsMax = 256) {
    this.#bucketsMax = bucketsMax
  }

  add(timeMs: number): void {
    const bucket = Math.floor(timeMs / this.#widthMs)
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1)
    while (this.#counts.size > this.#bucketsMax) this.#coarsen()
  }

  /** `count` sums over `[fromMs, toMs]`, equal in width. */
  spread(fromMs: number, toMs: number, count: number): number[] {
    const sums = Array.from({ length: count }, () => 0)
    const width = Math.max(1, toMs - fromMs + 1) / count
    for (const [bucket, n] of this.#counts) {
      const at = Math.floor((bucket * this.#widthMs + this.#widthMs / 2 - fromMs) / width)
      sums[Math.min(count - 1, Math.max(0, at))]! += n
    }
    return sums
  }

  #coarsen(): void {
    const coarse = new Map<number, number>()
    for (const [bucket, n] of this.#counts) {
      const wide = Math.floor(bucket / 2)
      coarse.set(wide, (coarse.get(wide) ?? 0) + n)
    }
    this.#widthMs *= 2
    this.#counts = coarse
  }
}

/** Which whole list a reader begins with. Pure: positions are of any kind. */

/** Longer than any list takes. */
const LIST_MS_MAX = 600_000

/** As much of an event as the search needs. */
export interface RecordedHead {
  type: string
  writer: string
  at: number
  isPartial?: true
}

export interface FoundList<P> {
  position: P
  atMs: number
}

/** Takes what lies between two places of a record, in order. */
export class ListSearch<P> {
  /** The last whole list whose begin is at or before the moment. */
  best: FoundList<P> | null = null
  /** The first whole list behind it. */
  next: FoundList<P> | null = null
  readonly #fromMs: number
  /** Lists that have begun, by writer. */
  readonly #open = new Map<string, FoundList<P>>()
  #newestMs = Number.NEGATIVE_INFINITY

  constructor(fromMs: number) {
    this.#fromMs = fromMs
  }

  add(position: P, { type, writer, at, isPartial }: RecordedHead): void {
    this.#newestMs = Math.max(this.#newestMs, at)
    if ((type !== 'LIST_START' && type !== 'LIST_END') || isPartial) return
    if (type === 'LIST_START') this.#open.set(writer, { position, atMs: at })
    if (type !== 'LIST_END') return
    const list = this.#open.get(writer)
    if (list === undefined) return
    this.#open.delete(writer)
    if (list.atMs > this.#fromMs) this.next ??= list
    else if (this.best === null || list.atMs >= this.best.atMs) this.best = list
  }

  /** Nothing that lies further on can be better. */
  get isOver(): boolean {
    if (this.#newestMs <= this.#fromMs) return false
    if (this.#newestMs > this.#fromMs + LIST_MS_MAX) return true
    for (const { atMs } of this.#open.values()) if (atMs <= this.#fromMs) return false
    return true
  }
}

import type { RecordLine } from './line.ts'

/** Pods and streams whose line may be open at once; the oldest goes first. */
const OPEN_MAX = 512

/** First pieces of lines that a runtime cut (CRI `P`, docker without a line feed), by pod and stream, until their last one comes. */
export class Pieces {
  readonly #open = new Map<string, RecordLine>()
  /** Calls of `age` since the last piece came. */
  readonly #ages = new Map<string, number>()

  get isEmpty(): boolean {
    return this.#open.size === 0
  }

  has(key: string): boolean {
    return this.#open.has(key)
  }

  /** Opens a line with its first piece. Returns the line that had to go for it, whose end is not going to come. */
  start(key: string, first: RecordLine): RecordLine | null {
    this.#open.set(key, first)
    if (this.#open.size <= OPEN_MAX) return null
    return this.#remove(this.#open.keys().next().value!)
  }

  /** Adds a piece; returns the line when it is whole, or longer than `bytesMax`. */
  add(key: string, content: string, isLast: boolean, bytesMax: number): RecordLine | null {
    const line = this.#open.get(key)!
    line.raw += content
    this.#ages.delete(key)
    return isLast || line.raw.length > bytesMax ? this.#remove(key) : null
  }

  /** The lines that are open now. */
  firsts(): Iterable<RecordLine> {
    return this.#open.values()
  }

  /** To be called about once a second: the lines that have had no piece for `agesMax` calls. Their end is not going to come. */
  age(agesMax: number): RecordLine[] {
    const old: RecordLine[] = []
    for (const key of this.#open.keys()) {
      const age = (this.#ages.get(key) ?? 0) + 1
      if (age >= agesMax) old.push(this.#remove(key))
      else this.#ages.set(key, age)
    }
    return old
  }

  /** Lines that are still open at the end of the source. */
  drain(): RecordLine[] {
    const lines = [...this.#open.values()]
    this.#open.clear()
    this.#ages.clear()
    return lines
  }

  #remove(key: string): RecordLine {
    const line = this.#open.get(key)!
    this.#open.delete(key)
    this.#ages.delete(key)
    return line
  }
}

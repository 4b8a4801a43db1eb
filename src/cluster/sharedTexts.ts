/** One copy of equal texts. */

const TEXTS_MAX = 10_000
const TEXT_LENGTH_MAX = 64

/** Texts that were seen lately: one time stands in five conditions of a pod, one node in a hundred pods. */
export class SharedTexts {
  readonly #countMax: number
  readonly #lengthMax: number
  #young = new Map<string, string>()
  #old = new Map<string, string>()

  /** Two times `countMax` are kept; longer ones never. */
  constructor(countMax = TEXTS_MAX, lengthMax = TEXT_LENGTH_MAX) {
    this.#countMax = countMax
    this.#lengthMax = lengthMax
  }

  share(text: string): string {
    if (text.length > this.#lengthMax) return text
    const known = this.#young.get(text)
    if (known !== undefined) return known
    const one = this.#old.get(text) ?? text
    if (this.#young.size >= this.#countMax) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(one, one)
    return one
  }
}

/** Entries over all segments: some 50 MB. Segments that cannot be sealed for long must not eat the memory. */
const ENTRIES_MAX = 400_000

/** Which version of a document the unsealed segments hold: what is there already is not written again. */
export class KnownVersions {
  /** Oldest segment first. */
  readonly #bySegment = new Map<string, Map<string, number>>()
  readonly #entriesMax: number
  #entries = 0

  constructor(entriesMax = ENTRIES_MAX) {
    this.#entriesMax = entriesMax
  }

  /** False when the same or a better version is there. */
  add(segment: string, key: string, version: number): boolean {
    for (const known of this.#bySegment.values()) {
      const before = known.get(key)
      if (before !== undefined && before >= version) return false
    }
    let own = this.#bySegment.get(segment)
    if (own === undefined) this.#bySegment.set(segment, (own = new Map()))
    if (!own.has(key)) this.#entries++
    own.set(key, version)
    // The oldest segment is forgotten whole: what comes twice from it is found at sealing.
    if (this.#entries > this.#entriesMax && this.#bySegment.size > 1) this.drop(this.#bySegment.keys().next().value!)
    return true
  }

  drop(segment: string): void {
    this.#entries -= this.#bySegment.get(segment)?.size ?? 0
    this.#bySegment.delete(segment)
  }
}

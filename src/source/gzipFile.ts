import { type Stats, statSync } from 'node:fs'
import type { FileBytes } from './fileStream.ts'
import { type Input, openInput } from './input.ts'
import { lastAccessTime } from './mergeOrder.ts'

/** A compressed file: read once, to its end. */
export class GzipFile implements FileBytes {
  readonly stats: Stats
  readonly unreadBytes = 0
  readonly firstSeen = Buffer.alloc(0)
  readonly #input: Input
  readonly #chunks: AsyncGenerator<Uint8Array>
  /** Uncompressed bytes that are passed by: they were read before. */
  #known: number
  /** A chunk ahead: only the next one tells whether there is one. */
  #held: Uint8Array | null = null
  #isDrained = false

  constructor(path: string, from: number) {
    this.#input = openInput(path)
    this.stats = statSync(path)
    this.#chunks = this.#input.chunks()
    this.#known = from
  }

  get hasUnread(): boolean {
    return !this.#isDrained
  }

  poll(): boolean {
    return false
  }

  async read(): Promise<Uint8Array | null> {
    const chunk = await this.#fill()
    this.#held = null
    return chunk
  }

  async head(): Promise<Uint8Array> {
    return (await this.#fill()) ?? Buffer.alloc(0)
  }

  async lookAhead(): Promise<number> {
    const chunk = await this.#fill()
    return chunk === null ? Number.NaN : lastAccessTime(chunk)
  }

  async #fill(): Promise<Uint8Array | null> {
    while (this.#held === null && !this.#isDrained) {
      let next: IteratorResult<Uint8Array>
      try {
        next = await this.#chunks.next()
      } catch (error) {
        this.#isDrained = true
        throw error
      }
      if (next.done) {
        this.#isDrained = true
        break
      }
      const passed = Math.min(this.#known, next.value.length)
      this.#known -= passed
      if (passed < next.value.length) this.#held = next.value.subarray(passed)
    }
    return this.#held
  }

  close(): void {
    // Frees what unpacks; it may still wait for bytes, so nobody waits for it.
    void this.#chunks.return(undefined)
    this.#input.close()
  }
}

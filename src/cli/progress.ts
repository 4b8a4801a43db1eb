import type { Input } from '../source/input.ts'
import { clip, safeText } from '../text.ts'

const EVERY_MS = 200
const QUIET_MS = 1_000

/** One line on stderr while a long read goes on; nothing where stderr is no terminal, or for short work. */
export class Progress {
  readonly #total: number | null
  readonly #name: string
  readonly #startMs = Date.now()
  #shownMs = 0
  #isShown = false

  constructor(inputs: Input[]) {
    const sizes = inputs.map(input => input.size)
    this.#total = sizes.every(size => size !== null) ? sizes.reduce((sum, size) => sum + size, 0) : null
    this.#name = inputs.length === 1 ? safeText(inputs[0]!.name) : `${inputs.length} files`
  }

  at(bytes: number): void {
    if (!process.stderr.isTTY || this.#total === null) return
    const nowMs = Date.now()
    if (nowMs - this.#startMs < QUIET_MS || nowMs - this.#shownMs < EVERY_MS) return
    this.#shownMs = nowMs
    this.#isShown = true
    const megabytes = (count: number): string => `${Math.round(count / 1e6)} MB`
    // Bytes behind gzip are more than the file's: no share then.
    const share =
      bytes <= this.#total
        ? `${Math.floor((bytes / Math.max(1, this.#total)) * 100)} % of ${megabytes(this.#total)}`
        : megabytes(bytes)
    process.stderr.write(`\r\x1b[K${clip(`reading ${this.#name}: ${share}`, process.stderr.columns || 80)}`)
  }

  clear(): void {
    if (this.#isShown) process.stderr.write('\r\x1b[K')
    this.#isShown = false
  }
}

import { clip } from '../text.ts'

const EVERY_MS = 100

/** What is being done, on one line of stderr; nothing where that is no terminal. */
export class Steps {
  #shown = ''
  #shownMs = 0

  say(text: string): void {
    if (!process.stderr.isTTY || text === this.#shown) return
    const nowMs = Date.now()
    // A number that runs need not be read at once; another step must.
    const isSameStep = text.split(':')[0] === this.#shown.split(':')[0]
    if (isSameStep && nowMs - this.#shownMs < EVERY_MS) return
    this.#shown = text
    this.#shownMs = nowMs
    process.stderr.write(`\r\x1b[K${clip(text, process.stderr.columns || 80)}`)
  }

  clear(): void {
    if (this.#shown !== '') process.stderr.write('\r\x1b[K')
    this.#shown = ''
  }
}

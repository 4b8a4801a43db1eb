import type { Engine } from '../engine.ts'
import type { Input } from '../source/input.ts'
import { writeOut } from './output.ts'

const REDRAW_MS = 2_000
const SILENT_MS = 1_000

/**
 * A pipe that stays open (`kubectl logs -f`): on a terminal the report is drawn again as it grows, and windows of the join
 * close by wall time while the pipe is silent. Files need neither.
 */
export class LiveView {
  #timer: NodeJS.Timeout | null = null
  #heardMs = 0
  #isStale = false
  #isDrawing = false

  /** `draw` null: nothing is drawn; `flush` prints what became known while the pipe was silent. */
  constructor(engine: Engine, inputs: Input[], draw: (() => Promise<string>) | null, flush: () => Promise<void>) {
    if (!inputs.some(input => input.name === 'stdin')) return
    const isDrawn = draw !== null && process.stdout.isTTY
    this.#timer = setInterval(() => {
      const silentMs = Date.now() - this.#heardMs
      if (this.#heardMs > 0 && silentMs >= SILENT_MS) {
        for (const source of engine.sources) source.reader.flush()
        engine.idle(silentMs)
        void flush()
      }
      if (!isDrawn || !this.#isStale || this.#isDrawing) return
      this.#isStale = false
      this.#isDrawing = true
      void draw().then(async text => {
        // Home, the report cut to the screen, the rest of the screen cleared: no flicker.
        const rows = text.split('\n').slice(0, (process.stdout.rows || 24) - 1)
        await writeOut(`\x1b[H${rows.map(row => `${row}\x1b[K`).join('\n')}\n\x1b[J`)
        this.#isDrawing = false
      })
    }, REDRAW_MS / 2)
    // The timer alone must not keep the program running.
    this.#timer.unref()
    if (isDrawn) process.stdout.write('\x1b[2J')
  }

  heard(): void {
    this.#heardMs = Date.now()
    this.#isStale = true
  }

  stop(): void {
    if (this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
    if (process.stdout.isTTY) process.stdout.write('\x1b[H\x1b[J')
  }
}

import type { Engine } from '../engine.ts'
import type { Input } from '../source/input.ts'
import { writeOut } from './output.ts'

const TICK_MS = 1_000

/**
 * A pipe that stays open (`kubectl logs -f`): on a terminal the report is drawn again as it grows, and windows of the join
 * close by wall time while the pipe is silent: silent means that a read waits for it. Time that we spend ourselves, or
 * stopped, or waiting for who reads our output, is no silence of the pipe. Files need neither.
 */
export class LiveView {
  #timer: NodeJS.Timeout | null = null
  #isWaiting = true
  #silentTicks = 0
  #isStale = false
  #isDrawing = false

  /** `draw` null: nothing is drawn; `flush` prints what became known while the pipe was silent. */
  constructor(engine: Engine, inputs: Input[], draw: (() => Promise<string>) | null, flush: () => Promise<void>) {
    if (!inputs.some(input => input.name === 'stdin')) return
    const isDrawn = draw !== null && process.stdout.isTTY
    this.#timer = setInterval(() => {
      // Ticks, not the clock: one that comes late after a pause counts once.
      this.#silentTicks = this.#isWaiting ? this.#silentTicks + 1 : 0
      if (this.#silentTicks > 1) {
        for (const source of engine.sources) source.reader.flush()
        engine.idle((this.#silentTicks - 1) * TICK_MS)
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
    }, TICK_MS)
    // The timer alone must not keep the program running.
    this.#timer.unref()
    if (isDrawn) process.stdout.write('\x1b[2J')
  }

  /** A chunk has come and is worked on. */
  heard(): void {
    this.#isWaiting = false
    this.#silentTicks = 0
    this.#isStale = true
  }

  /** The next chunk is waited for. */
  ready(): void {
    this.#isWaiting = true
  }

  stop(): void {
    if (this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
    if (process.stdout.isTTY) process.stdout.write('\x1b[H\x1b[J')
  }
}

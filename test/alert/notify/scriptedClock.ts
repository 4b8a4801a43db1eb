/** Time that goes on only when it is told to, for code that takes its clock and its waits from outside. */

interface Sleeper {
  atMs: number
  wake: () => void
}

export class ScriptedClock {
  nowMs: number
  readonly #sleepers = new Set<Sleeper>()

  constructor(nowMs: number) {
    this.nowMs = nowMs
  }

  readonly clock = (): number => this.nowMs

  readonly wait = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise(resolve => {
      const sleeper: Sleeper = {
        atMs: this.nowMs + ms,
        wake: () => {
          this.#sleepers.delete(sleeper)
          signal.removeEventListener('abort', sleeper.wake)
          resolve()
        }
      }
      this.#sleepers.add(sleeper)
      signal.addEventListener('abort', sleeper.wake)
      if (signal.aborted) sleeper.wake()
    })

  /** Sets the wall clock back; waits go on as they were, like those of a real timer. */
  setBack(ms: number): void {
    this.nowMs -= ms
    for (const sleeper of this.#sleepers) sleeper.atMs -= ms
  }

  /** Lets everything go on that waits for nothing but its turn. */
  async settle(): Promise<void> {
    for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve))
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.nowMs + ms
    await this.settle()
    for (;;) {
      const [next] = [...this.#sleepers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      this.nowMs = Math.max(this.nowMs, next.atMs)
      next.wake()
      await this.settle()
    }
    this.nowMs = endMs
  }
}

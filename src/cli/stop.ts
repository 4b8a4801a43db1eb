/** Longer than the pipeline waits for the store: only a process that hangs gets here. */
const KILL_MS = 29_000

/** SIGTERM and Ctrl-C: the first lets the pipeline come to its end, the second does not wait. */
export class Stop {
  readonly #controller = new AbortController()
  readonly #say: (text: string) => void
  readonly #meaning: string
  /** 0 after SIGTERM, 130 after Ctrl-C; null: nobody asked for it. */
  exitCode: number | null = null

  /** `say` is told once that it stops. Listens until `release`. */
  constructor(
    say: (text: string) => void,
    meaning = 'stopping; what is decided is written, lines that wait are read again by the next run'
  ) {
    this.#say = say
    this.#meaning = meaning
    process.on('SIGTERM', this.#onSignal).on('SIGINT', this.#onSignal)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  release(): void {
    process.off('SIGTERM', this.#onSignal).off('SIGINT', this.#onSignal)
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    const exitCode = signal === 'SIGINT' ? 130 : 0
    if (this.exitCode !== null) process.exit(exitCode === 0 ? 1 : exitCode)
    this.exitCode = exitCode
    this.#say(`${signal}: ${this.#meaning}`)
    setTimeout(() => process.exit(1), KILL_MS).unref()
    this.#controller.abort()
  }
}

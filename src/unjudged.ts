/** Says that failures could not be judged: a rule that throws does so for thousands of them. */

const EVERY_MS = 60_000

export class Unjudged {
  readonly #notify: (text: string) => void
  readonly #nowMs: () => number
  readonly #sentence: string
  #saidMs = Number.NEGATIVE_INFINITY

  /** `notify` takes sentences for the log; `nowMs`: wall time, Unix ms. `sentence`: what did not go. */
  constructor(
    notify: (text: string) => void,
    nowMs: () => number,
    sentence = 'a failure could not be judged, and others perhaps'
  ) {
    this.#notify = notify
    this.#nowMs = nowMs
    this.#sentence = sentence
  }

  /** At most one sentence a minute. */
  tell(error: unknown): void {
    const nowMs = this.#nowMs()
    // The absolute difference: a clock that was set back must not silence it.
    if (Math.abs(nowMs - this.#saidMs) < EVERY_MS) return
    this.#saidMs = nowMs
    this.#notify(`${this.#sentence}: ${placeOf(error)}`)
  }
}

/** What was thrown, and where. Not its message: that may hold the content of a log line. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const { name, message, stack = '' } = error
  const frames = stack.slice(stack.indexOf(message) + message.length)
  return `${name} ${/^\s+(at .+)$/m.exec(frames)?.[1] ?? ''}`.trim()
}

/** Tries until it works: what is tried again when, and the sentence that says why nothing is written meanwhile. */

import { Why5xxError } from '../../errors.ts'
import { backoffMs, DENIED_MS, judgeRequest, type RequestVerdict } from './bulkAnswer.ts'
import { isClientError, sentenceOf, statusOf } from './connection.ts'

export interface Timing {
  /** Wall time, Unix ms. */
  now: () => number
  /** In [0, 1). */
  random: () => number
  /** Resolves after `ms`, or at once when `signal` is aborted. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>
}

/** A second failure in a row is told; a first one is nothing special on a busy cluster. */
const TOLD_FROM = 2

export class Patience {
  readonly timing: Timing
  readonly #notify: (text: string) => void
  readonly #closing = new AbortController()
  /** Who waits, and why. */
  readonly #waiting = new Map<object, string>()

  /** `notify` takes sentences for the log: when writing pauses, and when it goes on. */
  constructor(timing: Timing, notify: (text: string) => void) {
    this.timing = timing
    this.#notify = notify
  }

  /** One sentence; null: nothing waits for the cluster to get better. */
  get pausedBecause(): string | null {
    for (const because of this.#waiting.values()) return because
    return null
  }

  get isClosing(): boolean {
    return this.#closing.signal.aborted
  }

  /** Ends all waiting: what is under way is tried once more, then given up. */
  close(): void {
    this.#closing.abort()
  }

  /** `who` has failed `attempt` times (from 1) and waits a while, then tries again. */
  async backOff(who: object, attempt: number, because: string, toldFrom = TOLD_FROM): Promise<void> {
    if (attempt >= toldFrom) this.#tell(who, because)
    await this.timing.wait(backoffMs(attempt, this.timing.random()), this.#closing.signal)
  }

  /** `who` waits until somebody has mended something. */
  async pause(who: object, because: string): Promise<void> {
    this.#tell(who, because)
    await this.timing.wait(DENIED_MS, this.#closing.signal)
  }

  /** What `who` waited for is done. */
  done(who: object): void {
    if (this.#waiting.delete(who) && this.#waiting.size === 0) this.#notify('Elasticsearch: writing again')
  }

  /** Waits `ms`, or until `close`. */
  sleep(ms: number): Promise<void> {
    return this.timing.wait(ms, this.#closing.signal)
  }

  /**
   * Asks until there is an answer. Throws Why5xxError `WHY5XX_STORE` only after `close`, when the last try has failed too,
   * and what `judge` throws: errors that are no answer of a cluster.
   */
  async ask<T>(request: () => Promise<T>, judge = judgeError): Promise<T> {
    const who = {}
    for (let attempt = 1; ; attempt++) {
      // Asked before the try, so that a close during the wait gives one more.
      const isLastTry = this.isClosing
      try {
        const answer = await request()
        this.done(who)
        return answer
      } catch (error) {
        const { kind, because } = judge(error)
        if (isLastTry) {
          this.#waiting.delete(who)
          throw new Why5xxError('WHY5XX_STORE', because, { cause: error })
        }
        if (kind === 'retry') await this.backOff(who, attempt, because)
        else await this.pause(who, because)
      }
    }
  }

  #tell(who: object, because: string): void {
    if (this.#waiting.size === 0) this.#notify(`${because}; waiting`)
    this.#waiting.set(who, `${because}: waiting`)
  }
}

/** What an error of the client asks for. Throws what is none: a mistake of ours must not be tried for ever. */
export function judgeError(error: unknown): RequestVerdict {
  if (!isClientError(error)) throw error
  return judgeRequest(statusOf(error), sentenceOf(error))
}

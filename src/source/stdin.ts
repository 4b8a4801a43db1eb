/** Log lines that come through a pipe: once, and without a way back. */

import { HEAD_BYTES, sha256 } from './fingerprint.ts'
import { type Input, openInput } from './input.ts'
import type { Source, SourceEvent, SourceStream } from './source.ts'
import { systemTicker, type Ticker } from './ticker.ts'

const TICK_MS = 1_000

class StdinStream implements SourceStream {
  readonly id: string
  readonly name = 'stdin'
  readonly group = null
  readonly modifiedMs = null
  readonly resume = null
  head: Uint8Array = Buffer.alloc(0)
  isAtEnd = true
  newestMs = Number.NEGATIVE_INFINITY

  constructor(nowMs: number) {
    this.id = sha256(Buffer.from(['stdin', nowMs, process.pid].join('\n'))).slice(0, 22)
  }

  place(): null {
    return null
  }
}

export class StdinSource implements Source {
  readonly isRepeatable = false
  readonly #open: () => Input
  readonly #ticker: Ticker

  /** `open`: what is read, in tests. */
  constructor(open: () => Input = () => openInput('-'), ticker: Ticker = systemTicker) {
    this.#open = open
    this.#ticker = ticker
  }

  /** Reads what is left of the pipe; what an earlier call has read does not come again. */
  async *read(signal: AbortSignal): AsyncGenerator<SourceEvent> {
    const input = this.#open()
    const stream = new StdinStream(this.#ticker.wallMs())
    const chunks = input.chunks()
    try {
      for (;;) {
        stream.isAtEnd = true
        const next = yield* this.#next(chunks.next(), signal)
        if (next === null) return
        if (next.done) {
          if (stream.head.length > 0) yield { kind: 'end', stream }
          return
        }
        stream.isAtEnd = false
        if (stream.head.length === 0) stream.head = Buffer.from(next.value.subarray(0, HEAD_BYTES))
        yield { kind: 'chunk', stream, bytes: next.value }
        if (signal.aborted) return
      }
    } catch (error) {
      // A pipe that breaks off, or damaged compressed data: what came before counts.
      const text = `stdin cannot be read on: ${error instanceof Error ? error.message : String(error)}.`
      yield {
        kind: 'gap',
        gap: { name: 'stdin', atMs: this.#ticker.wallMs(), bytes: null, reason: 'unreadable', text }
      }
      yield { kind: 'end', stream }
    } finally {
      input.close()
    }
  }

  /** Waits for the next chunk, and says every second that nothing has come. null: aborted. */
  async *#next(
    next: Promise<IteratorResult<Uint8Array>>,
    signal: AbortSignal
  ): AsyncGenerator<SourceEvent, IteratorResult<Uint8Array> | null> {
    // It stays unwatched when reading is aborted meanwhile.
    next.catch(() => {})
    for (let idleMs = TICK_MS; !signal.aborted; idleMs += TICK_MS) {
      const stopTick = new AbortController()
      const tick = this.#ticker.sleep(TICK_MS, AbortSignal.any([signal, stopTick.signal])).then(() => null)
      const result = await Promise.race([next, tick])
      stopTick.abort()
      if (result !== null) return result
      if (!signal.aborted) yield { kind: 'idle', idleMs }
    }
    return null
  }
}

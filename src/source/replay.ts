/** Files that are read from their beginning to their end, whatever was read of them before: to judge again, or to fill in. */

import { statSync } from 'node:fs'
import { judgedAgain, type ReadPosition } from '../checkpoint.ts'
import { Why5xxError } from '../errors.ts'
import { agreement, Excerpts, HEAD_BYTES, sha256, Trace } from './fingerprint.ts'
import { type Input, openInput } from './input.ts'
import { type Content, contentOf, GROUP, lastAccessTime, type Merged, pickNext } from './mergeOrder.ts'
import { type KnownFile, knownFile, type Place } from './place.ts'
import type { Source, SourceEvent, SourceStream, StreamState } from './source.ts'

/** One file, a chunk ahead of what was given out. */
class ReplayStream implements SourceStream, Merged {
  readonly id: string
  readonly name: string
  readonly modifiedMs: number | null
  readonly resume: ReadPosition | null
  readonly content: Content
  readonly input: Input
  readonly chunks: AsyncGenerator<Uint8Array>
  next: Uint8Array | null
  newestMs = Number.NEGATIVE_INFINITY
  readonly #trace = new Trace()

  /** `id` null: the store knows no such file. `read`: how far what it holds was read before; null: nobody knows. */
  constructor(
    input: Input,
    chunks: AsyncGenerator<Uint8Array>,
    first: Uint8Array | null,
    id: string | null,
    read: ReadPosition | null
  ) {
    this.input = input
    this.chunks = chunks
    this.next = first
    this.content = first === null ? 'mixed' : contentOf(first)
    this.name = input.name
    this.modifiedMs = input.modifiedMs
    this.resume = read === null ? null : judgedAgain(read)
    const { dev, ino } = statSync(input.name)
    this.id = id ?? sha256(Buffer.from(['replay', input.name, dev, ino, Date.now()].join('\n'))).slice(0, 22)
  }

  get group(): string | null {
    return this.content === 'mixed' ? null : GROUP
  }

  get head(): Uint8Array {
    return this.#trace.head
  }

  get isAtEnd(): boolean {
    return this.next === null
  }

  /** As a followed file says it: `run` knows it again. */
  place(): Place {
    const { dev, ino, mtimeMs } = statSync(this.name)
    const { name, content } = this
    const at = { path: name, realPath: name, device: dev, inode: ino, mtimeMs }
    return { kind: 'file', ...at, content, ...this.#trace.fingerprint() }
  }

  /** The chunk that comes next, taken out. */
  take(): Uint8Array {
    const chunk = this.next!
    this.#trace.push(chunk)
    return chunk
  }
}

export class ReplaySource implements Source {
  readonly isRepeatable = true
  readonly #paths: readonly string[]
  readonly #known: KnownFile[]
  readonly #nowMs: () => number

  /** `known`: what the store remembers, to know files again by what they hold. Throws nothing before it is read. */
  constructor(paths: readonly string[], known: readonly StreamState[], nowMs: () => number) {
    this.#paths = paths
    this.#known = known.flatMap(state => knownFile(state) ?? [])
    this.#nowMs = nowMs
  }

  /** Throws Why5xxError `WHY5XX_INPUT_UNREADABLE` when none of the files can be read. */
  async *read(signal: AbortSignal): AsyncGenerator<SourceEvent> {
    const streams: ReplayStream[] = []
    const failures: unknown[] = []
    for (const path of this.#paths) {
      try {
        streams.push(await this.#open(path))
      } catch (error) {
        failures.push(error)
        yield this.#gap(path, error)
      }
    }
    if (streams.length === 0 && failures.length > 0) throw failures[0]
    refuseCopies(streams)
    try {
      while (!signal.aborted) {
        const unread = streams.filter(stream => stream.next !== null)
        const stream = pickNext(unread, file => lastAccessTime(file.next!))
        if (stream === null) return
        yield { kind: 'chunk', stream, bytes: stream.take() }
        try {
          stream.next = await nextChunk(stream.chunks)
        } catch (error) {
          stream.next = null
          yield this.#gap(stream.name, error)
        }
        if (stream.next === null) yield { kind: 'end', stream }
      }
    } finally {
      for (const { input } of streams) input.close()
    }
  }

  async #open(path: string): Promise<ReplayStream> {
    const input = openInput(path)
    if (input.size === null)
      throw new Why5xxError('WHY5XX_INPUT_UNREADABLE', `cannot replay ${path}: it is no file; pipes go into run`)
    const chunks = input.chunks()
    const first = await nextChunk(chunks)
    const file = new Excerpts(path)
    // A copy of the beginning of what was read: a file of its own, whose lines were all counted.
    let whole: ReadPosition | null = null
    for (const { id, place, state } of this.#known) {
      const read = state?.read ?? null
      const agrees = await agreement(file, place)
      if (agrees === 'same') return new ReplayStream(input, chunks, first, id, read)
      if (agrees === 'shorter' && place.head.bytes === HEAD_BYTES) whole = read
    }
    return new ReplayStream(input, chunks, first, null, whole)
  }

  #gap(name: string, error: unknown): SourceEvent {
    // Ours name the file already.
    const why = error instanceof Error ? error.message : String(error)
    const text = error instanceof Why5xxError ? why : `${name} cannot be read: ${why}`
    return { kind: 'gap', gap: { name, atMs: this.#nowMs(), bytes: null, reason: 'unreadable', text } }
  }
}

/** Two files that begin alike hold the same lines, compressed or not: read together they would count twice. */
function refuseCopies(streams: readonly ReplayStream[]): void {
  const byHead = new Map<string, string>()
  for (const { name, next, input } of streams) {
    if (next === null || next.length < HEAD_BYTES) continue
    const head = sha256(next.subarray(0, HEAD_BYTES))
    const other = byHead.get(head)
    byHead.set(head, name)
    if (other === undefined) continue
    input.close()
    throw new Why5xxError(
      'WHY5XX_USAGE',
      `${name} begins as ${other} does: one is a copy of the other; name the longer one`
    )
  }
}

/** A copy: the input reads over its buffer. null at the end. */
async function nextChunk(chunks: AsyncGenerator<Uint8Array>): Promise<Uint8Array | null> {
  const { value, done } = await chunks.next()
  return done ? null : Buffer.from(value)
}

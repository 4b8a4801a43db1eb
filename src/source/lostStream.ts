import type { ReadPosition } from '../checkpoint.ts'
import type { SourceStream, StreamState } from './source.ts'

/** A stream that was read before and is found no more: it only ends, so that nobody looks for it again. */
export class LostStream implements SourceStream {
  readonly id: string
  readonly name: string
  readonly group: string | null
  readonly modifiedMs: number
  readonly head = Buffer.alloc(0)
  readonly resume: ReadPosition
  readonly isAtEnd = true
  newestMs: number
  readonly #place: Record<string, unknown>

  constructor(state: StreamState, place: { path: string; mtimeMs: number }, group: string | null) {
    this.id = state.stream
    this.name = place.path
    this.group = group
    this.modifiedMs = place.mtimeMs
    this.resume = state.read
    this.newestMs = state.read.newestMs ?? Number.NEGATIVE_INFINITY
    this.#place = state.place
  }

  place(): Record<string, unknown> {
    return this.#place
  }
}

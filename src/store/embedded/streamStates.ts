import { DONE_STREAMS_MAX, type StreamState } from '../../source/source.ts'

/** The newest state of every stream, in the order of their last change. */
export class StreamStates {
  readonly #states = new Map<string, StreamState>()
  readonly #doneMax: number
  #done = 0

  constructor(doneMax = DONE_STREAMS_MAX) {
    this.#doneMax = doneMax
  }

  /** Returns the streams that are forgotten: done, and the oldest of too many. */
  apply(states: readonly StreamState[]): string[] {
    const forgotten: string[] = []
    for (const state of states) {
      const before = this.#states.get(state.stream)
      if (before?.isDone) this.#done--
      this.#states.delete(state.stream)
      this.#states.set(state.stream, state)
      if (state.isDone) this.#done++
    }
    for (const [stream, state] of this.#states) {
      if (this.#done <= this.#doneMax) break
      if (!state.isDone) continue
      this.#states.delete(stream)
      this.#done--
      forgotten.push(stream)
    }
    return forgotten
  }

  all(): StreamState[] {
    return [...this.#states.values()]
  }

  /** These with `changes` applied, which are not durable yet. */
  with(changes: readonly StreamState[]): StreamState[] {
    const next = new StreamStates(this.#doneMax)
    next.apply(this.all())
    next.apply(changes)
    return next.all()
  }
}

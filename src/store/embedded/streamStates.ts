import { DONE_STREAMS_MAX, type StreamState } from '../../source/source.ts'

/** The newest state of every stream, in the order of their last change. */
export class StreamStates {
  readonly #states = new Map<string, StreamState>()
  #done = 0

  apply(states: readonly StreamState[]): void {
    for (const state of states) {
      const before = this.#states.get(state.stream)
      if (before?.isDone) this.#done--
      this.#states.delete(state.stream)
      this.#states.set(state.stream, state)
      if (state.isDone) this.#done++
    }
    if (this.#done <= DONE_STREAMS_MAX) return
    for (const [stream, state] of this.#states) {
      if (!state.isDone) continue
      this.#states.delete(stream)
      if (--this.#done <= DONE_STREAMS_MAX) return
    }
  }

  all(): StreamState[] {
    return [...this.#states.values()]
  }

  /** These with `changes` applied, which are not durable yet. */
  with(changes: readonly StreamState[]): StreamState[] {
    const next = new StreamStates()
    next.apply(this.all())
    next.apply(changes)
    return next.all()
  }
}

/** Reads a source as the pipeline does, and remembers what a store would. */
import { setImmediate } from 'node:timers/promises'
import { START } from '../../src/checkpoint.ts'
import type { Source, SourceEvent, SourceGap, SourceStream, StreamState } from '../../src/source/source.ts'
import type { Ticker } from '../../src/source/ticker.ts'

/** Time that passes only when somebody sleeps. */
export class FakeTicker implements Ticker {
  steady = 0
  slept = 0

  wallMs(): number {
    return Date.now()
  }

  steadyMs(): number {
    return this.steady
  }

  async sleep(ms: number): Promise<void> {
    this.steady += ms
    this.slept++
    await setImmediate()
  }
}

export interface ReadStream {
  stream: SourceStream
  /** Offset of the first byte of `text`. */
  from: number
  text: string
  isEnded: boolean
}

export class ReadingRun {
  readonly streams = new Map<string, ReadStream>()
  readonly events: SourceEvent[] = []
  readonly gaps: SourceGap[] = []
  /** Whole lines in the order of reading. */
  readonly lines: string[] = []
  isOver = false
  readonly #known: Map<string, StreamState>
  readonly #stop = new AbortController()
  readonly #generator: AsyncGenerator<SourceEvent>

  constructor(source: Source, known: readonly StreamState[] = []) {
    this.#known = new Map(known.map(state => [state.stream, state]))
    this.#generator = source.read(this.#stop.signal)
  }

  /** The next event; null: it was the last. */
  async next(): Promise<SourceEvent | null> {
    const { value, done } = await this.#generator.next()
    if (done) {
      this.isOver = true
      return null
    }
    this.#take(value)
    return value
  }

  /** Reads until nothing has come for `ms` of the source's own ticks, or the source has ended. */
  async settle(ms = 7_000): Promise<void> {
    let beginMs: number | null = null
    for (let event = await this.next(); event !== null; event = await this.next()) {
      if (event.kind === 'chunk') beginMs = null
      if (event.kind !== 'idle') continue
      beginMs ??= event.idleMs - 1_000
      if (event.idleMs - beginMs >= ms) return
    }
  }

  /** Reads this many events, then stops as a crash does: what came last is known to nobody. */
  async crash(): Promise<void> {
    await this.#generator.return(undefined)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    while ((await this.next()) !== null);
  }

  texts(): string[] {
    return [...this.streams.values()].map(stream => stream.text)
  }

  /** What the store would hold now: whole lines are read. */
  states(): StreamState[] {
    const states = new Map(this.#known)
    for (const [id, { stream, from, text, isEnded }] of this.streams) {
      const readTo = from + (isEnded ? text.length : text.lastIndexOf('\n') + 1)
      const place = JSON.parse(JSON.stringify(stream.place(readTo))) as Record<string, unknown>
      states.set(id, { stream: id, place, read: { ...START, readTo, from: readTo }, isDone: isEnded })
    }
    return [...states.values()]
  }

  #take(event: SourceEvent): void {
    // The bytes are the source's again when the next event is asked for.
    this.events.push(event.kind === 'chunk' ? { ...event, bytes: Buffer.from(event.bytes) } : event)
    if (event.kind === 'gap') this.gaps.push(event.gap)
    if (event.kind === 'chunk' || event.kind === 'end') {
      const { stream } = event
      let read = this.streams.get(stream.id)
      if (read === undefined) {
        read = { stream, from: stream.resume?.from ?? 0, text: '', isEnded: false }
        this.streams.set(stream.id, read)
      }
      if (read.isEnded) throw new Error(`${stream.name} goes on after its end`)
      if (event.kind === 'end') {
        read.isEnded = true
        const last = read.text.slice(read.text.lastIndexOf('\n') + 1)
        if (last !== '') this.lines.push(last)
        return
      }
      const before = read.text.lastIndexOf('\n') + 1
      read.text += Buffer.from(event.bytes).toString('latin1')
      const whole = read.text.slice(before, read.text.lastIndexOf('\n') + 1)
      if (whole !== '') this.lines.push(...whole.split('\n').slice(0, -1))
    }
  }
}

/** A Kafka client that does what a test says, and remembers what it was asked to do. */
import { setMaxListeners } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { START } from '../../src/checkpoint.ts'
import { batchesOf } from '../../src/source/kafka/batches.ts'
import type { DriverHandlers, KafkaDriver, Watermarks } from '../../src/source/kafka/driver.ts'
import { KafkaSource, type KafkaSourceOptions } from '../../src/source/kafka/kafkaSource.ts'
import type { SourceEvent, SourceStream, StreamState } from '../../src/source/source.ts'
import type { Ticker } from '../../src/source/ticker.ts'

export const GROUP = 'workers'
export const TOPIC = 'lines'

export class ScriptedDriver implements KafkaDriver {
  aliveMs: number | null = null
  hasJoined = false
  handlers: DriverHandlers | null = null
  /** `start 0 at 5`, `pause 0`, `resume 0`, `commit 0:5`, `leave`. */
  readonly calls: string[] = []
  readonly committedOffsets = new Map<number, number>()
  readonly marks = new Map<number, Watermarks>()
  /** What the next question or commit is answered with instead. */
  fault: Error | null = null
  generation = 0
  /** By partition: where it was started, and went since. */
  readonly nextOffsets = new Map<number, number>()

  join(handlers: DriverHandlers): Promise<void> {
    this.handlers = handlers
    return Promise.resolve()
  }

  assign(...partitions: number[]): void {
    this.hasJoined = true
    this.generation++
    for (const partition of partitions) if (!this.marks.has(partition)) this.marks.set(partition, { low: 0, high: 0 })
    this.handlers!.assigned(this.generation, partitions)
  }

  revoke(...partitions: number[]): void {
    for (const partition of partitions) this.nextOffsets.delete(partition)
    this.handlers!.revoked(partitions)
  }

  /** Messages of these values, from where the partition is read, of the generation that a test says. */
  deliver(partition: number, values: (string | null)[], generation = this.generation): void {
    const from = this.nextOffsets.get(partition) ?? 0
    const nextOffset = from + values.length
    const mark = this.marks.get(partition) ?? { low: 0, high: 0 }
    this.marks.set(partition, { ...mark, high: Math.max(mark.high, nextOffset) })
    if (this.nextOffsets.has(partition) && generation === this.generation) this.nextOffsets.set(partition, nextOffset)
    const messages = values.map((value, i) => ({ offset: from + i, value: value === null ? null : Buffer.from(value) }))
    const high = this.marks.get(partition)!.high
    this.handlers!.messages(generation, partition, { batches: batchesOf(messages), nextOffset, high })
  }

  start(partition: number, offset: number): void {
    this.calls.push(`start ${partition} at ${offset}`)
    this.nextOffsets.set(partition, offset)
  }

  pause(partition: number): void {
    this.calls.push(`pause ${partition}`)
  }

  resume(partition: number): void {
    this.calls.push(`resume ${partition}`)
  }

  async committed(): Promise<ReadonlyMap<number, number>> {
    await setImmediate()
    this.#throwFault()
    return new Map(this.committedOffsets)
  }

  async watermarks(): Promise<ReadonlyMap<number, Watermarks>> {
    await setImmediate()
    this.#throwFault()
    return new Map(this.marks)
  }

  async commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    this.calls.push(`commit ${[...offsets].map(pair => pair.join(':')).join(' ')}`)
    await setImmediate()
    this.#throwFault()
    for (const [partition, offset] of offsets) this.committedOffsets.set(partition, offset)
  }

  leave(): Promise<void> {
    this.calls.push('leave')
    this.hasJoined = false
    return Promise.resolve()
  }

  #throwFault(): void {
    const { fault } = this
    this.fault = null
    if (fault !== null) throw fault
  }
}

/** Time that passes when a test says so. */
export class ManualTicker implements Ticker {
  #nowMs = 0
  #sleepers: { atMs: number; wake: () => void }[] = []

  wallMs(): number {
    return this.#nowMs
  }

  steadyMs(): number {
    return this.#nowMs
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise(wake => {
      if (signal.aborted) return wake()
      setMaxListeners(0, signal)
      this.#sleepers.push({ atMs: this.#nowMs + ms, wake })
      signal.addEventListener('abort', () => wake(), { once: true })
    })
  }

  advance(ms: number): void {
    this.#nowMs += ms
    const due = this.#sleepers.filter(({ atMs }) => atMs <= this.#nowMs)
    this.#sleepers = this.#sleepers.filter(({ atMs }) => atMs > this.#nowMs)
    for (const { wake } of due) wake()
  }
}

/** A source on a scripted driver, and everything it has told. */
export class ScriptedRun {
  readonly driver = new ScriptedDriver()
  readonly ticker = new ManualTicker()
  readonly source: KafkaSource
  readonly events: SourceEvent[] = []
  readonly logged: string[] = []
  /** The store: what is known of each stream. */
  readonly states = new Map<string, StreamState>()
  readonly claims: string[][] = []
  /** While it is set, claims wait for it. */
  storeIsAway: Promise<void> | null = null
  isOver = false
  failure: unknown = null
  readonly #stop = new AbortController()
  readonly #generator: AsyncGenerator<SourceEvent>
  #pending: Promise<IteratorResult<SourceEvent>> | null = null

  constructor(options: Partial<KafkaSourceOptions> = {}) {
    this.source = new KafkaSource({
      driver: this.driver,
      config: { topic: TOPIC, groupId: GROUP },
      claim: async streams => {
        this.claims.push(streams)
        if (this.storeIsAway !== null) await this.storeIsAway
        return streams.flatMap(stream => this.states.get(stream) ?? [])
      },
      log: (_level, message) => this.logged.push(message),
      ticker: this.ticker,
      ...options
    })
    this.#generator = this.source.read(this.#stop.signal)
  }

  /** Reads until there is nothing more to tell for now. What came since the call before is returned. */
  async settle(): Promise<SourceEvent[]> {
    const before = this.events.length
    while (!this.isOver) {
      this.#pending ??= this.#generator.next()
      const result = await Promise.race([this.#pending.catch((error: unknown) => ({ error })), turns()])
      if (result === null) break
      this.#pending = null
      if ('error' in result) {
        this.failure = result.error
        this.isOver = true
      } else if (result.done) this.isOver = true
      else this.events.push(result.value)
    }
    return this.events.slice(before)
  }

  /** One second, and what came of it. */
  async second(): Promise<SourceEvent[]> {
    this.ticker.advance(1_000)
    return this.settle()
  }

  async assign(...partitions: number[]): Promise<void> {
    await this.settle()
    this.driver.assign(...partitions)
    await this.settle()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.settle()
  }

  /** Stops as whoever reads no more does. */
  async abandon(): Promise<void> {
    await this.#generator.return(undefined)
  }

  /** What a store would keep of this stream now. */
  stateOf(stream: SourceStream, from: number, readTo = from): StreamState {
    const place = JSON.parse(JSON.stringify(stream.place(readTo))) as Record<string, unknown>
    return { stream: stream.id, place, read: { ...START, from, readTo }, isDone: false }
  }

  durable(stream: SourceStream, from: number): void {
    this.source.durable([this.stateOf(stream, from)])
  }
}

/** Some turns of the event loop: what is to happen by itself has happened. */
export async function turns(): Promise<null> {
  for (let i = 0; i < 12; i++) await setImmediate()
  return null
}

/** `0@5 a,b` for the messages of partition 0 from offset 5 on, `idle 1000`, `lost 0`, `end 0`, `gap …`. */
export function told(events: readonly SourceEvent[]): string[] {
  return events.map(event => {
    if (event.kind === 'idle') return `idle ${event.idleMs}`
    if (event.kind === 'gap') return `gap ${event.gap.reason} ${event.gap.name}`
    const { partition } = event.stream.partition!
    if (event.kind !== 'messages') return `${event.kind} ${partition}`
    const { bytes, count, offsets, starts, ends } = event.batch
    const values = Array.from({ length: count }, (_, i) =>
      ends[i] === -1 ? 'null' : bytes.toString('utf8', starts[i], ends[i])
    )
    return `${partition}@${offsets[0] ?? ''} ${values.join(',')}`
  })
}

export function streamOf(events: readonly SourceEvent[], partition: number): SourceStream {
  const event = events.findLast(one => one.kind === 'messages' && one.stream.partition!.partition === partition)
  if (event?.kind !== 'messages') throw new Error(`nothing came of partition ${partition}`)
  return event.stream
}

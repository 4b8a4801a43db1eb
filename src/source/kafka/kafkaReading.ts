/** One membership of the group: partitions, what waits of them, silence, commits. */

import { setImmediate } from 'node:timers/promises'
import { Why5xxError } from '../../errors.ts'
import type { KafkaFacts, SourceEvent, StreamState } from '../source.ts'
import { Commits } from './commits.ts'
import type { DriverHandlers, DriverRead, Watermarks } from './driver.ts'
import type { ReadingOptions } from './kafkaSource.ts'
import { type OwnedPartition, PartitionStream } from './ownedPartition.ts'
import { Ownership } from './ownership.ts'
import { ReadAhead } from './readAhead.ts'
import { lostText, type StartPoint, startPoint } from './startPoint.ts'

const TICK_MS = 1_000
/** Messages events between two turns of the event loop, which fetches and heartbeats need. */
const EVENTS_PER_TURN = 4
/** So long the brokers may take to say where partitions end. */
const UNKNOWN_TICKS = 3
const NOTHING = {
  bytes: Buffer.alloc(0),
  count: 0,
  offsets: new Float64Array(0),
  starts: new Int32Array(0),
  ends: new Int32Array(0)
}

export class KafkaReading {
  readonly #options: ReadingOptions
  readonly #ownership: Ownership
  readonly #ahead: ReadAhead
  readonly #commits: Commits
  readonly #events: SourceEvent[] = []
  /** Wait until there are no such events and whoever reads has asked for more. */
  readonly #untold: (() => void)[] = []
  readonly #stop = new AbortController()
  #failure: Why5xxError | null = null
  #wake = () => {}
  #offsetResets = 0
  /** Silence so far, and whether it is to be told. */
  #idleMs = 0
  #isIdleDue = false
  #isTurnDue = false
  #hasReceived = false
  #hasYielded = false
  #isLooking = false
  /** Since the brokers have said where partitions end. */
  #ticksUnknown = UNKNOWN_TICKS + 1
  /** Claimed by another process while the group says they are ours. */
  readonly #disclaimed = new Set<OwnedPartition>()

  constructor(options: ReadingOptions) {
    const { driver, limits } = options
    this.#options = options
    this.#ownership = new Ownership(options, {
      begin: (owned, state, committed, marks) => this.#begin(owned, state, committed, marks),
      expired: (owned, to) => {
        this.#expired(owned.stream!.name, { from: owned.nextOffset, to })
        owned.nextOffset = to
      },
      replaced: owned => this.#takeAnew(owned),
      told: () => this.#told(),
      failed: error => this.#fail(error)
    })
    this.#ahead = new ReadAhead(driver, limits, this.#ownership.partitions)
    this.#commits = new Commits(options, this.#ownership.partitions)
  }

  get facts(): KafkaFacts {
    const { aliveMs, hasJoined } = this.#options.driver
    const { partitions, resends, rebalances } = this.#ownership
    return {
      partitions: [...partitions.values()].map(({ partition, high, low, readTo, committed, isPaused }) => ({
        partition,
        lagOffsets: Math.max(0, high - readTo),
        committedLagOffsets: Math.max(0, high - (committed ?? low)),
        isPaused
      })),
      resends,
      offsetResets: this.#offsetResets,
      rebalances: Math.max(0, rebalances),
      aliveMs,
      hasJoined,
      isWhole: this.#ownership.isWhole && this.#ticksUnknown <= UNKNOWN_TICKS
    }
  }

  async *events(signal: AbortSignal): AsyncGenerator<SourceEvent> {
    const wake = () => this.#wake()
    signal.addEventListener('abort', wake)
    try {
      // Joining takes as long as the others of the group need.
      this.#options.driver.join(this.#handlers()).catch((error: unknown) => this.#fail(error))
      void this.#tick()
      for (let count = 1; !signal.aborted; count++) {
        // Here, where no event is on its way: a partition may be lost meanwhile.
        if (count % EVENTS_PER_TURN === 0) await setImmediate()
        if (this.#failure !== null) throw this.#failure
        const woken = new Promise<void>(resolve => {
          this.#wake = resolve
        })
        const event = this.#next()
        if (event === null) {
          await woken
          continue
        }
        this.#hasYielded = true
        yield event
      }
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  durable(states: readonly StreamState[]): void {
    this.#commits.durable(states)
  }

  /**
   * A claim that was under way while its partition moved may come last, and then nothing of the rightful owner is kept. We
   * are the owner as far as we know; the next tick claims again, so that two who think so do not race.
   */
  lost(states: readonly StreamState[]): void {
    for (const state of states) {
      const owned = this.#commits.ofState(state)
      if (owned !== null) this.#disclaimed.add(owned)
    }
  }

  /** Nothing is read any more; what is durable can still be committed. */
  stop(): void {
    if (this.#stop.signal.aborted) return
    this.#stop.abort()
    this.#ahead.pauseAll()
  }

  /** Commits what is durable, as far as the group lets us. */
  async finish(): Promise<void> {
    await this.#atMost(this.#commits.finish(), 'the last commit')
  }

  async leave(): Promise<void> {
    this.stop()
    await this.#atMost(this.#options.driver.leave(), 'leaving the consumer group')
    this.#ownership.revoked([...this.#ownership.partitions.keys()])
  }

  #handlers(): DriverHandlers {
    return {
      assigned: (generation, partitions) => {
        if (!this.#stop.signal.aborted) this.#ownership.assigned(generation, partitions)
      },
      rebalancing: () => this.#commits.commit(),
      revoked: partitions => this.#revoked(partitions),
      messages: (generation, partition, read) => this.#received(generation, partition, read),
      outOfRange: (generation, partition) => this.#ownership.again(generation, partition),
      expired: (generation, partition, from, to) => {
        const stream = this.#ownership.current(generation, partition)?.stream ?? null
        if (stream !== null) this.#expired(stream.name, { from, to })
      },
      failed: error => this.#fail(error)
    }
  }

  #revoked(partitions: readonly number[]): void {
    for (const { stream, isAnnounced } of this.#ownership.revoked(partitions)) {
      if (stream === null) continue
      this.#options.ends(stream.id)
      if (isAnnounced) this.#tell({ kind: 'lost', stream })
    }
    this.#wake()
  }

  #takeAnew({ generation, partition }: OwnedPartition): void {
    this.#revoked([partition])
    this.#ownership.take(generation, [partition])
  }

  #received(generation: number, partition: number, read: DriverRead): void {
    const owned = this.#ownership.current(generation, partition)
    if (owned?.stream == null || this.#stop.signal.aborted) return
    owned.push(read)
    if (read.batches.length > 0) {
      this.#hasReceived = true
      owned.stream.isAtEnd = false
    }
    this.#ahead.limit(owned)
    this.#wake()
  }

  /** Reading of a partition begins, or goes on elsewhere than it was. */
  #begin(owned: OwnedPartition, state: StreamState | null, committed: number | null, marks: Watermarks): void {
    const { config, driver } = this.#options
    const start = startPoint({ state, committed }, marks)
    const id = this.#ownership.idOf(owned.partition)
    const stream = new PartitionStream(owned, id, config.topic, start)
    Object.assign(owned, { committed, ...marks })
    owned.begin(stream, start.offset)
    // Durable before us, and perhaps not committed: nobody else would, when nothing more comes.
    if (state !== null) owned.durable = start.offset
    if (start.lost !== null) this.#expired(stream.name, start.lost)
    this.#options.begins(id)
    driver.start(owned.partition, start.offset)
    this.#wake()
  }

  #expired(name: string, lost: NonNullable<StartPoint['lost']>): void {
    this.#offsetResets++
    const text = lostText(name, lost)
    const atMs = this.#options.ticker.wallMs()
    this.#tell({ kind: 'gap', gap: { name, atMs, bytes: null, reason: 'expired', text } })
  }

  /** null: there is nothing to tell for now. */
  #next(): SourceEvent | null {
    const told = this.#events.shift()
    if (told !== undefined) return told
    for (const resolve of this.#untold.splice(0)) resolve()
    const owned = this.#ahead.next()
    if (owned?.stream != null) {
      const batch = owned.shift()!
      owned.isAnnounced = true
      this.#ahead.resume()
      return { kind: 'messages', stream: owned.stream, batch }
    }
    if (this.#isIdleDue) {
      this.#isIdleDue = false
      return { kind: 'idle', idleMs: this.#idleMs }
    }
    if (!this.#isTurnDue) return null
    this.#isTurnDue = false
    // Whoever reads has work of its own to do every second: it gets its turn, and nothing with it.
    const stream = [...this.#ownership.partitions.values()].find(({ isAnnounced }) => isAnnounced)?.stream ?? null
    if (stream !== null) return { kind: 'messages', stream, batch: NOTHING }
    return this.#ownership.hasLost ? { kind: 'idle', idleMs: 0 } : null
  }

  async #tick(): Promise<void> {
    const { ticker, limits } = this.#options
    const { signal } = this.#stop
    let sinceCommitMs = 0
    for (;;) {
      await ticker.sleep(TICK_MS, signal)
      if (signal.aborted) return
      sinceCommitMs += TICK_MS
      if (sinceCommitMs >= limits.commitMs) {
        sinceCommitMs = 0
        this.#commits.commit()
      }
      for (const { stream } of this.#ownership.partitions.values())
        for (const gap of stream?.partition.shipper.takeGaps(ticker.wallMs()) ?? []) this.#tell({ kind: 'gap', gap })
      for (const owned of this.#disclaimed) {
        if (this.#ownership.current(owned.generation, owned.partition) !== owned) continue
        this.#options.driver.pause(owned.partition)
        this.#takeAnew(owned)
      }
      this.#disclaimed.clear()
      this.#ticksUnknown++
      void this.#look(!this.#hasYielded)
      this.#hasYielded = false
    }
  }

  /**
   * Is it silent? The brokers are asked what the newest offsets are: own ticks are counted, and an answer for each, so that
   * neither a frozen process nor a broker that is away passes for silence.
   */
  async #look(hadNoTurn: boolean): Promise<void> {
    if (this.#isLooking) return this.#judge(false, hadNoTurn)
    this.#isLooking = true
    try {
      const { partitions, isSettled } = this.#ownership
      if (partitions.size > 0) {
        const marks = await this.#options.driver.watermarks()
        for (const owned of partitions.values()) Object.assign(owned, marks.get(owned.partition))
      }
      this.#ticksUnknown = 0
      this.#judge(isSettled, hadNoTurn)
    } catch (error) {
      this.#options.log('warn', 'the newest offsets are not known', { error: textOf(error) })
      this.#judge(false, hadNoTurn)
    } finally {
      this.#isLooking = false
    }
  }

  #judge(isKnown: boolean, hadNoTurn: boolean): void {
    if (this.#stop.signal.aborted) return
    if (isKnown) {
      const partitions = [...this.#ownership.partitions.values()]
      for (const owned of partitions) if (owned.stream !== null) owned.stream.isAtEnd = owned.isRead
      this.#isIdleDue = !this.#hasReceived && partitions.every(owned => owned.isRead)
      this.#idleMs = this.#isIdleDue ? this.#idleMs + TICK_MS : 0
      this.#hasReceived = false
    }
    this.#isTurnDue = hadNoTurn && !this.#isIdleDue
    this.#wake()
  }

  /** Whoever reads has done what it does about the events so far. */
  #told(): Promise<void> {
    return new Promise(resolve => {
      this.#untold.push(resolve)
      this.#wake()
    })
  }

  #tell(event: SourceEvent): void {
    this.#events.push(event)
    this.#wake()
  }

  #fail(error: unknown): void {
    this.#failure ??=
      error instanceof Why5xxError
        ? error
        : new Why5xxError('WHY5XX_KAFKA', `reading from Kafka failed: ${textOf(error)}`, { cause: error })
    this.#wake()
  }

  /** A broker that is away must not hold up the end of the process. */
  async #atMost(work: Promise<void>, what: string): Promise<void> {
    const { limits, ticker, log } = this.#options
    const done = new AbortController()
    const late = ticker.sleep(limits.closeMs, done.signal).then(() => 'late' as const)
    try {
      if ((await Promise.race([work, late])) === 'late') {
        work.catch(() => {})
        log('warn', `${what} took too long and is given up`, { limitMs: limits.closeMs })
      }
    } catch (error) {
      log('warn', `${what} failed`, { error: textOf(error) })
    } finally {
      done.abort()
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

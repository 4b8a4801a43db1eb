/**
 * The cluster as it goes: one whole list, then every change, as the events of the record.
 *
 *   LIST_START, ADDED…, LIST_END     when every kind was listed or cannot be; again every hour, from memory
 *   ADDED, MODIFIED, DELETED         only where a field that we keep has changed
 *   GAP_START, GAP_END               a kind was not seen for a while (unitWatch.ts)
 *   HEARTBEAT                        the server has just answered, and every stream is open or in a gap that was told
 */
import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { ApiError, type Connection } from './apiRequest.ts'
import { serverVersion } from './connect.ts'
import type { ClusterEvent, ListEvent } from './event.ts'
import { type Emit, EventLane } from './eventLane.ts'
import { type Keep, listableNamespaces } from './list.ts'
import type { Kind, KubeObject } from './objects.ts'
import { PresentObjects } from './presentObjects.ts'
import { listedKinds, type Selection, type Unit, unitsOf } from './units.ts'
import { POLLED, UnitWatch, type WatchLimits, type WatchListener, type WatchTiming } from './unitWatch.ts'

export interface WatchOptions extends Selection {
  keep: Keep
  /** One sentence for the log: what is not seen and why, and when it is seen again. */
  notify: (text: string) => void
  timing?: WatchTiming
  /** Between whole lists, ms. */
  listEveryMs?: number
  heartbeatMs?: number
  limits?: Partial<WatchLimits>
}

export interface WatchFacts {
  /** Objects that are there now. */
  objects: number
  /** Events emitted. */
  events: number
  /** Kinds that are not seen just now although they may be. */
  lost: Kind[]
  /** And those that may not, or are not served, with the reason. */
  unreadable: ReadonlyMap<Kind, string>
  /** Unix ms; null: none yet. */
  heartbeatMs: number | null
}

export interface RunningWatch {
  readonly facts: WatchFacts
  /** A whole list as soon as it can be: something that was emitted is lost. */
  listSoon(): void
  /** When the signal was aborted and nothing runs any more. Rejects with what `emit` threw. */
  readonly done: Promise<void>
}

/**
 *   starting    never listed so far
 *   between     listed, or its stream has ended a moment ago
 *   open        everything up to now is seen
 */
type Phase = 'starting' | 'between' | 'open' | 'lost' | 'unreadable'

interface UnitState {
  unit: Unit
  phase: Phase
  /** Why it is not open. */
  because: string
  present: PresentObjects
  watch: UnitWatch
}

export const SYSTEM_TIMING: WatchTiming = {
  now: Date.now,
  random: Math.random,
  wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {})
}

const LIMITS: WatchLimits = {
  silentMs: 100_000,
  reopenMs: 1_000,
  believedMs: 500,
  retryMs: 500,
  retryMsMax: 30_000,
  recheckMs: 180_000,
  pollMs: 30_000
}
const LIST_EVERY_MS = 3_600_000
const HEARTBEAT_MS = 2_000
/** Longest wait of the first list for kinds that do not answer, and of every other one for kinds that are lost. */
const PATIENCE_MS = 60_000
const BATCH = 500
const AT_ONCE_MS = 1_000

/** Returns at once and goes on until `signal` is aborted, also while nobody answers. */
export function watchCluster(
  connection: Connection,
  options: WatchOptions,
  emit: Emit,
  signal: AbortSignal
): RunningWatch {
  return new ClusterWatch(connection, options, emit, signal)
}

class ClusterWatch implements RunningWatch, WatchListener {
  readonly done: Promise<void>
  readonly #connection: Connection
  readonly #options: WatchOptions
  readonly #timing: WatchTiming
  readonly #limits: WatchLimits
  readonly #lane: EventLane
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #states = new Map<Unit, UnitState>()
  /** Kinds whose gap was told. */
  readonly #gaps = new Set<Kind>()
  #namespaces: readonly string[] | null = null
  #isStarted = false
  #isWaitingTold = false
  #firstListedMs: number | null = null
  #listDueMs = Number.POSITIVE_INFINITY
  #heartbeatMs: number | null = null
  #failure: { error: unknown } | null = null

  constructor(connection: Connection, options: WatchOptions, emit: Emit, signal: AbortSignal) {
    this.#connection = connection
    this.#options = options
    this.#timing = options.timing ?? SYSTEM_TIMING
    this.#limits = { ...LIMITS, ...options.limits }
    this.#lane = new EventLane(emit, this.#timing.now)
    this.#signal = AbortSignal.any([signal, this.#stop.signal])
    // Each kind listens to it: that is no leak.
    setMaxListeners(0, this.#signal)
    this.done = this.#run()
  }

  get facts(): WatchFacts {
    const states = [...this.#states.values()]
    const unreadable = states.filter(({ phase }) => phase === 'unreadable')
    return {
      objects: states.reduce((sum, { present }) => sum + present.size, 0),
      events: this.#lane.count,
      lost: [...new Set(states.filter(({ phase }) => phase === 'lost').map(({ unit }) => unit.kind))],
      unreadable: new Map(unreadable.map(({ unit, because }) => [unit.kind, because])),
      heartbeatMs: this.#heartbeatMs
    }
  }

  listSoon(): void {
    this.#listDueMs = this.#timing.now()
  }

  async #run(): Promise<void> {
    const { keep } = this.#options
    const parts = { connection: this.#connection, keep, listener: this, timing: this.#timing, limits: this.#limits }
    this.#namespaces = await this.#findScope()
    for (const unit of unitsOf(this.#options, this.#namespaces))
      this.#states.set(unit, {
        unit,
        phase: 'starting',
        because: 'no answer yet',
        present: new PresentObjects(),
        watch: new UnitWatch(unit, parts)
      })
    const running = [...this.#states.values()].map(({ watch }) => watch.run(this.#signal))
    const all = [...running, this.#beat()].map(part => part.catch(error => this.#fail(error)))
    await Promise.all(all)
    await this.#lane.run(() => {})
    if (this.#failure !== null) throw this.#failure.error
  }

  async #findScope(): Promise<readonly string[] | null> {
    for (let failures = 0; !this.#signal.aborted; failures++) {
      try {
        return await listableNamespaces(this.#connection, this.#options, this.#signal)
      } catch (error) {
        if (this.#signal.aborted) break
        this.#tellWaiting(textOf(error))
        const longest = Math.min(this.#limits.retryMsMax, this.#limits.retryMs * 2 ** Math.min(failures, 20))
        await this.#timing.wait(this.#timing.random() * longest, this.#signal)
      }
    }
    return null
  }

  listed(unit: Unit, objects: PresentObjects): Promise<void> {
    const state = this.#states.get(unit)!
    const at = this.#lane.stamp()
    return this.#do(async emit => {
      const isRefresh = unit.name !== null || (POLLED.has(unit.kind) && state.phase === 'open')
      if (state.phase !== 'open') state.phase = 'between'
      this.#firstListedMs ??= at
      if (!this.#isStarted) {
        state.present = objects
        return this.#startWhenListed(emit, at)
      }
      await this.#endGap(emit, unit.kind, at)
      if (isRefresh) return emit([...state.present.update(objects)].map(change => ({ at, ...change })))
      state.present = objects
      await this.#emitList(emit, at, [state])
    })
  }

  changed(unit: Unit, changes: { isDeleted: boolean; object: KubeObject }[]): Promise<void> {
    const state = this.#states.get(unit)!
    const at = this.#lane.stamp()
    return this.#do(emit => {
      const { present } = state
      const events: ClusterEvent[] = []
      for (const { isDeleted, object } of changes) {
        const type = isDeleted ? 'DELETED' : present.put(object)
        if (isDeleted) present.remove(object)
        if (type !== null) events.push({ at, type, object })
      }
      if (this.#isStarted) return emit(events)
    })
  }

  opened(unit: Unit): Promise<void> {
    const state = this.#states.get(unit)!
    const at = this.#lane.stamp()
    const wasLost = state.phase === 'lost'
    if (wasLost || state.phase === 'between') state.phase = 'open'
    return wasLost ? this.#do(emit => this.#endGap(emit, unit.kind, at)) : Promise.resolve()
  }

  ended(unit: Unit): void {
    const state = this.#states.get(unit)!
    if (state.phase === 'open') state.phase = 'between'
  }

  async lost(unit: Unit, because: string, sinceMs: number | null): Promise<void> {
    const state = this.#states.get(unit)!
    const was = state.phase
    state.because = because
    if (was === 'starting') this.#tellWaiting(`${unit.kind}: ${because}`)
    if (was !== 'open' && was !== 'between') return
    state.phase = 'lost'
    await this.#startGap(unit.kind, sinceMs, `${unit.kind}: not seen any more: ${because}`)
  }

  async unreadable(unit: Unit, because: string): Promise<void> {
    const state = this.#states.get(unit)!
    const was = state.phase
    state.phase = 'unreadable'
    state.because = because
    if (was === 'unreadable') return
    if (was !== 'starting' && was !== 'lost')
      await this.#startGap(unit.kind, null, `${unit.kind}: not to be read any more: ${because}`)
    const at = this.#lane.stamp()
    await this.#do(emit => {
      state.present.clear()
      return this.#isStarted ? this.#emitList(emit, at, []) : this.#startWhenListed(emit, at)
    })
  }

  #startGap(kind: Kind, sinceMs: number | null, sentence: string): Promise<void> {
    const at = this.#lane.stamp()
    return this.#do(emit => {
      if (!this.#isStarted || this.#gaps.has(kind)) return
      this.#gaps.add(kind)
      this.#options.notify(sentence)
      const since = sinceMs === null ? {} : { since: Math.min(sinceMs, at) }
      return emit([{ at, type: 'GAP_START', kind, ...since }])
    })
  }

  #endGap(emit: Emit, kind: Kind, at: number): void | Promise<void> {
    const isBlind = ({ unit, phase }: UnitState) => unit.kind === kind && (phase === 'lost' || phase === 'unreadable')
    if (!this.#gaps.has(kind) || [...this.#states.values()].some(isBlind)) return
    this.#gaps.delete(kind)
    this.#options.notify(`${kind}: seen again`)
    return emit([{ at, type: 'GAP_END', kind }])
  }

  #startWhenListed(emit: Emit, at: number): void | Promise<void> {
    const phases = [...this.#states.values()].map(({ phase }) => phase)
    const isLate = this.#firstListedMs !== null && at - this.#firstListedMs >= PATIENCE_MS
    if (this.#isStarted || (phases.includes('starting') && !isLate)) return
    this.#isStarted = true
    return this.#start(emit, at)
  }

  async #start(emit: Emit, at: number): Promise<void> {
    await this.#emitWholeList(emit, at)
    for (const { unit, phase } of this.#states.values()) {
      if (phase !== 'lost' || this.#gaps.has(unit.kind)) continue
      this.#gaps.add(unit.kind)
      await emit([{ at, type: 'GAP_START', kind: unit.kind }])
    }
  }

  /** Before the first list: once, because all kinds wait for the same server. */
  #tellWaiting(because: string): void {
    if (!this.#isStarted && !this.#isWaitingTold) this.#options.notify(`${because}; trying again`)
    this.#isWaitingTold = true
  }

  #emitWholeList(emit: Emit, at: number): Promise<void> {
    this.#listDueMs = at + (this.#options.listEveryMs ?? LIST_EVERY_MS)
    return this.#emitList(emit, at, null)
  }

  /** `only` null: everything. Nothing else is emitted between the marks. */
  async #emitList(emit: Emit, at: number, only: UnitState[] | null): Promise<void> {
    const all = [...this.#states.values()]
    const isBlind = ({ phase }: UnitState) => phase !== 'open' && phase !== 'between'
    const blind = new Map(all.filter(isBlind).map(({ unit, because }) => [unit.kind, because]))
    const seen = (only ?? all).filter(state => !isBlind(state))
    // One namespace of a kind does not make the list of that kind whole.
    const namespaces = only?.[0]?.unit.namespace != null ? [only[0].unit.namespace] : this.#namespaces
    const list: Omit<ListEvent, 'type'> = {
      at,
      kinds: listedKinds(seen.map(({ unit }) => unit)).filter(kind => only !== null || !blind.has(kind)),
      unreadable: Object.fromEntries(blind),
      namespaces: namespaces && [...namespaces],
      ...(only === null ? {} : { isPartial: true })
    }
    await emit([{ type: 'LIST_START', ...list }])
    let batch: ClusterEvent[] = []
    for (const { present } of seen)
      for (const object of present) {
        batch.push({ at, type: 'ADDED', object })
        if (batch.length < BATCH) continue
        await emit(batch)
        batch = []
      }
    await emit([...batch, { type: 'LIST_END', ...list }])
  }

  /** Asks the server whether it is there: an open stream says nothing of a server that hangs. */
  async #beat(): Promise<void> {
    let answeredMs = this.#timing.now()
    for (;;) {
      await this.#timing.wait(this.#options.heartbeatMs ?? HEARTBEAT_MS, this.#signal)
      if (this.#signal.aborted) return
      const askedMs = this.#timing.now()
      if (await this.#answers()) {
        answeredMs = askedMs
        await this.#do(emit => this.#onAnswer(emit, askedMs))
      } else
        for (const { phase, watch } of this.#states.values()) {
          // What was sent meanwhile may come only much later: the kernel there waits ever longer between its tries.
          if (phase === 'open') watch.renew(answeredMs)
        }
    }
  }

  /** Any answer is one. A connection that was kept may have been closed meanwhile, so what fails at once is tried again. */
  async #answers(isAgain = false): Promise<boolean> {
    const askedMs = this.#timing.now()
    try {
      await serverVersion(this.#connection, this.#signal)
      return true
    } catch (error) {
      if (error instanceof ApiError && error.status !== null) return true
      return !isAgain && this.#timing.now() - askedMs < AT_ONCE_MS && this.#answers(true)
    }
  }

  async #onAnswer(emit: Emit, askedMs: number): Promise<void> {
    const nowMs = this.#lane.stamp()
    await this.#startWhenListed(emit, nowMs)
    if (!this.#isStarted) return
    const states = [...this.#states.values()]
    const isQuiet = states.every(({ phase }) => phase !== 'lost')
    if (nowMs >= this.#listDueMs + (isQuiet ? 0 : PATIENCE_MS)) await this.#emitWholeList(emit, nowMs)
    // A kind that was never listed is in no gap, but every list says that it is unreadable.
    const isTold = ({ unit, phase }: UnitState) => phase === 'lost' && this.#gaps.has(unit.kind)
    const isKnown = (state: UnitState) => state.phase === 'starting' || state.phase === 'unreadable' || isTold(state)
    if (!states.every(state => state.phase === 'open' || isKnown(state))) return
    if (!states.some(({ phase }) => phase === 'open')) return
    const at = this.#lane.stamp(askedMs)
    this.#heartbeatMs = at
    await emit([{ at, type: 'HEARTBEAT' }])
  }

  /** In the lane; what `emit` throws ends the watch. */
  #do(job: (emit: Emit) => void | Promise<void>): Promise<void> {
    if (this.#failure !== null) return Promise.resolve()
    return this.#lane.run(job).catch(error => this.#fail(error))
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#stop.abort()
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

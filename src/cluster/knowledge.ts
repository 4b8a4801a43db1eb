/** What a worker knows of the cluster: a state, fed by the record as far as the questions need it, or by snapshots. */

import type { ClusterEvent } from './event.ts'
import {
  type ClusterRecord,
  type ClusterRecordReader,
  isWholeListEnd,
  type RecordedEvent,
  type RecordHandlers
} from './record.ts'
import { RecordMerge } from './recordMerge.ts'
import type { ClusterState } from './state.ts'

/** The state of a moment needs what was told shortly before it. */
const MARGIN_MS = 600_000
/** How far a catch-up reads ahead of what it is asked: state forgets what has been gone for a day. */
const AHEAD_MS = 12 * 3_600_000
/** A question this far ahead begins at a later list instead of reading through. */
const JUMP_MS = 3 * 3_600_000
/** Between two beginnings at an earlier list: questions that go to and fro must not read the record for ever. */
const REOPEN_MS = 60_000
/** A watch that lives is heard every 2 s. */
const AWAY_MS = 15_000

export interface KnowledgeOptions {
  /** null: there are snapshots at most. */
  record: ClusterRecord | null
  /** By time. */
  snapshots: readonly ClusterEvent[]
  openState: () => ClusterState
  /** Wall time, Unix ms. */
  nowMs: () => number
  /** Ends early when the signal is aborted; never rejects. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>
  /** A sentence for the log. */
  say: (text: string) => void
}

export interface Readiness {
  /** All of the moments that were asked for is known. */
  known: boolean
  /** All that was recorded of them was read: what is not known was not recorded. */
  isCaughtUp: boolean
  /** What the state holds begins here, Unix ms: of older moments it knows nothing, however far it was read; -Infinity: no limit. */
  fromMs: number
}

export class ClusterKnowledge {
  readonly #options: KnowledgeOptions
  #view: RecordView | null = null
  /** Before the record was opened. */
  readonly #snapshotState: ClusterState
  #reopenedMs = Number.NEGATIVE_INFINITY
  #hasSaidMissing = false

  constructor(options: KnowledgeOptions) {
    this.#options = options
    this.#snapshotState = options.openState()
    for (const event of options.snapshots) this.#snapshotState.apply(event)
  }

  /** As it is now: ask again after `ready`, which may begin another one. */
  get state(): ClusterState {
    return this.#view?.state ?? this.#snapshotState
  }

  /**
   * Makes the state hold all that was recorded of the moments from `oldestMs` to `newestMs`. `known`: a heartbeat behind
   * `newestMs` was read, and what was read begins before `oldestMs`; or there is no record and the snapshots are all there
   * will be. Waits for it no longer than `waitMs`
   * of wall time, and not at all when there is no record or nobody writes to it.
   */
  async ready(oldestMs: number, newestMs: number, waitMs = 5_000): Promise<Readiness> {
    const { record, snapshots } = this.#options
    const unread = { known: snapshots.length > 0, isCaughtUp: true, fromMs: Number.NEGATIVE_INFINITY }
    if (record === null) return unread
    if (this.#view === null || this.#mustReopen(this.#view, oldestMs)) this.#open(record, oldestMs)
    let view: RecordView
    do {
      view = this.#view!
      view.ask(newestMs)
      await view.until(newestMs, waitMs)
      // Another question may have begun at an earlier list meanwhile, and the state is that one's.
    } while (view !== this.#view)
    if (view.isMissing) return unread
    const isHeard = view.heardMs > newestMs
    const fromMs = Math.min(view.beginsMs, snapshots[0]?.at ?? Number.POSITIVE_INFINITY)
    return { known: isHeard && fromMs <= oldestMs, isCaughtUp: isHeard || view.hasCaughtUp, fromMs }
  }

  async close(): Promise<void> {
    await this.#view?.close()
  }

  #mustReopen(view: RecordView, oldestMs: number): boolean {
    if (view.isMissing) return false
    if (view.isBehind(oldestMs)) return true
    if (view.covers(oldestMs)) return false
    const nowMs = this.#options.nowMs()
    if (nowMs - this.#reopenedMs < REOPEN_MS) return false
    this.#reopenedMs = nowMs
    return true
  }

  #open(record: ClusterRecord, oldestMs: number): void {
    void this.#view?.close()
    this.#view = new RecordView(record, oldestMs - MARGIN_MS, this.#options, () => {
      if (this.#hasSaidMissing) return
      this.#hasSaidMissing = true
      if (this.#options.snapshots.length > 0) return
      this.#options.say('no state of the cluster is recorded: causes are told without their root causes')
    })
  }
}

/** One reading of the record, from one list on. */
class RecordView implements RecordHandlers {
  state: ClusterState
  isMissing = false
  #isClosed = false
  /** `at` of the last heartbeat or whole list. */
  heardMs = Number.NEGATIVE_INFINITY
  readonly #options: KnowledgeOptions
  readonly #fromMs: number
  readonly #onMissing: () => void
  readonly #reader: ClusterRecordReader
  #merge: RecordMerge
  #beginsMs: number | null = null
  #newestMs = Number.NEGATIVE_INFINITY
  #limitMs = Number.NEGATIVE_INFINITY
  #hasCaughtUp = false
  /** A whole wait has passed in which nothing was read: there is no sense in another. */
  #isSilent = false
  /** Those who wait for something to happen. */
  #waiting: (() => void)[] = []

  constructor(record: ClusterRecord, fromMs: number, options: KnowledgeOptions, onMissing: () => void) {
    this.#options = options
    this.#fromMs = fromMs
    this.#onMissing = onMissing
    this.state = this.#stateOfSnapshots(Number.POSITIVE_INFINITY)
    this.#merge = new RecordMerge(event => this.#apply(event))
    this.#reader = record.read(fromMs, this)
  }

  begins(atMs: number): void {
    const isLate = atMs > this.#fromMs
    if (isLate && this.#beginsMs !== atMs)
      this.#options.say(
        `the state of the cluster is known from ${new Date(atMs).toISOString()} on: nothing older is recorded`
      )
    this.isMissing = false
    this.#beginsMs = atMs
    // What the record tells itself, it tells better.
    this.state = this.#stateOfSnapshots(atMs)
    this.#merge = new RecordMerge(event => this.#apply(event))
    this.heardMs = Number.NEGATIVE_INFINITY
  }

  events(events: readonly RecordedEvent[]): void {
    this.isMissing = false
    this.#isSilent = false
    for (const event of events) {
      this.#newestMs = Math.max(this.#newestMs, event.at)
      this.#merge.add(event)
    }
    this.#wake()
  }

  caughtUp(): void {
    this.isMissing = false
    this.#hasCaughtUp = true
    // Read as far as it goes once, it is followed.
    this.#raise(Number.POSITIVE_INFINITY)
    this.#wake()
  }

  missing(): void {
    this.isMissing = true
    this.#onMissing()
    this.#wake()
  }

  get hasCaughtUp(): boolean {
    return this.#hasCaughtUp
  }

  /** The list with which it begins, Unix ms; -Infinity: not known. */
  get beginsMs(): number {
    return this.#beginsMs ?? Number.NEGATIVE_INFINITY
  }

  /** False: its history begins later, and an earlier list may be there. */
  covers(oldestMs: number): boolean {
    if (this.#beginsMs === null) return oldestMs >= this.#fromMs
    if (this.#beginsMs > this.#fromMs) return true
    return oldestMs >= Math.max(this.#beginsMs, this.state.forgottenToMs)
  }

  /** So far that a later list is the shorter way. */
  isBehind(oldestMs: number): boolean {
    return !this.#hasCaughtUp && oldestMs - this.#newestMs > JUMP_MS && this.#newestMs > Number.NEGATIVE_INFINITY
  }

  ask(newestMs: number): void {
    if (!this.#hasCaughtUp) this.#raise(newestMs + AHEAD_MS)
  }

  async until(newestMs: number, waitMs: number): Promise<void> {
    if (this.#isSettled(newestMs) || this.#isSilent) return
    const before = this.#newestMs
    const over = new AbortController()
    let isOver = false
    const time = this.#options.wait(waitMs, over.signal).then(() => {
      isOver = true
      this.#wake()
    })
    while (!isOver && !this.#isClosed && !this.#isSettled(newestMs))
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    if (isOver && this.#newestMs === before) this.#isSilent = true
    over.abort()
    await time
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#wake()
    await this.#reader.close()
  }

  #isSettled(newestMs: number): boolean {
    if (this.heardMs > newestMs || this.isMissing) return true
    // All was read, and nobody goes on writing: waiting changes nothing.
    return this.#hasCaughtUp && this.#options.nowMs() - this.heardMs > AWAY_MS
  }

  #apply(event: ClusterEvent): void {
    this.state.apply(event)
    if (event.type === 'HEARTBEAT' || isWholeListEnd(event)) this.heardMs = Math.max(this.heardMs, event.at)
  }

  #stateOfSnapshots(beforeMs: number): ClusterState {
    const state = this.#options.openState()
    for (const event of this.#options.snapshots) if (event.at < beforeMs) state.apply(event)
    return state
  }

  #raise(limitMs: number): void {
    if (limitMs <= this.#limitMs) return
    this.#limitMs = limitMs
    this.#reader?.readTo(limitMs)
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

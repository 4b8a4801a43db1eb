/**
 * Joins error lines to the requests they belong to, within one controller.
 *
 * Nothing links them but client, request line, upstream addresses and time. An error line is written when its attempt
 * fails, the access line when the request ends: error lines wait for their access line up to `errorWaitMs`. The other
 * way round is only delivery (two pipes), so failed access lines wait `accessWaitMs`. All windows run on record time;
 * the caller says how far it has come (`advance`), so a replay decides the same as a live run.
 *
 * Pure: no clock, no I/O. Bounded: at most `errorsHeldMax` error lines wait, the oldest goes first.
 */

import type { AccessEntry, ErrorEntry, JoinedRequest } from '../model.ts'
import { type Claim, claimErrors, isEnd, isSameConnection } from './claim.ts'
import { type ErrorRole, hasNoRequest, roleOf } from './errorRole.ts'
import { clientKey, joinKey, WaitingFilter } from './joinKey.ts'

export interface JoinOptions {
  errorWaitMs: number
  accessWaitMs: number
  errorsHeldMax: number
}

export interface JoinResult {
  requests: JoinedRequest[]
  /** Error lines that found no request in their time, or never have one. */
  alone: ErrorEntry[]
}

/** An error line that waits. */
export interface HeldError {
  entry: ErrorEntry
  role: ErrorRole
  isTaken: boolean
  slot: number
  key: string
}

interface HeldAccess {
  entry: AccessEntry
  key: string
  claim: Claim
  deadlineMs: number
}

/** Requests that a late error line is tried on: more than that are equal ones, and nothing tells them apart. */
const LATE_TRIES_MAX = 64

export class Joiner {
  readonly #options: JoinOptions
  readonly #filter = new WaitingFilter()
  /** Waiting error lines by client and request, in order of arrival. */
  readonly #errors = new Map<string, HeldError[]>()
  /** Failed requests that wait for late error lines, by the same key. */
  readonly #accesses = new Map<string, HeldAccess[]>()
  /** The same two in order of arrival, for the windows. */
  #errorQueue: HeldError[] = []
  #accessQueue: HeldAccess[] = []
  #held = 0
  #takenInQueue = 0
  #alone: ErrorEntry[] = []
  /** Error lines given up because too many waited. */
  overflow = 0

  constructor(options: JoinOptions) {
    this.#options = options
  }

  /** Error lines that wait now. */
  get errorsHeld(): number {
    return this.#held
  }

  /** True when a waiting error line may belong to the scanned line; bytes as in `WaitingFilter.mayHold`. */
  mayTake(bytes: Uint8Array, start: number, clientEnd: number, requestStart: number, requestEnd: number): boolean {
    return this.#held > 0 && this.#filter.mayHold(bytes, start, clientEnd, requestStart, requestEnd)
  }

  /** True when the line waits for its request; false when it was given to one, or never has one. */
  addError(entry: ErrorEntry): boolean {
    const { record } = entry
    if (record.client === null || hasNoRequest(record) || record.isStream) {
      this.#alone.push(entry)
      return false
    }
    const isWhole = record.request !== null && !record.truncated
    const key = isWhole ? joinKey(record) : clientKey(record.client)
    const held: HeldError = { entry, role: roleOf(record), isTaken: false, slot: -1, key }
    if (this.#lateFor(held)) return false
    held.slot = this.#filter.add(record)
    push(this.#errors, key, held)
    this.#errorQueue.push(held)
    this.#held++
    if (this.#held > this.#options.errorsHeldMax) this.#giveUpOldest()
    return true
  }

  /**
   * A request that failed (`waits`), or one that `mayTake` spoke of. What failed, or claimed a line, is kept for late error
   * lines and comes out of `advance` (null); else it is the caller's at once.
   */
  addAccess(entry: AccessEntry, waits: boolean): JoinedRequest | null {
    const key = joinKey(entry.record)
    const claim = claimErrors(entry, this.#candidates(entry, key), this.#options.errorWaitMs)
    for (const held of claim.taken) this.#take(held)
    if (!waits && claim.taken.length === 0) return joined(entry, claim)
    const held = { entry, key, claim, deadlineMs: entry.timeMs + this.#options.accessWaitMs }
    push(this.#accesses, key, held)
    this.#accessQueue.push(held)
    return null
  }

  /** Record time has come to `nowMs`: closes what has waited long enough. */
  advance(nowMs: number): JoinResult {
    const requests: JoinedRequest[] = []
    let done = 0
    while (done < this.#accessQueue.length && this.#accessQueue[done]!.deadlineMs <= nowMs) {
      const held = this.#accessQueue[done++]!
      remove(this.#accesses, held.key, held)
      requests.push(joined(held.entry, held.claim))
    }
    if (done > 0) this.#accessQueue = this.#accessQueue.slice(done)
    let expired = 0
    const queue = this.#errorQueue
    while (
      expired < queue.length &&
      (queue[expired]!.isTaken || queue[expired]!.entry.timeMs + this.#options.errorWaitMs <= nowMs)
    ) {
      const held = queue[expired++]!
      if (!held.isTaken) this.#giveUp(held)
    }
    this.#takenInQueue -= queue.slice(0, expired).filter(held => held.isTaken).length
    if (expired > 0) this.#errorQueue = queue.slice(expired)
    const alone = this.#alone
    this.#alone = []
    return { requests, alone }
  }

  /** Everything that waits, each entry once: what a restart must read again. */
  *waiting(): Generator<AccessEntry | ErrorEntry> {
    for (const held of this.#errorQueue) if (!held.isTaken) yield held.entry
    for (const { entry, claim } of this.#accessQueue) {
      yield entry
      for (const held of claim.taken) yield held.entry
    }
    yield* this.#alone
  }

  /** Drops what waits of a stream: another process reads it. */
  forget(stream: string): void {
    for (const held of this.#errorQueue) if (!held.isTaken && held.entry.stream === stream) this.#forget(held)
    this.#errorQueue = this.#errorQueue.filter(held => held.entry.stream !== stream)
    this.#takenInQueue = this.#errorQueue.filter(held => held.isTaken).length
    for (const held of this.#accessQueue) if (held.entry.stream === stream) remove(this.#accesses, held.key, held)
    this.#accessQueue = this.#accessQueue.filter(held => held.entry.stream !== stream)
    this.#alone = this.#alone.filter(entry => entry.stream !== stream)
  }

  /** Error lines without a request that nobody has taken yet. */
  get aloneCount(): number {
    return this.#alone.length
  }

  takeAlone(): JoinResult {
    const alone = this.#alone
    this.#alone = []
    return { requests: [], alone }
  }

  /** The source is at its end: nothing more can join. */
  drain(): JoinResult {
    return this.advance(Number.POSITIVE_INFINITY)
  }

  /** Gives an error line that came late to the request that still waits for it. */
  #lateFor(held: HeldError): boolean {
    const waiting = this.#accesses.get(held.key)
    if (!waiting) return false
    let tries = 0
    for (const access of waiting) {
      const { taken } = access.claim
      // Cheap tests first: thousands of equal requests may wait.
      if (access.claim.isFull && isEnd(held)) continue
      if (taken.length > 0 && !isSameConnection(taken[0]!, held)) continue
      if (++tries > LATE_TRIES_MAX) return false
      const claim = claimErrors(access.entry, [...taken, held], this.#options.errorWaitMs)
      if (!claim.taken.includes(held) || claim.taken.length <= taken.length) continue
      access.claim = claim
      return true
    }
    return false
  }

  #candidates(entry: AccessEntry, key: string): HeldError[] {
    const { client } = entry.record
    // A format without the client: everything that waits may be of this request.
    if (client === null) return this.#errorQueue.filter(held => !held.isTaken)
    const same = this.#errors.get(key) ?? []
    const early = key === clientKey(client) ? undefined : this.#errors.get(clientKey(client))
    return early ? [...same, ...early] : same
  }

  #take(held: HeldError): void {
    held.isTaken = true
    this.#forget(held)
    this.#takenInQueue++
    // One line that waits long must not keep those behind it that have found their request.
    if (this.#takenInQueue < 1_000 || this.#takenInQueue * 2 < this.#errorQueue.length) return
    this.#errorQueue = this.#errorQueue.filter(waiting => !waiting.isTaken)
    this.#takenInQueue = 0
  }

  #giveUp(held: HeldError): void {
    this.#forget(held)
    this.#alone.push(held.entry)
  }

  #forget(held: HeldError): void {
    this.#filter.remove(held.slot)
    remove(this.#errors, held.key, held)
    this.#held--
  }

  #giveUpOldest(): void {
    const at = this.#errorQueue.findIndex(waiting => !waiting.isTaken)
    const [held] = this.#errorQueue.splice(0, at + 1).slice(-1)
    if (!held) return
    this.#takenInQueue -= at
    this.overflow++
    this.#giveUp(held)
  }
}

function joined(access: AccessEntry, claim: Claim): JoinedRequest {
  const state = claim.taken.length === 0 ? 'access_only' : claim.isAmbiguous ? 'ambiguous' : 'joined'
  return { access, errors: claim.taken.map(held => held.entry), attemptOf: claim.attemptOf, state }
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}

function remove<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key)
  if (!list) return
  const at = list.indexOf(value)
  if (at >= 0) list.splice(at, 1)
  if (list.length === 0) map.delete(key)
}

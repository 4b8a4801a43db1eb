/** Tells receivers of incidents. Each has a lane of its own: one that hangs delays nobody. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../../logger.ts'
import type { Incident } from '../incident.ts'
import type { IncidentGroup, Notice } from '../notice.ts'
import { Desired } from './desired.ts'
import type { DueKind } from './due.ts'
import { Lane, type LaneParts, type ReceiverFacts } from './lane.ts'
import type { Receiver } from './receiver.ts'

const MESSAGES_PER_MINUTE = 20
const CLOSE_MS = 5_000

export interface NotifierOptions {
  receivers: readonly Receiver[]
  noticeOf(group: IncidentGroup, kind: DueKind): Notice
  /** A receiver took it, and its mark is in `told`: to be stored, so that a restart does not tell it again. */
  onTold(incident: Incident): void
  log: Logger
  /** Wall time, Unix ms. */
  clock?: LaneParts['clock']
  wait?: LaneParts['wait']
  random?: LaneParts['random']
  /** Of each webhook. */
  messagesPerMinute?: number
}

export interface NotifierFacts {
  receivers: readonly (ReceiverFacts & { pending: number })[]
  /** Resolves that were given up because too many incidents ended while a receiver was away. */
  givenUp: number
}

export class Notifier {
  readonly #receivers: readonly Receiver[]
  readonly #desired: Desired
  readonly #lanes: Lane[]
  readonly #clock: () => number
  readonly #wait: LaneParts['wait']

  constructor(options: NotifierOptions) {
    const { receivers, noticeOf, onTold, log, messagesPerMinute = MESSAGES_PER_MINUTE } = options
    const { clock = Date.now, wait = waitFor, random = Math.random } = options
    this.#receivers = receivers
    this.#clock = clock
    this.#wait = wait
    this.#desired = new Desired(receivers.map(({ name }) => name))
    const parts: LaneParts = { desired: this.#desired, noticeOf, onTold, log, clock, wait, random, messagesPerMinute }
    this.#lanes = receivers.map(receiver => new Lane(receiver, parts))
  }

  /**
   * What all receivers should know by now: every incident that is open, and those that ended lately. Returns at once. What is
   * missing of those told before counts as ended, so never leave open ones out.
   */
  tell(groups: readonly IncidentGroup[]): void {
    this.#desired.replace(groups)
    for (const lane of this.#lanes) lane.wake()
  }

  /** Messages that are due and not taken yet; by receiver, or of all. */
  pending(receiver?: string): number {
    const nowMs = this.#clock()
    return this.#lanes
      .filter(({ facts }) => receiver === undefined || facts.name === receiver)
      .reduce((sum, lane) => sum + lane.pendingAt(nowMs), 0)
  }

  get facts(): NotifierFacts {
    const nowMs = this.#clock()
    return {
      receivers: this.#lanes.map(lane => ({ ...lane.facts, pending: lane.pendingAt(nowMs) })),
      givenUp: this.#desired.givenUp
    }
  }

  /** Tries what is due once more, for at most five seconds. */
  async close(): Promise<void> {
    const timeLimit = new AbortController()
    const lanes = Promise.all(this.#lanes.map(lane => lane.finish()))
    await Promise.race([lanes, this.#wait(CLOSE_MS, timeLimit.signal)])
    timeLimit.abort()
    for (const lane of this.#lanes) lane.cut()
    await lanes
    await Promise.all(this.#receivers.map(receiver => receiver.close()))
  }
}

async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  // It throws when it is aborted, which is no error here.
  await sleep(ms, undefined, { signal }).catch(() => {})
}

/**
 * One receiver being told: one message at a time, tried again until it is taken. What is sent is decided when it is sent, from
 * the present state, so nothing queues up while the receiver is away.
 */

import type { Logger } from '../../logger.ts'
import { isOpenGroup } from '../grouping.ts'
import type { Incident } from '../incident.ts'
import type { IncidentGroup, Notice } from '../notice.ts'
import { severityOfGroup } from '../noticeText.ts'
import type { Desired } from './desired.ts'
import { type DueKind, dueOf, failuresOf, markOf } from './due.ts'
import type { Delivery, Receiver } from './receiver.ts'

const MINUTE_MS = 60_000
const BACKOFF_FIRST_MS = 1_000
const BACKOFF_MAX_MS = 60_000
/** Chance must not make a loop without a pause. */
const BACKOFF_MIN_MS = 100

/** `repeat`: nothing is new, but the receiver forgets what it is not told again. */
export type SentKind = DueKind | 'repeat'

export interface LaneParts {
  desired: Desired
  noticeOf: (group: IncidentGroup, kind: DueKind) => Notice
  onTold: (incident: Incident) => void
  log: Logger
  clock: () => number
  /** Resolves after so many ms, or at once when the signal is aborted. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>
  /** 0 ≤ x < 1. */
  random: () => number
  /** Of receivers that are told one by one. */
  messagesPerMinute: number
}

export interface ReceiverFacts {
  name: string
  sent: Record<SentKind, number>
  failed: Record<SentKind, number>
  refused: Record<SentKind, number>
  /** Wall time, Unix ms; null: not yet. */
  lastSuccessMs: number | null
}

interface Item {
  group: IncidentGroup
  kind: SentKind
}

export class Lane {
  readonly facts: ReceiverFacts
  readonly #receiver: Receiver
  readonly #parts: LaneParts
  /** By id of the incident: what it looked like when it was refused. */
  readonly #refused = new Map<string, string>()
  /** By id: tries that came to nothing. Others go first, so that one that never works holds up nobody. */
  readonly #tries = new Map<string, number>()
  /** Whys that were said since the last success. */
  readonly #said = new Set<string>()
  #failures = 0
  #isAskedToWait = false
  /** Nothing is sent for so long after a try that came to nothing. */
  #pause = { sinceMs: Number.NEGATIVE_INFINITY, ms: 0 }
  #repeatedMs = Number.NEGATIVE_INFINITY
  #sentMs: number[] = []
  #alarm = new AbortController()
  #isClosing = false
  readonly #cut = new AbortController()
  readonly #done: Promise<void>

  constructor(receiver: Receiver, parts: LaneParts) {
    this.#receiver = receiver
    this.#parts = parts
    const none = (): Record<SentKind, number> => ({ open: 0, update: 0, resolved: 0, repeat: 0 })
    this.facts = { name: receiver.name, sent: none(), failed: none(), refused: none(), lastSuccessMs: null }
    this.#done = this.#run()
  }

  /** The desired state has changed. */
  wake(): void {
    this.#alarm.abort()
  }

  /** What is due and was not taken. */
  pendingAt(nowMs: number): number {
    return this.#dueAt(nowMs).length
  }

  /** Tries what is due, each once; resolves when nothing is left, something failed, or `cut` is called. */
  finish(): Promise<void> {
    this.#isClosing = true
    if (!this.#isAskedToWait) this.#pause.ms = 0
    this.wake()
    return this.#done
  }

  cut(): void {
    this.#cut.abort()
    this.wake()
  }

  async #run(): Promise<void> {
    for (;;) {
      try {
        const nowMs = this.#parts.clock()
        const items = this.#roundAt(nowMs)
        const restMs = this.#restMs(items, nowMs)
        if (this.#isClosing && (restMs !== 0 || this.#cut.signal.aborted)) return
        if (restMs !== 0) await this.#rest(restMs)
        else if (!(await this.#tell(items)) && this.#isClosing) return
      } catch (error) {
        // A defect of ours; the receiver must not stay untold for it.
        this.#parts.log.error('a round of alerts broke off', { error: error as Error, receiver: this.facts.name })
        if (this.#isClosing) return
        await this.#parts.wait(BACKOFF_MAX_MS, this.#cut.signal)
      }
    }
  }

  /** Whoever is repeated to is told all of it at once, the others the most urgent. */
  #roundAt(nowMs: number): Item[] {
    const { repeatMs } = this.#receiver
    const due = this.#dueAt(nowMs)
    if (repeatMs === null) return due.sort((a, b) => this.#orderOf(a) - this.#orderOf(b)).slice(0, 1)
    if (due.length === 0 && remainsMs(repeatMs, this.#repeatedMs, nowMs) > 0) return []
    return [...due, ...this.#repeated(due)]
  }

  #dueAt(nowMs: number): Item[] {
    const items: Item[] = []
    for (const group of this.#parts.desired.subjectsOf(this.#receiver.name)) {
      const kind = dueOf(group, this.#receiver.name, nowMs)
      if (kind === null || this.#refused.get(group.head.id) === lookOf(group)) continue
      // What was told is told its end, whatever it has become meanwhile.
      const isKnown = markOf(group.head, this.#receiver.name)?.state === 'open'
      const severity = severityOfGroup(group)
      if ((severity !== 'none' && this.#receiver.wants(severity)) || (isKnown && kind === 'resolved'))
        items.push({ group, kind })
    }
    return items
  }

  #repeated(due: readonly Item[]): Item[] {
    const others = new Set(due.map(({ group }) => group.head.id))
    return this.#parts.desired
      .subjectsOf(this.#receiver.name)
      .filter(group => isOpenGroup(group) && markOf(group.head, this.#receiver.name)?.state === 'open')
      .filter(group => !others.has(group.head.id) && this.#refused.get(group.head.id) !== lookOf(group))
      .map(group => ({ group, kind: 'repeat' }))
  }

  /** Pages before tickets, what is new or over before what goes on. */
  #orderOf({ group, kind }: Item): number {
    const tries = Math.min(this.#tries.get(group.head.id) ?? 0, 100)
    return tries * 4 + (severityOfGroup(group) === 'page' ? 0 : 2) + (kind === 'update' ? 1 : 0)
  }

  /** 0: send now; null: until something changes. */
  #restMs(items: readonly Item[], nowMs: number): number | null {
    const { repeatMs } = this.#receiver
    if (items.length === 0) {
      if (repeatMs === null || this.#repeated([]).length === 0) return null
      return remainsMs(repeatMs, this.#repeatedMs, nowMs)
    }
    const pauseMs = remainsMs(this.#pause.ms, this.#pause.sinceMs, nowMs)
    return Math.max(pauseMs, repeatMs === null ? this.#limitMs(nowMs) : 0)
  }

  /** Until there is room for one more message in the minute. */
  #limitMs(nowMs: number): number {
    this.#sentMs = this.#sentMs.filter(atMs => atMs > nowMs - MINUTE_MS && atMs <= nowMs)
    if (this.#sentMs.length < this.#parts.messagesPerMinute) return 0
    return this.#sentMs[0]! + MINUTE_MS - nowMs
  }

  async #rest(restMs: number | null): Promise<void> {
    const { signal } = this.#alarm
    if (!signal.aborted) {
      if (restMs !== null) await this.#parts.wait(restMs, signal)
      else await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    }
    if (signal.aborted) this.#alarm = new AbortController()
  }

  /** False: it did not work, and will be tried again. */
  async #tell(items: readonly Item[]): Promise<boolean> {
    const { clock, desired } = this.#parts
    for (const id of [...this.#refused.keys(), ...this.#tries.keys()])
      if (!desired.has(id)) {
        this.#refused.delete(id)
        this.#tries.delete(id)
      }
    const messages = items.flatMap(item => this.#messageOf(item))
    if (messages.length === 0) return true
    this.#sentMs.push(clock())
    const delivery = await this.#send(messages)
    if (delivery.kind === 'taken') this.#taken(messages)
    else if (delivery.kind === 'later') this.#later(messages, delivery)
    // One of them is wrong, and the receiver does not say which.
    else if (messages.length > 1) {
      for (const message of messages) if (!(await this.#tell([message]))) return false
      this.#repeatedMs = clock()
    } else this.#refuse(messages[0]!, delivery.why)
    return delivery.kind !== 'later'
  }

  /** Empty when no notice can be made of it, which is our own fault and must not stop the others. */
  #messageOf(item: Item): (Item & { notice: Notice; key: string; failures: number })[] {
    const { group, kind } = item
    try {
      const mark = markOf(group.head, this.#receiver.name)
      // Made now: what is marked is what was said, also when it grows while it is sent.
      const failures = failuresOf(group)
      const notice = this.#parts.noticeOf(group, kind === 'repeat' ? 'open' : kind)
      return [{ ...item, notice, failures, key: `${group.head.id}:${kind}:${mark?.atMs ?? 0}` }]
    } catch (error) {
      this.#refuse(item, `no notice can be made of it: ${(error as Error).message}`)
      return []
    }
  }

  async #send(messages: readonly { notice: Notice; key: string }[]): Promise<Delivery> {
    const notices = messages.map(({ notice }) => notice)
    const keys = messages.map(({ key }) => key)
    try {
      return await this.#receiver.send(notices, this.#cut.signal, keys)
    } catch (error) {
      return { kind: 'later', why: (error as Error).message, afterMs: null }
    }
  }

  #taken(messages: readonly (Item & { notice: Notice; failures: number })[]): void {
    const { clock, desired, onTold, log } = this.#parts
    const atMs = clock()
    if (this.#said.size > 0) log.info('a receiver takes alerts again', { receiver: this.facts.name })
    this.#said.clear()
    this.#failures = 0
    this.#isAskedToWait = false
    this.#pause.ms = 0
    this.#repeatedMs = atMs
    this.facts.lastSuccessMs = atMs
    for (const { group, kind, notice, failures } of messages) {
      this.facts.sent[kind]++
      this.#tries.delete(group.head.id)
      this.#refused.delete(group.head.id)
      if (kind === 'repeat') continue
      const state = kind === 'resolved' ? 'resolved' : 'open'
      const told = desired.mark(group.head.id, this.facts.name, { state, atMs, failures, severity: notice.severity })
      if (told === null) continue
      try {
        onTold(told)
      } catch (error) {
        log.error('what a receiver was told could not be noted', { error, incident: told.id })
      }
    }
  }

  #later(messages: readonly Item[], { why, afterMs }: Delivery & { kind: 'later' }): void {
    const { clock, random, log } = this.#parts
    for (const { group, kind } of messages) {
      this.facts.failed[kind]++
      this.#tries.set(group.head.id, (this.#tries.get(group.head.id) ?? 0) + 1)
    }
    const ceilingMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(this.#failures++, 10))
    const jitterMs = Math.max(BACKOFF_MIN_MS, random() * ceilingMs)
    this.#isAskedToWait = afterMs !== null
    this.#pause = { sinceMs: clock(), ms: Math.max(jitterMs, afterMs ?? 0) }
    // An outage is said once, and again only when it is another one.
    if (this.#said.has(why) || this.#said.size >= 20) return
    this.#said.add(why)
    log.warn('a receiver does not take alerts; they are tried again', { receiver: this.facts.name, why })
  }

  #refuse({ group, kind }: Item, why: string): void {
    this.facts.refused[kind]++
    this.#refused.set(group.head.id, lookOf(group))
    const { log } = this.#parts
    log.error('a receiver refuses an alert; it is not sent again until it changes', {
      receiver: this.facts.name,
      incident: group.head.id,
      kind,
      why
    })
  }
}

/** Of `ms` since then. A clock that was set back by more than that makes nobody wait: the difference counts, whatever its sign. */
function remainsMs(ms: number, sinceMs: number, nowMs: number): number {
  return Math.max(0, ms - Math.abs(nowMs - sinceMs))
}

/** Of what was refused: another look is worth another try. Counts change every minute and change nothing about it. */
function lookOf(group: IncidentGroup): string {
  return [group.head, ...group.members].map(({ id, state, severity }) => `${id} ${state} ${severity}`).join('\n')
}

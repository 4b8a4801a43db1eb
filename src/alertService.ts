/**
 * From what is judged to incidents that are told and stored: a tap on the pipeline, on record time. Nothing in here waits for
 * a store or a receiver, and nothing of it fails the pipeline.
 */

import type { Alerting } from './alert/alerting.ts'
import { chronicle } from './alert/chronicle.ts'
import type { Incident } from './alert/incident.ts'
import type { IncidentGroup } from './alert/notice.ts'
import { GRACE_MS, type Pace, ReturnWatch, recordClock } from './alertClock.ts'
import { minuteOf, newestOf } from './alertHistory.ts'
import { AlertJournal } from './alertJournal.ts'
import type { ClassifiedBatch, JudgedListener } from './judge.ts'
import { type SightingOptions, sightingOf } from './sighting.ts'
import { Unjudged } from './unjudged.ts'

export interface AlertServiceOptions {
  alerting: Alerting
  /** Of sightings: as documents are made. */
  documents: SightingOptions
  pace: Pace
  /** What lies before was counted by others, and is history; a whole minute, Unix ms. -Infinity: nothing was. */
  fromMs: number
  /**
   * True: what comes first was counted by an earlier process, too, and its incidents go on once it has come to the present;
   * until then nothing is stored.
   */
  readsAgain: boolean
  /** Told of all incidents whenever they may have changed, once record time is current. */
  tell: (groups: readonly IncidentGroup[]) => void
  store: (incidents: readonly Incident[]) => void
  /** Told of controller lines. */
  controllers: (rows: ClassifiedBatch['controllers']) => void
  /** A sentence for the log. */
  say: (text: string) => void
  /** Known open incidents before record time is current: to be repeated where that keeps them open, not told anew. */
  repeat?: (incidents: readonly Incident[]) => void
  /** All that was judged is of no use; returns one that knows nothing yet, and asks the store again. */
  startOver?: () => Alerting
}

export interface AlertFacts {
  groups: readonly IncidentGroup[]
  /** Incidents that opened since the start, by cause. */
  opened: ReadonlyMap<string, number>
  series: number
  dropped: number
  /** Requests and failures that were not looked at for spikes, because their minute was judged more than 15 minutes before. */
  late: number
  /** Errors of ours: what was looked at just then is not known. */
  failed: number
  /** Record time up to which minutes may be judged, Unix ms; -Infinity: none yet. */
  clockMs: number
  /** False: incidents are found and stored, and nobody is told, because what is read is old. */
  isCurrent: boolean
}

const MINUTE_MS = 60_000
/** Nobody is told of what is older: it counts silently until it is current. */
const SILENT_MS = 20 * MINUTE_MS
/** After a start, record time has caught up when it is this close to the wall; or when it still is not after so long. */
const CAUGHT_UP_MS = 2 * MINUTE_MS
const CATCH_UP_MS = 5 * MINUTE_MS
/** A count further ahead of the wall moves no end. */
const AHEAD_MS = MINUTE_MS
/** Record time so far ahead of the wall: it was wrong when it got there. Less is waited for. */
const WRONG_MS = 5 * MINUTE_MS
const KNOWN_MAX = 20_000

export class AlertService implements JudgedListener {
  readonly #options: AlertServiceOptions
  #fromMs: number
  #alerting: Alerting
  /** null: history is known, or will never be. */
  #journal: AlertJournal | null = new AlertJournal()
  #clockMs = Number.NEGATIVE_INFINITY
  #judgedMs = Number.NEGATIVE_INFINITY
  #newestMs = Number.NEGATIVE_INFINITY
  #firstPassMs: number | null = null
  #hasCaughtUp = false
  #isCurrent = false
  #hasEnded = false
  readonly #opened = new Map<string, number>()
  /** What an earlier process has left, until it can go on; null: it does. */
  #left: Incident[] | null
  /** Ids of incidents that were met. */
  readonly #known = new Set<string>()
  readonly #unjudged: Unjudged
  readonly #returns = new ReturnWatch()
  #failed = 0
  /** Of those whose place was taken. */
  readonly #before = { dropped: 0, late: 0 }
  #hasSaidLate = false

  constructor(options: AlertServiceOptions) {
    this.#options = options
    this.#alerting = options.alerting
    this.#fromMs = options.fromMs
    this.#left = options.readsAgain ? [] : null
    this.#unjudged = new Unjudged(options.say, Date.now, 'looking for incidents has failed')
  }

  get facts(): AlertFacts {
    const { groups, facts } = this.#alerting
    const { series } = facts
    const before = this.#before
    return {
      groups,
      opened: this.#opened,
      series,
      dropped: before.dropped + facts.dropped,
      late: before.late + facts.late,
      failed: this.#failed,
      clockMs: this.#clockMs,
      isCurrent: this.#isCurrent
    }
  }

  /** Nothing more will come. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Instead of what was said at first; before anything is read. `fresh` was told nothing: what is known is read again. */
  countFrom(fromMs: number, fresh: Alerting): void {
    this.#fromMs = fromMs
    this.#guard(() => {
      this.#replace(fresh)
      fresh.announce(this.#left ?? [])
    })
  }

  /** Begin of the oldest minute that was counted since the start, Unix ms; Infinity: none was. */
  get oldestMs(): number {
    return this.#journal?.oldestMs ?? Number.POSITIVE_INFINITY
  }

  /** False: too much was counted since the start to put a history before it. */
  get takesHistory(): boolean {
    return this.#journal !== null && !this.#journal.isFull
  }

  judged({ classified, totals, controllers }: ClassifiedBatch): void {
    this.#guard(() => {
      this.#options.controllers(controllers)
      for (const { upstream, minuteMs, requests } of totals) {
        if (minuteMs < this.#fromMs || requests === 0) continue
        this.#newestMs = Math.max(this.#newestMs, minuteMs)
        this.#journal?.add(upstream, '', minuteMs, requests)
        this.#alerting.addRequests(upstream, minuteMs, requests)
      }
      for (const raw of classified) {
        const { failure } = raw
        // Counted by whoever judged it first.
        if ((failure.access ?? failure.errors[0]!).isJudgedAgain) continue
        const minuteMs = minuteOf(failure.timeMs)
        if (minuteMs < this.#fromMs) continue
        const sighting = sightingOf(raw, this.#options.documents)
        this.#newestMs = Math.max(this.#newestMs, minuteMs)
        this.#journal?.add(sighting.upstream, sighting.cause, minuteMs, 1)
        this.#alerting.add(sighting)
      }
    })
  }

  passed(readToMs: number, nowMs: number): void {
    const clockMs = recordClock(readToMs, nowMs, this.#options.pace)
    if (clockMs === null) return
    const isHeld = this.#options.pace === 'live' && this.#returns.isReturning(nowMs)
    this.#guard(() => this.#advance(isHeld ? this.#clockMs : clockMs, nowMs))
  }

  ended(): void {
    this.#hasEnded = true
  }

  /** Judges the last minutes of what has an end. `nowMs`: wall time. */
  finish(nowMs: number): void {
    if (!this.#hasEnded || !Number.isFinite(this.#newestMs)) return
    const endMs = Math.min(this.#newestMs, minuteOf(nowMs + AHEAD_MS)) + MINUTE_MS
    this.#guard(() => this.#advance(endMs, nowMs))
  }

  /** Incidents that another process has stored: they go on here. */
  adopt(stored: readonly Incident[]): void {
    this.#guard(() => this.#adoptInto(this.#alerting, stored))
  }

  /** `fresh` was told of the history before `oldestMs`, or before `fromMs`: it takes the place of what knows none. */
  takeOver(fresh: Alerting, stored: readonly Incident[]): void {
    this.#guard(() => {
      this.#journal?.tell(fresh)
      if (Number.isFinite(this.#clockMs)) fresh.advance(this.#clockMs)
      this.#adoptInto(fresh, stored)
      this.#replace(fresh)
      this.forgetJournal()
    })
  }

  /** No history will come. */
  forgetJournal(): void {
    this.#journal?.clear()
    this.#journal = null
  }

  #adoptInto(alerting: Alerting, stored: readonly Incident[]): void {
    for (const { id } of stored) this.#meet(id)
    if (this.#left !== null) {
      this.#left = newestOf(this.#left, stored)
      if (!Number.isFinite(this.#clockMs)) alerting.announce(this.#left)
    } else {
      alerting.adopt(newestOf(this.#all(), stored))
    }
    if (!this.#isCurrent) this.#options.repeat?.(this.#left ?? newestOf(this.#all(), stored))
    // What adoption has changed comes with the next step.
    this.#judgedMs = Number.NEGATIVE_INFINITY
  }

  #advance(clockMs: number, nowMs: number): void {
    this.#firstPassMs ??= nowMs
    if (this.#clockMs - nowMs > WRONG_MS && this.#options.pace === 'live') this.#startOver(nowMs)
    this.#clockMs = Math.max(this.#clockMs, clockMs)
    if (!Number.isFinite(this.#clockMs)) return
    const wasCurrent = this.#isCurrent
    this.#isCurrent = this.#isTold(nowMs)
    const minuteMs = minuteOf(this.#clockMs)
    if (minuteMs <= this.#judgedMs && wasCurrent === this.#isCurrent) return
    this.#judgedMs = minuteMs
    this.#step()
    if (this.#isCurrent) this.#options.tell(this.#alerting.groups)
    this.#sayLate()
    if (wasCurrent && !this.#isCurrent)
      this.#options.say('what is read is older than 20 minutes: nobody is told of incidents until it is current')
  }

  /** The wall clock was ahead, and record time followed it: whatever comes now would be late for ever. */
  #startOver(nowMs: number): void {
    const { say, startOver } = this.#options
    if (startOver === undefined) return
    const minutes = Math.round((this.#clockMs - nowMs) / MINUTE_MS)
    say(`the clock was ${minutes} minutes ahead, and minutes were judged that are still to come: alerts start again`)
    const own = this.#all()
    const untrue = own.filter(({ state, detectedMs }) => state === 'open' && detectedMs > nowMs)
    for (const incident of untrue) {
      Object.assign(incident, { state: 'resolved', endMs: nowMs, updatedMs: incident.updatedMs + 1 })
      chronicle(incident, nowMs, 'resolved: the clock was ahead, and it never began')
    }
    if (untrue.length > 0) this.#options.store(untrue)
    this.#clockMs = this.#judgedMs = this.#newestMs = Number.NEGATIVE_INFINITY
    this.#left = newestOf(this.#left ?? [], own)
    this.#journal = new AlertJournal()
    this.#replace(startOver())
  }

  #replace(fresh: Alerting): void {
    const { dropped, late } = this.#alerting.facts
    this.#before.dropped += dropped
    this.#before.late += late
    this.#alerting = fresh
  }

  #all(): Incident[] {
    return this.#alerting.groups.flatMap(({ head, members }) => [head, ...members])
  }

  #sayLate(): void {
    if (this.#hasSaidLate || this.facts.late === 0) return
    this.#hasSaidLate = true
    this.#options.say(
      'requests or failures came more than 15 minutes late, as of a shipper that was cut off: they are stored, and not ' +
        'looked at for incidents; why5xx_alert_late_total counts them'
    )
  }

  #step(): void {
    let { changed } = this.#alerting.advance(this.#clockMs)
    if (this.#left !== null) {
      if (!this.#hasCaughtUp) return
      this.#alerting.adopt(this.#left)
      this.#left = null
      changed = this.#alerting.advance(this.#clockMs).changed
    }
    for (const { id, cause } of changed) if (this.#meet(id)) this.#opened.set(cause, (this.#opened.get(cause) ?? 0) + 1)
    if (changed.length > 0) this.#options.store(changed)
  }

  #isTold(nowMs: number): boolean {
    const behindMs = nowMs - this.#clockMs - GRACE_MS
    this.#hasCaughtUp ||= behindMs <= CAUGHT_UP_MS || nowMs - this.#firstPassMs! >= CATCH_UP_MS
    return (this.#hasCaughtUp || this.#hasEnded) && behindMs <= SILENT_MS
  }

  /** True the first time. */
  #meet(id: string): boolean {
    if (this.#known.has(id)) return false
    if (this.#known.size >= KNOWN_MAX) this.#known.delete(this.#known.values().next().value!)
    this.#known.add(id)
    return true
  }

  /** An error of ours must not stop what stores failures; said once a minute. */
  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#failed++
      this.#unjudged.tell(error)
    }
  }
}

/**
 * Finds spikes: failures of one cause at one service that its traffic and its past do not explain. One step per minute of
 * record time; no clock. Memory is bounded by the number of series, about 1 KiB each and as much a service.
 *
 *   addRequests, addFailures     counts of a minute, in parts, in any order, up to 15 minutes after it was judged
 *   advance(until)               judges all minutes before `until` that were not judged yet
 */

import { AheadCounts } from './aheadCounts.ts'
import type { Profile } from './alerting.ts'
import type { Finding, IncidentCause } from './finding.ts'
import { FEED_DELAY, P_MAX } from './profile.ts'
import type { Series } from './series.ts'
import { AHEAD_MINUTES, Service } from './service.ts'

const SERIES_MAX = 20_000

/** A service that nobody asked for a week is forgotten; looked at once a day. */
const FORGET_MINUTES = 7 * 1440
const SWEEP_MINUTES = 1440

export interface SpikeDetectorOptions {
  profile: Profile
  /** Series that are kept, and services. */
  seriesMax?: number
}

export interface DetectorFacts {
  services: number
  series: number
  /** Counts that were refused: of new series when there are too many, or too far ahead. */
  dropped: number
  /** Counts of minutes that the baseline has passed already, or that are no minutes. */
  late: number
}

export class SpikeDetector {
  readonly #pMax: number
  readonly #seriesMax: number
  readonly #services = new Map<string, Service>()
  readonly #awake = new Set<Service>()
  readonly #ahead = new AheadCounts()
  #series = 0
  #dropped = 0
  #late = 0
  /** The minute that is judged next; null: no count has come, so none is. */
  #next: number | null = null
  #adopted: { upstream: string; cause: IncidentCause; startMinute: number }[] = []

  constructor(options: SpikeDetectorOptions) {
    this.#pMax = P_MAX[options.profile]
    this.#seriesMax = options.seriesMax ?? SERIES_MAX
  }

  get facts(): DetectorFacts {
    return { services: this.#services.size, series: this.#series, dropped: this.#dropped, late: this.#late }
  }

  /** Requests of a service's minute; minutes are counted since the Unix epoch. */
  addRequests(upstream: string, minute: number, count: number): void {
    this.#add(upstream, null, minute, count)
  }

  addFailures(upstream: string, cause: IncidentCause, minute: number, count: number): void {
    if (cause !== 'no_requests') this.#add(upstream, cause, minute, count)
  }

  /**
   * An incident of an earlier process is open: the series fires from `startMinute` on, and `advance` says when it is over. Before or
   * after its counts: a start that is not judged yet waits for its minute, so that what lies before it is learned.
   */
  adopt(upstream: string, cause: IncidentCause, startMinute: number): void {
    if (!Number.isSafeInteger(startMinute)) return
    if (this.#next === null) {
      this.#adopted.push({ upstream, cause, startMinute })
      return
    }
    const service = this.#serviceOf(upstream, this.#next)
    if (service === null) return
    if (cause === 'no_requests') {
      service.adopt(null, startMinute)
      return
    }
    const series = this.#seriesOf(service, cause)
    if (series !== null) service.adopt(series, startMinute)
  }

  /**
   * Judges every minute before `untilMinute`, oldest first; of one minute by upstream and cause. A service without counts is asleep
   * after an hour, so a jump of days costs no more than an hour, or the twelve of what still fires.
   */
  advance(untilMinute: number): Finding[] {
    if (!Number.isSafeInteger(untilMinute)) throw new RangeError(`not a minute: ${untilMinute}`)
    const findings: Finding[] = []
    if (this.#next === null) this.#start(untilMinute)
    if (this.#next === null) return findings
    while (this.#next < untilMinute) {
      if (this.#awake.size === 0) this.#goTo(this.#afterSleep(this.#next, untilMinute))
      else {
        this.#judge(findings)
        this.#goTo(this.#next + 1)
      }
    }
    return findings
  }

  #start(untilMinute: number): void {
    const first = this.#ahead.first()
    if (first === null && this.#adopted.length === 0) return
    this.#next = Math.min(first ?? untilMinute, untilMinute)
    for (let minute = this.#next; minute < this.#next + AHEAD_MINUTES; minute += 1) this.#pour(minute)
    for (const { upstream, cause, startMinute } of this.#adopted) this.adopt(upstream, cause, startMinute)
    this.#adopted = []
  }

  #judge(findings: Finding[]): void {
    const found: Finding[] = []
    for (const service of this.#awake) {
      service.step(this.#pMax, found)
      if (service.isAsleep) this.#awake.delete(service)
    }
    found.sort((one, other) => compare(one.upstream, other.upstream) || compare(one.cause, other.cause))
    for (const finding of found) findings.push(finding)
  }

  /** Nobody is awake: the next minute in which anything can happen. */
  #afterSleep(next: number, untilMinute: number): number {
    const sweep = this.#services.size === 0 ? untilMinute : (Math.floor(next / SWEEP_MINUTES) + 1) * SWEEP_MINUTES
    const first = this.#ahead.first()
    const counts = first === null ? untilMinute : first - AHEAD_MINUTES + 1
    return Math.min(untilMinute, sweep, Math.max(next + 1, counts))
  }

  #goTo(next: number): void {
    const before = this.#next!
    this.#next = next
    this.#pour(next + AHEAD_MINUTES - 1)
    if (Math.floor(before / SWEEP_MINUTES) !== Math.floor(next / SWEEP_MINUTES)) this.#sweep(next)
  }

  #pour(minute: number): void {
    this.#ahead.take(minute, (upstream, cause, count) => this.#add(upstream, cause, minute, count))
  }

  #sweep(next: number): void {
    for (const [name, service] of this.#services) {
      if (!service.isAsleep) this.#series -= service.forget()
      else if (service.sleptMinutes(next) >= FORGET_MINUTES) {
        this.#series -= service.series.size
        this.#services.delete(name)
      }
    }
  }

  #add(upstream: string, cause: IncidentCause | null, minute: number, count: number): void {
    if (!(count > 0)) return
    const next = this.#next
    if (!Number.isSafeInteger(minute) || (next !== null && minute < next - FEED_DELAY)) {
      this.#late += count
      return
    }
    if (next === null || minute >= next + AHEAD_MINUTES) {
      if (!this.#ahead.add(upstream, cause, minute, count)) this.#dropped += count
      return
    }
    const service = this.#serviceOf(upstream, next)
    const series = service === null || cause === null ? null : this.#seriesOf(service, cause)
    if (service === null || (cause !== null && series === null)) this.#dropped += count
    else if (series === null) service.addRequests(minute, count)
    else service.addFailures(series, minute, count)
  }

  /** Null: there are too many. */
  #serviceOf(upstream: string, next: number): Service | null {
    let service = this.#services.get(upstream)
    if (service === undefined) {
      if (this.#services.size >= this.#seriesMax) return null
      service = new Service(upstream, next)
      this.#services.set(upstream, service)
    } else if (service.isAsleep) service.wake(next)
    this.#awake.add(service)
    return service
  }

  /** Null: there are too many. */
  #seriesOf(service: Service, cause: IncidentCause): Series | null {
    const series = service.series.get(cause)
    if (series !== undefined) return series
    if (this.#series >= this.#seriesMax) return null
    this.#series += 1
    return service.begin(cause)
  }
}

/** By code units: the same on every machine. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

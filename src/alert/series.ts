/** Failures of one cause at one service: what is normal, whether it fires, and since when. */

import { Baseline } from './baseline.ts'
import { type JudgedWindow, WINDOWS } from './finding.ts'
import { MinuteRing } from './minuteRing.ts'
import {
  EXCESS_MIN,
  FEED_DELAY,
  FIRE_RATIO,
  NEW_LEVEL_MINUTES,
  QUIET_MINUTES,
  QUIET_RATIO,
  WARM_UP_MINUTES
} from './profile.ts'
import { tail } from './tail.ts'
import { Windows } from './windows.ts'

/** What is fed lies `FEED_DELAY` minutes back, its windows reach `FEED_DELAY` further, and counts may be ahead of the judgement. */
export const FAILURE_MINUTES = 64

const FIVE = WINDOWS.indexOf(5)
const LONGEST = WINDOWS.length - 1

/** Filled again for every minute of every series: nothing of it is kept. */
const scratch = new Windows()

export type Judgement = 'fired' | 'firing' | 'quiet' | 'new_level' | null

export class Series {
  readonly failures = new MinuteRing(FAILURE_MINUTES)
  /** First minute of the incident; null: it does not fire. */
  startMinute: number | null = null
  baseline: Baseline
  /** What the level of the incident would make normal. */
  #incident: Baseline | null = null
  /** Windows do not reach back past it: the minute after the last resolve. */
  #floor = Number.NEGATIVE_INFINITY
  #quiet = 0
  /** Bit k: the minute k before the last one judged is part of an incident, and is not fed. */
  #frozen = 0
  /** An incident of an earlier process that begins in a minute that is not judged yet. */
  #adopted: number | null = null

  constructor(baseline: Baseline) {
    this.baseline = baseline
  }

  /** It fires, or minutes of an incident are still to be passed over: it must see every minute. */
  get isWatchful(): boolean {
    return this.startMinute !== null || this.#adopted !== null || this.#frozen !== 0
  }

  /** Goes on with an incident of an earlier process; `next`: the minute that is judged next. */
  adopt(startMinute: number, next: number): void {
    if (startMinute >= next && this.startMinute === null) this.#adopted = startMinute
    else this.#begin(startMinute, next - 1)
  }

  /** One minute of record time. `first`: the service's first. */
  step(minute: number, first: number, requests: MinuteRing, pMax: number): Judgement {
    this.#frozen <<= 1
    if (this.#adopted !== null && minute >= this.#adopted) {
      this.#begin(this.#adopted, minute)
      this.#adopted = null
    }
    if (this.startMinute !== null) this.#frozen |= 1
    this.#feed(minute - FEED_DELAY, first, requests)
    scratch.fill(this.failures, requests, Math.max(first, this.#floor), minute)
    return this.startMinute === null ? this.#begins(minute, pMax) : this.#goesOn(minute)
  }

  /** The windows that end with `minute`, the last one judged; those with `p < pMax` first, the least probable before the others. */
  judged(minute: number, first: number, requests: MinuteRing, pMax: number): JudgedWindow[] {
    scratch.fill(this.failures, requests, Math.max(first, this.#floor), minute)
    const windows = WINDOWS.map((minutes, i) => ({ ...this.#window(i), minutes }))
    const rank = (window: JudgedWindow) => (isSpike(window, pMax) ? window.pValue : 2)
    return windows.sort((one, other) => rank(one) - rank(other))
  }

  /** What `step` said is over ends with `minute`; the windows that said so can be asked for before. */
  end(minute: number, why: 'quiet' | 'new_level'): void {
    if (why === 'new_level' && this.#incident !== null) this.baseline = this.#incident
    this.#incident = null
    this.startMinute = null
    this.#floor = minute + 1
  }

  #feed(minute: number, first: number, requests: MinuteRing): void {
    if (minute < first) return
    // How far back the minutes are of the same kind: windows of the baseline leave out incidents, those of an incident what was before.
    const isFrozen = (this.#frozen >>> FEED_DELAY) & 1
    const others = ((isFrozen === 1 ? ~this.#frozen : this.#frozen) >>> FEED_DELAY) | (1 << 16)
    const alike = 31 - Math.clz32(others & -others)
    scratch.fill(this.failures, requests, Math.max(first, minute - alike + 1), minute)
    if (isFrozen === 0) this.baseline.feed(scratch)
    else this.#incident?.feed(scratch)
  }

  #begins(minute: number, pMax: number): Judgement {
    if (scratch.failures[LONGEST]! < EXCESS_MIN || this.baseline.fed < WARM_UP_MINUTES) return null
    let found: JudgedWindow | null = null
    for (let i = 0; i < WINDOWS.length; i += 1) {
      const expected = this.baseline.expected(scratch, i)
      if (!isExcess(scratch.failures[i]!, expected)) continue
      const window = this.#window(i)
      if (window.pValue < pMax && (found === null || window.pValue < found.pValue)) found = window
    }
    if (found === null) return null
    let start = Math.max(this.#floor, minute - found.minutes + 1)
    while (start < minute && this.failures.at(start) === 0) start += 1
    this.#begin(start, minute)
    return 'fired'
  }

  #goesOn(minute: number): Judgement {
    const count = scratch.failures[FIVE]!
    const expected = this.baseline.expected(scratch, FIVE)
    const isQuiet = count - expected < EXCESS_MIN || count < QUIET_RATIO * expected
    this.#quiet = isQuiet ? this.#quiet + 1 : 0
    if (this.#quiet >= QUIET_MINUTES) return 'quiet'
    return minute - this.startMinute! + 1 < NEW_LEVEL_MINUTES ? 'firing' : 'new_level'
  }

  /** `minute`: the last one judged. */
  #begin(startMinute: number, minute: number): void {
    this.startMinute = startMinute
    this.#incident ??= new Baseline()
    this.#quiet = 0
    const minutes = minute - startMinute + 1
    this.#frozen |= minutes >= 32 ? -1 : (1 << minutes) - 1
  }

  #window(i: number): JudgedWindow {
    const failures = scratch.failures[i]!
    const expected = this.baseline.expected(scratch, i)
    const spread = this.baseline.spreadAt(i, expected)
    const minutes = WINDOWS[i]!
    return {
      minutes,
      failures,
      requests: scratch.requests[i]!,
      expected,
      spread,
      pValue: tail(failures, expected, spread)
    }
  }
}

function isExcess(failures: number, expected: number): boolean {
  return failures - expected >= EXCESS_MIN && failures >= FIRE_RATIO * expected
}

function isSpike(window: JudgedWindow, pMax: number): boolean {
  return window.pValue < pMax && isExcess(window.failures, window.expected)
}

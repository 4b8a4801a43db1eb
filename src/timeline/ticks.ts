/** Round values for axes. */

import type { ClockText } from '../explain/clockText.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 10_080, 20_160].map(
  minutes => minutes * MINUTE_MS
)

export interface Tick {
  ms: number
  label: string
}

/** At most `countMax` times that are round in the zone of `clock`; of a clock change within the window the old side's. */
export function timeTicks(fromMs: number, toMs: number, countMax: number, clock: ClockText): Tick[] {
  let stepMs = STEPS_MS.find(step => (toMs - fromMs) / step <= countMax) ?? STEPS_MS.at(-1)!
  while ((toMs - fromMs) / stepMs > countMax) stepMs *= 2
  const offsetMs = Date.parse(`${clock.full(fromMs).replace(' ', 'T')}Z`) - Math.floor(fromMs / 1000) * 1000
  const ticks: Tick[] = []
  for (let local = Math.ceil((fromMs + offsetMs) / stepMs) * stepMs; local <= toMs + offsetMs; local += stepMs) {
    const ms = local - offsetMs
    const text = clock.fullMinute(ms)
    const isDay = stepMs >= DAY_MS || (toMs - fromMs > DAY_MS && local % DAY_MS === 0)
    ticks.push({ ms, label: isDay ? text.slice(5, 10) : text.slice(11) })
  }
  return ticks
}

/** The least round number that holds `most` and whose half is whole. */
export function niceTop(most: number): number {
  for (let power = 1; ; power *= 10) {
    for (const digit of [1, 2, 3, 4, 5, 6, 8]) {
      const top = digit * power
      if (top >= most && top % 2 === 0) return top
    }
  }
}

/** `1,500` or `12k`. */
export function axisLabel(value: number): string {
  if (value >= 1e6) return `${+(value / 1e6).toFixed(1)}M`
  return value >= 1e4 ? `${+(value / 1e3).toFixed(1)}k` : String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

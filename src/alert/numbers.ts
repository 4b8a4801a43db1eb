/** How bad it is, in numbers, against what was to be expected. */

import { decimal, durationText, percent, plural } from '../text.ts'
import { type JudgedWindow, MINUTE_MS } from './finding.ts'
import type { Incident } from './incident.ts'

/** The window that says most: the least probable, of equals the shortest; null: there is none. */
function tellingWindow(windows: readonly JudgedWindow[]): JudgedWindow | null {
  let best: JudgedWindow | null = null
  for (const window of windows)
    if (
      best === null ||
      window.pValue < best.pValue ||
      (window.pValue === best.pValue && window.minutes < best.minutes)
    )
      best = window
  return best
}

/** `41 failures in 5 min, 1.2 expected`; of no requests `no requests for 6 min`. */
export function spikeText(incident: Incident, windows: readonly JudgedWindow[]): string {
  const window = tellingWindow(windows)
  if (incident.cause === 'no_requests') return silenceText(incident)
  if (window === null) return `${plural(incident.failures, 'failure')}, ${decimal(incident.expected)} expected`
  return `${plural(window.failures, 'failure')} in ${window.minutes} min, ${decimal(window.expected)} expected`
}

/** `41 failures in 5 min, 1.2 expected (0.02 % of 6,010 requests, spread 1.8), p = 3e-44`. */
export function numbersText(incident: Incident, windows: readonly JudgedWindow[]): string {
  const window = tellingWindow(windows)
  const spike = spikeText(incident, windows)
  if (window === null) return spike
  const probability = probabilityText(window.pValue)
  const rate = window.requests > 0 ? `${percent(window.expected, window.requests)} of ` : ''
  return `${spike} (${rate}${plural(window.requests, 'request')}, spread ${decimal(window.spread)}), ${probability}`
}

function silenceText({ startMs, updatedMs, endMs, expected }: Incident): string {
  return `no requests for ${durationText(((endMs ?? updatedMs) - startMs) / MINUTE_MS)}, ${decimal(expected)} expected`
}

/** `p = 3e-44`; what is too small for a number is not called 0. */
export function probabilityText(pValue: number): string {
  if (!(pValue > 0)) return 'p < 1e-300'
  return `p = ${pValue >= 0.001 ? Number(pValue.toPrecision(1)) : pValue.toExponential(0).replace('e+', 'e')}`
}

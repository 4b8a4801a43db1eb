/** When it began, was worst, and ended; what comes and goes; what is silent. */

import type { Course, DocumentKind, Time, Timeline } from './model.ts'
import type { Cell, Series } from './series.ts'

export const MINUTE_MS = 60_000
/** In the order of their columns in a series. */
export const DOCUMENT_KINDS: readonly DocumentKind[] = ['failed', 'masked', 'other']
/** After this much quiet a cause is gone, and an incident is over. */
export const QUIET_MS = 5 * MINUTE_MS
/** A minute counts as raised with at least this share of the peak minute. */
const RAISED_SHARE = 0.1
const SILENCES_SHOWN = 10

export function iso(ms: number): Time {
  return new Date(ms).toISOString()
}

/** Cells in a row without more than `quietMs` between them, merged. */
export function runsOf(cells: readonly Cell[], quietMs: number): Cell[] {
  const runs: Cell[] = []
  for (const { firstMs, lastMs, values } of cells) {
    const run = runs.at(-1)
    if (run && firstMs - run.lastMs <= quietMs) {
      run.lastMs = Math.max(run.lastMs, lastMs)
      for (let i = 0; i < values.length; i++) run.values[i]! += values[i]!
    } else runs.push({ firstMs, lastMs, values: [...values] })
  }
  return runs
}

/**
 * Onset is the begin of the first raised minute, recovery the end of the last one, if at least five minutes of data
 * (requests or documents) follow. Raised is a minute with at least a tenth of what the peak minute has. Where only saved
 * or other documents are, they are what is counted.
 */
export function courseOf(
  documents: Series,
  requests: Series,
  basis: number,
  dataToMs: number,
  moments: Pick<Course, 'first' | 'last' | 'warning'>
): Course {
  const cells = basis < 0 ? [] : documents.cells().filter(cell => cell.values[basis]! > 0)
  if (cells.length === 0) return { basis: null, ...moments, onset: null, peak: null, recovery: null }
  const peak = cells.reduce((best, cell) => (cell.values[basis]! > best.values[basis]! ? cell : best))
  const count = peak.values[basis]!
  const raised = cells.filter(cell => cell.values[basis]! >= count * RAISED_SHARE)
  const endMs = raised.at(-1)!.startMs + documents.stepMs
  return {
    basis: DOCUMENT_KINDS[basis]!,
    ...moments,
    onset: iso(raised[0]!.startMs),
    peak: {
      at: iso(peak.startMs),
      minutes: documents.stepMs / MINUTE_MS,
      count,
      requests: requests.stepMs <= documents.stepMs ? requests.buckets(peak.startMs, documents.stepMs, 1, 0)[0]! : null
    },
    recovery: dataToMs - endMs >= QUIET_MS ? iso(endMs) : null
  }
}

/** Minutes without a request between minutes with one. Nothing where minutes are not known one by one. */
export function silencesOf(requests: Series): Timeline['silences'] {
  const none = { shown: [], more: 0, minutes: 0 }
  if (requests.stepMs > MINUTE_MS) return none
  const all: { from: Time; to: Time; minutes: number }[] = []
  let minutes = 0
  let endMs = Number.NaN
  for (const { startMs } of requests.cells()) {
    if (startMs > endMs) {
      const silent = (startMs - endMs) / MINUTE_MS
      minutes += silent
      all.push({ from: iso(endMs), to: iso(startMs), minutes: silent })
    }
    endMs = startMs + MINUTE_MS
  }
  const shown = all
    .sort((a, b) => b.minutes - a.minutes || (a.from < b.from ? -1 : 1))
    .slice(0, SILENCES_SHOWN)
    .sort((a, b) => (a.from < b.from ? -1 : 1))
  return { shown, more: all.length - shown.length, minutes }
}

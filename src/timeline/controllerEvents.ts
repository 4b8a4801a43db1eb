/** What controllers said: equal lines close in time are one event. */

import type { ControllerRow } from '../store/store.ts'
import { BoundedMap } from './bounded.ts'
import { iso, QUIET_MS, runsOf } from './course.ts'
import type { ControllerEvent, Listed } from './model.ts'
import { Series } from './series.ts'

const KEYS_MAX = 300
const CELLS_MAX = 240
const PODS_MAX = 100
const EVENTS_SHOWN = 200
const MESSAGE_CHARS_MAX = 400

interface Entry {
  series: Series
  pods: Set<string>
}

export class ControllerEvents {
  /** By what a line says. */
  readonly #entries = new BoundedMap<Entry>(
    KEYS_MAX,
    () => ({ series: new Series(CELLS_MAX), pods: new Set() }),
    (into, from) => {
      into.series.merge(from.series)
      for (const pod of from.pods) if (into.pods.size < PODS_MAX) into.pods.add(pod)
    }
  )

  add(row: ControllerRow): void {
    const { kind, service, level, cause } = row
    const entry = this.#entries.of(
      JSON.stringify([kind, service, level, cause, row.message.slice(0, MESSAGE_CHARS_MAX)])
    )
    entry.series.add(row.timeMs, [1])
    if (row.pod !== null && entry.pods.size < PODS_MAX) entry.pods.add(row.pod)
  }

  /** Oldest first; where there are too many, those of the rarest texts. */
  list(): Listed<ControllerEvent> {
    const all: ControllerEvent[] = []
    for (const [key, { series, pods }] of this.#entries.entries()) {
      const [kind, service, level, cause, message] = JSON.parse(key) as [
        string,
        string | null,
        string | null,
        ControllerEvent['cause'],
        string
      ]
      for (const run of runsOf(series.cells(), Math.max(QUIET_MS, series.stepMs)))
        all.push({
          kind,
          from: iso(run.firstMs),
          to: iso(run.lastMs),
          count: run.values[0]!,
          service,
          pods: pods.size,
          level,
          cause,
          message
        })
    }
    const perText = new Map<string, number>()
    for (const { message } of all) perText.set(message, (perText.get(message) ?? 0) + 1)
    const shown = [...all]
      .sort((a, b) => perText.get(a.message)! - perText.get(b.message)! || inTime(a, b))
      .slice(0, EVENTS_SHOWN)
      .sort(inTime)
    const rest = this.#entries.rest?.series.cells().reduce((sum, cell) => sum + cell.values[0]!, 0) ?? 0
    return { shown, more: all.length - shown.length + rest }
  }
}

function inTime(a: ControllerEvent, b: ControllerEvent): number {
  if (a.from !== b.from) return a.from < b.from ? -1 : 1
  return a.message < b.message ? -1 : a.message > b.message ? 1 : 0
}

/** Groups again when something may have changed them: thousands of incidents that go on as they were cost nothing. */

import { type GroupingMark, groupingMark, isAsMarked, regroup } from './grouping.ts'
import type { Incident } from './incident.ts'

const NONE: ReadonlySet<Incident> = new Set()

export class Regrouping {
  /** As they were after the last time; `#marks[i]` is of `#incidents[i]`. */
  #incidents: readonly Incident[] = []
  #marks: GroupingMark[] = []
  #controllers = 0
  /** The last time changed nothing. */
  #isSettled = true

  /**
   * What it changed, see `regroup`; null: nothing could. `incidents` is another array whenever one came, went, or lost its
   * parent.
   */
  regroup(incidents: readonly Incident[], controllers: number): ReadonlySet<Incident> | null {
    if (this.#isSettled && this.#isAsBefore(incidents, controllers)) return null
    const changed = incidents.length === 0 ? NONE : regroup(incidents, controllers)
    this.#isSettled = changed.size === 0
    this.#incidents = incidents
    this.#controllers = controllers
    this.#marks = incidents.map(groupingMark)
    return changed
  }

  #isAsBefore(incidents: readonly Incident[], controllers: number): boolean {
    if (incidents !== this.#incidents || controllers !== this.#controllers) return false
    return incidents.every((incident, i) => isAsMarked(incident, this.#marks[i]!))
  }
}

/** Incidents in the log of the process: a line when one opens, gets worse, begins again or ends. */

import type { Incident } from './alert/incident.ts'

/** Ids that are remembered; the oldest go first, and would be said once more. */
const KNOWN_MAX = 5_000

export interface IncidentLine {
  text: string
  fields: Record<string, string | number>
}

export class IncidentLog {
  /** What was said last of each id. */
  readonly #said = new Map<string, string>()

  /** What is new of these; incidents come again with every minute that they go on. */
  linesOf(incidents: readonly Incident[]): IncidentLine[] {
    const lines: IncidentLine[] = []
    for (const { id, state, severity, upstream, cause, failures, expected, continued } of incidents) {
      const now = `${state} ${severity} ${continued}`
      const before = this.#said.get(id)
      if (before === now) continue
      if (before === undefined && this.#said.size >= KNOWN_MAX) this.#said.delete(this.#said.keys().next().value!)
      this.#said.set(id, now)
      const text = state === 'resolved' ? 'incident is over' : before === undefined ? 'incident' : 'incident goes on'
      lines.push({
        text,
        fields: { id, severity, upstream, cause, failures, expected: Math.round(expected * 100) / 100 }
      })
    }
    return lines
  }
}

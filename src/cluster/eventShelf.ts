/** Which Events are kept: they outlive their hour in the API, and a pod that crashes all day makes thousands. */

import type { SightingLog } from './sightings.ts'

export interface EventLimits {
  perObject: number
  total: number
}

/** Events in the order in which they were last heard of, in all and by what they are about. */
export class EventShelf {
  readonly #limits: EventLimits
  readonly #all = new Map<SightingLog, string>()
  readonly #byObject = new Map<string, Set<SightingLog>>()

  constructor(limits: EventLimits) {
    this.#limits = limits
  }

  /** Puts it last, and returns those for which there is no room any more. */
  touch(log: SightingLog, about: string): SightingLog[] {
    this.delete(log)
    this.#all.set(log, about)
    const fellows = this.#byObject.get(about)
    if (fellows === undefined) this.#byObject.set(about, new Set([log]))
    else fellows.add(log)
    const crowded = fellows !== undefined && fellows.size > this.#limits.perObject ? first(fellows) : undefined
    const surplus = this.#all.size > this.#limits.total ? first(this.#all.keys()) : undefined
    return [...new Set([crowded, surplus])].filter(one => one !== undefined)
  }

  delete(log: SightingLog): void {
    const about = this.#all.get(log)
    if (about === undefined) return
    this.#all.delete(log)
    const fellows = this.#byObject.get(about)
    fellows?.delete(log)
    if (fellows?.size === 0) this.#byObject.delete(about)
  }

  /** Those last heard of before that moment, from the front: one that came late is found once those before it are gone. */
  olderThan(ms: number): SightingLog[] {
    const old: SightingLog[] = []
    for (const log of this.#all.keys()) {
      if (log.lastAt >= ms) break
      old.push(log)
    }
    return old
  }
}

function first(logs: Iterable<SightingLog>): SightingLog | undefined {
  for (const log of logs) return log
  return undefined
}

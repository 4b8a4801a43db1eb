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
  readonly #byObject = new Map<string, readonly SightingLog[]>()

  constructor(limits: EventLimits) {
    this.#limits = limits
  }

  /** Puts it last, and returns those for which there is no room any more. */
  touch(log: SightingLog, about: string): SightingLog[] {
    this.delete(log)
    this.#all.set(log, about)
    const fellows = this.#byObject.get(about)
    this.#byObject.set(about, fellows === undefined ? [log] : [...fellows, log])
    const crowded = fellows !== undefined && fellows.length >= this.#limits.perObject ? fellows[0] : undefined
    const surplus = this.#all.size > this.#limits.total ? first(this.#all.keys()) : undefined
    return [...new Set([crowded, surplus])].filter(one => one !== undefined)
  }

  delete(log: SightingLog): void {
    const about = this.#all.get(log)
    if (about === undefined) return
    this.#all.delete(log)
    const rest = (this.#byObject.get(about) ?? []).filter(other => other !== log)
    if (rest.length === 0) this.#byObject.delete(about)
    else this.#byObject.set(about, rest)
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

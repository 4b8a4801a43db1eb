/** Which Events are kept: they outlive their hour in the API, and a pod that crashes all day makes thousands. */

import type { SightingLog } from './sightings.ts'

export interface EventLimits {
  perObject: number
  total: number
}

/** Of one object. */
interface Group {
  about: string
  logs: readonly SightingLog[]
}

/** Events in the order in which they were last heard of, in all and by what they are about. */
export class EventShelf {
  readonly #limits: EventLimits
  readonly #all = new Map<SightingLog, Group>()
  readonly #byObject = new Map<string, Group>()

  constructor(limits: EventLimits) {
    this.#limits = limits
  }

  /** Puts it last, and returns those for which there is no room any more. */
  touch(log: SightingLog, about: string): SightingLog[] {
    this.delete(log)
    let group = this.#byObject.get(about)
    if (group === undefined) this.#byObject.set(about, (group = { about, logs: [] }))
    group.logs = [...group.logs, log]
    this.#all.set(log, group)
    const crowded = group.logs.length > this.#limits.perObject ? group.logs[0] : undefined
    const surplus = this.#all.size > this.#limits.total ? first(this.#all.keys()) : undefined
    return [...new Set([crowded, surplus])].filter(one => one !== undefined)
  }

  delete(log: SightingLog): void {
    const group = this.#all.get(log)
    if (group === undefined) return
    this.#all.delete(log)
    group.logs = group.logs.filter(other => other !== log)
    if (group.logs.length === 0) this.#byObject.delete(group.about)
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

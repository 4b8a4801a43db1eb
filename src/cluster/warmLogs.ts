/** Which logs were read or written lately: others are put to rest. */

import type { SightingLog } from './sightings.ts'

/** Of one generation; two are kept. */
const LOGS_MAX = 2_500

export class WarmLogs {
  #young = new Set<SightingLog>()
  #old = new Set<SightingLog>()

  touch(log: SightingLog): void {
    if (this.#young.has(log)) return
    this.#young.add(log)
    if (this.#young.size < LOGS_MAX) return
    for (const one of this.#old) if (!this.#young.has(one)) one.rest()
    this.#old = this.#young
    this.#young = new Set()
  }
}

import type { ControllerEvidence } from '../model.ts'

/** How long after the controller said so a service counts as without endpoints; it says so again at every sync. */
const VALID_MS = 600_000
/** The controller's line may be delivered after the first request that it explains. */
const LATE_MS = 2_000
const SERVICES_MAX = 10_000

/** A time without endpoints, from the first line that said so to the last. */
export interface Outage {
  first: ControllerEvidence
  lastMs: number
}

/** What controller lines said about backends: which services had no endpoints, and when. Bounded; the oldest goes first. */
export class BackendFacts {
  readonly #empty = new Map<string, Outage>()
  #hasChanged = false

  /** `service` is `namespace/name`. */
  addNoEndpoints(service: string, line: ControllerEvidence): void {
    const prefix = `${service.replace('/', '-')}-`
    this.#hasChanged = true
    const known = this.#empty.get(prefix)
    const goesOn = known !== undefined && line.timeMs - known.lastMs <= VALID_MS
    this.#empty.delete(prefix)
    this.#empty.set(prefix, { first: goesOn ? known.first : line, lastMs: line.timeMs })
    if (this.#empty.size > SERVICES_MAX) this.#empty.delete(this.#empty.keys().next().value!)
  }

  /** Whether anything was added since the last call. */
  takeChanges(): boolean {
    const hasChanged = this.#hasChanged
    this.#hasChanged = false
    return hasChanged
  }

  /** Everything, for a restart. */
  toJSON(): [prefix: string, outage: Outage][] {
    return [...this.#empty]
  }

  /** What an earlier run knew, or another process: of one service either may know more. What is new is a change. */
  restore(facts: [prefix: string, outage: Outage][]): void {
    for (const [prefix, outage] of facts) {
      const known = this.#empty.get(prefix)
      const whole = known === undefined ? outage : joined(known, outage)
      if (known?.lastMs === whole.lastMs && known.first.timeMs === whole.first.timeMs) continue
      this.#empty.set(prefix, whole)
      this.#hasChanged = true
    }
  }

  /** The line that says that a service whose upstream name this can be had no endpoints around `timeMs`; null: none does. */
  noEndpoints(upstreamName: string, timeMs: number): ControllerEvidence | null {
    // `<namespace>-<service>-<port>`. A port's name may hold dashes, but then so may another service's name: no evidence.
    const outage = this.#empty.get(upstreamName.slice(0, upstreamName.lastIndexOf('-') + 1))
    if (outage && timeMs >= outage.first.timeMs - LATE_MS && timeMs - outage.lastMs <= VALID_MS) return outage.first
    return null
  }
}

/** One outage where they meet, else the later one. */
function joined(one: Outage, other: Outage): Outage {
  const [before, after] = one.first.timeMs <= other.first.timeMs ? [one, other] : [other, one]
  if (after.first.timeMs - before.lastMs > VALID_MS) return after
  return { first: before.first, lastMs: Math.max(before.lastMs, after.lastMs) }
}

/** How long after the controller said so a service counts as without endpoints; it says so again at every sync. */
const VALID_MS = 600_000
/** The controller's line may be delivered after the first request that it explains. */
const LATE_MS = 2_000
const SERVICES_MAX = 10_000

/** What controller lines said about backends: which services had no endpoints, and when. Bounded; the oldest goes first. */
export class BackendFacts {
  readonly #empty = new Map<string, number>()

  /** `service` is `namespace/name`; `timeMs` the time of the line. */
  addNoEndpoints(service: string, timeMs: number): void {
    const prefix = `${service.replace('/', '-')}-`
    this.#empty.delete(prefix)
    this.#empty.set(prefix, timeMs)
    if (this.#empty.size > SERVICES_MAX) this.#empty.delete(this.#empty.keys().next().value!)
  }

  /** True when a service whose upstream name this can be had no endpoints around `timeMs`. */
  hadNoEndpoints(upstreamName: string, timeMs: number): boolean {
    // `<namespace>-<service>-<port>`: the port is all that may follow, and it may hold dashes.
    for (let dash = upstreamName.lastIndexOf('-'); dash > 0; dash = upstreamName.lastIndexOf('-', dash - 1)) {
      const since = this.#empty.get(upstreamName.slice(0, dash + 1))
      if (since !== undefined && timeMs >= since - LATE_MS && timeMs - since <= VALID_MS) return true
    }
    return false
  }
}

/** What a generated file holds, counted while it is written: `explain` must say the same. */
export type Truth = {
  generatorVersion: number
  lines: number
  requests: number
  byStatus: Record<string, number>
  /** Status 5xx, 000 or 009. */
  failures: number
  /** Status 499. */
  clientClosed: number
  /** Status below 400 (and none of the failures) after a failed attempt. */
  masked: number
  multiAttempt: number
  /** By alternative upstream name when it is not empty, else by upstream name, as logged: `-` and the empty name are keys. */
  byUpstream: Record<string, { requests: number; failures: number }>
}

/** Raise when the generator writes other bytes for the same arguments: old data is then made again. */
const GENERATOR_VERSION = 1

export class TruthCounter {
  readonly #byStatus = new Uint32Array(1000)
  readonly #byUpstream = new Map<string, { requests: number; failures: number }>()
  #requests = 0
  #failures = 0
  #masked = 0
  #multiAttempt = 0

  count(status: number, upstreamName: string, attempts: number, isMasked: boolean): void {
    let upstream = this.#byUpstream.get(upstreamName)
    if (upstream === undefined) {
      upstream = { requests: 0, failures: 0 }
      this.#byUpstream.set(upstreamName, upstream)
    }
    this.#requests++
    this.#byStatus[status]!++
    upstream.requests++
    if (status >= 500 || status < 100) {
      this.#failures++
      upstream.failures++
    }
    if (isMasked) this.#masked++
    if (attempts > 1) this.#multiAttempt++
  }

  toTruth(lines: number): Truth {
    const byStatus: Record<string, number> = {}
    this.#byStatus.forEach((requests, status) => {
      if (requests > 0) byStatus[String(status).padStart(3, '0')] = requests
    })
    const byUpstream = Object.fromEntries([...this.#byUpstream].sort(([a], [b]) => (a < b ? -1 : 1)))
    return {
      generatorVersion: GENERATOR_VERSION,
      lines,
      requests: this.#requests,
      byStatus,
      failures: this.#failures,
      clientClosed: this.#byStatus[499]!,
      masked: this.#masked,
      multiAttempt: this.#multiAttempt,
      byUpstream
    }
  }
}

export function isCurrent(truth: Truth): boolean {
  return truth.generatorVersion === GENERATOR_VERSION
}

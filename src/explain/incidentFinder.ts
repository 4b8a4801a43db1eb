/** The incidents of a log that `explain` reads: counts per minute while it reads, a search when it is at the end. */

import { FailureMinutes } from '../alert/failureMinutes.ts'
import { type FoundIncidents, findIncidents } from '../alert/logIncidents.ts'
import type { Sighting } from '../alert/sighting.ts'
import type { Engine } from '../engine.ts'
import type { Failure } from '../model.ts'
import { type SightingOptions, sightingOf } from '../sighting.ts'
import { incidentId } from '../store/identity.ts'
import { rawFailure } from '../store/sink.ts'
import { grouped } from '../text.ts'

/** Service × minute: five years of one service, or a day of two thousand. 40 bytes each. */
export const REQUEST_CELLS_MAX = 3_000_000
/** Series × minute with failures, 120 bytes each; and failures that are kept for what they tell, 1 KiB each. */
const FAILURE_LIMITS = { cells: 1_000_000, kinds: 50_000 }

/** Of a cause and upstream. */
const ALIKE_MAX = 100

export interface IncidentFinderOptions extends SightingOptions {
  /** Of a line that nothing else tells the source of; null: nobody asks for examples and ids of failures. */
  sourceOf: ((stream: string, byteOffset: number) => string) | null
}

export interface ExplainedIncidents extends FoundIncidents {
  /** Why there are none; null: they were looked for. */
  leftOut: string | null
}

export class IncidentFinder {
  readonly #options: IncidentFinderOptions
  readonly #failures = new FailureMinutes(FAILURE_LIMITS)
  /** What stands for all failures that are alike, by cause and upstream; only where nobody asks for more. */
  readonly #alike = new Map<string, Sighting[]>()

  constructor(options: IncidentFinderOptions) {
    this.#options = options
  }

  /** Judged, where anybody judges. */
  failure(failure: Failure): void {
    this.#failures.add(failure, isAlike, this.#sight)
  }

  readonly #sight = (failure: Failure): Sighting => {
    const { sourceOf } = this.#options
    if (sourceOf !== null) return sightingOf(rawFailure(failure, { sourceOf }), this.#options)
    const key = `${failure.cause}\n${failure.upstreamName ?? ''}`
    let alike = this.#alike.get(key)
    if (alike === undefined) this.#alike.set(key, (alike = []))
    let sighting = alike.find(other => isAlike(other, failure))
    if (sighting === undefined) {
      sighting = { ...sightingOf({ failure, source: '' }, this.#options), id: () => '' }
      if (alike.length < ALIKE_MAX) alike.push(sighting)
    }
    return sighting
  }

  /**
   * What was read so far, in whatever order of time. Requests and failures that the engine does not count, because of a window
   * or a service that was asked for, are no part of what is normal either.
   */
  find({ minuteRequests, names }: Engine): ExplainedIncidents {
    if (minuteRequests === null || minuteRequests.isFull || this.#failures.isFull) {
      const leftOut = `incidents were not looked for: more than ${grouped(REQUEST_CELLS_MAX)} minutes of services, or ${grouped(FAILURE_LIMITS.cells)} with failures, are in the logs; --from, --to or --service makes them fewer`
      return { baseline: null, incidents: [], leftOut }
    }
    const requests = new Map(names.names.map((name, id) => [name, minuteRequests.of(id)]))
    const { clusterName } = this.#options
    const found = findIncidents(
      { requests, failures: this.#failures.series },
      { profile: 'normal', idOf: (openedMs, upstream, cause) => incidentId(clusterName, openedMs, upstream, cause) }
    )
    return { ...found, leftOut: null }
  }
}

/** All that an incident counts of a failure is the same. */
function isAlike(sighting: Sighting, { access, errors, masked, judgement }: Failure): boolean {
  if (sighting.masked !== masked || sighting.status !== (access?.record.status ?? null)) return false
  const { pod, namespace } = (access ?? errors[0]!).line
  if (pod === null ? sighting.controllerPod !== null : sighting.controllerPod !== `${namespace ?? ''}/${pod}`)
    return false
  const diagnosis = judgement?.diagnosis ?? null
  const { rootCause } = sighting
  if (diagnosis === null || rootCause === null) return diagnosis === null && rootCause === null
  return (
    rootCause.kind === diagnosis.rootCause &&
    rootCause.ref === diagnosis.ref &&
    sighting.pod === (diagnosis.names.pod ?? null)
  )
}

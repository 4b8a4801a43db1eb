/** Failures of a whole log with what they tell, as a page shows it of an incident: an example, ids, pods. */

import { FailureMinutes, type FailureSeries } from '../alert/failureMinutes.ts'
import { countedSeries } from '../alert/logIncidents.ts'
import type { CountedSeries } from '../alert/logParts.ts'
import { controllerPodName, type Sighting } from '../alert/sighting.ts'
import type { Failure } from '../model.ts'
import { type SightingOptions, sightingOf } from '../sighting.ts'
import { rawFailure } from '../store/sink.ts'
import { FAILURE_CELLS_MAX, type FailureCollector, IncidentFinder } from './incidentFinder.ts'

/** Failures that are kept for what they tell, 1 KiB each. */
const KINDS_MAX = 50_000

export interface SightedFailuresOptions extends SightingOptions {
  /** Of a line that nothing else tells the source of. */
  sourceOf: (stream: string, byteOffset: number) => string
}

export function sightingFinder(options: SightedFailuresOptions): IncidentFinder<FailureSeries> {
  return new IncidentFinder(options.clusterName, new SightedFailures(options))
}

class SightedFailures implements FailureCollector<FailureSeries> {
  readonly #minutes = new FailureMinutes({ cells: FAILURE_CELLS_MAX, kinds: KINDS_MAX })
  readonly #options: SightedFailuresOptions

  constructor(options: SightedFailuresOptions) {
    this.#options = options
  }

  add(failure: Failure): void {
    this.#minutes.add(failure, isAlike, this.#sight)
  }

  get isFull(): boolean {
    return this.#minutes.isFull
  }

  get series(): FailureSeries[] {
    return this.#minutes.series
  }

  counted(series: FailureSeries): CountedSeries {
    return countedSeries(series)
  }

  async sighted(series: FailureSeries): Promise<FailureSeries> {
    return series
  }

  readonly #sight = (failure: Failure): Sighting => sightingOf(rawFailure(failure, this.#options), this.#options)
}

/** All that an incident counts of a failure is the same. */
function isAlike(sighting: Sighting, { access, errors, masked, judgement }: Failure): boolean {
  if (sighting.masked !== masked || sighting.status !== (access?.record.status ?? null)) return false
  const { pod, namespace } = (access ?? errors[0]!).line
  if (sighting.controllerPod !== (pod === null ? null : controllerPodName(namespace, pod))) return false
  const diagnosis = judgement?.diagnosis ?? null
  const { rootCause } = sighting
  if (diagnosis === null || rootCause === null) return diagnosis === null && rootCause === null
  return (
    rootCause.kind === diagnosis.rootCause &&
    rootCause.ref === diagnosis.ref &&
    sighting.pod === (diagnosis.names.pod ?? null)
  )
}

/** The incidents of a log that `explain` reads: counts per minute while it reads, a search when it is at the end. */

import type { FailureSeries } from '../alert/failureMinutes.ts'
import type { FoundIncidents } from '../alert/logIncidents.ts'
import { baselineOf, type CountedSeries, canFire, type LogCounts, partsOf } from '../alert/logParts.ts'
import type { Engine } from '../engine.ts'
import type { Failure } from '../model.ts'
import { grouped } from '../text.ts'
import { countsOf, FailureTally, type TalliedSeries } from './failureTally.ts'

/** Service × minute: five years of one service, or a day of two thousand. 40 bytes each. */
export const REQUEST_CELLS_MAX = 3_000_000
/** Service × cause × minute; of these, what differs by status, or by root cause, counts once more. 60 bytes each. */
export const FAILURE_CELLS_MAX = 1_000_000
const TALLY_CELLS_MAX = 2 * FAILURE_CELLS_MAX

/** Where failures wait for the search. */
export interface FailureCollector<S extends Pick<CountedSeries, 'upstream' | 'cause'>> {
  /** Judged, where anybody judges. */
  add(failure: Failure): void
  /** There are too many: nothing is known any more. */
  readonly isFull: boolean
  readonly series: S[]
  counted(series: S): CountedSeries
  /** With what its failures tell. Asked for of series with an incident alone. */
  sighted(series: S): Promise<FailureSeries>
}

export interface ExplainedIncidents extends FoundIncidents {
  /** Why there are none; null: they were looked for. */
  leftOut: string | null
}

export class IncidentFinder<S extends Pick<CountedSeries, 'upstream' | 'cause'>> {
  readonly #clusterName: string
  readonly #failures: FailureCollector<S>

  constructor(clusterName: string, failures: FailureCollector<S>) {
    this.#clusterName = clusterName
    this.#failures = failures
  }

  failure(failure: Failure): void {
    this.#failures.add(failure)
  }

  /**
   * What was read so far, in whatever order of time. Requests and failures that the engine does not count, because of a window
   * or a service that was asked for, are no part of what is normal either.
   */
  async find({ minuteRequests, names }: Engine): Promise<ExplainedIncidents> {
    const { series } = this.#failures
    if (minuteRequests === null || minuteRequests.isFull || this.#failures.isFull) {
      const leftOut = `incidents were not looked for: more than ${grouped(REQUEST_CELLS_MAX)} minutes of services, or ${grouped(FAILURE_CELLS_MAX)} with failures, are in the logs; --from, --to or --service makes them fewer`
      return { baseline: null, incidents: [], leftOut }
    }
    const counts: LogCounts = {
      requests: new Map(names.names.map((name, id) => [name, minuteRequests.of(id)])),
      failures: series.map(one => this.#failures.counted(one))
    }
    return { ...(await this.#search(counts, series)), leftOut: null }
  }

  /** What searches is loaded only where there is something to be found: most logs are short, and have few failures. */
  async #search(counts: LogCounts, series: S[]): Promise<FoundIncidents> {
    const parts = partsOf(counts)
    const baseline = baselineOf(parts)
    // The detector of long logs finds services without requests, too.
    const isHopeless = baseline === null || (baseline === 'median' && !counts.failures.some(canFire))
    if (isHopeless) return { baseline, incidents: [] }
    const { findSpikes } = await import('../alert/logSpikes.ts')
    const spikes = findSpikes(counts, parts, 'normal')
    if (spikes.findings.length === 0) return { baseline, incidents: [] }
    const { incidentsOf } = await import('../alert/logIncidents.ts')
    const { incidentId } = await import('../store/identity.ts')
    const found = new Set(spikes.findings.map(({ upstream, cause }) => `${cause}\n${upstream}`))
    const failures = await Promise.all(
      series.filter(({ upstream, cause }) => found.has(`${cause}\n${upstream}`)).map(one => this.#failures.sighted(one))
    )
    const incidents = incidentsOf(
      spikes,
      { requests: counts.requests, failures },
      {
        profile: 'normal',
        idOf: (openedMs, upstream, cause) => incidentId(this.#clusterName, openedMs, upstream, cause)
      }
    )
    return { baseline, incidents }
  }
}

/** Of failures that nobody asks for examples and ids of. */
export function tallyFinder(clusterName: string): IncidentFinder<TalliedSeries> {
  return new IncidentFinder(clusterName, new TallyCollector(TALLY_CELLS_MAX))
}

class TallyCollector extends FailureTally implements FailureCollector<TalliedSeries> {
  counted(series: TalliedSeries): CountedSeries {
    return countsOf(series)
  }

  async sighted(series: TalliedSeries): Promise<FailureSeries> {
    return (await import('./talliedSightings.ts')).sightedSeries(series)
  }
}

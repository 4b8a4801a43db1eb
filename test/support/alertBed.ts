/** Alerts without a pipeline: batches as the judge gives them, at the wall time that a test says. */
import { type Alerting, openAlerting } from '../../src/alert/alerting.ts'
import type { Incident } from '../../src/alert/incident.ts'
import type { IncidentGroup } from '../../src/alert/notice.ts'
import { AlertService, type AlertServiceOptions } from '../../src/alertService.ts'
import type { ClassifiedBatch } from '../../src/judge.ts'
import type { Failure } from '../../src/model.ts'
import { incidentId } from '../../src/store/identity.ts'
import { type RawFailure, rawFailure } from '../../src/store/sink.ts'
import type { CountRow, TotalsSum } from '../../src/store/store.ts'
import { options } from '../store/examples.ts'
import { batch, totals } from '../store/failures.ts'
import { runEngine } from './engineRun.ts'
import { accessLine } from './lines.ts'

export const UPSTREAM = 'shop-cart-80'
export const MINUTE_MS = 60_000

export function freshAlerting(): Alerting {
  return openAlerting({
    profile: 'normal',
    idOf: (openedMs, upstream, cause) => incidentId('prod', openedMs, upstream, cause)
  })
}

/** A request that nobody answered, as the engine decides it. */
const [EXAMPLE] = runEngine([
  accessLine({ timeMs: 0, status: 502, name: UPSTREAM, up: '10.0.0.7:80|0|0.001|502' })
]).failures

export function failureAt(timeMs: number, isJudgedAgain = false): RawFailure {
  const access = EXAMPLE!.access!
  const line = { ...access.line, written: String(timeMs) }
  const failure: Failure = { ...EXAMPLE!, timeMs, access: { ...access, line, timeMs, isJudgedAgain } }
  return rawFailure(failure, options())
}

export const CAUSE = EXAMPLE!.cause

/** Requests of a minute of which so many failed. */
export function minuteBatch(minuteMs: number, requests: number, failures: number): ClassifiedBatch {
  const { failures: _, ...rest } = batch({})
  const classified = Array.from({ length: failures }, (_, i) => failureAt(minuteMs + i * 10))
  return { ...rest, totals: [totals({ minuteMs, upstream: UPSTREAM, requests })], classified }
}

/** What a store would answer for the same minutes. */
export function storedMinutes(minutes: readonly { minuteMs: number; requests: number; failures: number }[]) {
  const within = ({ fromMs, toMs }: { fromMs: number; toMs: number }) =>
    minutes.filter(({ minuteMs }) => minuteMs >= fromMs && minuteMs < toMs)
  return {
    totals: async (filter: { fromMs: number; toMs: number }): Promise<TotalsSum[]> =>
      within(filter).map(({ minuteMs, requests }) => {
        const {
          container: _,
          stream: __,
          minuteMs: timeMs,
          ...sums
        } = totals({ minuteMs, upstream: UPSTREAM, requests })
        return { ...sums, timeMs }
      }),
    counts: async (filter: { fromMs: number; toMs: number }): Promise<CountRow[]> =>
      within(filter)
        .filter(({ failures }) => failures > 0)
        .map(({ minuteMs, failures }) => ({
          timeMs: minuteMs,
          upstream: UPSTREAM,
          cause: CAUSE,
          failed: failures,
          masked: 0,
          other: 0
        })),
    incidents: async (): Promise<Incident[]> => [],
    close: async () => {}
  }
}

export interface AlertBed {
  service: AlertService
  /** All that was stored, by id, as it was then. */
  stored: Map<string, Incident>
  /** What receivers were told to know, newest last. */
  told: (readonly IncidentGroup[])[]
  said: string[]
}

export function alertBed(given: Partial<AlertServiceOptions> = {}): AlertBed {
  const stored = new Map<string, Incident>()
  const told: (readonly IncidentGroup[])[] = []
  const said: string[] = []
  const service = new AlertService({
    alerting: freshAlerting(),
    documents: options(),
    pace: 'live',
    fromMs: Number.NEGATIVE_INFINITY,
    readsAgain: false,
    tell: groups => void told.push(groups),
    store: incidents => {
      for (const incident of incidents) stored.set(incident.id, structuredClone(incident))
    },
    controllers() {},
    say: text => void said.push(text),
    ...given
  })
  return { service, stored, told, said }
}

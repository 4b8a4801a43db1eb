/** What is chosen of a dashboard: by flags, and where these name no upstream, by what the store knows. */

import type { Dashboard } from '../dashboards/dashboard.ts'
import { Why5xxError } from '../errors.ts'
import { EVERY_INCIDENT } from '../store/incidentFilter.ts'
import { matchesService } from '../store/serviceFilter.ts'
import type { StoreReader } from '../store/store.ts'
import { EVERY_VALUE } from '../store/tableParam.ts'
import { safeText } from '../text.ts'
import { wantedCauses } from './filters.ts'

export interface ParamFlags {
  service?: string[]
  cause?: string
  incident?: string
}

/** By name of the parameter; services as they were given. */
export type Params = Record<string, string | readonly string[]>

export interface Range {
  fromMs: number
  toMs: number
}

const PARAMS = ['service', 'cause', 'incident'] as const
/** What came before an incident belongs to its picture. */
const BEFORE_MS = 10 * 60_000
const MINUTE_MS = 60_000

/** Throws Why5xxError `WHY5XX_USAGE` for what a dashboard is not by. */
export async function paramsOf(dashboard: Dashboard, flags: ParamFlags): Promise<Params> {
  const params: Params = {}
  for (const name of PARAMS) {
    const value = flags[name]
    if (value === undefined) continue
    if (!dashboard.params.some(param => param.name === name))
      throw new Why5xxError('WHY5XX_USAGE', `the dashboard ${dashboard.name} is not by ${name}: leave --${name} out`)
    params[name] = value
  }
  if (flags.cause !== undefined) await wantedCauses([flags.cause], ['no_requests'])
  return params
}

/** Upstream names alone: there is no store that knows others. Throws Why5xxError `WHY5XX_USAGE`. */
export function checkUpstreams({ service = [] }: ParamFlags): void {
  const other = service.find(isNoUpstream)
  if (other !== undefined)
    throw new Why5xxError(
      'WHY5XX_USAGE',
      `--service ${safeText(other)}: ES|QL needs the upstream name, such as shop-cart-80; no store is asked for it`
    )
}

/** `namespace/service` is every port of it that had a request or a failure in the window. */
export async function withUpstreams(reader: StoreReader, params: Params, range: Range): Promise<Params> {
  const { service } = params
  if (typeof service !== 'object' || !service.some(isNoUpstream)) return params
  const names = new Set(service.filter(name => !isNoUpstream(name)))
  const services = service.filter(isNoUpstream)
  const filter = { ...range, services, causes: [], pods: [], statuses: [] }
  for (const { upstream } of await reader.totals(filter, Number.POSITIVE_INFINITY)) names.add(upstream)
  for (const { upstream } of await reader.counts(filter, Number.POSITIVE_INFINITY)) names.add(upstream)
  return { ...params, service: [...names].sort() }
}

/** Names that had a request in the window. */
export async function upstreamsIn(reader: StoreReader, range: Range): Promise<string[]> {
  const filter = { ...range, services: [], causes: [], pods: [], statuses: [] }
  return (await reader.totals(filter, Number.POSITIVE_INFINITY)).map(({ upstream }) => upstream)
}

export function isAmong(services: readonly string[], upstreams: readonly string[]): boolean {
  return upstreams.some(upstream => matchesService(services, { upstream, service: '' }))
}

/** An upstream name has no slash. */
function isNoUpstream(service: string): boolean {
  return service.includes('/')
}

/** A failure does not say to which incident it belongs: that is its service, its cause and its time. */
export async function ofIncident(
  reader: StoreReader,
  id: string,
  { params, range, where }: { params: Params; range: Range; where: string }
): Promise<Range & { params: Params }> {
  const incident = (await reader.incidents(EVERY_INCIDENT)).find(one => one.id === id)
  if (incident === undefined)
    throw new Why5xxError(
      'WHY5XX_USAGE',
      `there is no incident ${safeText(id)} in ${where}; why5xx incidents --since 30d prints ids`
    )
  const endMs = Math.max(incident.endMs ?? Date.now(), incident.updatedMs) + MINUTE_MS
  return {
    params: { service: incident.upstream === '' ? EVERY_VALUE : [incident.upstream], cause: incident.cause, ...params },
    fromMs: Number.isFinite(range.fromMs) ? range.fromMs : incident.startMs - BEFORE_MS,
    toMs: Number.isFinite(range.toMs) ? range.toMs : endMs
  }
}

/**
 * A filter as an Elasticsearch query. Values are data: only exact terms, or patterns in which every character of the value
 * stands for itself.
 */

import type { estypes } from '@elastic/elasticsearch'
import type { IncidentFilter, StoreFilter } from '../store.ts'

export type Query = NonNullable<estypes.QueryDslQueryContainer>

export const UPSTREAM = 'why5xx.upstream.name'
const SERVICE = 'service.name'
const POD = 'kubernetes.pod.name'
const ADDRESS = 'why5xx.upstream.address'
const STATUS = 'http.response.status_code'

/** What `Date` can hold; a filter's open ends are beyond. */
const DATE_MS_MAX = 8.64e15
/** Far longer than any address; the server takes patterns of at most 1,000 characters, and each may need a backslash. */
const ADDRESS_CHARS_MAX = 400

/** Of Lucene. */
const TERM_BYTES_MAX = 32_766

/**
 * Values longer than the mapping's `ignore_above` are in no index: such documents are found by this, and judged by their
 * `_source`, so that no name however long is left out.
 */
export const IGNORED: Query = { terms: { _ignored: [UPSTREAM, SERVICE, POD, ADDRESS] } }

export const COUNTED: Query = {
  bool: { should: [{ range: { [STATUS]: { gte: 500, lte: 599 } } }, { terms: { [STATUS]: [0, 9] } }] }
}
export const MASKED: Query = { bool: { filter: [{ term: { 'why5xx.masked': true } }], must_not: [COUNTED] } }

/** By time alone. */
export function timeQuery({ fromMs, toMs }: Pick<StoreFilter, 'fromMs' | 'toMs'>): Query {
  if (fromMs === Number.NEGATIVE_INFINITY && toMs === Number.POSITIVE_INFINITY) return { match_all: {} }
  return {
    range: {
      '@timestamp': {
        ...(fromMs !== Number.NEGATIVE_INFINITY && { gte: limit(fromMs) }),
        ...(toMs !== Number.POSITIVE_INFINITY && { lt: limit(toMs) }),
        format: 'epoch_millis'
      }
    }
  }
}

/** All of a filter, for documents whose values are all in the index: with `IGNORED` ones left out, exactly `matchesFilter`. */
export function failureQuery(filter: StoreFilter): Query {
  const { services, causes, pods, statuses } = filter
  const filters = [timeQuery(filter)]
  if (services.length > 0) filters.push(serviceQuery(services, true))
  if (causes.length > 0) filters.push(oneOf('why5xx.cause', causes))
  if (pods.length > 0) filters.push(anyOf([oneOf(POD, pods), oneOf(ADDRESS, pods), ...pods.flatMap(withoutPort)]))
  if (statuses.length > 0) filters.push({ terms: { [STATUS]: statuses } })
  return { bool: { filter: filters } }
}

/** The same, and every document that only its `_source` can judge. */
export function candidateQuery(filter: StoreFilter): Query {
  const filters = [timeQuery(filter), anyOf([failureQuery(filter), IGNORED])]
  const { ingested, partitions } = filter
  if (partitions !== undefined) filters.push({ terms: { 'why5xx.origin.partition': [...partitions] } })
  if (ingested !== undefined) {
    const range = { gte: limit(ingested.fromMs), lte: limit(ingested.toMs), format: 'epoch_millis' }
    filters.push({ range: { 'event.ingested': range } })
  }
  return { bool: { filter: filters } }
}

function range(field: string, bounds: Record<string, number>): Query {
  return { range: { [field]: { ...bounds, format: 'epoch_millis' } } }
}

function limit(ms: number): number {
  return Math.max(-DATE_MS_MAX, Math.min(DATE_MS_MAX, Math.ceil(ms)))
}

export function totalsQuery(filter: StoreFilter): Query {
  const filters = [timeQuery(filter)]
  if (filter.services.length > 0) filters.push(serviceQuery(filter.services, false))
  return { bool: { filter: filters } }
}

/** By time and state; the rest of a filter is judged by the incidents themselves. What says nothing of these is found too. */
export function incidentQuery({ fromMs, toMs, state }: IncidentFilter): Query {
  const not: Query[] = []
  if (fromMs !== Number.NEGATIVE_INFINITY) not.push(range('event.end', { lte: limit(fromMs) }))
  if (toMs !== Number.POSITIVE_INFINITY) not.push(range('event.start', { gte: limit(toMs) }))
  if (state !== null) not.push({ term: { 'why5xx.incident.state': state === 'open' ? 'resolved' : 'open' } })
  return { bool: { filter: [{ match_all: {} }], must_not: not } }
}

export function both(...queries: Query[]): Query {
  return { bool: { filter: queries } }
}

export function butNot(query: Query, without: Query): Query {
  return { bool: { filter: [query], must_not: [without] } }
}

/** The same as `matchesService`. Totals have an upstream name alone. */
function serviceQuery(services: readonly string[], hasService: boolean): Query {
  const parts = [oneOf(UPSTREAM, services)]
  if (hasService) parts.push(oneOf(SERVICE, services))
  for (const service of services) {
    // The empty name is that of documents which have none.
    if (service === '') parts.push({ bool: { must_not: [{ exists: { field: UPSTREAM } }] } })
    if (!service.includes('/') || !isTerm(service)) continue
    // Everything before the last hyphen, which stands before the port. What begins with `shop-cart-` stands in front
    // of `shop-cart.`; a query by prefix takes 1,000 characters only.
    const name = wellFormed(service.replace('/', '-'))
    const value = `${name.replace(/[*?\\]/g, '\\$&')}-*-*`
    parts.push(
      butNot({ range: { [UPSTREAM]: { gte: `${name}-`, lt: `${name}.` } } }, { wildcard: { [UPSTREAM]: { value } } })
    )
  }
  return anyOf(parts)
}

/** `10.2.3.14` finds `10.2.3.14:8080`. */
function withoutPort(pod: string): Query[] {
  if (pod.length > ADDRESS_CHARS_MAX) return []
  // Whatever may have a meaning in a pattern; letters and digits get another one by a backslash.
  const value = `${wellFormed(pod).replace(/[^\p{L}\p{N}_]/gu, '\\$&')}:[0-9]+`
  return [{ regexp: { [ADDRESS]: { value, flags: 'NONE' } } }]
}

/** Exactly one of these texts. */
export function oneOf(field: string, values: readonly string[]): Query {
  return { terms: { [field]: values.filter(isTerm).map(wellFormed) } }
}

/** Longer ones are in no index, and a query with one is refused. */
function isTerm(text: string): boolean {
  return Buffer.byteLength(text) <= TERM_BYTES_MAX
}

function anyOf(queries: Query[]): Query {
  return { bool: { should: queries, minimum_should_match: 1 } }
}

/** Half of a surrogate pair is no text, and stands nowhere in the index. */
function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, '\ufffd')
}

/** Collects what a store or a log tells of a window, in any order and in bounded memory, into one timeline. */

import type { Cause } from '../../parsers/causes.ts'
import type { Incident } from '../alert/incident.ts'
import { incidentEntry } from '../alert/incidentEntry.ts'
import { nearest } from '../nearest.ts'
import type { SourceGap } from '../source/source.ts'
import type { FailureDocument } from '../store/document.ts'
import { matchesIncident } from '../store/incidentFilter.ts'
import { matchesService } from '../store/serviceFilter.ts'
import type { ControllerRow, FailureRow, TotalsSum } from '../store/store.ts'
import { addCounts, BoundedMap, FoldedCounts } from './bounded.ts'
import { CauseGroup, countsOf, type Documented, kindOf, ONE } from './causeGroup.ts'
import { ControllerEvents } from './controllerEvents.ts'
import { courseOf, DOCUMENT_KINDS, iso, MINUTE_MS, silencesOf } from './course.ts'
import type { Course, DocumentCounts, DocumentKind, Instead, Listed, Moment, SeriesEntry, Timeline } from './model.ts'
import { foldClient, foldRoute, routeOf } from './route.ts'
import { Series, stepFor } from './series.ts'

const GROUPS_MAX = 5_000
const GROUPS_SHOWN = 20
const UPSTREAMS_MAX = 2_000
const UPSTREAMS_SHOWN = 10
const SERVICES_SHOWN = 20
const ROUTES_MAX = 2_000
const CLIENTS_MAX = 10_000
const TOP = 10
const GAPS_SHOWN = 50
const INCIDENTS_SHOWN = 100
/** 34 days of minutes. */
const MINUTES_MAX = 50_000
const CAUSE_CELLS_MAX = 1_000
const BUCKETS_MAX = 240

export interface TimelineFilter {
  /** `[fromMs, toMs)`, whole minutes, Unix ms; ±Infinity: as far as the data goes. */
  fromMs: number
  toMs: number
  services: string[]
  causes: string[]
}

/** What only the caller can know, where nothing was found. */
export interface Known {
  span: { fromMs: number; toMs: number } | null
  upstreams: string[]
}

export class TimelineBuilder {
  readonly #filter: TimelineFilter
  readonly #groups = new BoundedMap<CauseGroup>(
    GROUPS_MAX,
    key => {
      const [cause = '', upstream = ''] = key.split('\n')
      return new CauseGroup(cause as Cause, upstream)
    },
    (into, from) => into.merge(from)
  )
  /** Failed, masked, other. */
  readonly #documents = new Series(MINUTES_MAX)
  /** Requests, failed, masked, client closed. */
  readonly #totals = new Series(MINUTES_MAX)
  readonly #byCause = new Map<Cause, Series>()
  /** Requests, failed of these, documents of failed ones. */
  readonly #upstreams = new BoundedMap<number[]>(UPSTREAMS_MAX, () => [0, 0, 0], addCounts)
  readonly #services = new BoundedMap<number[]>(UPSTREAMS_MAX, () => [0], addCounts)
  readonly #routes = new FoldedCounts(ROUTES_MAX, foldRoute)
  readonly #clients = new FoldedCounts(CLIENTS_MAX, foldClient)
  readonly #controller = new ControllerEvents()
  readonly #gaps: SourceGap[] = []
  readonly #incidents: Incident[] = []
  readonly #rejects = new Map<string, number>()
  readonly #first: Partial<Record<DocumentKind, FailureRow>> = {}
  readonly #last: Partial<Record<DocumentKind, FailureRow>> = {}

  constructor(filter: TimelineFilter) {
    this.#filter = filter
  }

  /** A failure; the document now, or at the end if `exampleIds` asks for it. */
  failure(row: FailureRow, stored: Documented | null): void {
    const { causes, services } = this.#filter
    if (!this.#isWithin(row.timeMs) || (causes.length > 0 && !causes.includes(row.cause))) return
    if (!matchesService(services, row)) return
    const kind = kindOf(row)
    const one = ONE[kind]
    this.#groups.of(`${row.cause}\n${row.upstream}`).add(row, stored)
    this.#documents.add(row.timeMs, one)
    let byCause = this.#byCause.get(row.cause)
    if (!byCause) this.#byCause.set(row.cause, (byCause = new Series(CAUSE_CELLS_MAX)))
    byCause.add(row.timeMs, one)
    // Without totals an upstream is known by its failures alone.
    if (row.upstream !== '') addCounts(this.#upstreams.of(row.upstream), [0, 0, one[0]!])
    if (row.service !== '' && row.service !== row.upstream) this.#services.of(row.service)[0]!++
    this.#routes.add(routeOf(row.method, row.path), one)
    if (row.client !== null) this.#clients.add(row.client, one)
    const { [kind]: first = row } = this.#first
    const { [kind]: last = row } = this.#last
    this.#first[kind] = isBefore(row, first) ? row : first
    this.#last[kind] = isBefore(last, row) ? row : last
  }

  /** Counts of a minute and upstream; they add up. */
  totals(row: TotalsSum): void {
    const { timeMs, upstream, requests, failures, masked, clientClosed } = row
    if (requests === 0 || !this.#isWithin(timeMs)) return
    if (!matchesService(this.#filter.services, { upstream, service: '' })) return
    this.#totals.add(timeMs, [requests, failures, masked, clientClosed])
    if (upstream !== '') addCounts(this.#upstreams.of(upstream), [requests, failures])
  }

  controller(row: ControllerRow): void {
    if (this.#isWithin(row.timeMs) && this.#isOfService(row.service)) this.#controller.add(row)
  }

  gap(gap: SourceGap): void {
    if (this.#isWithin(gap.atMs)) this.#gaps.push(gap)
  }

  incidents(list: readonly Incident[]): void {
    const filter = { ...this.#filter, state: null }
    for (const incident of list) if (matchesIncident(filter, incident)) this.#incidents.push(incident)
  }

  rejects(code: string, count: number): void {
    this.#rejects.set(code, (this.#rejects.get(code) ?? 0) + count)
  }

  /** No request and no document. */
  get isEmpty(): boolean {
    return Object.keys(this.#first).length === 0 && this.#totals.cells().length === 0
  }

  /** Ids whose documents are wanted as evidence. */
  exampleIds(): string[] {
    return this.#shownGroups().shown.flatMap(group => group.exampleIds())
  }

  /** `documents`: of `exampleIds`, in any order; what `failure` was given need not be there. */
  finish(documents: FailureDocument[], known: Known): Timeline {
    const byId = new Map(documents.map(document => [(document.event as { id: string }).id, document]))
    const totals = this.#totals.cells()
    const sums = totals.reduce((all, { values }) => all.map((sum, i) => sum + values[i]!), [0, 0, 0, 0])
    const [requests = 0, failed = 0, masked = 0, clientClosed = 0] = sums
    const counts = this.#documents.cells().reduce((all, { values }) => all.map((sum, i) => sum + values[i]!), [0, 0, 0])
    const basis = counts.findIndex(count => count > 0)
    const data = this.#dataSpan()
    const window = this.#window(data)
    const { shown, more, rest } = this.#shownGroups()
    return {
      schema: 1,
      window: window && {
        from: iso(window.fromMs),
        to: iso(window.toMs),
        minutes: (window.toMs - window.fromMs) / MINUTE_MS
      },
      data: data && { from: iso(data.fromMs), to: iso(data.toMs) },
      filters: { services: this.#filter.services, causes: this.#filter.causes },
      upstreams: this.#shownUpstreams(),
      services: this.#services
        .entries()
        .map(([name]) => name)
        .slice(0, SERVICES_SHOWN),
      requests,
      failed,
      share: requests === 0 ? null : failed / requests,
      masked,
      clientClosed,
      documents: countsOf(counts),
      course: courseOf(this.#documents, this.#totals, basis, data?.toMs ?? 0, this.#moments(basis)),
      causes: { shown: shown.map(group => group.entry(Math.max(0, basis), byId)), more, rest },
      routes: {
        ...listed(this.#routes, (route, sums) => ({ route, ...sums })),
        areShortened: this.#routes.level > 0
      },
      clients: {
        ...listed(this.#clients, (client, sums) => ({ client, ...sums })),
        areNetworks: this.#clients.level > 0,
        distinct: this.#clients.level > 0 ? null : this.#clients.size
      },
      series: this.#series(window, basis),
      controller: this.#controller.list(),
      incidents: this.#shownIncidents(),
      gaps: this.#shownGaps(),
      rejects: [...this.#rejects]
        .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
        .map(([code, count]) => ({ code, count })),
      silences: silencesOf(this.#totals),
      instead: this.isEmpty ? this.#instead(known) : null
    }
  }

  #moments(basis: number): Pick<Course, 'first' | 'last' | 'warning'> {
    const kind = DOCUMENT_KINDS[basis]
    if (kind === undefined) return { first: null, last: null, warning: null }
    const first = this.#first[kind]!
    const { masked } = this.#first
    const warns = kind === 'failed' && masked !== undefined && masked.timeMs < first.timeMs
    return { first: momentOf(first), last: momentOf(this.#last[kind]!), warning: warns ? momentOf(masked) : null }
  }

  #isWithin(timeMs: number): boolean {
    return timeMs >= this.#filter.fromMs && timeMs < this.#filter.toMs
  }

  /** Controller lines name a service as `namespace/name`, upstreams have its port behind it. */
  #isOfService(service: string | null): boolean {
    const { services } = this.#filter
    if (service === null || services.length === 0) return true
    const dashed = service.replace('/', '-')
    return services.some(wanted => wanted === service || wanted.slice(0, wanted.lastIndexOf('-')) === dashed)
  }

  /** From the first to behind the last minute that holds anything. */
  #dataSpan(): { fromMs: number; toMs: number } | null {
    const cells = [...this.#totals.cells(), ...this.#documents.cells()]
    if (cells.length === 0) return null
    const firstMs = cells.reduce((least, cell) => Math.min(least, cell.firstMs), Number.POSITIVE_INFINITY)
    const lastMs = cells.reduce((most, cell) => Math.max(most, cell.lastMs), Number.NEGATIVE_INFINITY)
    return {
      fromMs: Math.floor(firstMs / MINUTE_MS) * MINUTE_MS,
      toMs: (Math.floor(lastMs / MINUTE_MS) + 1) * MINUTE_MS
    }
  }

  #window(data: { fromMs: number; toMs: number } | null): { fromMs: number; toMs: number } | null {
    const { fromMs, toMs } = this.#filter
    const from = Number.isFinite(fromMs) ? fromMs : data?.fromMs
    const to = Number.isFinite(toMs) ? toMs : data?.toMs
    return from === undefined || to === undefined ? null : { fromMs: from, toMs: to }
  }

  #shownGroups(): Listed<CauseGroup> & { rest: DocumentCounts } {
    const groups = this.#groups
      .entries()
      .map(([, group]) => group)
      .sort((a, b) => b.counts[0]! - a.counts[0]! || b.documents - a.documents || a.firstMs - b.firstMs)
    const rest = [0, 0, 0]
    for (const group of groups.slice(GROUPS_SHOWN)) addCounts(rest, group.counts)
    if (this.#groups.rest !== null) addCounts(rest, this.#groups.rest.counts)
    return {
      shown: groups.slice(0, GROUPS_SHOWN),
      more: Math.max(0, groups.length - GROUPS_SHOWN),
      rest: countsOf(rest)
    }
  }

  #shownUpstreams(): Timeline['upstreams'] {
    const all = this.#upstreams
      .entries()
      .map(([name, [requests = 0, failed = 0, documents = 0]]) => ({
        name,
        requests,
        failed: requests === 0 ? documents : failed
      }))
      .sort((a, b) => b.failed - a.failed || b.requests - a.requests)
    return { shown: all.slice(0, UPSTREAMS_SHOWN), more: Math.max(0, all.length - UPSTREAMS_SHOWN) }
  }

  #series(window: { fromMs: number; toMs: number } | null, basis: number): SeriesEntry {
    if (window === null) return { from: iso(0), stepMinutes: 1, requests: [], failed: [], masked: [], byCause: [] }
    const stepMs = Math.max(
      stepFor(window.fromMs, window.toMs, BUCKETS_MAX),
      this.#totals.stepMs,
      this.#documents.stepMs
    )
    const fromMs = Math.floor(window.fromMs / stepMs) * stepMs
    const count = Math.ceil((window.toMs - fromMs) / stepMs)
    const column = (series: Series, at: number): number[] => series.buckets(fromMs, stepMs, count, at)
    const byCause = [...this.#byCause]
      .map(([cause, series]) => ({ cause, counts: column(series, Math.max(0, basis)) }))
      .map(entry => ({ ...entry, sum: entry.counts.reduce((total, value) => total + value, 0) }))
      .filter(entry => entry.sum > 0)
      .sort((a, b) => b.sum - a.sum || (a.cause < b.cause ? -1 : 1))
      .map(({ cause, counts }) => ({ cause, counts }))
    return {
      from: iso(fromMs),
      stepMinutes: stepMs / MINUTE_MS,
      requests: column(this.#totals, 0),
      failed: column(this.#totals, 1),
      masked: column(this.#totals, 2),
      byCause
    }
  }

  #shownGaps(): Timeline['gaps'] {
    const gaps = this.#gaps
      .sort((a, b) => a.atMs - b.atMs || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.text < b.text ? -1 : 1))
      .map(({ atMs, name, bytes, reason, text }) => ({ at: iso(atMs), name, bytes, reason, text }))
    return { shown: gaps.slice(0, GAPS_SHOWN), more: Math.max(0, gaps.length - GAPS_SHOWN) }
  }

  /** Where there are too many the ones with the most failures stay. */
  #shownIncidents(): Timeline['incidents'] {
    const shown = [...this.#incidents]
      .sort((a, b) => b.failures - a.failures || (a.id < b.id ? -1 : 1))
      .slice(0, INCIDENTS_SHOWN)
      .sort((a, b) => a.startMs - b.startMs || (a.id < b.id ? -1 : 1))
    return { shown: shown.map(incidentEntry), more: this.#incidents.length - shown.length }
  }

  #instead({ span, upstreams }: Known): Instead {
    const names = [...new Set(upstreams)].sort()
    return {
      span: span && { from: iso(span.fromMs), to: iso(span.toMs) },
      upstreams: { shown: names.slice(0, TOP), more: Math.max(0, names.length - TOP) },
      nearest: this.#filter.services.map(service => ({ service, upstream: nearestUpstream(service, names) }))
    }
  }
}

function listed<T>(counts: FoldedCounts, entry: (key: string, sums: DocumentCounts) => T): Listed<T> {
  const shown = counts.top(TOP).map(([key, sums]) => entry(key, countsOf(sums)))
  return { shown, more: counts.size - shown.length }
}

function isBefore(a: FailureRow, b: FailureRow): boolean {
  return a.timeMs !== b.timeMs ? a.timeMs < b.timeMs : a.id < b.id
}

function momentOf(row: FailureRow): Moment {
  const { id, timeMs, cause, upstream, address, status, method, path } = row
  return { at: iso(timeMs), id, cause, upstream, address, status, method, path }
}

/** By `namespace-service` where a service was asked for so, else by the whole name. */
function nearestUpstream(service: string, names: string[]): string | null {
  const wanted = service.replace('/', '-')
  const byShape = new Map(names.map(name => [service.includes('/') ? name.replace(/-[^-]*$/, '') : name, name]))
  const near = nearest(wanted, byShape.keys(), Math.max(2, Math.floor(wanted.length / 3)))
  return near === null ? null : byShape.get(near)!
}

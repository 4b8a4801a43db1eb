/**
 * Questions that several dashboards ask, each of all documents or of those of one service or incident. Pure.
 *
 * A service is told by its upstream name in all of them: it is the one name that totals, failures and incidents share.
 */

import type { Condition, CountedTable, Grouping, Measure, Order, TableKind } from '../store/table.ts'

/** What a client saw: neither saved by a retry nor answered by a default backend. Of any status: rates count 5xx alone. */
export const SEEN_BY_CLIENTS: Condition = { field: 'why5xx.masked', is: [false] }

export const OPEN: Condition = { field: 'why5xx.incident.state', is: ['open'] }

/** Of the parameters of dashboards. */
export const THIS_SERVICE: Condition = { field: 'why5xx.upstream.name', isParam: 'service' }

/** Rows of a chart: the buckets of a window by the values of a breakdown. */
const CHART_ROWS = 5_000
/** Rows of a table that somebody reads. */
export const TABLE_ROWS = 50

export const TIME: Grouping = { as: 'time', bucketOf: '@timestamp' }
const FAILURES: Measure = { as: 'failures', count: true }

export const MOST_FIRST: Order = { by: 'failures', order: 'descending' }

type Asked = Pick<CountedTable, 'by' | 'measures'> & Partial<CountedTable>

/** One row. */
export function numbers(from: TableKind, where: readonly Condition[], measures: readonly Measure[]): CountedTable {
  return { from, where, timeField: '@timestamp', by: [], measures, sort: [], limit: 1 }
}

/** A chart over the time of the documents. */
export function overTime(
  from: TableKind,
  where: readonly Condition[],
  { by, measures, ...other }: Asked
): CountedTable {
  return {
    from,
    where,
    timeField: '@timestamp',
    by: [TIME, ...by],
    measures,
    sort: [{ by: 'time', order: 'ascending' }],
    limit: CHART_ROWS,
    ...other
  }
}

/** Groups with the most failures first. */
export function ranking(from: TableKind, where: readonly Condition[], { by, measures, ...other }: Asked): CountedTable {
  return { from, where, timeField: '@timestamp', by, measures, sort: [MOST_FIRST], limit: TABLE_ROWS, ...other }
}

/** Totals of all requests, successes too. */
const RATE: readonly Measure[] = [
  { as: 'failures', sum: 'why5xx.rollup.failures' },
  { as: 'requests', sum: 'why5xx.rollup.requests' },
  { as: 'error_rate', percent: ['failures', 'requests'] }
]

export function errorRate(where: readonly Condition[]): CountedTable {
  return numbers('rollup', where, RATE)
}

export function errorRateOverTime(where: readonly Condition[], by: readonly Grouping[] = []): CountedTable {
  return overTime('rollup', where, { by, measures: RATE })
}

export function masked(where: readonly Condition[]): CountedTable {
  return numbers('rollup', where, [
    { as: 'masked', sum: 'why5xx.rollup.masked' },
    { as: 'requests', sum: 'why5xx.rollup.requests' },
    { as: 'masked_rate', percent: ['masked', 'requests'] }
  ])
}

/** What incidents count, beside what the detector expected of the same minutes. */
export function failuresNow(where: readonly Condition[]): CountedTable {
  return numbers('incident', where, [
    { as: 'expected', sum: 'why5xx.incident.expected' },
    { as: 'failures', sum: 'why5xx.incident.failures' },
    { as: 'incidents', count: true }
  ])
}

/** Of all failures those for which one thing holds, in percent (`share`). */
export function shareOfFailures(as: string, condition: Condition): CountedTable {
  const part: Measure = { as, count: true, where: [condition] }
  return numbers('failure', [], [part, FAILURES, { as: 'share', percent: [as, 'failures'] }])
}

/** Over time, split by a field of failures. */
export function failuresOverTime(where: readonly Condition[], as: string, field: string): CountedTable {
  return overTime('failure', where, { by: [{ as, field }], measures: [FAILURES] })
}

/** With a root cause, when the state of the cluster was known; `example` is an id for `why5xx failures` or Discover. */
const TELLING: readonly Measure[] = [
  FAILURES,
  { as: 'first_seen', min: '@timestamp' },
  { as: 'last_seen', max: '@timestamp' },
  { as: 'points_at', max: 'why5xx.root_cause.ref' },
  { as: 'example', max: 'event.id' }
]

export function causes(where: readonly Condition[], by: readonly Grouping[] = []): CountedTable {
  return ranking('failure', where, {
    by: [...by, { as: 'cause', field: 'why5xx.cause' }, { as: 'root_cause', field: 'why5xx.root_cause.kind' }],
    measures: TELLING
  })
}

/** Masked ones too: a pod whose failures are retried elsewhere is broken all the same. */
export function blamedPods(where: readonly Condition[]): CountedTable {
  return ranking('failure', [{ field: 'kubernetes.pod.name', exists: true }, ...where], {
    by: [
      { as: 'namespace', field: 'kubernetes.namespace' },
      { as: 'pod', field: 'kubernetes.pod.name' },
      { as: 'node', field: 'kubernetes.node.name' }
    ],
    measures: [
      FAILURES,
      { as: 'masked', count: true, where: [{ field: 'why5xx.masked', is: [true] }] },
      { as: 'root_cause', max: 'why5xx.root_cause.kind' },
      { as: 'last_seen', max: '@timestamp' }
    ]
  })
}

export function byController(where: readonly Condition[]): CountedTable {
  return ranking('failure', where, {
    by: [
      { as: 'controller', field: 'why5xx.controller.pod.name' },
      { as: 'node', field: 'why5xx.controller.node.name' }
    ],
    measures: [FAILURES, { as: 'last_seen', max: '@timestamp' }]
  })
}

/** Of the attempt that is blamed, as nginx measured it. */
export function upstreamTiming(where: readonly Condition[]): CountedTable {
  return overTime('failure', where, {
    by: [],
    measures: [
      { as: 'connect_ms', avg: 'why5xx.upstream.connect_ms' },
      { as: 'header_ms', avg: 'why5xx.upstream.header_ms' },
      { as: 'response_ms', avg: 'why5xx.upstream.response_ms' }
    ]
  })
}

/** Reloads, failed ones, endpoints that went away, certificates: what a controller says beside its requests. */
export function controllerEvents(): CountedTable {
  return overTime('controller', [{ field: 'event.dataset', is: ['why5xx.controller'] }], {
    by: [{ as: 'event', field: 'event.action' }],
    measures: [{ as: 'lines', count: true }]
  })
}

/** What is said of an incident, an open one first. */
export function incidents(where: readonly Condition[]): CountedTable {
  return ranking('incident', where, {
    by: [
      { as: 'state', field: 'why5xx.incident.state' },
      { as: 'incident', field: 'why5xx.incident.id' },
      { as: 'severity', field: 'why5xx.incident.severity' },
      { as: 'service', field: 'service.name' },
      { as: 'upstream', field: 'why5xx.upstream.name' },
      { as: 'cause', field: 'why5xx.cause' },
      { as: 'root_cause', field: 'why5xx.root_cause.kind' },
      { as: 'points_at', field: 'why5xx.root_cause.ref' }
    ],
    measures: [
      { as: 'failures', sum: 'why5xx.incident.failures' },
      { as: 'expected', sum: 'why5xx.incident.expected' },
      { as: 'started', min: 'event.start' },
      { as: 'ended', max: 'event.end' }
    ],
    sort: [{ by: 'state', order: 'ascending' }, MOST_FIRST]
  })
}

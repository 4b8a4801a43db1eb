/** One service: what its clients saw, which of its pods, since which change. */

import type { Dashboard, DashboardParam } from './dashboard.ts'
import {
  blamedPods,
  byController,
  causes,
  controllerEvents,
  errorRate,
  errorRateOverTime,
  failuresNow,
  failuresOverTime,
  incidents,
  masked,
  OPEN,
  overTime,
  ranking,
  SEEN_BY_CLIENTS,
  TABLE_ROWS,
  THIS_SERVICE,
  upstreamTiming
} from './questions.ts'

/** Every request has an upstream name, so those of the totals are all there are. */
export const SERVICE_PARAM: DashboardParam = {
  name: 'service',
  title: 'Service (upstream)',
  field: 'why5xx.upstream.name',
  from: 'rollup'
}

export const service: Dashboard = {
  name: 'service',
  title: 'why5xx service',
  description: 'Failed requests of one service: choose it at the top.',
  params: [SERVICE_PARAM],
  panels: [
    {
      id: 'error-rate',
      title: 'Error rate, %',
      description: 'Share of its requests that were answered with 5xx.',
      shape: { type: 'metric', value: 'error_rate' },
      query: errorRate([THIS_SERVICE]),
      grid: { x: 0, y: 0, w: 16, h: 5 }
    },
    {
      id: 'failures-now',
      title: 'Failures of open incidents, and expected',
      description: 'Failures since its open incidents began, beside what was to be expected.',
      shape: { type: 'metric', value: 'failures' },
      query: failuresNow([OPEN, THIS_SERVICE]),
      grid: { x: 16, y: 0, w: 16, h: 5 }
    },
    {
      id: 'masked',
      title: 'Masked failures, %',
      description: 'Its requests that a retry saved.',
      shape: { type: 'metric', value: 'masked_rate' },
      query: masked([THIS_SERVICE]),
      grid: { x: 32, y: 0, w: 16, h: 5 }
    },
    {
      id: 'causes-over-time',
      title: 'Failures by cause',
      description: 'What its clients saw fail, by cause.',
      shape: { type: 'bars', x: 'time', y: ['failures'], breakdown: 'cause' },
      query: failuresOverTime([THIS_SERVICE], 'cause', 'why5xx.cause'),
      grid: { x: 0, y: 5, w: 48, h: 12 }
    },
    {
      id: 'requests-over-time',
      title: 'Requests and failures',
      description: 'Failures that rise with the requests are load; those that rise alone are not.',
      shape: { type: 'lines', x: 'time', y: ['requests', 'failures'] },
      query: errorRateOverTime([THIS_SERVICE]),
      grid: { x: 0, y: 17, w: 24, h: 10 }
    },
    {
      id: 'statuses-over-time',
      title: 'Failures by status',
      description: 'The status that clients were sent.',
      shape: { type: 'bars', x: 'time', y: ['failures'], breakdown: 'status' },
      query: failuresOverTime([THIS_SERVICE], 'status', 'http.response.status_code'),
      grid: { x: 24, y: 17, w: 24, h: 10 }
    },
    {
      id: 'causes',
      title: 'Causes',
      description: 'With the root cause where the state of the cluster was known, and a request as an example.',
      shape: { type: 'table' },
      query: causes([THIS_SERVICE]),
      grid: { x: 0, y: 27, w: 48, h: 12 }
    },
    {
      id: 'pods',
      title: 'Blamed pods',
      description: 'Masked failures too. One pod: look at it; all of them: look at the release or what they depend on.',
      shape: { type: 'table' },
      query: blamedPods([THIS_SERVICE]),
      grid: { x: 0, y: 39, w: 48, h: 12 }
    },
    {
      id: 'addresses-over-time',
      title: 'Failed attempts by address',
      description: 'Of the blamed attempts, masked ones too: also where no state of the cluster names the pods.',
      shape: { type: 'bars', x: 'time', y: ['failures'], breakdown: 'address' },
      query: overTime('failure', [THIS_SERVICE], {
        by: [{ as: 'address', field: 'why5xx.upstream.address' }],
        measures: [{ as: 'failures', count: true }]
      }),
      grid: { x: 0, y: 51, w: 24, h: 10 }
    },
    {
      id: 'upstream-timing',
      title: 'Upstream timing of failures, ms',
      description: 'Means of the blamed attempts: long connects are networks and nodes, long headers the application.',
      shape: { type: 'lines', x: 'time', y: ['connect_ms', 'header_ms', 'response_ms'] },
      query: upstreamTiming([THIS_SERVICE]),
      grid: { x: 24, y: 51, w: 24, h: 10 }
    },
    {
      id: 'paths',
      title: 'Hosts and paths',
      description: 'Which requests fail: one path is a handler, all of them the service.',
      shape: { type: 'table' },
      query: ranking('failure', [SEEN_BY_CLIENTS, THIS_SERVICE], {
        by: [
          { as: 'host', field: 'url.domain' },
          { as: 'method', field: 'http.request.method' },
          { as: 'path', field: 'url.path' }
        ],
        measures: [
          { as: 'failures', count: true },
          { as: 'last_seen', max: '@timestamp' }
        ]
      }),
      grid: { x: 0, y: 61, w: 24, h: 12 }
    },
    {
      id: 'controllers',
      title: 'By controller pod',
      description: 'Which ingress controller logged them. One of several: look at that controller and its node.',
      shape: { type: 'table' },
      query: byController([THIS_SERVICE]),
      grid: { x: 24, y: 61, w: 24, h: 12 }
    },
    {
      id: 'incidents',
      title: 'Incidents',
      description: 'Of this service, open ones first.',
      shape: { type: 'table' },
      query: incidents([THIS_SERVICE]),
      grid: { x: 0, y: 73, w: 48, h: 10 }
    },
    {
      id: 'latest',
      title: 'Latest failures',
      description: 'The requests themselves, newest first.',
      shape: { type: 'table' },
      query: {
        from: 'failure',
        where: [THIS_SERVICE],
        timeField: '@timestamp',
        columns: [
          { as: 'time', field: '@timestamp' },
          { as: 'status', field: 'http.response.status_code' },
          { as: 'method', field: 'http.request.method' },
          { as: 'host', field: 'url.domain' },
          { as: 'path', field: 'url.path' },
          { as: 'cause', field: 'why5xx.cause' },
          { as: 'root_cause', field: 'why5xx.root_cause.kind' },
          { as: 'address', field: 'why5xx.upstream.address' },
          { as: 'pod', field: 'kubernetes.pod.name' },
          { as: 'masked', field: 'why5xx.masked' },
          { as: 'id', field: 'event.id' }
        ],
        sort: [{ by: 'time', order: 'descending' }],
        limit: TABLE_ROWS
      },
      grid: { x: 0, y: 83, w: 48, h: 14 }
    },
    {
      id: 'controller-events',
      title: 'Controller reloads and warnings',
      description: 'Of all controllers: a reload concerns every service.',
      shape: { type: 'bars', x: 'time', y: ['lines'], breakdown: 'event' },
      query: controllerEvents(),
      grid: { x: 0, y: 97, w: 48, h: 10 }
    }
  ]
}

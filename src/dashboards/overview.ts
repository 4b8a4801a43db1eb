/** All services: how bad is it, since when, why, and where. */

import type { Dashboard } from './dashboard.ts'
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
  numbers,
  OPEN,
  ranking,
  SEEN_BY_CLIENTS,
  upstreamTiming
} from './questions.ts'

export const overview: Dashboard = {
  name: 'overview',
  title: 'why5xx overview',
  description: 'Failed requests through ingress-nginx, by what failed them.',
  params: [],
  panels: [
    {
      id: 'error-rate',
      title: 'Error rate, %',
      description: 'Share of all requests that were answered with 5xx, exact: successes are counted, too.',
      shape: { type: 'metric', value: 'error_rate' },
      query: errorRate([]),
      grid: { x: 0, y: 0, w: 12, h: 5 }
    },
    {
      id: 'failures-now',
      title: 'Failures of open incidents, and expected',
      description: 'Failures since the incidents that are open began, beside what was to be expected: 0 is quiet.',
      shape: { type: 'metric', value: 'failures' },
      query: failuresNow([OPEN]),
      grid: { x: 12, y: 0, w: 12, h: 5 }
    },
    {
      id: 'masked',
      title: 'Masked failures, %',
      description: 'Requests that a retry saved: nobody saw them fail, and the next wave may not be saved.',
      shape: { type: 'metric', value: 'masked_rate' },
      query: masked([]),
      grid: { x: 24, y: 0, w: 12, h: 5 }
    },
    {
      id: 'unclassified',
      title: 'Unclassified, %',
      description:
        'Share of failures without a known cause; above a few percent, see the error texts on the health page.',
      shape: { type: 'metric', value: 'share' },
      query: numbers(
        'failure',
        [],
        [
          { as: 'unclassified', count: true, where: [{ field: 'why5xx.cause', is: ['unclassified'] }] },
          { as: 'failures', count: true },
          { as: 'share', percent: ['unclassified', 'failures'] }
        ]
      ),
      grid: { x: 36, y: 0, w: 12, h: 5 }
    },
    {
      id: 'causes-over-time',
      title: 'Failures by cause',
      description: 'What clients saw fail, by cause.',
      shape: { type: 'bars', x: 'time', y: ['failures'], breakdown: 'cause' },
      query: failuresOverTime([], 'cause', 'why5xx.cause'),
      grid: { x: 0, y: 5, w: 48, h: 12 }
    },
    {
      id: 'incidents',
      title: 'Incidents',
      description: 'Open ones first. Choose one on the page of incidents.',
      shape: { type: 'table' },
      query: incidents([]),
      grid: { x: 0, y: 17, w: 48, h: 12 }
    },
    {
      id: 'error-rate-by-service',
      title: 'Error rate by service, %',
      description: 'By upstream name.',
      shape: { type: 'lines', x: 'time', y: ['error_rate'], breakdown: 'upstream' },
      query: errorRateOverTime([], [{ as: 'upstream', field: 'why5xx.upstream.name' }]),
      grid: { x: 0, y: 29, w: 24, h: 12 }
    },
    {
      id: 'upstream-timing',
      title: 'Upstream timing of failures, ms',
      description: 'Means of the blamed attempts: long connects are networks and nodes, long headers the application.',
      shape: { type: 'lines', x: 'time', y: ['connect_ms', 'header_ms', 'response_ms'] },
      query: upstreamTiming([]),
      grid: { x: 24, y: 29, w: 24, h: 12 }
    },
    {
      id: 'causes',
      title: 'Service × cause',
      description: 'With the root cause where the state of the cluster was known, and a request as an example.',
      shape: { type: 'table' },
      query: causes([], [{ as: 'service', field: 'service.name' }]),
      grid: { x: 0, y: 41, w: 48, h: 14 }
    },
    {
      id: 'pods',
      title: 'Blamed pods',
      description: 'Pods that the failures came from, masked ones too. One pod: look at it; all: look at the release.',
      shape: { type: 'table' },
      query: blamedPods([]),
      grid: { x: 0, y: 55, w: 48, h: 12 }
    },
    {
      id: 'nodes',
      title: 'Blamed nodes',
      description: 'Nodes of the blamed pods. Several services on one node: look at the node.',
      shape: { type: 'table' },
      query: ranking('failure', [SEEN_BY_CLIENTS, { field: 'kubernetes.node.name', exists: true }], {
        by: [{ as: 'node', field: 'kubernetes.node.name' }],
        measures: [
          { as: 'failures', count: true },
          { as: 'first_seen', min: '@timestamp' },
          { as: 'last_seen', max: '@timestamp' }
        ]
      }),
      grid: { x: 0, y: 67, w: 24, h: 12 }
    },
    {
      id: 'controllers',
      title: 'By controller pod',
      description: 'Which ingress controller logged them. One of several: look at that controller and its node.',
      shape: { type: 'table' },
      query: byController([]),
      grid: { x: 24, y: 67, w: 24, h: 12 }
    },
    {
      id: 'controller-events',
      title: 'Controller reloads and warnings',
      description: 'Reloads, failed reloads, endpoints, certificates. Compare with the failures above.',
      shape: { type: 'bars', x: 'time', y: ['lines'], breakdown: 'event' },
      query: controllerEvents(),
      grid: { x: 0, y: 79, w: 48, h: 10 }
    }
  ]
}

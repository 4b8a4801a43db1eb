/** All services: how bad is it, since when, why, and where. */

import type { Dashboard } from './dashboard.ts'
import {
  causesOverTimePanel,
  causesPanel,
  controllerEventsPanel,
  controllersPanel,
  errorRatePanel,
  failuresNowPanel,
  incidentsPanel,
  maskedPanel,
  panel,
  podsPanel,
  TABLE,
  upstreamTimingPanel
} from './panels.ts'
import { errorRateOverTime, OPEN, ranking, SEEN_BY_CLIENTS, shareOfFailures } from './questions.ts'

export const overview: Dashboard = {
  name: 'overview',
  title: 'why5xx overview',
  description: 'Failed requests through ingress-nginx, by what failed them.',
  params: [],
  panels: [
    errorRatePanel([0, 0, 12, 5], []),
    failuresNowPanel([12, 0, 12, 5], [OPEN]),
    maskedPanel([24, 0, 12, 5], []),
    panel(
      [36, 0, 12, 5],
      [
        'unclassified',
        'Unclassified, %',
        'Share of failures without a known cause; above a few percent, see which on the page why5xx health.'
      ],
      { type: 'metric', value: 'share' },
      shareOfFailures('unclassified', { field: 'why5xx.cause', is: ['unclassified'] })
    ),
    causesOverTimePanel([0, 5, 48, 12], []),
    incidentsPanel([0, 17, 48, 12], []),
    panel(
      [0, 29, 24, 12],
      ['error-rate-by-service', 'Error rate by service, %', 'By upstream name, of all requests.'],
      { type: 'lines', x: 'time', y: ['error_rate'], breakdown: 'upstream' },
      errorRateOverTime([], [{ as: 'upstream', field: 'why5xx.upstream.name' }])
    ),
    upstreamTimingPanel([24, 29, 24, 12], []),
    causesPanel([0, 41, 48, 14], [SEEN_BY_CLIENTS], true),
    podsPanel([0, 55, 48, 12], []),
    panel(
      [0, 67, 24, 12],
      [
        'nodes',
        'Blamed nodes',
        'Nodes of the blamed pods, masked failures too. Several services on one node: look at the node.'
      ],
      TABLE,
      ranking('failure', [{ field: 'kubernetes.node.name', exists: true }], {
        by: [{ as: 'node', field: 'kubernetes.node.name' }],
        measures: [
          { as: 'failures', count: true },
          { as: 'first_seen', min: '@timestamp' },
          { as: 'last_seen', max: '@timestamp' }
        ]
      })
    ),
    controllersPanel([24, 67, 24, 12], [SEEN_BY_CLIENTS]),
    controllerEventsPanel([0, 79, 48, 10])
  ]
}

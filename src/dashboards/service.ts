/** One service: what its clients saw, which of its pods, since which change. */

import type { Condition } from '../store/table.ts'
import type { Dashboard, DashboardParam } from './dashboard.ts'
import {
  barsBy,
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
  statusesOverTimePanel,
  TABLE,
  upstreamTimingPanel
} from './panels.ts'
import { errorRateOverTime, OPEN, overTime, ranking, SEEN_BY_CLIENTS, TABLE_ROWS, THIS_SERVICE } from './questions.ts'

const SEEN: readonly Condition[] = [SEEN_BY_CLIENTS, THIS_SERVICE]

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
    errorRatePanel([0, 0, 16, 5], [THIS_SERVICE]),
    failuresNowPanel([16, 0, 16, 5], [OPEN, THIS_SERVICE]),
    maskedPanel([32, 0, 16, 5], [THIS_SERVICE]),
    causesOverTimePanel([0, 5, 48, 12], [THIS_SERVICE]),
    panel(
      [0, 17, 24, 10],
      [
        'requests-over-time',
        'Requests and failures',
        'Failures that rise with the requests are load; those that rise alone are not.'
      ],
      { type: 'lines', x: 'time', y: ['requests', 'failures'] },
      errorRateOverTime([THIS_SERVICE])
    ),
    statusesOverTimePanel([24, 17, 24, 10], SEEN),
    causesPanel([0, 27, 48, 12], SEEN),
    podsPanel([0, 39, 48, 12], [THIS_SERVICE]),
    panel(
      [0, 51, 24, 10],
      [
        'addresses-over-time',
        'Failed attempts by address',
        'Of the blamed attempts, masked ones too: also where no state of the cluster names the pods.'
      ],
      barsBy('address'),
      overTime('failure', [THIS_SERVICE], {
        by: [{ as: 'address', field: 'why5xx.upstream.address' }],
        measures: [{ as: 'failures', count: true }]
      })
    ),
    upstreamTimingPanel([24, 51, 24, 10], [THIS_SERVICE]),
    panel(
      [0, 61, 24, 12],
      ['paths', 'Hosts and paths', 'Which requests fail: one path is a handler, all of them the service.'],
      TABLE,
      ranking('failure', SEEN, {
        by: [
          { as: 'host', field: 'url.domain' },
          { as: 'method', field: 'http.request.method' },
          { as: 'path', field: 'url.path' }
        ],
        measures: [
          { as: 'failures', count: true },
          { as: 'last_seen', max: '@timestamp' }
        ]
      })
    ),
    controllersPanel([24, 61, 24, 12], SEEN),
    incidentsPanel([0, 73, 48, 10], [THIS_SERVICE]),
    panel(
      [0, 83, 48, 14],
      ['latest', 'Latest failures', 'The requests themselves, newest first, masked ones too.'],
      TABLE,
      {
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
      }
    ),
    controllerEventsPanel([0, 97, 48, 10])
  ]
}

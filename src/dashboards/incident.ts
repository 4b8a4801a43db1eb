/**
 * One incident. A failure does not say to which incident it belongs: that is its service, its cause and its time, so these are
 * chosen beside the incident, whose row says what they are.
 */

import type { Condition } from '../store/table.ts'
import type { Dashboard } from './dashboard.ts'
import {
  barsBy,
  causesPanel,
  controllerEventsPanel,
  controllersPanel,
  failuresNowPanel,
  incidentsPanel,
  panel,
  podsPanel,
  statusesOverTimePanel,
  upstreamTimingPanel
} from './panels.ts'
import { errorRateOverTime, failuresOverTime, numbers, THIS_SERVICE } from './questions.ts'
import { SERVICE_PARAM } from './service.ts'

const THIS_INCIDENT: Condition = { field: 'why5xx.incident.id', isParam: 'incident' }
/** The failures that it counts, masked ones too, when the window of time is its own. */
const ITS_FAILURES: readonly Condition[] = [THIS_SERVICE, { field: 'why5xx.cause', isParam: 'cause' }]

export const incident: Dashboard = {
  name: 'incident',
  title: 'why5xx incident',
  description:
    'One incident. Choose it at the top; then its service and cause, which its row shows, and its time from start to end.',
  params: [
    { name: 'incident', title: 'Incident', field: 'why5xx.incident.id', from: 'incident' },
    SERVICE_PARAM,
    { name: 'cause', title: 'Cause', field: 'why5xx.cause', from: 'incident' }
  ],
  panels: [
    failuresNowPanel([0, 0, 16, 5], [THIS_INCIDENT]),
    panel(
      [16, 0, 16, 5],
      ['peak', 'Peak, failures a minute', 'The worst minute so far.'],
      { type: 'metric', value: 'peak_per_minute' },
      numbers(
        'incident',
        [THIS_INCIDENT],
        [
          { as: 'requests', sum: 'why5xx.incident.requests' },
          { as: 'peak_per_minute', max: 'why5xx.incident.peak_per_minute' }
        ]
      )
    ),
    panel(
      [32, 0, 16, 5],
      ['masked', 'Masked by retries', 'How many of its failures a retry saved.'],
      { type: 'metric', value: 'masked' },
      numbers(
        'incident',
        [THIS_INCIDENT],
        [
          { as: 'failures', sum: 'why5xx.incident.failures' },
          { as: 'masked', sum: 'why5xx.incident.masked' }
        ]
      )
    ),
    incidentsPanel([0, 5, 48, 8], [THIS_INCIDENT]),
    panel(
      [0, 13, 24, 10],
      ['causes-over-time', 'Failures by cause', 'What the incident counts, failures that a retry saved too.'],
      barsBy('cause'),
      failuresOverTime(ITS_FAILURES, 'cause', 'why5xx.cause')
    ),
    panel(
      [24, 13, 24, 10],
      [
        'pods-over-time',
        'Failures by pod',
        'One after another is a rollout or a memory limit; all at once is what they share.'
      ],
      barsBy('pod'),
      failuresOverTime(ITS_FAILURES, 'pod', 'kubernetes.pod.name')
    ),
    statusesOverTimePanel([0, 23, 24, 10], ITS_FAILURES),
    panel(
      [24, 23, 24, 10],
      [
        'error-rate-over-time',
        'Error rate of the service, %',
        'Share of its requests that were answered with 5xx, of any cause.'
      ],
      { type: 'lines', x: 'time', y: ['error_rate'] },
      errorRateOverTime([THIS_SERVICE])
    ),
    causesPanel([0, 33, 48, 10], ITS_FAILURES),
    podsPanel([0, 43, 24, 12], ITS_FAILURES),
    controllersPanel([24, 43, 24, 12], ITS_FAILURES),
    upstreamTimingPanel([0, 55, 24, 10], ITS_FAILURES),
    controllerEventsPanel([24, 55, 24, 10])
  ]
}

/**
 * One incident. A failure does not say to which incident it belongs: that is its service, its cause and its time, so these are
 * chosen beside the incident, whose row says what they are.
 */

import type { Condition } from '../store/table.ts'
import type { Dashboard } from './dashboard.ts'
import {
  blamedPods,
  byController,
  causes,
  controllerEvents,
  errorRateOverTime,
  failuresNow,
  failuresOverTime,
  incidents,
  numbers,
  THIS_SERVICE,
  upstreamTiming
} from './questions.ts'
import { SERVICE_PARAM } from './service.ts'

const THIS_INCIDENT: Condition = { field: 'why5xx.incident.id', isParam: 'incident' }
/** The failures that it counts, when the window of time is its own. */
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
    {
      id: 'failures-now',
      title: 'Failures, and expected',
      description: 'Since it began, beside what was to be expected of the same minutes.',
      shape: { type: 'metric', value: 'failures' },
      query: failuresNow([THIS_INCIDENT]),
      grid: { x: 0, y: 0, w: 16, h: 5 }
    },
    {
      id: 'peak',
      title: 'Peak, failures a minute',
      description: 'The worst minute so far.',
      shape: { type: 'metric', value: 'peak_per_minute' },
      query: numbers(
        'incident',
        [THIS_INCIDENT],
        [
          { as: 'requests', sum: 'why5xx.incident.requests' },
          { as: 'peak_per_minute', max: 'why5xx.incident.peak_per_minute' }
        ]
      ),
      grid: { x: 16, y: 0, w: 16, h: 5 }
    },
    {
      id: 'masked',
      title: 'Masked by retries',
      description: 'How many of its failures a retry saved.',
      shape: { type: 'metric', value: 'masked' },
      query: numbers(
        'incident',
        [THIS_INCIDENT],
        [
          { as: 'failures', sum: 'why5xx.incident.failures' },
          { as: 'masked', sum: 'why5xx.incident.masked' }
        ]
      ),
      grid: { x: 32, y: 0, w: 16, h: 5 }
    },
    {
      id: 'incidents',
      title: 'The incident',
      description: 'What it is, since when, and what it points at.',
      shape: { type: 'table' },
      query: incidents([THIS_INCIDENT]),
      grid: { x: 0, y: 5, w: 48, h: 8 }
    },
    {
      id: 'causes-over-time',
      title: 'Failures by cause',
      description: 'Of the service and cause chosen.',
      shape: { type: 'bars', x: 'time', y: ['failures'], breakdown: 'cause' },
      query: failuresOverTime(ITS_FAILURES, 'cause', 'why5xx.cause'),
      grid: { x: 0, y: 13, w: 24, h: 10 }
    },
    {
      id: 'pods-over-time',
      title: 'Failures by pod',
      description: 'One after another is a rollout or a memory limit; all at once is what they share.',
      shape: { type: 'bars', x: 'time', y: ['failures'], breakdown: 'pod' },
      query: failuresOverTime(ITS_FAILURES, 'pod', 'kubernetes.pod.name'),
      grid: { x: 24, y: 13, w: 24, h: 10 }
    },
    {
      id: 'statuses-over-time',
      title: 'Failures by status',
      description: 'The status that clients were sent.',
      shape: { type: 'bars', x: 'time', y: ['failures'], breakdown: 'status' },
      query: failuresOverTime(ITS_FAILURES, 'status', 'http.response.status_code'),
      grid: { x: 0, y: 23, w: 24, h: 10 }
    },
    {
      id: 'error-rate-over-time',
      title: 'Error rate of the service, %',
      description: 'Share of its requests that were answered with 5xx, of any cause.',
      shape: { type: 'lines', x: 'time', y: ['error_rate'] },
      query: errorRateOverTime([THIS_SERVICE]),
      grid: { x: 24, y: 23, w: 24, h: 10 }
    },
    {
      id: 'causes',
      title: 'Root causes',
      description: 'Where the state of the cluster was known, and a request as an example.',
      shape: { type: 'table' },
      query: causes(ITS_FAILURES),
      grid: { x: 0, y: 33, w: 48, h: 10 }
    },
    {
      id: 'pods',
      title: 'Blamed pods',
      description: 'Masked failures too.',
      shape: { type: 'table' },
      query: blamedPods(ITS_FAILURES),
      grid: { x: 0, y: 43, w: 24, h: 12 }
    },
    {
      id: 'controllers',
      title: 'By controller pod',
      description: 'Which ingress controller logged them.',
      shape: { type: 'table' },
      query: byController(ITS_FAILURES),
      grid: { x: 24, y: 43, w: 24, h: 12 }
    },
    {
      id: 'upstream-timing',
      title: 'Upstream timing of failures, ms',
      description: 'Means of the blamed attempts.',
      shape: { type: 'lines', x: 'time', y: ['connect_ms', 'header_ms', 'response_ms'] },
      query: upstreamTiming(ITS_FAILURES),
      grid: { x: 0, y: 55, w: 24, h: 10 }
    },
    {
      id: 'controller-events',
      title: 'Controller reloads and warnings',
      description: 'What changed when it began.',
      shape: { type: 'bars', x: 'time', y: ['lines'], breakdown: 'event' },
      query: controllerEvents(),
      grid: { x: 24, y: 55, w: 24, h: 10 }
    }
  ]
}

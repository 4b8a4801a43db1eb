/** Panels that several dashboards show, each of all documents or of those of one service or incident. Pure. */

import type { Condition, TableQuery } from '../store/table.ts'
import type { Panel, PanelShape } from './dashboard.ts'
import {
  blamedPods,
  byController,
  causes,
  controllerEvents,
  errorRate,
  failuresNow,
  failuresOverTime,
  incidents,
  masked,
  SEEN_BY_CLIENTS,
  upstreamTiming
} from './questions.ts'

/** Columns 0 to 48 and rows of the grid: left, top, width, height. */
export type Place = readonly [x: number, y: number, w: number, h: number]

type Where = readonly Condition[]

export function panel(
  [x, y, w, h]: Place,
  [id, title, description]: readonly [id: string, title: string, description: string],
  shape: PanelShape,
  query: TableQuery
): Panel {
  return { id, title, description, shape, query, grid: { x, y, w, h } }
}

export const TABLE: PanelShape = { type: 'table' }

export function barsBy(breakdown: string, y = 'failures'): PanelShape {
  return { type: 'bars', x: 'time', y: [y], breakdown }
}

export function errorRatePanel(place: Place, where: Where): Panel {
  const words = ['error-rate', 'Error rate, %', 'Share of all requests that were answered with 5xx, exact.'] as const
  return panel(place, words, { type: 'metric', value: 'error_rate' }, errorRate(where))
}

export function failuresNowPanel(place: Place, where: Where): Panel {
  const words = [
    'failures-now',
    'Failures of incidents, and expected',
    'Failures since the incidents began, beside what was to be expected of the same minutes.'
  ] as const
  return panel(place, words, { type: 'metric', value: 'failures' }, failuresNow(where))
}

export function maskedPanel(place: Place, where: Where): Panel {
  const words = [
    'masked',
    'Masked failures, %',
    'Requests that a retry saved: nobody saw them fail, and the next wave may not be saved.'
  ] as const
  return panel(place, words, { type: 'metric', value: 'masked_rate' }, masked(where))
}

export function causesOverTimePanel(place: Place, where: Where): Panel {
  return panel(
    place,
    [
      'causes-over-time',
      'Failures by cause',
      'What clients saw fail. Beside 5xx also what the rate leaves out: 499, refusals of nginx, unknown hosts.'
    ],
    barsBy('cause'),
    failuresOverTime([SEEN_BY_CLIENTS, ...where], 'cause', 'why5xx.cause')
  )
}

export function statusesOverTimePanel(place: Place, where: Where): Panel {
  const words = ['statuses-over-time', 'Failures by status', 'The status that clients were sent.'] as const
  return panel(place, words, barsBy('status'), failuresOverTime(where, 'status', 'http.response.status_code'))
}

/** `hasServices`: a row each. */
export function causesPanel(place: Place, where: Where, hasServices = false): Panel {
  const words = [
    'causes',
    hasServices ? 'Service × cause' : 'Causes',
    'With the root cause where the state of the cluster was known, and a request as an example.'
  ] as const
  return panel(place, words, TABLE, causes(where, hasServices ? [{ as: 'service', field: 'service.name' }] : []))
}

export function podsPanel(place: Place, where: Where): Panel {
  const words = [
    'pods',
    'Blamed pods',
    'Masked failures too. One pod: look at it; all of a service: look at the release, or at what they depend on.'
  ] as const
  return panel(place, words, TABLE, blamedPods(where))
}

export function controllersPanel(place: Place, where: Where): Panel {
  const words = [
    'controllers',
    'By controller pod',
    'Which ingress controller logged them. One of several: look at that controller and its node.'
  ] as const
  return panel(place, words, TABLE, byController(where))
}

export function upstreamTimingPanel(place: Place, where: Where): Panel {
  const words = [
    'upstream-timing',
    'Upstream timing of failures, ms',
    'Means of the blamed attempts: long connects are networks and nodes, long headers the application.'
  ] as const
  const y = ['connect_ms', 'header_ms', 'response_ms']
  return panel(place, words, { type: 'lines', x: 'time', y }, upstreamTiming(where))
}

/** Of all controllers: a reload concerns every service. */
export function controllerEventsPanel(place: Place): Panel {
  const words = [
    'controller-events',
    'Controller reloads and warnings',
    'Reloads, failed reloads, endpoints, certificates, of all controllers. Compare with the failures above.'
  ] as const
  return panel(place, words, barsBy('event', 'lines'), controllerEvents())
}

export function incidentsPanel(place: Place, where: Where): Panel {
  const words = ['incidents', 'Incidents', 'Open ones first: what they are, since when, what they point at.'] as const
  return panel(place, words, TABLE, incidents(where))
}

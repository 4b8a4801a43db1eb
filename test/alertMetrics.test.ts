/** What /metrics says of incidents. */
import { expect, test } from 'vitest'
import type { Incident } from '../src/alert/incident.ts'
import { type AlertMetricsSource, addAlertLag, addAlertMetrics, alertSummary } from '../src/alertMetrics.ts'
import { MetricRegistry } from '../src/metricRegistry.ts'
import { readExposition } from './support/exposition.ts'
import { HOSTILE_NAMES } from './support/filledCounters.ts'

const incident = (upstream: string, state: Incident['state'], cause: Incident['cause'] = 'connection_refused') =>
  ({ id: upstream, upstream, cause, state }) as Incident

const source: AlertMetricsSource = {
  clusterName: 'prod',
  alerts: () => ({
    groups: [
      {
        head: incident('shop-cart-80', 'open'),
        members: [
          incident('shop-cart-80', 'open', 'read_timeout'),
          incident('shop-blog-80', 'resolved'),
          ...HOSTILE_NAMES.map(name => incident(name, 'open'))
        ]
      }
    ],
    opened: new Map([['connection_refused', 3]]),
    series: 12,
    dropped: 4,
    late: 5,
    failed: 6,
    clockMs: 0,
    isCurrent: true
  }),
  notifier: () => ({
    receivers: [
      {
        name: 'webhook slack',
        sent: { open: 3, update: 0, resolved: 2, repeat: 0 },
        failed: { open: 1, update: 0, resolved: 0, repeat: 0 },
        refused: { open: 0, update: 0, resolved: 0, repeat: 0 },
        lastSuccessMs: 1_795_255_200_500,
        pending: 2
      }
    ],
    givenUp: 8
  }),
  queues: () => new Map([['store', { waiting: 7, written: 1, failed: 2, dropped: 9 }]])
}

test('a spike is there while it goes on, in each of its causes; counts and receivers beside it', async () => {
  const metrics = new MetricRegistry()
  addAlertMetrics(metrics, source)
  addAlertLag(metrics, () => 12.5)
  const exposition = readExposition(await metrics.text())
  const spike = (upstream: string, cause: string) =>
    exposition.value('why5xx_spike_active', { cluster: 'prod', upstream, cause })
  expect(spike('shop-cart-80', 'connection_refused')).toBe(1)
  expect(spike('shop-cart-80', 'read_timeout')).toBe(1)
  const spikes = exposition.samples.filter(({ name }) => name === 'why5xx_spike_active')
  expect(spikes.some(({ labels }) => labels.upstream === 'shop-blog-80')).toBe(false)
  expect(Math.max(...spikes.map(({ labels }) => labels.upstream!.length))).toBe(200)
  expect(exposition.value('why5xx_incidents_total', { cause: 'connection_refused' })).toBe(3)
  const sent = { receiver: 'webhook slack', kind: 'resolved', outcome: 'sent' }
  expect(exposition.value('why5xx_notifications_total', sent)).toBe(2)
  expect(exposition.value('why5xx_notifications_pending', { receiver: 'webhook slack' })).toBe(2)
  expect(exposition.value('why5xx_alert_series', {})).toBe(12)
  expect(exposition.value('why5xx_alert_dropped_total', {})).toBe(4)
  expect(exposition.value('why5xx_incidents_waiting', { place: 'store' })).toBe(7)
  expect(exposition.value('why5xx_alert_late_total', {})).toBe(5)
  expect(exposition.value('why5xx_alert_errors_total', {})).toBe(6)
  expect(exposition.value('why5xx_alert_lag_seconds', {})).toBe(12.5)
  expect(exposition.value('why5xx_alert_current', {})).toBe(1)
  expect(exposition.value('why5xx_notifications_given_up_total', {})).toBe(8)
  const slack = { receiver: 'webhook slack' }
  expect(exposition.value('why5xx_notifications_success_timestamp_seconds', slack)).toBe(1_795_255_200.5)
  expect(exposition.value('why5xx_incident_writes_total', { place: 'store', outcome: 'written' })).toBe(1)
  expect(exposition.value('why5xx_incident_writes_total', { place: 'store', outcome: 'dropped' })).toBe(9)
  expect(exposition.value('why5xx_incident_write_failures_total', { place: 'store' })).toBe(2)
  for (const { name, help } of exposition.families) expect(help, name).toMatch(/^[A-Z1].{20,}\.$/)
})

test('the log line of a minute tells numbers alone', () => {
  expect(alertSummary(source)).toEqual({
    incidentsOpen: 2 + HOSTILE_NAMES.length - 1,
    alertSeries: 12,
    notificationsPending: 2,
    incidentsWaiting: 7
  })
})

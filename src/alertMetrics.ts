/** What /metrics says of incidents, and of who was told. */

import type { IncidentGroup } from './alert/notice.ts'
import type { NotifierFacts } from './alert/notify/notifier.ts'
import type { AlertFacts } from './alertService.ts'
import type { IncidentQueueFacts } from './incidentQueue.ts'
import type { MetricRegistry } from './metricRegistry.ts'
import { metricLabel } from './metrics.ts'

export interface AlertMetricsSource {
  clusterName: string
  alerts: () => AlertFacts
  notifier: () => NotifierFacts
  /** By where incidents are kept: `store`, `topic`. */
  queues: () => ReadonlyMap<string, IncidentQueueFacts>
}

/** Incidents that are open at a time; more share no series, they have none. */
const SPIKES_MAX = 5_000

export function addAlertMetrics(metrics: MetricRegistry, source: AlertMetricsSource): void {
  const { alerts, notifier, queues } = source
  const cluster = metricLabel(source.clusterName)
  metrics.gauges(
    'why5xx_spike_active',
    '1 while an incident of this service and cause is open; the series goes with its end.',
    ['cluster', 'upstream', 'cause'],
    add => {
      for (const [upstream, cause] of openOnes(alerts().groups)) add(1, { cluster, upstream, cause })
    }
  )
  metrics.counter('why5xx_incidents_total', 'Incidents that opened, by cause.', ['cause'], add => {
    for (const [cause, count] of alerts().opened) add(count, { cause })
  })
  metrics.counter(
    'why5xx_notifications_total',
    'Messages about incidents, by receiver, by what was told (open, update, resolved; repeat: what must be repeated), and by what came of it: sent, failed (it is tried again) or refused.',
    ['receiver', 'kind', 'outcome'],
    add => {
      for (const { name, sent, failed, refused } of notifier().receivers)
        for (const [outcome, counts] of Object.entries({ sent, failed, refused }))
          for (const [kind, count] of Object.entries(counts)) add(count, { receiver: metricLabel(name), kind, outcome })
    }
  )
  metrics.gauges(
    'why5xx_notifications_pending',
    'Messages about incidents that a receiver has not taken yet.',
    ['receiver'],
    add => {
      for (const { name, pending } of notifier().receivers) add(pending, { receiver: metricLabel(name) })
    }
  )
  metrics.gauge('why5xx_alert_series', 'Services × causes that are watched for spikes.', () => alerts().series)
  metrics.counter(
    'why5xx_alert_dropped_total',
    'Counts that were not watched for spikes, because there were too many services and causes.',
    [],
    add => add(alerts().dropped)
  )
  metrics.counter(
    'why5xx_alert_late_total',
    'Requests and failures that came more than 15 minutes late, and were not looked at for spikes.',
    [],
    add => add(alerts().late)
  )
  metrics.counter(
    'why5xx_alert_errors_total',
    'Errors of why5xx itself while it looked for incidents; what it looked at just then is not known.',
    [],
    add => add(alerts().failed)
  )
  metrics.gauge('why5xx_alert_current', '1 while receivers are told; 0 while what is read is too old for it.', () =>
    Number(alerts().isCurrent)
  )
  metrics.counter(
    'why5xx_notifications_given_up_total',
    'Ends of incidents that a receiver was never told, because too many ended while it was away.',
    [],
    add => add(notifier().givenUp)
  )
  metrics.gauges(
    'why5xx_notifications_success_timestamp_seconds',
    'When a receiver last took a message, in seconds since the Unix epoch; there is none before the first.',
    ['receiver'],
    add => {
      for (const { name, lastSuccessMs } of notifier().receivers)
        if (lastSuccessMs !== null) add(lastSuccessMs / 1_000, { receiver: metricLabel(name) })
    }
  )
  metrics.counter(
    'why5xx_incident_writes_total',
    'Versions of incidents, by where they are kept (store, or topic), and by what came of it: written, or dropped because too many waited.',
    ['place', 'outcome'],
    add => {
      for (const [place, { written, dropped }] of queues())
        for (const [outcome, count] of Object.entries({ written, dropped })) add(count, { place, outcome })
    }
  )
  metrics.counter(
    'why5xx_incident_write_failures_total',
    'Attempts to store incidents that failed and are made again, by where: store, or topic.',
    ['place'],
    add => {
      for (const [place, { failed }] of queues()) add(failed, { place })
    }
  )
  metrics.gauges(
    'why5xx_incidents_waiting',
    'Incidents that are not stored yet, by where: store, or topic.',
    ['place'],
    add => {
      for (const [place, { waiting }] of queues()) add(waiting, { place })
    }
  )
}

/** Of whoever reads a topic for alerts alone, beside workers or without one. */
export function addAlertLag(metrics: MetricRegistry, seconds: () => number): void {
  metrics.gauge(
    'why5xx_alert_lag_seconds',
    'Seconds between the newest line that was read for alerts and now; 0 when everything that is there was read.',
    seconds
  )
}

function openOnes(groups: readonly IncidentGroup[]): [upstream: string, cause: string][] {
  const open = groups.flatMap(({ head, members }) => [head, ...members]).filter(({ state }) => state === 'open')
  const labels = new Map(open.map(({ upstream, cause }) => [`${cause}\n${metricLabel(upstream)}`, cause]))
  return [...labels].slice(0, SPIKES_MAX).map(([key, cause]) => [key.slice(cause.length + 1), cause])
}

/** For the log line of every minute. */
export function alertSummary({ alerts, notifier, queues }: AlertMetricsSource): Record<string, number> {
  const { groups, series } = alerts()
  const waiting = [...queues().values()].reduce((sum, facts) => sum + facts.waiting, 0)
  const pending = notifier().receivers.reduce((sum, receiver) => sum + receiver.pending, 0)
  return {
    incidentsOpen: openOnes(groups).length,
    alertSeries: series,
    notificationsPending: pending,
    incidentsWaiting: waiting
  }
}

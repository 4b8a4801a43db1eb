/** What /metrics says of the watch of the cluster. */

import type { RecordWriterFacts } from './cluster/record.ts'
import type { WatchFacts } from './cluster/watch.ts'
import type { MetricRegistry } from './metricRegistry.ts'

export interface WatchMetricsSource {
  record: () => RecordWriterFacts
  watch: () => WatchFacts
  /** Wall time, Unix ms. */
  nowMs: () => number
  startedMs: number
}

export function addWatchMetrics(metrics: MetricRegistry, source: WatchMetricsSource): void {
  const { record, watch, nowMs, startedMs } = source
  metrics.counter(
    'why5xx_cluster_events_total',
    "Events of the cluster's state that were recorded, by type; GAP_START is a time in which something was not seen.",
    ['type'],
    add => {
      for (const [type, count] of record().events) add(count, { type })
    }
  )
  metrics.counter('why5xx_cluster_bytes_total', "Bytes of the cluster's state that were recorded, as JSON.", [], add =>
    add(record().bytes)
  )
  metrics.counter(
    'why5xx_cluster_dropped_total',
    'Events that were given up because the record could not be written for too long; a gap and a whole list follow.',
    [],
    add => add(record().dropped)
  )
  metrics.counter(
    'why5xx_cluster_cut_total',
    'Objects that were too large for the record and are in it in part.',
    [],
    add => add(record().cut)
  )
  metrics.gauge(
    'why5xx_cluster_heartbeat_age_seconds',
    'Seconds since the last recorded heartbeat, or since the start: up to which moment the state is known.',
    () => Math.max(0, nowMs() - (record().heartbeatMs ?? startedMs)) / 1_000
  )
  metrics.gauge('why5xx_cluster_objects', 'Objects of the cluster that are there now.', () => watch().objects)
  metrics.gauge(
    'why5xx_cluster_kinds_lost',
    'Kinds of objects that may be seen and just now are not.',
    () => watch().lost.length
  )
  metrics.gauge(
    'why5xx_cluster_kinds_unreadable',
    'Kinds of objects that may not be read, or are not served.',
    () => watch().unreadable.size
  )
}

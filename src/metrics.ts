/** What /metrics says. Everything is read from the counters when somebody scrapes; nothing is kept twice. */

import { Histogram } from 'prom-client'
import type { Counters } from './counters.ts'
import { MetricRegistry } from './metricRegistry.ts'
import type { KafkaFacts } from './source/source.ts'
import type { BulkFacts } from './store/store.ts'
import { clip, safeText } from './text.ts'

export interface MetricsOptions {
  clusterName: string
  /** Wall time, Unix ms. */
  nowMs?: () => number
  /** Of a Kafka source, as of now; null: there is none. */
  kafka?: () => KafkaFacts | null
  bulk?: BulkFacts | null
}

/** Log lines name upstreams, and a forged one may name anything: longer names are cut, and share a series if need be. */
const LABEL_MAX = 200

export class Metrics extends MetricRegistry {
  constructor(counters: Counters, { clusterName, nowMs = Date.now, kafka = () => null, bulk = null }: MetricsOptions) {
    super()
    const cluster = metricLabel(clusterName)
    this.counter(
      'why5xx_requests_total',
      'Requests of clients, counted once each, by the upstream name that their access line has.',
      ['cluster', 'upstream'],
      add => {
        for (const [upstream, count] of counters.requests) add(count, { cluster, upstream: metricLabel(upstream) })
      }
    )
    this.counter(
      'why5xx_failures_total',
      'Failure documents, by cause and by the status that the client saw (- without an access line); slo tells whether the cause counts against an SLO.',
      ['cluster', 'upstream', 'cause', 'category', 'status', 'slo'],
      add => {
        for (const { upstream, cause, category, status, slo, count } of counters.failures.values())
          add(count, { cluster, upstream: metricLabel(upstream), cause, category, status, slo: String(slo) })
      }
    )
    this.gauges(
      'why5xx_upstream_info',
      'Always 1; what belongs to an upstream name, as far as its failures have told.',
      ['cluster', 'upstream', 'namespace', 'service', 'ingress'],
      add => {
        for (const [upstream, { namespace, service, ingress }] of counters.places)
          add(1, {
            cluster,
            upstream: metricLabel(upstream),
            namespace: metricLabel(namespace),
            service: metricLabel(service),
            ingress: metricLabel(ingress)
          })
      }
    )
    this.counter('why5xx_lines_total', 'Log lines that were read, by what they are.', ['kind'], add => {
      for (const [kind, count] of Object.entries(counters.lines)) add(count, { kind })
    })
    this.counter(
      'why5xx_rejects_total',
      'Lines that could not be read, by the stage that refused them and why.',
      ['stage', 'code'],
      add => {
        for (const [code, count] of counters.rejectsByCode) add(count, { stage: 'parse', code: metricLabel(code) })
        for (const [code, count] of bulk?.rejects ?? []) add(count, { stage: 'sink', code: metricLabel(code) })
      }
    )
    this.counter(
      'why5xx_join_total',
      'Failures by what was found of them: access line and error line (joined), one of the two, or more than one that fits (ambiguous).',
      ['state'],
      add => {
        for (const [state, count] of Object.entries(counters.joins)) add(count, { state })
      }
    )
    this.counter(
      'why5xx_diagnoses_total',
      'Failures judged by the state of the cluster, by root cause; state_unknown: the state of that moment had not been read in time; unreadable: no kind of object may be read; failed: an error of why5xx, which its log tells.',
      ['root_cause'],
      add => {
        for (const [rootCause, count] of counters.diagnoses) add(count, { root_cause: rootCause })
        // From 0 on: Prometheus sees no rise in a series that begins with it.
        add(counters.unjudged, { root_cause: 'failed' })
      }
    )
    this.counter(
      'why5xx_settled_total',
      'Failures judged a second time when the facts had settled, by whether the verdict changed; unjudged: documents of another version, or an error of why5xx, which its log tells.',
      ['verdict'],
      add => {
        const { judged, changed, unjudged } = counters.settled
        add(changed, { verdict: 'changed' })
        add(judged - changed, { verdict: 'same' })
        add(unjudged, { verdict: 'unjudged' })
      }
    )
    this.addLag(() => counters.lagSeconds(nowMs()))
    this.counter(
      'why5xx_source_gaps_total',
      'Gaps in the input: files that were rotated away, cut or could not be read before we had read them.',
      [],
      add => add(counters.gaps)
    )
    this.counter('why5xx_source_gap_bytes_total', 'Bytes lost in gaps, as far as known.', [], add =>
      add(counters.gapBytes)
    )
    this.gauge('why5xx_source_streams', 'Files, or pipes, that are open for reading.', () => counters.streams)
    this.gauge(
      'why5xx_join_held_lines',
      'Lines that wait for a line that may belong to them.',
      () => counters.linesHeld
    )
    this.gauge(
      'why5xx_sink_in_flight_bytes',
      'Bytes of documents and totals on their way to the store.',
      () => counters.bytesInFlight
    )
    this.counter('why5xx_sink_batches_total', 'Batches that the store has made durable.', [], add =>
      add(counters.written.batches)
    )
    this.counter('why5xx_sink_documents_total', 'Documents that the store has made durable.', [], add =>
      add(counters.written.documents)
    )
    this.counter(
      'why5xx_sink_documents_known_total',
      'Documents that the store already had, in the same or a better version.',
      [],
      add => add(counters.written.known)
    )
    this.gauge('why5xx_sink_paused', '1 while the store cannot write, such as on a full disk, else 0.', () =>
      counters.pausedBecause === null ? 0 : 1
    )
    if (kafka() !== null) this.#addKafka(() => kafka()!)
    if (bulk !== null) this.#addBulk(bulk)
    this.addProcess()
  }

  #addKafka(kafka: () => KafkaFacts): void {
    const perPartition = (
      name: string,
      help: string,
      value: (facts: KafkaFacts['partitions'][number]) => number
    ): void => {
      this.gauges(name, help, ['partition'], add => {
        for (const facts of kafka().partitions) add(value(facts), { partition: String(facts.partition) })
      })
    }
    perPartition(
      'why5xx_lag_offsets',
      'Offsets between what was read of a partition and its high watermark.',
      facts => facts.lagOffsets
    )
    perPartition(
      'why5xx_committed_lag_offsets',
      'Offsets between what was committed of a partition and its high watermark: lines that wait for a partner included.',
      facts => facts.committedLagOffsets
    )
    this.gauge(
      'why5xx_partitions_paused',
      'Partitions that are not fetched just now, because what was read of them waits.',
      () => kafka().partitions.filter(({ isPaused }) => isPaused).length
    )
    this.counter('why5xx_resends_total', 'Lines that a shipper had sent before; they are dropped.', [], add =>
      add(kafka().resends)
    )
    this.counter(
      'why5xx_offset_resets_total',
      'Times a partition went on elsewhere than where it was left, because its messages had expired.',
      [],
      add => add(kafka().offsetResets)
    )
    this.counter('why5xx_rebalances_total', 'Times the consumer group dealt out its partitions again.', [], add =>
      add(kafka().rebalances)
    )
  }

  #addBulk(bulk: BulkFacts): void {
    this.counter('why5xx_bulk_items_total', 'Items of bulk requests, by what became of them.', ['outcome'], add => {
      for (const [outcome, count] of bulk.items) add(count, { outcome })
    })
    this.counter('why5xx_bulk_retries_total', 'Bulk requests that were sent again.', [], add => add(bulk.retries))
    new Histogram({
      name: 'why5xx_bulk_seconds',
      help: 'How long bulk requests took.',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers: [this.registry],
      collect() {
        for (const seconds of bulk.takeSeconds()) this.observe(seconds)
      }
    })
  }
}

/** What other people named, as a label. */
export function metricLabel(text: string): string {
  return clip(safeText(text), LABEL_MAX)
}

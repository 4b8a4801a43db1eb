/** Metrics as we keep them: everything is read when somebody scrapes; nothing is kept twice. */

import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { VERSION } from './version.ts'

/** prom-client watches the event loop by a timer; one in 10 ms, its default, would wake an idle process. */
const LOOP_WATCHED_MS = 100
/** Gauges of prom-client whose names say that they are counters. */
const MISNAMED = ['nodejs_active_resources_total', 'nodejs_active_handles_total', 'nodejs_active_requests_total']

export class MetricRegistry {
  readonly registry = new Registry()
  readonly contentType = this.registry.contentType

  /** Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics()
  }

  /** Versions, and what prom-client tells of the process. */
  addProcess(): void {
    new Gauge({
      name: 'why5xx_build_info',
      help: 'Always 1; the labels tell the versions of why5xx and of Node.js.',
      labelNames: ['version', 'node'],
      registers: [this.registry]
    }).set({ version: VERSION, node: process.versions.node }, 1)
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: LOOP_WATCHED_MS })
    for (const name of MISNAMED) this.registry.removeSingleMetric(name)
  }

  /** Of whoever reads lines. */
  addLag(seconds: () => number): void {
    this.gauge(
      'why5xx_processing_lag_seconds',
      'Seconds between the newest line that was read and now; 0 when everything that is there was read.',
      seconds
    )
  }

  /** `fill` adds what was counted since the process started: it only ever grows, as Prometheus expects of a counter. */
  counter(
    name: string,
    help: string,
    labelNames: string[],
    fill: (add: (count: number, labels?: Record<string, string>) => void) => void
  ): void {
    new Counter({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset()
        fill((count, labels = {}) => this.inc(labels, count))
      }
    })
  }

  /** `fill` adds every series that there is now; those of the last time are gone. */
  gauges(
    name: string,
    help: string,
    labelNames: string[],
    fill: (add: (value: number, labels: Record<string, string>) => void) => void
  ): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset()
        fill((value, labels) => this.set(labels, value))
      }
    })
  }

  gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(value())
      }
    })
  }
}

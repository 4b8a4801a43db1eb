/** The alert role beside a worker: a tap on its pipeline, or a reading of the topic by itself. */

import { type AlertMetricsSource, alertSummary } from '../alertMetrics.ts'
import { openAlerts } from '../alertWiring.ts'
import type { JudgedListener, Knowledge } from '../judge.ts'
import type { Logger } from '../logger.ts'
import type { Sink } from '../store/sink.ts'
import type { LoadedOptions } from './options.ts'

export interface Alerting {
  /** For the worker's judge; null: it reads by itself. */
  listener: JudgedListener | null
  metrics: AlertMetricsSource
  health(): string[]
  unready(): string[]
  /** For the log line of every minute. */
  summary(): Record<string, number>
  /** Of whoever reads by itself, seconds; null: its lag is that of the worker. */
  lagSeconds: (() => number) | null
  /** Before the worker reads; not longer than until the signal is aborted. */
  begin(signal: AbortSignal): Promise<unknown>
  /** Before the store is closed. */
  close(): Promise<void>
}

/** The worker of a topic has some of its partitions, and pauses for the store: then alerts read for themselves. */
export async function openAlerting(
  loaded: LoadedOptions,
  store: Sink,
  knowledge: Pick<Knowledge, 'state'> | null,
  logger: Logger
): Promise<Alerting> {
  const { source, sink } = loaded.config
  if (source.kind === 'kafka') {
    const { startAlerts } = await import('./runAlert.ts')
    const reading = await startAlerts(loaded, logger)
    return {
      listener: null,
      metrics: reading.alerts.metrics,
      health: () => reading.health,
      unready: () => reading.unready,
      summary: () => reading.summary,
      lagSeconds: () => reading.lagSeconds,
      begin: async () => {},
      close: () => reading.close()
    }
  }
  const isFresh = sink.kind === 'embedded' && source.kind === 'files' && store.streams.length === 0
  const alerts = await openAlerts({ ...loaded, logger, knowledge, isFresh })
  return {
    ...alerts,
    health: () => [],
    unready: () => [],
    summary: () => alertSummary(alerts.metrics),
    lagSeconds: null
  }
}

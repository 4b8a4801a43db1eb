import { addAlertLag, addAlertMetrics, alertSummary } from '../alertMetrics.ts'
import { type Alerts, openAlerts, tailBegins } from '../alertWiring.ts'
import type { ClusterKnowledge } from '../cluster/knowledge.ts'
import type { ClusterWatch } from '../clusterWatch.ts'
import { openClusterKnowledge } from '../clusterWiring.ts'
import { rolesOf } from '../kubernetesOptions.ts'
import type { Logger } from '../logger.ts'
import { MetricRegistry } from '../metricRegistry.ts'
import { type PipelineParts, runPipeline } from '../pipeline.ts'
import type { WebTokens } from '../secrets.ts'
import type { DriverLog } from '../source/kafka/driver.ts'
import { openKafkaTail } from '../source/kafka/open.ts'
import { ForgettingSink } from '../store/forgettingSink.ts'
import { addWatchMetrics } from '../watchMetrics.ts'
import type { RunningServer } from '../web/server.ts'
import { wire } from '../wiring.ts'
import { closeEach } from './closing.ts'
import { sourceHealth } from './health.ts'
import { listen } from './listening.ts'
import type { LoadedOptions } from './options.ts'
import { startWatch } from './runWatch.ts'
import { Stop } from './stop.ts'

const SUMMARY_MS = 60_000

/**
 * The alert role on a topic: all partitions, read beside the workers from 20 minutes ago on, judged, told, and not stored. So
 * nobody who pauses for a store pauses the alerts.
 */
export class AlertReading {
  /** Resolves when it ends, in any case. */
  readonly done: Promise<void>
  failure: Error | null = null
  readonly parts: PipelineParts
  readonly alerts: Alerts
  readonly #knowledge: ClusterKnowledge | null
  readonly #stop = new AbortController()

  private constructor(
    parts: PipelineParts,
    alerts: Alerts,
    knowledge: ClusterKnowledge | null,
    begin: (signal: AbortSignal) => Promise<void>
  ) {
    this.parts = parts
    this.alerts = alerts
    this.#knowledge = knowledge
    this.done = this.#run(begin).catch((error: Error) => {
      this.failure = error
    })
  }

  static async start(loaded: LoadedOptions, logger: Logger): Promise<AlertReading> {
    const { config } = loaded
    const log: DriverLog = (level, text, fields) => logger[level](text, fields)
    const begins = tailBegins(Date.now(), config, true)
    const store = new ForgettingSink()
    const claim = async (streams: string[]) => (await store.claim(streams)).streams
    const source = await openKafkaTail(config.source.kafka, () => begins.readMs, claim, log)
    const knowledge = await openClusterKnowledge(config, { say: text => logger.info(text), log })
    const alerts = await openAlerts({ ...loaded, logger, knowledge, isFresh: false }, begins.countedMs)
    const warn = (text: string): void => logger.warn(text)
    const parts = wire({
      ...loaded,
      source,
      store,
      knowledge,
      alerts: alerts.listener,
      settles: false,
      nowMs: Date.now,
      warn
    })
    const begin = async (signal: AbortSignal): Promise<void> => {
      if ((await alerts.begin(signal)) || signal.aborted) return
      logger.info('no store tells enough of the last day: the last two hours of the topic are read instead')
      Object.assign(begins, tailBegins(Date.now(), config, false))
      alerts.countFrom(begins.countedMs)
    }
    return new AlertReading(parts, alerts, knowledge, begin)
  }

  get health(): string[] {
    if (this.failure !== null) return [`nobody looks for incidents any more: ${this.failure.message}`]
    return sourceHealth(this.parts, null)
  }

  get unready(): string[] {
    const { counters, source } = this.parts
    return counters.isReady && source.facts?.isWhole === true ? [] : ['the topic is not read for alerts yet']
  }

  get summary(): Record<string, number> {
    return { ...alertSummary(this.alerts.metrics), alertLagSeconds: Math.round(this.lagSeconds) }
  }

  get lagSeconds(): number {
    return this.parts.counters.lagSeconds(Date.now())
  }

  /** What is due is told once more, and incidents are stored; for some seconds at most. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.done
    await this.#knowledge?.close()
    await this.alerts.close()
  }

  async #run(begin: (signal: AbortSignal) => Promise<void>): Promise<void> {
    // Not before the caller has it in its hands.
    await Promise.resolve()
    try {
      await begin(this.#stop.signal)
      if (!this.#stop.signal.aborted) await runPipeline(this.parts, this.#stop.signal)
    } finally {
      await this.parts.source.close?.()
    }
  }
}

/** Says when it ends before it is told to. */
export async function startAlerts(loaded: LoadedOptions, logger: Logger): Promise<AlertReading> {
  const reading = await AlertReading.start(loaded, logger)
  void reading.done.then(() => {
    if (reading.failure !== null) logger.error('the topic is not read for alerts any more', { error: reading.failure })
  })
  return reading
}

/** `run` with the role alert and no worker, perhaps with watch. Returns the exit code. */
export async function runAlert(loaded: LoadedOptions, tokens: WebTokens, logger: Logger): Promise<number> {
  const stop = new Stop(text => logger.info(text), 'stopping; what is due is told, and incidents are stored')
  let reading: AlertReading | null = null
  let watching: ClusterWatch | null = null
  let server: RunningServer | null = null
  let timer: NodeJS.Timeout | undefined
  try {
    if (rolesOf(loaded.config).has('watch')) watching = await startWatch(loaded, logger)
    reading = await startAlerts(loaded, logger)
    const { parts, alerts } = reading
    const metrics = new MetricRegistry()
    metrics.addProcess()
    metrics.addLag(() => parts.counters.lagSeconds(Date.now()))
    addAlertMetrics(metrics, alerts.metrics)
    addAlertLag(metrics, () => reading?.lagSeconds ?? 0)
    if (watching !== null) addWatchMetrics(metrics, watching.metrics)
    server = await listen(
      loaded,
      tokens,
      {
        metrics,
        health: () => [...reading!.health, ...(watching?.health ?? [])],
        ready: () => [...reading!.unready, ...(watching?.unready ?? [])]
      },
      logger
    )
    timer = setInterval(
      () => logger.info('a minute of alerts', { ...reading?.summary, ...watching?.summary }),
      SUMMARY_MS
    )
    const { signal } = stop
    const told = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    if (!signal.aborted) await Promise.race([told, reading.done, ...(watching === null ? [] : [watching.done])])
    const failure = reading.failure ?? watching?.failure ?? null
    if (failure !== null) throw failure
    const { summary } = reading
    await closeEach(
      [
        ['not everything was told or stored', () => reading!.close()],
        ['the record of the cluster is not whole', watching && (() => watching!.close())]
      ],
      logger
    )
    logger.info('stopped', summary)
    reading = watching = null
    return stop.exitCode ?? 0
  } finally {
    clearInterval(timer)
    stop.release()
    await closeEach(
      [
        ['the server could not be closed', server && (() => server!.close())],
        ['not everything was told or stored', reading && (() => reading!.close())],
        ['the record of the cluster is not whole', watching && (() => watching!.close())]
      ],
      logger
    )
  }
}

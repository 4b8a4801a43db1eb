import { addAlertLag, addAlertMetrics } from '../alertMetrics.ts'
import type { ClusterKnowledge } from '../cluster/knowledge.ts'
import type { ClusterWatch } from '../clusterWatch.ts'
import { openClusterKnowledge } from '../clusterWiring.ts'
import { Why5xxError } from '../errors.ts'
import { rolesOf } from '../kubernetesOptions.ts'
import { createLogger, type Logger } from '../logger.ts'
import { logSecrets } from '../logSecrets.ts'
import { Metrics } from '../metrics.ts'
import { type PipelineParts, runPipeline } from '../pipeline.ts'
import { bulkSummary, kafkaSummary, type RunSummary, summaryOf } from '../runSummary.ts'
import { readTokens, type WebTokens } from '../secrets.ts'
import type { DriverLog } from '../source/kafka/driver.ts'
import type { Source } from '../source/source.ts'
import { ReplayWriter } from '../store/replayWriter.ts'
import type { Sink } from '../store/sink.ts'
import { addWatchMetrics } from '../watchMetrics.ts'
import type { RunningServer } from '../web/server.ts'
import { openSink, openSource, wire } from '../wiring.ts'
import { type Alerting, openAlerting } from './alerting.ts'
import { closeEach } from './closing.ts'
import { sourceHealth } from './health.ts'
import { listen } from './listening.ts'
import type { CommonOptions, LoadedOptions } from './options.ts'
import { runWatch, startWatch } from './runWatch.ts'
import { type Settling, settleEvery } from './settling.ts'
import { StatusLine } from './statusLine.ts'
import { Stop } from './stop.ts'
import { checkStoreFlag } from './storeFlag.ts'
import { storeIncidents } from './storeIncidents.ts'

export interface RunFlags {
  store?: string
  follow?: boolean
  listen?: string
}

const TICK_MS = 1_000
const SUMMARY_MS = 60_000

/**
 * The long-running process: reads until it is told to stop, or to the end of what has one. Returns the exit code: 0 after
 * SIGTERM and at the end, 130 after Ctrl-C, 1 when something could not be read. Throws when the store fails.
 */
export async function runRun(paths: string[], flags: RunFlags, common: CommonOptions): Promise<number> {
  const loaded = await common.load(settingsOf(paths, flags))
  const { config } = loaded
  checkStoreFlag(config, flags.store)
  if (flags.follow === false && config.source.kind === 'kafka')
    throw new Why5xxError('WHY5XX_USAGE', '--no-follow reads files to their end; a Kafka topic has none: leave it out')
  const tokens = readTokens(config.web)
  const status = { line: null as StatusLine | null }
  const write = (text: string): void => void (status.line ?? process.stderr).write(text)
  const logger = await createLogger(config.log, { secrets: logSecrets(config, tokens), write })
  const warn = (text: string): void => logger.warn(text)
  const log: DriverLog = (level, text, fields) => logger[level](text, fields)
  const roles = rolesOf(config)
  if (config.kubernetes.api !== 'none' && !roles.has('watch'))
    warn('kubernetes.api is set, but this process does not watch: set roles to watch, or to watch,worker')
  if (!roles.has('worker')) {
    const run = roles.has('alert') ? (await import('./runAlert.ts')).runAlert : runWatch
    return run(loaded, tokens, logger)
  }
  const stop = new Stop(text => logger.info(text))
  let store: Sink | null = null
  let server: RunningServer | null = null
  let watching: ClusterWatch | null = null
  let knowledge: ClusterKnowledge | null = null
  let settling: Settling | null = null
  let alerting: Alerting | null = null
  try {
    const opened = await openSink(loaded, { notify: warn, log })
    // A pipe that is started again (kubectl logs -f) repeats what was counted.
    store = config.source.kind === 'stdin' ? new ReplayWriter(opened) : opened
    // Behind the store, which makes the folder that both may use.
    if (roles.has('watch')) watching = await startWatch(loaded, logger)
    knowledge = await openClusterKnowledge(config, { say: text => logger.info(text), log })
    const source = await openSource(
      config,
      store,
      state => parts.engine.restore(state),
      () => parts,
      log
    )
    if (roles.has('alert')) alerting = await openAlerting(loaded, store, knowledge, logger)
    const alerts = alerting?.listener ?? null
    const parts: PipelineParts = wire({ ...loaded, source, store, knowledge, alerts, nowMs: Date.now, warn })
    settling = settleEvery(parts, stop.signal, logger)
    server = await listenFor(loaded, tokens, { parts, store, watching, alerting }, logger)
    status.line = new StatusLine(parts.counters, { kind: config.source.kind })
    status.line.start()
    const watch = watchRun(parts, store, { watching, alerting }, logger)
    try {
      await alerting?.begin(stop.signal)
      await runPipeline(parts, stop.signal)
    } finally {
      clearInterval(watch)
      // What is durable by now is committed before the group is left.
      await source.close?.()
    }
    if (!stop.signal.aborted && alerting !== null) {
      // What was read is too short for who looks at it live, or too old: the same as `replay` then.
      await alerting.close()
      alerting = null
      const span = { fromMs: parts.engine.fromMs, toMs: parts.counters.newestMs + 1 }
      await storeIncidents(config, undefined, span, warn)
    }
    const summary = wholeSummary(summaryOf(parts.counters, Date.now()), parts.source, store)
    logger.info(stop.signal.aborted ? 'stopped' : 'everything is read and written', summary)
    return stop.exitCode ?? (isUnreadable(parts) ? 1 : 0)
  } finally {
    status.line?.stop()
    stop.release()
    await closeEach(
      [
        ['not every incident was told or stored', alerting && (() => alerting!.close())],
        ['the second judgements did not end well', settling && (() => settling!.stop())],
        ['the record of the cluster could not be closed', knowledge && (() => knowledge!.close())],
        ['the server could not be closed', server && (() => server!.close())],
        ['the record of the cluster is not whole', watching && (() => watching!.close())]
      ],
      logger
    )
    await store?.close()
  }
}

/** Arguments and flags as options: a pattern is a path of the source, `-` is stdin. */
function settingsOf(paths: string[], flags: RunFlags): Map<string, { value: unknown; origin: string }> {
  const settings = new Map<string, { value: unknown; origin: string }>()
  if (paths.includes('-') && paths.length > 1)
    throw new Why5xxError('WHY5XX_USAGE', 'run reads stdin (-) or files, not both')
  if (paths[0] === '-') settings.set('source.kind', { value: 'stdin', origin: '-' })
  else if (paths.length > 0) {
    settings.set('source.kind', { value: 'files', origin: 'arguments' })
    settings.set('source.files.paths', { value: paths, origin: 'arguments' })
  }
  if (flags.follow === false) settings.set('source.files.follow', { value: false, origin: '--no-follow' })
  if (flags.store !== undefined) {
    settings.set('sink.embedded.path', { value: flags.store, origin: '--store' })
  }
  if (flags.listen !== undefined) settings.set('web.listen', { value: flags.listen, origin: '--listen' })
  return settings
}

interface Beside {
  watching: ClusterWatch | null
  alerting: Alerting | null
}

function listenFor(
  loaded: LoadedOptions,
  tokens: WebTokens,
  { parts, store, watching, alerting }: Beside & { parts: PipelineParts; store: Sink },
  logger: Logger
): Promise<RunningServer> {
  const { counters, source } = parts
  const metrics = new Metrics(counters, {
    clusterName: loaded.config.clusterName,
    kafka: () => source.facts ?? null,
    bulk: store.facts
  })
  if (watching !== null) addWatchMetrics(metrics, watching.metrics)
  if (alerting !== null) addAlertMetrics(metrics, alerting.metrics)
  if (alerting?.lagSeconds) addAlertLag(metrics, alerting.lagSeconds)
  const health = (): string[] => [
    ...sourceHealth(parts, store.pausedBecause),
    ...(watching?.health ?? []),
    ...(alerting?.health() ?? [])
  ]
  const ready = (): string[] => {
    const why: string[] = []
    if (!counters.isReady) why.push('the source has not been read yet')
    if (source.facts?.hasJoined === false) why.push('the consumer group has not been joined yet')
    if (store.pausedBecause !== null) why.push(store.pausedBecause)
    return [...why, ...(alerting?.unready() ?? [])]
  }
  return listen(loaded, tokens, { metrics, health, ready }, logger)
}

/** Says once a minute what was done, and at once when writing stops and goes on. */
function watchRun(
  { counters, source }: PipelineParts,
  store: Sink,
  { watching, alerting }: Beside,
  logger: Logger
): NodeJS.Timeout {
  let previous: RunSummary | null = null
  let saidMs = Date.now()
  return setInterval(() => {
    const before = counters.pausedBecause
    counters.pausedBecause = store.pausedBecause
    if (before === null && counters.pausedBecause !== null) logger.error(`writing is paused: ${counters.pausedBecause}`)
    if (before !== null && counters.pausedBecause === null) logger.info('writing goes on')
    if (Date.now() - saidMs < SUMMARY_MS) return
    saidMs = Date.now()
    previous = summaryOf(counters, saidMs, previous)
    logger.info('a minute of work', {
      ...wholeSummary(previous, source, store),
      ...watching?.summary,
      ...alerting?.summary()
    })
  }, TICK_MS)
}

/** With what source and store tell of themselves. */
function wholeSummary(summary: RunSummary, { facts }: Source, store: Sink): RunSummary {
  return {
    ...summary,
    ...(facts !== undefined && kafkaSummary(facts)),
    ...(store.facts !== null && bulkSummary(store.facts))
  }
}

/** What has an end and held no line that anybody knows. */
function isUnreadable({ counters }: PipelineParts): boolean {
  const { access, error, controller, stream_access: streamAccess, reject } = counters.lines
  return counters.unreadable > 0 || (access + error + controller + streamAccess === 0 && reject > 0)
}

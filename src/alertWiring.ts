/** Configuration → whoever looks for incidents, tells them and stores them. */

import { type Alerting, openAlerting } from './alert/alerting.ts'
import { type ControllerReload, changesBefore } from './alert/changes.ts'
import type { Incident } from './alert/incident.ts'
import { noticeOf } from './alert/noticeText.ts'
import { Notifier } from './alert/notify/notifier.ts'
import { openReceivers } from './alert/notify/open.ts'
import type { Pace } from './alertClock.ts'
import { minuteOf } from './alertHistory.ts'
import type { AlertMetricsSource } from './alertMetrics.ts'
import { repeatedGroups } from './alertRepeat.ts'
import { AlertService } from './alertService.ts'
import { AlertStart } from './alertStart.ts'
import { IncidentLog } from './incidentLog.ts'
import { IncidentQueue } from './incidentQueue.ts'
import type { JudgedListener, Knowledge } from './judge.ts'
import type { Logger } from './logger.ts'
import { Masker, type MaskOptions } from './mask.ts'
import type { Config } from './optionTable.ts'
import type { IncidentTopic } from './source/kafka/incidentTopic.ts'
import { controllerRow } from './store/controllerDocument.ts'
import { incidentId } from './store/identity.ts'
import { openReader } from './store/open.ts'
import { openIncidentWriter } from './store/openIncidents.ts'

export interface AlertWiringOptions {
  config: Config
  maskOptions: MaskOptions
  logger: Logger
  /** What the pipeline judges with; changes before an incident are looked up there. */
  knowledge: Pick<Knowledge, 'state'> | null
  /** True: nothing was stored before, and there is no history. */
  isFresh: boolean
  nowMs?: () => number
}

export interface Alerts {
  /** For the judge of the pipeline. */
  listener: JudgedListener
  metrics: AlertMetricsSource
  /**
   * Asks what was before; to be called before anything is read. Resolves to whether that tells what is ordinary; at once when
   * the signal is aborted.
   */
  begin(signal?: AbortSignal): Promise<boolean>
  /** Instead of `countedFromMs`: more is read again. */
  countFrom(ms: number): void
  /** Judges the last minutes of what has ended, tells and stores what is left, for a few seconds at most. Before the store is closed. */
  close(): Promise<void>
}

/** What the alert role reads again of a topic when it starts: longer than any window. */
const AGAIN_MS = 20 * 60_000
/** Where no store tells the past: enough to know what is ordinary, which takes 75 minutes. */
const WITHOUT_PAST_MS = 2 * 3_600_000
/** Before that, so that what is counted finds its error lines; and clocks may differ a little. */
const LEAD_MS = 60_000
const STORING_MS = 5_000
/** Reloads that were seen: as far back as anybody asks. */
const RELOADS_MS = 2 * 3_600_000
const RELOADS_MAX = 500

/** Where reading begins for alerts on a topic: what is counted, and what is read before it for its joins. Unix ms. */
export function tailBegins(
  nowMs: number,
  { join }: Pick<Config, 'join'>,
  knowsPast: boolean
): { countedMs: number; readMs: number } {
  const countedMs = minuteOf(nowMs - (knowsPast ? AGAIN_MS : WITHOUT_PAST_MS))
  return { countedMs, readMs: countedMs - join.errorWaitMs - LEAD_MS }
}

/** `countedFromMs`: of a reading that begins at a moment, whatever was read before; null: the pipeline goes on where it was. */
export async function openAlerts(options: AlertWiringOptions, countedFromMs: number | null = null): Promise<Alerts> {
  const { config, maskOptions, logger, knowledge, isFresh, nowMs = Date.now } = options
  const { clusterName, links, alerts } = config
  const say = (text: string): void => logger.warn(text)
  const reloads = new Reloads()
  const openFresh = (): Alerting =>
    openAlerting({
      profile: alerts.profile,
      nowMs,
      idOf: (openedMs, upstream, cause) => incidentId(clusterName, openedMs, upstream, cause),
      changesBefore: (incident, fromMs, toMs) =>
        changesBefore(incident, fromMs, toMs, { state: knowledge?.state ?? null, reloads: reloads.all })
    })
  const topic = await openTopic(config, logger)
  const queues = queuesOf(config, topic, say)
  const incidentLog = new IncidentLog()
  const store = (incidents: readonly Incident[]): void => {
    for (const { text, fields } of incidentLog.linesOf(incidents)) logger.info(text, fields)
    for (const queue of queues.values()) queue.put(incidents)
  }
  const receivers = openReceivers(config)
  const names = receivers.map(({ name }) => name)
  const texts = { clusterName, runbook: links.runbook, incidentLink: links.incident }
  if (receivers.length > 0) logger.info('who is told of incidents', { receivers: receivers.map(({ name }) => name) })
  const notifier = new Notifier({
    receivers,
    noticeOf: (group, kind) => noticeOf(group, kind, texts),
    onTold: incident => store([incident]),
    log: logger,
    clock: nowMs
  })
  const service = new AlertService({
    alerting: openFresh(),
    documents: { clusterName, masker: new Masker(maskOptions) },
    pace: paceOf(config),
    fromMs: countedFromMs ?? Number.NEGATIVE_INFINITY,
    readsAgain: countedFromMs !== null,
    tell: groups => notifier.tell(groups),
    store,
    controllers: rows => reloads.add(rows.map(controllerRow)),
    say,
    repeat: incidents => notifier.tell(repeatedGroups(incidents, names, nowMs())),
    startOver() {
      start.again()
      return openFresh()
    }
  })
  const start: AlertStart = new AlertStart({
    service,
    openFresh,
    openReader: isFresh || !hasStore(config) ? null : () => openReader(config),
    readTopic: topic && (() => topic.readAll()),
    until: countedFromMs ?? (config.source.kind === 'stdin' ? 'first' : 'now'),
    nowMs,
    say
  })
  return {
    listener: service,
    metrics: {
      clusterName,
      alerts: () => service.facts,
      notifier: () => notifier.facts,
      queues: () => new Map([...queues].map(([name, queue]) => [name, queue.facts]))
    },
    begin: signal => start.begin(signal),
    countFrom(ms) {
      service.countFrom(ms, openFresh())
      start.endHistoryAt(ms)
    },
    async close() {
      if (service.hasEnded) await start.end()
      else start.stop()
      service.finish(nowMs())
      await notifier.close()
      await Promise.all([...queues.values()].map(queue => queue.close(STORING_MS)))
    }
  }
}

/** The embedded store of a process that reads a topic for alerts alone is nobody's: it would hold incidents and nothing else. */
function hasStore({ sink, source, roles }: Config): boolean {
  return sink.kind === 'elasticsearch' || source.kind !== 'kafka' || roles === null || roles.includes('worker')
}

function paceOf({ source }: Config): Pace {
  if (source.kind === 'stdin') return 'recent'
  return source.kind === 'files' && !source.files.follow ? 'end' : 'live'
}

async function openTopic({ source, alerts }: Config, logger: Logger): Promise<IncidentTopic | null> {
  if (source.kind !== 'kafka') return null
  const { kafkaConnection } = await import('./source/kafka/connection.ts')
  const { IncidentTopic } = await import('./source/kafka/incidentTopic.ts')
  return new IncidentTopic({
    connection: kafkaConnection(source.kafka),
    topic: alerts.topic,
    groupId: source.kafka.groupId,
    say: text => logger.info(text),
    log: (level, text, fields) => logger[level](text, fields)
  })
}

function queuesOf(
  config: Config,
  topic: IncidentTopic | null,
  say: (text: string) => void
): Map<string, IncidentQueue> {
  const queues = new Map<string, IncidentQueue>()
  if (topic !== null)
    queues.set('topic', new IncidentQueue({ name: `topic ${config.alerts.topic}`, open: async () => topic, say }))
  if (hasStore(config))
    queues.set(
      'store',
      new IncidentQueue({ name: 'the store', open: () => openIncidentWriter(config, { notify: say }), say })
    )
  else
    say(
      `sink.kind is embedded: incidents are kept in topic ${config.alerts.topic} alone, because no store is written here`
    )
  return queues
}

/** What controllers said of reloads lately. */
class Reloads {
  #all: ControllerReload[] = []

  get all(): readonly ControllerReload[] {
    return this.#all
  }

  add(rows: readonly ReturnType<typeof controllerRow>[]): void {
    for (const { kind, timeMs, pod, message } of rows)
      if (kind === 'reload' || kind === 'reload_failed') this.#all.push({ atMs: timeMs, pod, kind, text: message })
    if (this.#all.length === 0) return
    const newestMs = this.#all.at(-1)!.atMs
    this.#all = this.#all.filter(({ atMs }) => atMs >= newestMs - RELOADS_MS).slice(-RELOADS_MAX)
  }
}

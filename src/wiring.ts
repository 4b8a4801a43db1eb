/** Configuration → the parts of a run. The only file that knows them all. */

import { existsSync, realpathSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import type { LogFormat } from '../parsers/logFormat.ts'
import { Counters } from './counters.ts'
import { Engine, type EngineState } from './engine.ts'
import { Intake } from './intake.ts'
import { Judge, type JudgedListener, type Knowledge } from './judge.ts'
import { Masker, type MaskOptions } from './mask.ts'
import type { Config } from './optionTable.ts'
import { Outbox } from './outbox.ts'
import type { PipelineParts } from './pipeline.ts'
import { Settler, type SettlerParts } from './settler.ts'
import { parseSize } from './sizeOption.ts'
import type { DriverLog } from './source/kafka/driver.ts'
import type { RejectTopic } from './source/kafka/rejectTopic.ts'
import type { Source, StreamState } from './source/source.ts'
import type { DocumentOptions } from './store/document.ts'
import type { KeptReject } from './store/keptReject.ts'
import { openReader } from './store/open.ts'
import { DocumentSink, type Sink } from './store/sink.ts'
import { BatchWriter } from './store/writer.ts'

/** Bytes on their way to the store: what may wait in memory while a disk is slow. */
const IN_FLIGHT_BYTES = 16 << 20

export interface WiringOptions {
  config: Config
  maskOptions: MaskOptions
  /** null: detected. */
  logFormat: LogFormat | null
  source: Source
  store: Sink
  nowMs: () => number
  /** Told of gaps in the source, in sentences. */
  warn: (text: string) => void
  /** Left out: nothing is known of any cluster. */
  knowledge?: Knowledge | null
  /** Looks for incidents in what is judged; left out: nobody does. */
  alerts?: JudgedListener | null
  /** False: nobody judges a second time what is stored. */
  settles?: boolean
  /** What is stored is read with it, to be judged again; left out: as the configuration says. */
  openReader?: SettlerParts['openReader']
}

/** What documents are made with, but what only the reader of a line knows. */
function documentOptions(config: Config, maskOptions: MaskOptions): Omit<DocumentOptions, 'sourceOf'> {
  return {
    clusterName: config.clusterName,
    masker: new Masker(maskOptions),
    runbookUrl: config.links.runbook,
    labels: config.kubernetes.labels
  }
}

export interface SinkOptions {
  /** Sentences for the log. */
  notify: (text: string) => void
  log: DriverLog
  /** False: what is rejected now was rejected before, and is kept already. */
  keepsRejects?: boolean
  /** False: what the store refuses is rejected at once; by default it waits until it is clear that the data is wrong, not the cluster. */
  holdsRefused?: boolean
  /** True: files are read, whatever `source.kind` says; the next process on this host goes on with them. */
  readsFiles?: boolean
}

/**
 * The store of `sink.kind`, for writing. The embedded one has a thread of its own: documents are built and written beside
 * the reading. The sources without a build have no such thread.
 */
export async function openSink(
  { config, maskOptions }: Pick<WiringOptions, 'config' | 'maskOptions'>,
  options: SinkOptions
): Promise<Sink> {
  const { notify } = options
  const { clusterName, sink, links, kubernetes } = config
  const documents = documentOptions(config, maskOptions)
  if (sink.kind === 'elasticsearch') {
    const { openElasticsearchWriter } = await import('./store/elasticsearch/open.ts')
    const rejectTopic = await openRejectTopic(config, options)
    const keepRejects = rejectTopic && ((rejects: KeptReject[]) => rejectTopic.send(rejects))
    const holdsRefused = options.holdsRefused ?? true
    // Partitions go from process to process; files are found again by the next process on their host.
    const isMember = config.source.kind === 'kafka' && options.readsFiles !== true
    const instance = `${clusterName}/${hostname()}${isMember ? `/${process.pid}` : ''}`
    const settings = { config: sink.elasticsearch, clusterName, instance, keepRejects, holdsRefused, notify }
    const store = await openElasticsearchWriter(settings)
    return new DocumentSink(store, documents, rejectTopic)
  }
  const { path, retention, sizeMax } = sink.embedded
  const program = realpathSync(process.argv[1]!)
  const retentionBytes = sizeMax === null ? null : parseSize('sink.embedded.sizeMax', sizeMax)
  const embedded = { retention, retentionBytes, program }
  const worker = join(dirname(program), 'storeWorker.js')
  if (existsSync(worker)) {
    const { WorkerStore } = await import('./store/workerStore.ts')
    const plain = { clusterName, runbookUrl: links.runbook, labels: kubernetes.labels }
    return WorkerStore.open(worker, { path, embedded, maskOptions, documents: plain }, notify)
  }
  const { openEmbeddedWriter } = await import('./store/embedded/open.ts')
  return new DocumentSink(await openEmbeddedWriter(path, { ...embedded, notify }), documents)
}

/** null: the input has no topic, and is itself where original bytes are kept. */
async function openRejectTopic(
  { source }: Config,
  { keepsRejects = true, readsFiles = false, log }: SinkOptions
): Promise<RejectTopic | null> {
  if (source.kind !== 'kafka' || readsFiles || !keepsRejects) return null
  const { kafkaConnection } = await import('./source/kafka/connection.ts')
  const { RejectTopic } = await import('./source/kafka/rejectTopic.ts')
  return new RejectTopic({ connection: kafkaConnection(source.kafka), topic: source.kafka.rejectTopic, log })
}

/**
 * The source of `source.kind`; `store` tells how far its streams were read. `restore` takes what the engines knew that read
 * a partition before us; `parts` is asked once something is read: the settler is told of the partitions themselves.
 */
export async function openSource(
  config: Config,
  store: Sink,
  restore: (state: EngineState) => void,
  parts: () => Pick<PipelineParts, 'settler' | 'writer'>,
  log: DriverLog
): Promise<Source> {
  if (config.source.kind === 'kafka') {
    const { openKafkaSource } = await import('./source/kafka/open.ts')
    const claim = async (ids: string[]): Promise<StreamState[]> => {
      // What was read of a partition that is ours once more may still wait to be judged. Written behind the claim, it would be
      // added to totals that were read before it, and added again where reading begins now.
      await parts().writer.written()
      const { streams, engines } = await store.claim(ids)
      for (const engine of engines) restore(engine as EngineState)
      parts().settler?.claimed(streams)
      return streams
    }
    const begins = (stream: string): void => parts().settler?.begin(stream)
    const ends = (stream: string): void => parts().settler?.lose([stream])
    return openKafkaSource(config.source.kafka, { claim, begins, ends }, log)
  }
  if (config.source.kind === 'stdin') return new (await import('./source/stdin.ts')).StdinSource()
  const { FileSource } = await import('./source/files.ts')
  const { files } = config.source
  // Without it such a run looks as one that has nothing to tell; one that does not follow refuses.
  if (files.follow) await tellUnmatched(files.paths, text => log('warn', text, {}))
  return new FileSource(files, store.streams)
}

async function tellUnmatched(patterns: readonly string[], warn: (text: string) => void): Promise<void> {
  const { expandGlob } = await import('./source/glob.ts')
  // A folder that cannot be listed is told by the source.
  const ignore = (): void => {}
  for (const pattern of patterns)
    if (expandGlob(pattern, ignore).length === 0)
      warn(`no file matches ${pattern}: waiting for one; why5xx check says what is there`)
}

function settlerOf(
  { config, store, nowMs, warn, openReader: open = () => openReader(config) }: WiringOptions,
  judge: Judge,
  knowledge: Knowledge,
  counters: Counters
): Settler {
  return new Settler({
    knowledge,
    openReader: open,
    write: batch => store.write(batch),
    oldestInFlightMs: () => judge.oldestInFlightMs,
    oldestFailureMs: sinceMs => judge.oldestFailureMs(sinceMs),
    counters,
    clusterName: config.clusterName,
    labels: config.kubernetes.labels,
    isOfPartitions: config.source.kind === 'kafka',
    settleMs: config.diagnosis.settleMs,
    nowMs,
    notify: warn
  })
}

export function wire(options: WiringOptions): PipelineParts {
  const {
    config,
    maskOptions,
    logFormat,
    source,
    store,
    nowMs,
    warn,
    knowledge = null,
    alerts = null,
    settles = true
  } = options
  const counters = new Counters(nowMs())
  const documents: DocumentOptions = {
    ...documentOptions(config, maskOptions),
    nowMs,
    sourceOf: (stream, byteOffset) => intake.sourceOf(stream, byteOffset)
  }
  const outbox = new Outbox(documents, counters, warn)
  const engine = new Engine(
    {
      join: config.join,
      timeZone: config.timeZone,
      logFormat,
      fromMs: Number.NEGATIVE_INFINITY,
      toMs: Number.POSITIVE_INFINITY,
      isWantedName: null,
      // Elasticsearch cannot make totals and positions durable in one step: it fences the one by the other.
      withMinutes: config.sink.kind === 'elasticsearch' && source.isRepeatable && !store.isForgetting ? 'lines' : true
    },
    outbox
  )
  const intake: Intake = new Intake(engine)
  if (store.engine !== null) engine.restore(store.engine as EngineState)
  const judge = new Judge(store, documents, counters, knowledge, warn, alerts)
  const settler = knowledge === null || !settles ? null : settlerOf(options, judge, knowledge, counters)
  settler?.claimed(store.streams)
  const writer = new BatchWriter(
    judge,
    counters,
    IN_FLIGHT_BYTES,
    states => source.durable?.(states),
    states => {
      settler?.lose(states.map(({ stream }) => stream))
      source.lost?.(states)
    }
  )
  return { source, engine, intake, outbox, settler, writer, alerts: alerts && judge, counters, nowMs }
}

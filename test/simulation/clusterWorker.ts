/** One worker process: the real pipeline, source, engine and writer between a simulated broker and a simulated Elasticsearch. */
import type { Random } from '../../bench/random.ts'
import type { LogFormat } from '../../parsers/logFormat.ts'
import { openClusterState } from '../../src/cluster/clusterIndex.ts'
import type { EngineState } from '../../src/engine.ts'
import { Why5xxError } from '../../src/errors.ts'
import { Judge, type Knowledge } from '../../src/judge.ts'
import { MASK_ALL, Masker } from '../../src/mask.ts'
import { defaultConfig } from '../../src/optionTable.ts'
import { type PipelineParts, runPipeline } from '../../src/pipeline.ts'
import { KafkaSource } from '../../src/source/kafka/kafkaSource.ts'
import type { Source } from '../../src/source/source.ts'
import { IndexNames } from '../../src/store/elasticsearch/names.ts'
import { ElasticsearchWriter } from '../../src/store/elasticsearch/writer.ts'
import type { KeptReject } from '../../src/store/keptReject.ts'
import { DocumentSink } from '../../src/store/sink.ts'
import { BatchWriter } from '../../src/store/writer.ts'
import { wire as wireParts } from '../../src/wiring.ts'
import type { SimulatedBroker } from './clusterBroker.ts'
import { SimulatedDriver } from './clusterDriver.ts'
import type { SimulatedElasticsearch } from './clusterElasticsearch.ts'
import type { Host, Wire } from './clusterWire.ts'

export interface Cluster {
  wire: Wire
  broker: SimulatedBroker
  elasticsearch: SimulatedElasticsearch
  /** The reject topic: value and headers of each message. */
  kept: Set<string>
  random: Random
  /** null: detected. */
  logFormat: LogFormat | null
}

/** So few that they go and come back. */
const ROLLUP_KEYS_MAX = 6
/** So few that a batch waits for those before it. */
const IN_FLIGHT_BYTES = 1_000
const JUDGING_MS_MAX = 5_000
const LIMITS = { partitionMessages: 20, bytes: 20_000 }
const CONFIG = defaultConfig()
const CONFIGURATION = {
  ...CONFIG,
  clusterName: 'simulated',
  source: { ...CONFIG.source, kind: 'kafka' as const },
  sink: { ...CONFIG.sink, kind: 'elasticsearch' as const }
}

export class SimulatedWorker implements Host {
  state: Host['state'] = 'running'
  readonly instance: string
  readonly driver: SimulatedDriver
  /** How it ended; null: it has not. */
  ending: 'stopped' | 'failed' | null = null
  /** What no process should end with. */
  bug: unknown = null
  readonly #cluster: Cluster
  readonly #stop = new AbortController()
  #aheadMs = 0

  /** `claim`: unique. */
  constructor(cluster: Cluster, instance: string, claim: string) {
    this.#cluster = cluster
    this.instance = instance
    this.driver = new SimulatedDriver(this, cluster.broker, cluster.wire)
    this.#run(claim).then(
      () => (this.ending = 'stopped'),
      (error: unknown) => {
        this.ending = 'failed'
        if (!(error instanceof Why5xxError)) this.bug = error
      }
    )
  }

  /** SIGTERM. */
  stop(): void {
    this.#stop.abort()
  }

  get isStopping(): boolean {
    return this.#stop.signal.aborted
  }

  /** As the command `run` does. */
  async #run(claim: string): Promise<void> {
    const { wire, elasticsearch, random, logFormat } = this.#cluster
    const { clusterName } = CONFIGURATION
    const store = await ElasticsearchWriter.open({
      client: elasticsearch.client(this, wire),
      names: new IndexNames('default'),
      clusterName,
      instance: this.instance,
      claim,
      keepRejects: rejects => this.#keep(rejects),
      timing: {
        now: () => wire.nowMs,
        random: () => random.share(),
        wait: (ms, signal) => wire.sleep(this, ms, signal)
      },
      notify: () => {},
      rollupKeysMax: ROLLUP_KEYS_MAX
    })
    try {
      const documents = { clusterName, masker: new Masker(MASK_ALL), runbookUrl: null }
      const sink = new DocumentSink(store, documents)
      const source = new KafkaSource({
        driver: this.driver,
        config: { topic: 'lines', groupId: 'workers' },
        claim: async ids => {
          await parts.writer.written()
          const { streams, engines } = await sink.claim(ids)
          for (const engine of engines) parts.engine.restore(engine as EngineState)
          return streams
        },
        log: () => {},
        limits: LIMITS,
        ticker: {
          wallMs: () => wire.nowMs,
          steadyMs: () => wire.nowMs,
          sleep: (ms, signal) => wire.sleep(this, ms, signal)
        }
      })
      const parts: PipelineParts = wireParts({
        config: CONFIGURATION,
        maskOptions: MASK_ALL,
        logFormat,
        source: this.#inTurns(source),
        store: sink,
        nowMs: () => this.#clock(),
        warn: () => {}
      })
      const { counters } = parts
      const durable: Source['durable'] = states => source.durable(states)
      const judge = new Judge(sink, documents, counters, this.#lateKnowledge())
      parts.writer = new BatchWriter(judge, counters, IN_FLIGHT_BYTES, durable, states => source.lost(states))
      try {
        await runPipeline(parts, this.#stop.signal)
      } finally {
        await source.close()
      }
    } finally {
      await store.close()
    }
  }

  /** It never knows the state of the cluster, and now and then waits for it in vain: batches stay with the judge so long. */
  #lateKnowledge(): Knowledge {
    const { random, wire } = this.#cluster
    return {
      state: openClusterState(),
      ready: async () => {
        if (random.share() < 0.2) await wire.sleep(this, random.below(JUDGING_MS_MAX), this.#stop.signal)
        return { known: false, isCaughtUp: true, fromMs: Number.NEGATIVE_INFINITY }
      }
    }
  }

  /** It only says when to write: here the seed says it. */
  #clock(): number {
    if (this.#cluster.random.share() < 0.1) this.#aheadMs += 1_000
    return this.#cluster.wire.nowMs + this.#aheadMs
  }

  #keep(rejects: KeptReject[]): Promise<number> {
    const { wire, kept } = this.#cluster
    const keep = (): number => {
      for (const { value, headers } of rejects) kept.add(JSON.stringify([value.toString('latin1'), headers]))
      return 0
    }
    return wire.ask(this, keep, () => new Why5xxError('WHY5XX_KAFKA', 'no broker'))
  }

  /** Before each event is asked for, the seed says whose turn it is. */
  #inTurns(source: KafkaSource): Source {
    const { wire } = this.#cluster
    const takesTurns = async function* (host: Host, signal: AbortSignal): ReturnType<Source['read']> {
      const events = source.read(signal)
      try {
        for (;;) {
          await wire.turn(host)
          const { done, value } = await events.next()
          if (done) return
          yield value
        }
      } finally {
        await events.return(undefined)
      }
    }
    return {
      isRepeatable: source.isRepeatable,
      read: signal => takesTurns(this, signal)
    }
  }
}

/** The watch role: a watch of the API server that writes the record. */

import { certificateFacts } from './cluster/certificate.ts'
import { connect } from './cluster/connect.ts'
import { keptObject } from './cluster/keptFields.ts'
import type { ClusterRecordWriter } from './cluster/record.ts'
import { type RunningWatch, watchCluster } from './cluster/watch.ts'
import { openRecordWriter, type RecordLog } from './clusterWiring.ts'
import { CONTROLLER_CONFIG_MAP, type KubernetesConfig, tlsSecretOf } from './kubernetesOptions.ts'
import type { Config } from './optionTable.ts'
import type { WatchMetricsSource } from './watchMetrics.ts'

/** A watch that hangs is started again; one that cannot reach anybody would be no better off. */
const STUCK_MS = 120_000

export class ClusterWatch {
  /** When nothing is watched any more. Never rejects: `failure` says why. */
  readonly done: Promise<void>
  /** What ended it before it was told to. */
  failure: unknown = null
  readonly startedMs = Date.now()
  readonly #writer: ClusterRecordWriter
  readonly #watch: RunningWatch
  readonly #stop: AbortController

  private constructor(writer: ClusterRecordWriter, watch: RunningWatch, stop: AbortController) {
    this.#writer = writer
    this.#watch = watch
    this.#stop = stop
    this.done = watch.done.catch((error: unknown) => {
      this.failure = error
    })
  }

  /**
   * Throws Why5xxError when there is no way to an API server, or the record cannot be written; an API server that does not
   * answer is waited for.
   */
  static async start(config: Config, recordLog: RecordLog): Promise<ClusterWatch> {
    const { api, kubeconfig, context, namespaces, controllerNamespace, tlsSecrets } = config.kubernetes
    const connection = connect({
      api: apiOf(api),
      ...(kubeconfig !== null && { file: kubeconfig }),
      ...(context !== null && { context })
    })
    let watch: RunningWatch | null = null
    const writer = await openRecordWriter(config, () => watch?.listSoon(), recordLog)
    const stop = new AbortController()
    watch = watchCluster(
      connection,
      {
        keep: object => keptObject(object, { certificateFacts }),
        notify: recordLog.say,
        namespaces,
        configMaps: [{ namespace: controllerNamespace, name: CONTROLLER_CONFIG_MAP }],
        secrets: tlsSecrets.flatMap(text => tlsSecretOf(text) ?? [])
      },
      // The watch waits: what is not durable yet stays with the API server.
      events => writer.append(events),
      stop.signal
    )
    return new ClusterWatch(writer, watch, stop)
  }

  get metrics(): WatchMetricsSource {
    return {
      record: () => this.#writer.facts,
      watch: () => this.#watch.facts,
      nowMs: Date.now,
      startedMs: this.startedMs
    }
  }

  /** Why the process should be started again; empty: it is well. */
  get health(): string[] {
    if (this.failure !== null) return ['the cluster is not watched any more']
    const { heartbeatMs, pausedBecause } = this.#writer.facts
    // Heartbeats of the watch wait when they cannot be recorded, and stop when nobody answers: neither is a hang.
    if (heartbeatMs === null || pausedBecause !== null || (this.#watch.facts.heartbeatMs ?? 0) <= heartbeatMs) return []
    const seconds = Math.round((Date.now() - heartbeatMs) / 1_000)
    return seconds * 1_000 > STUCK_MS ? [`no heartbeat was recorded for ${seconds} s`] : []
  }

  /** Why it does not do its work yet, or just now; empty: it does. */
  get unready(): string[] {
    const { listedMs, pausedBecause } = this.#writer.facts
    const why: string[] = []
    if (listedMs === null) why.push('no whole list of the cluster has been recorded yet')
    if (pausedBecause !== null) why.push(pausedBecause)
    return why
  }

  /** In a few numbers, for the log. */
  get summary(): Record<string, unknown> {
    const { events, bytes, dropped, cut, pausedBecause } = this.#writer.facts
    const { objects, lost } = this.#watch.facts
    return {
      clusterObjects: objects,
      clusterEvents: [...events.values()].reduce((sum, count) => sum + count, 0),
      clusterBytes: bytes,
      clusterDropped: dropped,
      clusterCut: cut,
      clusterKindsLost: lost.length,
      clusterPaused: pausedBecause
    }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    // First what holds the watch up: an event of its own may wait for a record that cannot be written.
    const [closed] = await Promise.allSettled([this.#writer.close(), this.done])
    if (closed.status === 'rejected') throw closed.reason
  }
}

function apiOf(api: KubernetesConfig['api']): 'kubeconfig' | 'in-cluster' {
  return api === 'in-cluster' ? api : 'kubeconfig'
}

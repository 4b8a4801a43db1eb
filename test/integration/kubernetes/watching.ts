/** A watch of the program under test, all it has emitted, and the state that follows from it. */
import { openClusterState } from '../../../src/cluster/clusterIndex.ts'
import { connect } from '../../../src/cluster/connect.ts'
import type { ClusterEvent } from '../../../src/cluster/event.ts'
import { keptObject } from '../../../src/cluster/keptFields.ts'
import type { ClusterState } from '../../../src/cluster/state.ts'
import { type RunningWatch, type WatchOptions, watchCluster } from '../../../src/cluster/watch.ts'
import { eventually } from '../../services/latch.ts'

type EventOf<T, E = ClusterEvent> = E extends { type: unknown } ? (T extends E['type'] ? E : never) : never

export class Watching {
  readonly events: ClusterEvent[] = []
  readonly said: string[] = []
  readonly state: ClusterState = openClusterState()
  readonly watch: RunningWatch
  readonly #stop = new AbortController()

  private constructor(kubeconfig: string, options: Partial<WatchOptions>) {
    this.watch = watchCluster(
      connect({ api: 'kubeconfig', file: kubeconfig }),
      { keep: keptObject, notify: text => this.said.push(text), heartbeatMs: 100, ...options },
      events => {
        for (const event of events) {
          this.events.push(event)
          this.state.apply(event)
        }
      },
      this.#stop.signal
    )
  }

  /** Resolves when everything was listed. */
  static async start(kubeconfig: string, options: Partial<WatchOptions> = {}): Promise<Watching> {
    const watching = new Watching(kubeconfig, options)
    await watching.until(() => watching.ofType('HEARTBEAT').length > 0, 'the first heartbeat')
    return watching
  }

  until(isSo: () => boolean, what: string, timeoutMs = 60_000): Promise<true> {
    return eventually(() => isSo() || undefined, what, timeoutMs)
  }

  /** Everything that happened up to now has been told: a heartbeat that was asked for later has come. */
  async caughtUp(): Promise<void> {
    const nowMs = Date.now()
    await this.until(() => (this.watch.facts.heartbeatMs ?? 0) > nowMs, 'a heartbeat')
  }

  ofType<T extends ClusterEvent['type']>(type: T): EventOf<T>[] {
    return this.events.filter(event => event.type === type) as EventOf<T>[]
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.watch.done
  }
}

/** The API server of the simulated shop: its objects, and every change of them in the order of time. */

import type { ClusterEvent, ListEvent } from '../../../src/cluster/event.ts'
import type { Kind, KubeObject } from '../../../src/cluster/objects.ts'
import { DEFAULT_KINDS } from '../../../src/cluster/resources.ts'

/** A recording watch says this often that it lives; a real one does every two seconds. */
const HEARTBEAT_MS = 10_000
const LIST_MS = 40
/** What the watch asks for and this cluster does not serve. */
const NOT_SERVED: ListEvent['unreadable'] = {
  Certificate: '404 the API /apis/cert-manager.io/v1 is not served',
  PodMetrics: '404 the API /apis/metrics.k8s.io/v1beta1 is not served'
}
const LISTED: Kind[] = DEFAULT_KINDS.filter(kind => !Object.hasOwn(NOT_SERVED, kind))

export class ApiServer {
  readonly #objects = new Set<KubeObject>()
  readonly #planned: { atMs: number; apply: (atMs: number) => void }[] = []
  readonly #told: ClusterEvent[] = []
  #version = 41_000_000
  #nowMs: number | null = null
  #isWatched = false

  /** The moment that is being told of; null before the first. */
  get nowMs(): number | null {
    return this.#nowMs
  }

  /** Something happens at that moment; what is planned for one moment happens in the order of planning. */
  plan(atMs: number, apply: (atMs: number) => void): void {
    this.#planned.push({ atMs, apply })
  }

  add(object: KubeObject): void {
    this.#objects.add(object)
    this.#tell('ADDED', object)
  }

  changed(object: KubeObject): void {
    if (this.#objects.has(object)) this.#tell('MODIFIED', object)
  }

  remove(object: KubeObject): void {
    if (this.#objects.delete(object)) this.#tell('DELETED', object)
  }

  /** What a watch records: a list, every change, heartbeats, and a list at the end. */
  recording(fromMs: number, toMs: number): ClusterEvent[] {
    this.plan(fromMs, atMs => this.#list(atMs))
    for (let ms = fromMs + HEARTBEAT_MS; ms < toMs; ms += HEARTBEAT_MS)
      this.plan(ms, at => this.#told.push({ at, type: 'HEARTBEAT' }))
    this.plan(toMs, atMs => this.#list(atMs))
    this.plan(toMs + HEARTBEAT_MS, at => this.#told.push({ at, type: 'HEARTBEAT' }))
    this.#run()
    return this.#told
  }

  /** What `kubectl get` lists when everything has happened. */
  objects(): KubeObject[] {
    this.#run()
    return this.#sorted()
  }

  #run(): void {
    for (const { atMs, apply } of this.#planned.sort((a, b) => a.atMs - b.atMs)) {
      this.#nowMs = atMs
      apply(atMs)
    }
  }

  #tell(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void {
    object.metadata.resourceVersion = String(++this.#version)
    if (this.#isWatched) this.#told.push({ at: this.#nowMs!, type, object: structuredClone(object) })
  }

  #list(atMs: number): void {
    const scope = { kinds: LISTED, unreadable: NOT_SERVED, namespaces: null }
    this.#told.push({ at: atMs, type: 'LIST_START', ...scope })
    for (const object of this.#sorted()) this.#told.push({ at: atMs, type: 'ADDED', object: structuredClone(object) })
    this.#told.push({ at: atMs + LIST_MS, type: 'LIST_END', ...scope })
    this.#isWatched = true
  }

  #sorted(): KubeObject[] {
    const key = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`
    return [...this.#objects].sort((a, b) => (key(a) < key(b) ? -1 : 1))
  }
}

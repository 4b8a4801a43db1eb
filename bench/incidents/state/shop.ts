/** The cluster that the simulated shop runs in: what its API server told while the log was written. */

import type { Ingress, KubeEvent, KubeObject, Pod } from '../../../src/cluster/objects.ts'
import type { Peer } from '../cluster.ts'
import { Random } from '../random.ts'
import { SERVICES } from '../services.ts'
import type { Simulation } from '../simulation.ts'
import { ApiServer } from './apiServer.ts'
import { App } from './app.ts'
import { PATHS } from './apps.ts'
import { beat, makeControllers, makeNamespaces, makeNodes } from './base.ts'
import { askToGo, ended, makePod, setReady } from './pods.ts'
import { apiTime, LONG_AGO_MS, metadata, suffix } from './texts.ts'

const BEAT_MS = 600_000
/** From a pod's change until its EndpointSlice says so. */
const SLICE_MS = 60
const WATCH_BEGINS_MS = 25_000

export interface EventFacts {
  reason: string
  message: string
  type?: 'Normal' | 'Warning'
  component?: string
  /** Container that it is about. */
  container?: string
  count?: number
  /** Its last time; the first is when it is told. */
  lastMs?: number
}

export class Shop {
  readonly api = new ApiServer()
  readonly random: Random
  readonly controllerPods: readonly Pod[]
  readonly #apps = new Map<string, App>()
  readonly #ingresses = new Map<string, Ingress>()
  readonly #pods = new Map<string, Pod>()
  readonly #beginMs: number

  constructor(simulation: Simulation, name: string) {
    // Of its own: what is drawn here must not change a line of the log.
    this.random = new Random(`${name}/cluster`)
    this.#beginMs = simulation.startMs - WATCH_BEGINS_MS
    const { random } = this
    const nodes = makeNodes(random, this.#beginMs)
    const names = new Set(SERVICES.map(service => service.name.split('/')[0]!))
    const { pods, others } = makeControllers(random, simulation.controllers)
    this.controllerPods = pods
    for (const object of [...nodes, ...makeNamespaces(random, ['ingress-nginx', ...names]), ...pods, ...others])
      this.api.add(object)
    for (const [index, service] of SERVICES.entries()) {
      const endpoints = simulation.endpoints.get(service.name)
      if (endpoints !== undefined) this.#addApp(new App(random, service, index), endpoints.all)
      this.#route(service)
    }
    for (const ingress of this.#ingresses.values()) this.api.add(ingress)
    for (const [index, node] of nodes.entries()) {
      for (let ms = this.#beginMs + 61_000 * (index + 1); ms < simulation.endMs + BEAT_MS; ms += BEAT_MS)
        this.api.plan(ms, atMs => {
          beat(node, atMs)
          this.api.changed(node)
        })
    }
  }

  get beginMs(): number {
    return this.#beginMs
  }

  app(service: string): App {
    return this.#apps.get(service)!
  }

  pod(peer: Peer): Pod {
    return this.#pods.get(peer.pod)!
  }

  ingress(name: string): Ingress {
    return this.#ingresses.get(name)!
  }

  #addApp(app: App, peers: readonly Peer[]): void {
    this.#apps.set(`${app.namespace}/${app.name}`, app)
    // A pod that the balancer knows under another port is the same pod.
    const there = new Map(peers.filter(({ from }) => from === null).map(peer => [peer.pod, peer]))
    for (const peer of there.values()) {
      const pod = this.#makePod(app, peer, LONG_AGO_MS)
      setReady(pod, true, LONG_AGO_MS + 12_000)
      app.pods.add(pod)
    }
    app.deployment.spec!.replicas = there.size
    app.settle()
    app.available(LONG_AGO_MS + 13_000)
    for (const object of [app.deployment, ...app.replicaSets.values(), app.service, app.slice, ...app.pods])
      this.api.add(object)
  }

  #makePod(app: App, peer: Peer, createdMs: number): Pod {
    const hash = peer.pod.split('-').at(-2)!
    const pod = makePod(this.random, {
      name: peer.pod,
      namespace: app.namespace,
      address: peer.address.split(':')[0]!,
      node: peer.node,
      labels: { ...app.labels, 'pod-template-hash': hash },
      owner: app.replicaSets.get(hash) ?? app.addReplicaSet(hash, createdMs),
      container: app.container,
      createdMs
    })
    this.#pods.set(peer.pod, pod)
    return pod
  }

  #route({ name, ingress: written, host, upstream }: (typeof SERVICES)[number]): void {
    const [namespace, ingressName] = written.split('/') as [string, string]
    const ingress: Ingress = this.#ingresses.get(written) ?? {
      kind: 'Ingress',
      metadata: metadata(this.random, ingressName, namespace, { annotations: {} }),
      spec: { ingressClassName: 'nginx', rules: [{ host, http: { paths: [] } }] }
    }
    this.#ingresses.set(written, ingress)
    const port = upstream.slice(upstream.lastIndexOf('-') + 1)
    ingress.spec!.rules![0]!.http!.paths!.push({
      path: PATHS[name] ?? '/',
      pathType: 'Prefix',
      backend: {
        service: {
          name: name.split('/')[1]!,
          port: Number.isNaN(Number(port)) ? { name: port } : { number: Number(port) }
        }
      }
    })
  }

  /** Somebody writes the Ingress: sets or (null) removes annotations of the controller; without any it is a release. */
  changeIngress(atMs: number, name: string, annotations: Readonly<Record<string, string | null>> = {}): void {
    this.api.plan(atMs, () => {
      const ingress = this.ingress(name)
      const own = ingress.metadata.annotations!
      for (const [key, value] of Object.entries(annotations)) {
        if (value === null) delete own[`nginx.ingress.kubernetes.io/${key}`]
        else own[`nginx.ingress.kubernetes.io/${key}`] = value
      }
      ingress.metadata.labels = { release: suffix(this.random) }
      this.api.changed(ingress)
      this.event(ingress, { reason: 'Sync', message: 'Scheduled for sync', component: 'nginx-ingress-controller' })
    })
  }

  /** From then on it is as `ready` says. */
  planReady(peer: Peer, atMs: number, ready: boolean): void {
    this.planPod(peer, atMs, pod => setReady(pod, ready, atMs))
  }

  /** Its pod changes, and after a moment what is made of all pods does. */
  planPod(peer: Peer, atMs: number, change: (pod: Pod) => void): void {
    this.api.plan(atMs, () => {
      const pod = this.pod(peer)
      change(pod)
      this.api.changed(pod)
    })
    this.planSettle(peer.service, atMs + SLICE_MS)
  }

  planSettle(service: string, atMs: number): void {
    this.api.plan(atMs, () => this.settle(this.app(service)))
  }

  /** Says of the workloads and the slice what has changed of them, and nothing of what has not. */
  settle(app: App): void {
    const objects: KubeObject[] = [app.deployment, ...app.replicaSets.values(), app.slice]
    const before = objects.map(object => JSON.stringify(object))
    app.settle()
    for (const [index, object] of objects.entries()) {
      if (JSON.stringify(object) !== before[index]) this.api.changed(object)
    }
  }

  /** Somebody asks for another number of pods. */
  planScale(service: string, atMs: number, replicas: number): void {
    this.api.plan(atMs, () => {
      const { deployment } = this.app(service)
      const before = deployment.spec!.replicas!
      deployment.spec!.replicas = replicas
      this.api.changed(deployment)
      const verb = replicas > before ? 'up' : 'down'
      const message = `Scaled ${verb} replica set ${[...this.app(service).replicaSets.values()].at(-1)!.metadata.name} from ${before} to ${replicas}`
      this.event(deployment, { reason: 'ScalingReplicaSet', message, component: 'deployment-controller' })
    })
  }

  /** A pod is made, starts, and becomes Ready. */
  planStart(peer: Peer, createdMs: number, readyMs: number): void {
    this.api.plan(createdMs, () => {
      const app = this.app(peer.service)
      const known = new Set(app.replicaSets.values())
      const pod = this.#makePod(app, peer, createdMs)
      for (const replicaSet of app.replicaSets.values()) {
        if (known.has(replicaSet)) continue
        this.api.changed(app.deployment)
        this.api.add(replicaSet)
      }
      app.pods.add(pod)
      this.api.add(pod)
    })
    this.planSettle(peer.service, createdMs + SLICE_MS)
    this.planReady(peer, readyMs, true)
  }

  /** A pod is asked to go at `atMs` and has ended at `goneMs`. */
  planStop(peer: Peer, atMs: number, goneMs: number): void {
    this.planPod(peer, atMs, pod => {
      askToGo(pod, atMs)
      const { name } = pod.spec!.containers![0]!
      this.event(pod, { reason: 'Killing', message: `Stopping container ${name}`, container: name })
    })
    this.api.plan(goneMs, () => {
      const pod = this.pod(peer)
      ended(pod, { reason: 'Completed', exitCode: 0, atMs: goneMs }, { terminated: {} })
      setReady(pod, false, goneMs)
      this.api.changed(pod)
    })
    this.api.plan(goneMs + 350, () => {
      const pod = this.pod(peer)
      this.app(peer.service).pods.delete(pod)
      this.api.remove(pod)
    })
    this.planSettle(peer.service, goneMs + 350 + SLICE_MS)
  }

  /** Told now; one that is told again later is one Event with a count. */
  event(about: KubeObject, facts: EventFacts, atMs = this.#now()): KubeEvent {
    const { reason, message, type = 'Normal', component = 'kubelet', container, count = 1, lastMs = atMs } = facts
    const { name, namespace, uid } = about.metadata
    const pod = about.kind === 'Pod' ? (about as Pod) : null
    const event: KubeEvent = {
      kind: 'Event',
      metadata: metadata(this.random, `${name}.${this.random.hex(16)}`, namespace ?? 'default', {}, atMs),
      involvedObject: {
        kind: about.kind,
        ...(namespace !== undefined && { namespace }),
        name,
        uid: uid!,
        ...(container !== undefined && { fieldPath: `spec.containers{${container}}` })
      },
      reason,
      message,
      type,
      count,
      firstTimestamp: apiTime(atMs),
      lastTimestamp: apiTime(lastMs),
      source: {
        component,
        ...(pod?.spec?.nodeName !== undefined && component === 'kubelet' && { host: pod.spec.nodeName })
      }
    }
    this.api.add(event)
    return event
  }

  #now(): number {
    return this.api.nowMs ?? this.#beginMs
  }

  /** An Event that is told every `everyMs` until `toMs`: the watch sees its count grow. */
  planEvents(fromMs: number, toMs: number, everyMs: number, of: () => KubeObject, facts: EventFacts): void {
    let told: KubeEvent | null = null
    for (let ms = fromMs; ms <= toMs; ms += everyMs) {
      this.api.plan(ms, atMs => {
        if (told === null) {
          told = this.event(of(), facts)
          return
        }
        told.count = told.count! + 1
        told.lastTimestamp = apiTime(atMs)
        this.api.changed(told)
      })
    }
  }
}

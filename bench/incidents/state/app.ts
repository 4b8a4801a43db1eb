/** One service of the simulated shop as Kubernetes has it: Deployment, ReplicaSets, Service, EndpointSlice. */

import type { Container, EndpointSlice, Pod, Service, Workload } from '../../../src/cluster/objects.ts'
import type { Random } from '../random.ts'
import type { Service as Asked } from '../service.ts'
import { containerOf, servicePortOf } from './apps.ts'
import { isReady } from './pods.ts'
import { apiTime, LONG_AGO_MS, metadata, suffix } from './texts.ts'

const REVISION = 'deployment.kubernetes.io/revision'

export class App {
  readonly namespace: string
  readonly name: string
  readonly labels: Record<string, string>
  readonly container: Container
  readonly deployment: Workload
  readonly service: Service
  readonly slice: EndpointSlice
  readonly pods = new Set<Pod>()
  /** By template hash; the newest last. */
  readonly replicaSets = new Map<string, Workload>()
  readonly #random: Random

  constructor(random: Random, asked: Asked, index: number) {
    const [namespace, name] = asked.name.split('/') as [string, string]
    this.#random = random
    this.namespace = namespace
    this.name = name
    this.labels = { app: name }
    this.container = containerOf(asked.name, `registry.example.com/${asked.name}:3.${index + 4}.1`)
    this.deployment = {
      kind: 'Deployment',
      metadata: metadata(random, name, namespace, { labels: this.labels, annotations: { [REVISION]: '6' } }),
      spec: {
        replicas: 0,
        selector: { matchLabels: this.labels },
        template: { metadata: { labels: this.labels }, spec: { containers: [{ name, image: this.container.image! }] } },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
      },
      status: {}
    }
    const port = { ...servicePortOf(asked.upstream, asked.name), protocol: 'TCP' }
    const clusterIP = `10.96.40.${index + 10}`
    this.service = {
      kind: 'Service',
      metadata: metadata(random, name, namespace),
      spec: { type: 'ClusterIP', clusterIP, clusterIPs: [clusterIP], selector: this.labels, ports: [port] }
    }
    this.slice = {
      kind: 'EndpointSlice',
      metadata: metadata(random, `${name}-${suffix(random)}`, namespace, {
        labels: { 'kubernetes.io/service-name': name }
      }),
      addressType: 'IPv4',
      endpoints: [],
      ports: []
    }
  }

  /** A new revision, or the one that is there from the beginning. */
  addReplicaSet(hash: string, createdMs = LONG_AGO_MS): Workload {
    const labels = { ...this.labels, 'pod-template-hash': hash }
    const { annotations = {}, name, uid } = this.deployment.metadata
    if (this.replicaSets.size > 0) annotations[REVISION] = String(Number(annotations[REVISION]) + 1)
    const replicaSet: Workload = {
      kind: 'ReplicaSet',
      metadata: metadata(
        this.#random,
        `${this.name}-${hash}`,
        this.namespace,
        {
          labels,
          annotations: { [REVISION]: annotations[REVISION]! },
          ownerReferences: [{ kind: 'Deployment', name, uid: uid!, controller: true }]
        },
        createdMs
      ),
      spec: { replicas: 0, selector: { matchLabels: labels } },
      status: {}
    }
    this.replicaSets.set(hash, replicaSet)
    return replicaSet
  }

  /** Workloads say how many pods there are, and the slice who can be asked. */
  settle(): void {
    let all = 0
    for (const [hash, { spec, status }] of this.replicaSets) {
      const own = [...this.pods].filter(
        ({ metadata: { labels, deletionTimestamp } }) =>
          labels!['pod-template-hash'] === hash && deletionTimestamp === undefined
      )
      spec!.replicas = own.length
      status!.replicas = own.length
      all += own.length
    }
    const ready = [...this.pods].filter(isReady).length
    Object.assign(this.deployment.status!, { replicas: all, readyReplicas: ready })
    const [port] = this.service.spec!.ports!
    this.slice.endpoints = [...this.pods].map(pod => {
      const isGoing = pod.metadata.deletionTimestamp !== undefined
      const { name, uid } = pod.metadata
      return {
        addresses: [pod.status!.podIP!],
        conditions: { ready: isReady(pod) && !isGoing, serving: isReady(pod), terminating: isGoing },
        targetRef: { kind: 'Pod', name, uid: uid! },
        nodeName: pod.spec!.nodeName!
      }
    })
    this.slice.ports = [
      { ...(port!.name !== undefined && { name: port!.name }), port: Number(port!.targetPort), protocol: 'TCP' }
    ]
  }

  /** For how long it has had the pods that it has: the condition of a Deployment that is well. */
  available(atMs: number): void {
    this.deployment.status!.conditions = [
      {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        lastTransitionTime: apiTime(atMs)
      }
    ]
  }
}

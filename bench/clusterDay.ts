/** A day of a cluster as its watch records it: slim objects, as JSON would give them, each with nothing shared. */

import type { ClusterEvent } from '../src/cluster/event.ts'
import type { EndpointSlice, Kind, KubeEvent, KubeObject, Node, Pod, Service } from '../src/cluster/objects.ts'
import { Random } from './random.ts'

export interface DayOptions {
  pods: number
  /** Pods that are deleted and replaced in the course of the day. */
  replaced: number
  seed: number
}

export const DAY_START_MS = Date.UTC(2026, 10, 20)
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const NODE_BEAT_MS = 300_000
const PODS_PER_SERVICE = 20
const PODS_PER_NODE = 50
const KINDS: Kind[] = ['Pod', 'Service', 'EndpointSlice', 'Node', 'Event']

interface Member {
  pod: Pod
  service: number
}

/** Events of the day in order. Addresses go from pod to pod, as they do where a node has 256 of them. */
export class ClusterDay {
  readonly #options: DayOptions
  readonly #random: Random
  readonly #members: Member[] = []
  readonly #freeAddresses: number[] = []
  readonly #nodes: number
  #nextAddress = 0
  #created = 0
  #version = 1_000

  constructor(options: DayOptions) {
    this.#options = options
    this.#random = new Random(options.seed)
    this.#nodes = Math.ceil(options.pods / PODS_PER_NODE)
  }

  *events(): Iterable<ClusterEvent> {
    const { pods, replaced } = this.#options
    for (let i = 0; i < pods; i++) {
      const service = Math.floor(i / PODS_PER_SERVICE)
      const pod = this.#newPod(service, DAY_START_MS - HOUR_MS)
      run(pod, this.#address(), DAY_START_MS - HOUR_MS + 5_000)
      this.#members.push({ pod, service })
    }
    const stepMs = DAY_MS / replaced
    let listMs = DAY_START_MS
    let beatMs = DAY_START_MS + NODE_BEAT_MS
    for (let i = 0; i < replaced; i++) {
      const at = DAY_START_MS + i * stepMs
      if (at >= listMs) {
        yield* this.#list(listMs)
        listMs += HOUR_MS
      }
      for (; beatMs < at; beatMs += NODE_BEAT_MS)
        for (let node = 0; node < this.#nodes; node++)
          yield this.#event(beatMs + node, 'MODIFIED', this.#node(node, beatMs))
      yield { at, type: 'HEARTBEAT' }
      yield* this.#replace(at)
    }
    yield* this.#list(DAY_START_MS + DAY_MS)
  }

  /** An address that somebody holds at the end. */
  address(i: number): string {
    return this.#members[i % this.#members.length]!.pod.status!.podIP!
  }

  serviceLabels(i: number): Record<string, string> {
    return labelsOf(i % Math.ceil(this.#options.pods / PODS_PER_SERVICE))
  }

  *#replace(at: number): Iterable<ClusterEvent> {
    const member = this.#random.pick(this.#members)
    const { pod: old, service } = member
    const before = this.#sliceOf(service)
    old.metadata.deletionTimestamp = text(at + 30_000)
    old.metadata.deletionGracePeriodSeconds = 30
    yield this.#event(at, 'MODIFIED', old)
    yield this.#event(at + 20, 'MODIFIED', unready(before, old))
    yield this.#event(at + 30, 'ADDED', this.#about(old, 'Killing', at))
    setReady(old, false, at + 800)
    old.status!.containerStatuses![0]!.state = {
      terminated: { exitCode: 0, reason: 'Completed', finishedAt: text(at) }
    }
    yield this.#event(at + 800, 'MODIFIED', old)
    yield this.#event(at + 900, 'DELETED', old)
    this.#freeAddresses.push(Number(old.metadata.annotations!.address))
    member.pod = this.#newPod(service, at)
    const { pod } = member
    yield this.#event(at + 40, 'ADDED', pod)
    pod.spec!.nodeName = `worker-${this.#random.below(this.#nodes)}`
    yield this.#event(at + 60, 'MODIFIED', pod)
    yield this.#event(at + 61, 'ADDED', this.#about(pod, 'Scheduled', at))
    run(pod, this.#address(), at + 2_000)
    setReady(pod, false, at + 2_000)
    yield this.#event(at + 2_000, 'MODIFIED', pod)
    yield this.#event(at + 2_010, 'MODIFIED', this.#sliceOf(service))
    yield this.#event(at + 2_020, 'ADDED', this.#about(pod, 'Started', at))
    setReady(pod, true, at + 6_000)
    yield this.#event(at + 6_000, 'MODIFIED', pod)
    yield this.#event(at + 6_010, 'MODIFIED', this.#sliceOf(service))
  }

  *#list(at: number): Iterable<ClusterEvent> {
    const scope = { kinds: KINDS, unreadable: {}, namespaces: null }
    yield { at, type: 'LIST_START', ...scope }
    const services = Math.ceil(this.#options.pods / PODS_PER_SERVICE)
    for (let node = 0; node < this.#nodes; node++) yield this.#event(at, 'ADDED', this.#node(node, at))
    for (let i = 0; i < services; i++) {
      yield this.#event(at + 1, 'ADDED', this.#service(i))
      yield this.#event(at + 1, 'ADDED', this.#sliceOf(i, `list-${i}`))
    }
    for (const { pod } of this.#members) yield { at: at + 2, type: 'ADDED', object: structuredClone(pod) }
    yield { at: at + 900, type: 'LIST_END', ...scope }
  }

  /** A change: its object has a new version, and the event a copy of it. */
  #event(at: number, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): ClusterEvent {
    const isListed = object.kind === 'Service' || type === 'ADDED'
    if (!isListed || object.metadata.resourceVersion === undefined)
      object.metadata.resourceVersion = String(++this.#version)
    return { at, type, object: structuredClone(object) }
  }

  #address(): number {
    // The next pod often gets what the last one left.
    return this.#random.share() < 0.5 && this.#freeAddresses.length > 0
      ? this.#freeAddresses.shift()!
      : this.#nextAddress++ % 65_000
  }

  #newPod(service: number, at: number): Pod {
    const number = ++this.#created
    const replicaSet = `app-${service}-7d9f8c6b5`
    return {
      kind: 'Pod',
      metadata: {
        name: `${replicaSet}-${number.toString(36).padStart(5, 'x')}`,
        namespace: namespaceOf(service),
        uid: uidOf(number),
        creationTimestamp: text(at),
        labels: { ...labelsOf(service), 'pod-template-hash': '7d9f8c6b5' },
        ownerReferences: [{ kind: 'ReplicaSet', name: replicaSet, uid: uidOf(1e9 + service), controller: true }]
      },
      spec: podSpec(service),
      status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: text(at) }] }
    }
  }

  #service(i: number): Service {
    return {
      kind: 'Service',
      metadata: { ...this.#own(`app-${i}`, i, 3e9), resourceVersion: String(i + 1) },
      spec: {
        type: 'ClusterIP',
        clusterIP: `10.96.${i >> 8}.${i & 255}`,
        clusterIPs: [`10.96.${i >> 8}.${i & 255}`],
        selector: labelsOf(i),
        ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }]
      }
    }
  }

  #sliceOf(service: number, version?: string): EndpointSlice {
    const first = service * PODS_PER_SERVICE
    const members = this.#members.slice(first, first + PODS_PER_SERVICE).filter(({ pod }) => pod.status!.podIP)
    const metadata = this.#own(`app-${service}-x7k2p`, service, 4e9)
    return {
      kind: 'EndpointSlice',
      metadata: {
        ...metadata,
        labels: { 'kubernetes.io/service-name': `app-${service}` },
        ...(version !== undefined && { resourceVersion: version })
      },
      addressType: 'IPv4',
      endpoints: members.map(({ pod }) => {
        const ready = pod.status!.conditions!.some(({ type, status }) => type === 'Ready' && status === 'True')
        const { name, uid = '', namespace = '' } = pod.metadata
        return {
          addresses: [pod.status!.podIP!],
          conditions: { ready, serving: ready, terminating: false },
          targetRef: { kind: 'Pod', name, namespace, uid },
          nodeName: pod.spec!.nodeName!
        }
      }),
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }]
    }
  }

  #node(i: number, at: number): Node {
    const condition = (type: string) => ({
      type,
      status: type === 'Ready' ? 'True' : 'False',
      reason: type === 'Ready' ? 'KubeletReady' : `KubeletHasSufficient${type}`,
      lastTransitionTime: text(DAY_START_MS),
      lastHeartbeatTime: text(at)
    })
    return {
      kind: 'Node',
      metadata: { name: `worker-${i}`, uid: uidOf(5e9 + i), labels: { 'kubernetes.io/hostname': `worker-${i}` } },
      spec: {},
      status: {
        conditions: ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].map(condition),
        addresses: [{ type: 'InternalIP', address: `192.168.${i >> 8}.${i & 255}` }],
        allocatable: { cpu: '16', memory: '64Gi', pods: '110' }
      }
    }
  }

  #about(pod: Pod, reason: string, at: number): KubeEvent {
    const { name, namespace = '', uid = '' } = pod.metadata
    return {
      kind: 'Event',
      metadata: { name: `${name}.${(++this.#version).toString(16)}`, namespace, uid: uidOf(6e9 + this.#version) },
      involvedObject: { kind: 'Pod', namespace, name, uid, fieldPath: 'spec.containers{app}' },
      reason,
      message: `${reason} container app of ${namespace}/${name}`,
      type: 'Normal',
      count: 1,
      firstTimestamp: text(at),
      lastTimestamp: text(at),
      source: { component: 'kubelet', host: pod.spec?.nodeName ?? '' }
    }
  }

  #own(name: string, service: number, uids: number) {
    return { name, namespace: namespaceOf(service), uid: uidOf(uids + service), creationTimestamp: text(DAY_START_MS) }
  }
}

function podSpec(service: number): NonNullable<Pod['spec']> {
  const probe = { httpGet: { path: '/ready', port: 'http', scheme: 'HTTP' }, periodSeconds: 5, failureThreshold: 3 }
  return {
    nodeName: '',
    restartPolicy: 'Always',
    serviceAccountName: `app-${service}`,
    terminationGracePeriodSeconds: 30,
    containers: [
      {
        name: 'app',
        image: `registry.example.com/app-${service}:1.8`,
        ports: [{ containerPort: 8080, name: 'http', protocol: 'TCP' }],
        env: ['PORT', 'WORKERS', 'TIMEOUT', 'POOL'].map((name, i) => ({ name, value: String(8080 + i) })),
        resources: { limits: { memory: '512Mi', cpu: '1' }, requests: { memory: '256Mi', cpu: '250m' } },
        readinessProbe: probe,
        livenessProbe: { ...probe, periodSeconds: 10 }
      },
      { name: 'log-shipper', image: 'registry.example.com/shipper:3', resources: { limits: { memory: '64Mi' } } }
    ],
    volumes: [{ name: 'config', configMap: { name: `app-${service}` } }]
  }
}

/** It has an address and its containers run. */
function run(pod: Pod, address: number, at: number): void {
  const ip = `10.${60 + (address >> 16)}.${(address >> 8) & 255}.${address & 255}`
  pod.metadata.annotations = { address: String(address) }
  const status = (name: string) => ({
    name,
    image: `registry.example.com/${name}:1.8`,
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: text(at) } },
    lastState: {}
  })
  pod.status = {
    phase: 'Running',
    podIP: ip,
    podIPs: [{ ip }],
    hostIP: '192.168.0.7',
    startTime: text(at - 1_000),
    conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(type => ({
      type,
      status: 'True',
      lastTransitionTime: text(at)
    })),
    containerStatuses: [status('app'), status('log-shipper')]
  }
}

function setReady(pod: Pod, isReady: boolean, at: number): void {
  for (const condition of pod.status!.conditions!)
    if (condition.type.endsWith('Ready')) {
      condition.status = isReady ? 'True' : 'False'
      condition.lastTransitionTime = text(at)
    }
  pod.status!.containerStatuses![0]!.ready = isReady
}

function unready(slice: EndpointSlice, pod: Pod): EndpointSlice {
  for (const endpoint of slice.endpoints ?? [])
    if (endpoint.targetRef?.uid === pod.metadata.uid!)
      endpoint.conditions = { ready: false, serving: true, terminating: true }
  return slice
}

function labelsOf(service: number): Record<string, string> {
  return {
    'app.kubernetes.io/name': `app-${service}`,
    'app.kubernetes.io/part-of': `team-${service % 40}`,
    tier: 'web'
  }
}

function namespaceOf(service: number): string {
  return `team-${service % 40}`
}

function uidOf(number: number): string {
  return `7f0c0000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
}

function text(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** The cluster behind the tests' log lines: a Service (`shop/cart`) and its pods, at addresses of the test's choice. */
import type { ClusterEvent } from '../../src/cluster/event.ts'
import { keptObject } from '../../src/cluster/keptFields.ts'
import type { Kind } from '../../src/cluster/objects.ts'
import {
  configMap,
  endpointSlices,
  ingress,
  ingressClass,
  namespaceObject,
  node,
  service
} from '../diagnose/support/objectMaker.ts'
import type { AnyObject, PodObject } from '../diagnose/support/objectTypes.ts'
import { pod, replicaSet, webContainer, workload } from '../diagnose/support/podMaker.ts'

/** All that is in the list; of others nothing is known. */
export const LISTED: Kind[] = [
  'Pod',
  'Service',
  'EndpointSlice',
  'Ingress',
  'IngressClass',
  'Event',
  'Node',
  'Namespace',
  'ConfigMap',
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'NetworkPolicy'
]

const NAMESPACE = 'shop'
const DAY_MS = 86_400_000

export interface ShopOptions {
  /** One pod each. */
  addresses: readonly string[]
  port?: number
  namespace?: string
  name?: string
  host?: string
  node?: string
  /** Everything is a day old then. */
  nowMs: number
}

export class ShopCluster {
  readonly pods: readonly PodObject[]
  readonly #others: readonly AnyObject[]

  constructor(options: ShopOptions) {
    const { addresses, port = 8080, namespace = NAMESPACE, name = 'cart', node: on = 'worker-1', nowMs } = options
    const before = apiTime(nowMs - DAY_MS)
    const container = webContainer(name, { ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }] })
    const deployment = workload({
      kind: 'Deployment',
      namespace,
      name,
      labels: { app: name },
      replicas: addresses.length,
      containers: [container],
      createdAt: before
    })
    deployment.spec.template.metadata.labels['app.kubernetes.io/version'] = '2.4.1'
    const owner = replicaSet(deployment, '6c9f8d4b7', before, addresses.length)
    this.pods = addresses.map((address, index) =>
      pod({
        owner,
        index,
        node: on,
        hostIp: '192.168.10.11',
        addresses: [address],
        createdAt: before,
        startedAt: before,
        readyAt: before
      })
    )
    const of = service(namespace, name, { app: name }, before)
    of.spec.ports[0]!.targetPort = port
    this.#others = [
      namespaceObject(namespace, before),
      node(on, '192.168.10.11', before, apiTime(nowMs)),
      ingressClass(before),
      configMap('ingress-nginx', 'ingress-nginx-controller', {}, before),
      deployment,
      owner,
      of,
      ingress(namespace, name, options.host ?? 'shop.example.com', name, before),
      ...endpointSlices(of, [...this.pods], before)
    ]
  }

  get objects(): AnyObject[] {
    return [...this.#others, ...this.pods]
  }

  /** A whole list. */
  listed(atMs: number): ClusterEvent[] {
    const scope = { kinds: LISTED, unreadable: {}, namespaces: null }
    return [
      { at: atMs, type: 'LIST_START', ...scope },
      ...this.objects.map(object => told(atMs, 'ADDED', object)),
      { at: atMs, type: 'LIST_END', ...scope }
    ]
  }

  /** The pod as it is after its container was killed for its memory, and runs again. */
  oomKilled(index: number, atMs: number, upMs = atMs + 5_000): PodObject {
    const killed = structuredClone(this.pods[index]!)
    const [status] = killed.status.containerStatuses
    const { startedAt } = status!.state.running!
    Object.assign(status!, {
      restartCount: 1,
      state: { running: { startedAt: apiTime(upMs) } },
      lastState: {
        terminated: { exitCode: 137, reason: 'OOMKilled', startedAt, finishedAt: apiTime(atMs), containerID: 'a' }
      }
    })
    for (const condition of killed.status.conditions)
      if (condition.type.endsWith('Ready')) condition.lastTransitionTime = apiTime(upMs)
    return killed
  }
}

/** A file of `kubectl get -o json`. Of two objects of one name the last counts. */
export function snapshotOf(...objects: AnyObject[]): string {
  const byName = new Map(objects.map(one => [`${one.kind} ${one.metadata.namespace ?? ''}/${one.metadata.name}`, one]))
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [...byName.values()] })
}

/** As the watch keeps it. */
export function told(at: number, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: AnyObject): ClusterEvent {
  return { at, type, object: keptObject(object)! }
}

/** RFC 3339, whole seconds. */
export function apiTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Objects of a case and what a watch saw of them. */

import type { DiagnosisCase, WatchType } from './caseBuilder.ts'
import { numberOf, suffixOf } from './identity.ts'
import { DAY, MINUTE, Moments } from './moment.ts'
import {
  configMap,
  endpointSlices,
  event,
  ingress,
  ingressClass,
  namespaceObject,
  node,
  service
} from './objectMaker.ts'
import type {
  AnyObject,
  Container,
  IngressObject,
  NodeObject,
  PodObject,
  ServiceObject,
  SliceObject,
  WorkloadObject
} from './objectTypes.ts'
import { pod, replicaSet, webContainer, workload } from './podMaker.ts'

const NODES = ['worker-1', 'worker-2', 'worker-3']

export class Cluster extends Moments {
  readonly id: string
  readonly namespace: string
  readonly objects: AnyObject[] = []
  readonly watch: NonNullable<DiagnosisCase['watch']> = []
  #podCount = 0
  readonly #isWithoutSlices = new Set<ServiceObject>()

  constructor(id: string, namespace: string) {
    // Any day and second of a year: no rule may know the hour.
    super(new Date(Date.UTC(2025, 0, 1) + (numberOf(`${id}/time`) % (365 * DAY)) * 1000).toISOString())
    this.id = id
    this.namespace = namespace
  }

  add<O extends AnyObject>(object: O): O {
    this.objects.push(object)
    return object
  }

  /** Takes it out of `objects`: it is gone when they are read. */
  remove(object: AnyObject): void {
    const index = this.objects.indexOf(object)
    if (index < 0) throw new Error(`${object.kind} ${object.metadata.name} is not there`)
    this.objects.splice(index, 1)
  }

  /** The watch saw the object as it is now. */
  saw(type: WatchType, object: AnyObject, at: number): void {
    this.watch.push({ type, at: this.at(at), object: structuredClone(object) })
  }

  /** The watch saw it go, and it is gone. */
  sawGo(object: AnyObject, at: number): void {
    this.saw('DELETED', object, at)
    if (this.objects.includes(object)) this.remove(object)
  }

  /** The watch saw the slices of a Service as they would be now. */
  sawSlices(of: ServiceObject, at: number): void {
    const isFirst = !this.watch.some(seen => seen.object.kind === 'EndpointSlice')
    for (const slice of this.slicesOf(of)) this.saw(isFirst ? 'ADDED' : 'MODIFIED', slice, at)
  }

  slicesOf(of: ServiceObject): SliceObject[] {
    const pods = this.objects.filter((object): object is PodObject => object.kind === 'Pod')
    return endpointSlices(of, pods, this.at(-60 * DAY))
  }

  /** The case adds slices of its own for this Service, or none. */
  withoutSlices(of: ServiceObject): void {
    this.#isWithoutSlices.add(of)
  }

  objectsAtEnd(): AnyObject[] {
    const services = this.objects.filter((object): object is ServiceObject => object.kind === 'Service')
    const slices = services.filter(of => !this.#isWithoutSlices.has(of)).flatMap(of => this.slicesOf(of))
    return [...this.objects, ...slices]
  }

  addWorkload(
    kind: 'Deployment' | 'StatefulSet' | 'DaemonSet',
    name: string,
    options: { namespace?: string; replicas?: number; containers?: Container[]; labels?: Record<string, string> } = {}
  ): WorkloadObject {
    const {
      namespace = this.namespace,
      replicas = 1,
      containers = [webContainer(name)],
      labels = { app: name }
    } = options
    return this.add(workload({ kind, namespace, name, labels, replicas, containers, createdAt: this.at(-60 * DAY) }))
  }

  /** @param created another ReplicaSet of the Deployment when not the default */
  addReplicaSet(deployment: WorkloadObject, options: { replicas?: number; created?: number } = {}): WorkloadObject {
    const { replicas = 1, created = -5 * DAY } = options
    const revision = numberOf(`${this.id}/${deployment.metadata.name}/${created}`).toString(16).padStart(9, '7')
    return this.add(replicaSet(deployment, revision, this.at(created), replicas))
  }

  /** A healthy pod of an owner; on the next node. */
  addPod(
    of: WorkloadObject,
    options: {
      created?: number
      ready?: number
      node?: string
      index?: number
      generation?: number
      address?: string
      families?: ('IPv4' | 'IPv6')[]
    } = {}
  ): PodObject {
    const count = this.#podCount++
    const { created = -3 * DAY, node: on = NODES[count % NODES.length]!, index = count, families = ['IPv4'] } = options
    const number = numberOf(`${this.id}/pod/${count}`)
    const addresses =
      options.address === undefined
        ? families.map(family =>
            family === 'IPv4'
              ? `10.244.${number % 200}.${(count % 200) + 11}`
              : `fd00:10:244:${(number % 0xffff).toString(16)}::${(count + 0xa1).toString(16)}`
          )
        : [options.address]
    return this.add(
      pod({
        owner: of,
        index,
        ...(options.generation === undefined ? {} : { generation: options.generation }),
        node: on,
        hostIp: hostAddress(on),
        addresses,
        createdAt: this.at(created),
        startedAt: this.at(created + 4),
        readyAt: this.at(options.ready ?? created + 10)
      })
    )
  }

  addService(
    name: string,
    selector: Record<string, string>,
    changes: Partial<ServiceObject['spec']> = {}
  ): ServiceObject {
    const made = service(this.namespace, name, selector, this.at(-60 * DAY))
    Object.assign(made.spec, changes)
    return this.add(made)
  }

  addIngress(name: string, host: string, serviceName: string): IngressObject {
    return this.add(ingress(this.namespace, name, host, serviceName, this.at(-60 * DAY)))
  }

  addNode(name: string): NodeObject {
    return this.add(node(name, hostAddress(name), this.at(-90 * DAY), this.at(-20)))
  }

  nodeOf(of: PodObject): NodeObject {
    const found = this.objects.find(object => object.kind === 'Node' && object.metadata.name === of.spec.nodeName)
    if (found === undefined) throw new Error(`no node ${of.spec.nodeName}`)
    return found as NodeObject
  }

  /** Nodes, namespaces, the ingress class, the controller's pod and its ConfigMap. */
  addSurroundings(): void {
    for (const name of NODES) this.addNode(name)
    for (const name of [this.namespace, 'ingress-nginx']) this.add(namespaceObject(name, this.at(-90 * DAY)))
    this.add(ingressClass(this.at(-90 * DAY)))
    this.add(configMap('ingress-nginx', 'ingress-nginx-controller', {}, this.at(-90 * DAY)))
    const labels = { 'app.kubernetes.io/name': 'ingress-nginx', 'app.kubernetes.io/component': 'controller' }
    const containers = [
      webContainer('controller', {
        image: 'registry.k8s.io/ingress-nginx/controller:v1.12.1',
        args: ['/nginx-ingress-controller', '--controller-class=k8s.io/ingress-nginx', '--ingress-class=nginx'],
        ports: [
          { name: 'http', containerPort: 80, protocol: 'TCP' },
          { name: 'https', containerPort: 443, protocol: 'TCP' }
        ],
        readinessProbe: { httpGet: { path: '/healthz', port: 10254, scheme: 'HTTP' }, periodSeconds: 10 }
      })
    ]
    const deployment = this.addWorkload('Deployment', 'ingress-nginx-controller', {
      namespace: 'ingress-nginx',
      labels,
      containers
    })
    this.addPod(this.addReplicaSet(deployment), { node: 'worker-3', created: -20 * DAY })
  }

  /** Settings in the controller's ConfigMap. */
  configures(settings: Record<string, string>): void {
    const found = this.objects.find(
      object => object.kind === 'ConfigMap' && object.metadata.namespace === 'ingress-nginx'
    )
    if (found === undefined) throw new Error('the controller is not there')
    Object.assign(found, { data: settings })
  }

  /** An event about an object; it happened once unless `last` says otherwise. */
  addEvent(
    about: AnyObject,
    reason: string,
    message: string,
    when: {
      first: number
      last?: number
      container?: string
      init?: boolean
      uid?: string
      type?: 'Normal' | 'Warning'
      by?: string
    }
  ): AnyObject {
    const last = when.last ?? when.first
    const list = when.init === true ? 'initContainers' : 'containers'
    return this.add(
      event(about, {
        reason,
        message,
        firstAt: this.at(when.first),
        lastAt: this.at(last),
        count: last === when.first ? 1 : Math.max(2, Math.floor((last - when.first) / MINUTE)),
        type: when.type ?? 'Warning',
        component: when.by ?? 'kubelet',
        ...(when.container === undefined ? {} : { fieldPath: `spec.${list}{${when.container}}` }),
        ...(when.uid === undefined ? {} : { uid: when.uid })
      })
    )
  }
}

/** The address of a node. */
export function hostAddress(name: string): string {
  return `192.168.10.${(numberOf(name) % 200) + 10}`
}

/** A name that no pod of the case has. */
export function strangerName(id: string): string {
  return `crawler-${suffixOf(`${id}/stranger`)}`
}

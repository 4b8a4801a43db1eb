/**
 * Builds cases of root-cause diagnosis: a healthy shop of one workload behind a Service and an Ingress; a case changes what
 * matters to it. All times are seconds from the failure.
 *
 *   shopCase('oom-1', 'killed two seconds before', shop => {
 *     const [pod] = shop.pods
 *     shop.restarts(pod, { reason: 'OOMKilled', exitCode: 137, at: -2, up: 1, ready: 12 })
 *     shop.fails('connection_refused', pod)
 *     return { root_cause: 'oom_killed', must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`] }
 *   })
 */

import type { Kind } from '../../../src/cluster/objects.ts'
import { Cluster } from './cluster.ts'
import { numberOf } from './identity.ts'
import { DAY } from './moment.ts'
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
import { running, webContainer } from './podMaker.ts'
import {
  askToDelete,
  backOff,
  becomeReady,
  becomeUnready,
  cannotBeScheduled,
  type Exit,
  end,
  evict,
  hasNoAddress,
  neverStart,
  restart,
  setCondition
} from './podState.ts'

/** The form of a case file, one of these a line. */
export interface DiagnosisCase {
  id: string
  title: string
  now: string
  failure: CaseFailure
  objects: AnyObject[]
  watch?: { type: WatchType; at: string; object: AnyObject }[]
  /** Kinds that could not be read: nothing of them is absent. */
  unreadable?: Kind[]
  expect: Expectation
}

export type WatchType = 'ADDED' | 'MODIFIED' | 'DELETED'

export interface CaseFailure {
  symptom: string
  time: string
  namespace: string | null
  service: string | null
  port: number | string | null
  upstream_addr: string | null
  status: number | null
  ingress: string | null
  host: string | null
  path: string | null
  controller_namespace?: string
  controller_pod?: string
  detail?: Record<string, string>
}

export interface Expectation {
  /** null: of the cluster nothing is known, so nothing is said. */
  root_cause: string | null
  acceptable?: string[]
  must_cite?: string[]
  /** Slugs, and `cite:Pod shop/a-1`. */
  must_not?: string[]
  // Fields of our own; files of others do not have them. All are of the top cause, and only when it is `root_cause`.
  variant?: string
  ref?: string
  /** Slugs that stand in the chain. */
  chain?: string[]
  confidence_min?: number
  confidence_max?: number
}

export interface ShopOptions {
  kind?: 'Deployment' | 'StatefulSet' | 'DaemonSet'
  namespace?: string
  app?: string
  replicas?: number
  /** The serving container comes first unless given otherwise. */
  containers?: Container[]
  /** Changes to the serving container. */
  web?: Partial<Container>
  /** Changes of the Service. */
  service?: Partial<ServiceObject['spec']>
  /** Families of the pods' addresses, in the order of `podIPs`. */
  families?: ('IPv4' | 'IPv6')[]
  /** When the pods were created and, ten seconds later, ready. */
  podsCreated?: number
  /** False: nodes, namespaces and the controller were not collected. */
  isWhole?: boolean
  /** When `objects` were read. */
  now?: number
}

/** What a container's end looks like, in seconds from the failure. */
export interface ShopExit {
  container?: string
  reason: string
  exitCode: number
  message?: string
  startedAt?: number
  at: number
}

const APPS = ['cart', 'checkout', 'search', 'prices', 'login', 'orders', 'media', 'reports']
const NAMESPACES = ['shop', 'store-eu', 'team-blue', 'payments']

const STATUSES: Record<string, number | null> = {
  read_timeout: 504,
  connect_timeout: 504,
  send_timeout: 504,
  no_endpoints: 503,
  upstream_error: 500,
  client_closed: 499,
  client_tls_failure: null,
  no_route: 404
}

const ERRORS: Record<string, string> = {
  connection_refused: 'connect() failed (111: Connection refused) while connecting to upstream',
  connect_timeout: 'upstream timed out (110: Operation timed out) while connecting to upstream',
  host_unreachable: 'connect() failed (113: Host is unreachable) while connecting to upstream',
  read_timeout: 'upstream timed out (110: Operation timed out) while reading response header from upstream',
  premature_close: 'upstream prematurely closed connection while reading response header from upstream',
  connection_reset: 'recv() failed (104: Connection reset by peer) while reading response header from upstream',
  no_live_upstreams: 'no live upstreams while connecting to upstream'
}

export class Shop extends Cluster {
  readonly app: string
  readonly workload: WorkloadObject
  /** null unless the workload is a Deployment. */
  readonly replicaSet: WorkloadObject | null
  readonly service: ServiceObject
  readonly ingress: IngressObject
  readonly pods: [PodObject, ...PodObject[]]
  /** Set by `fails`. */
  failure: CaseFailure | null = null
  /** Kinds that could not be read; their objects are taken out of the case. */
  unreadable: Kind[] = []
  readonly #now: number

  constructor(id: string, options: ShopOptions) {
    const namespace = options.namespace ?? NAMESPACES[numberOf(id) % NAMESPACES.length]!
    const app = options.app ?? APPS[numberOf(`${id}/app`) % APPS.length]!
    super(id, namespace)
    this.app = app
    this.#now = options.now ?? 120
    const containers = options.containers ?? [webContainer(numberOf(id) % 2 === 0 ? app : 'app', options.web)]
    const kind = options.kind ?? 'Deployment'
    const replicas = options.replicas ?? 2
    this.workload = this.addWorkload(kind, app, { containers, replicas })
    this.replicaSet = kind === 'Deployment' ? this.addReplicaSet(this.workload, { replicas }) : null
    this.service = this.addService(app, { app }, options.service)
    this.ingress = this.addIngress(app, `${app}.example.com`, app)
    const created = options.podsCreated ?? -3 * DAY
    const pods = Array.from({ length: replicas }, () =>
      this.addPod(this.replicaSet ?? this.workload, {
        created,
        ...(options.families && { families: options.families })
      })
    )
    // A workload without pods has none to look at: a case with replicas 0 does not touch `pods`.
    this.pods = pods as [PodObject, ...PodObject[]]
    if (options.isWhole !== false) this.addSurroundings()
  }

  /** The failure, as the log tells it; `pod` null: without an address. */
  fails(symptom: string, pod: PodObject | null, changes: Partial<CaseFailure> = {}): void {
    const { detail, ...others } = changes
    const error = ERRORS[symptom]
    const details = { ...(error === undefined ? {} : { error }), ...detail }
    this.failure = {
      symptom,
      time: this.at(0),
      namespace: this.namespace,
      service: this.service.metadata.name,
      port: this.service.spec.ports[0]?.port ?? null,
      upstream_addr: pod === null ? null : this.upstreamAddress(pod),
      status: symptom in STATUSES ? STATUSES[symptom]! : 502,
      ingress: this.ingress.metadata.name,
      host: this.ingress.spec.rules[0]?.host ?? null,
      path: '/',
      ...others,
      ...(Object.keys(details).length === 0 ? {} : { detail: details })
    }
  }

  /** `address:port` as nginx writes it; the port that the Service leads to. */
  upstreamAddress(pod: PodObject, address = pod.status.podIP ?? ''): string {
    const wanted = this.service.spec.ports[0]?.targetPort
    const declared = pod.spec.containers.flatMap(container => container.ports ?? [])
    const port = typeof wanted === 'string' ? declared.find(entry => entry.name === wanted)?.containerPort : wanted
    return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  }

  /** A container ended `at`, ran again from `up`, and the pod was ready again from `ready`; null: not yet. */
  restarts(pod: PodObject, exit: ShopExit & { up: number; ready: number | null }): void {
    restart(pod, this.#exit(exit), this.at(exit.up), exit.ready === null ? null : this.at(exit.ready))
  }

  /** A container ended and has not been started again. */
  ends(pod: PodObject, exit: ShopExit): void {
    end(pod, this.#exit(exit))
  }

  /** CrashLoopBackOff; `unready`: since when the pod is not ready. */
  backsOff(pod: PodObject, exit: ShopExit & { restarts: number; unready: number }): void {
    backOff(pod, this.#exit(exit), exit.restarts, this.at(exit.unready))
  }

  /** It goes on running and is not ready from then on. */
  unready(pod: PodObject, since: number, container?: string): void {
    becomeUnready(pod, this.at(since), container)
  }

  /** Not ready from then on, because its first container answers 503 to its readiness probe, from one period before until now. */
  says503(pod: PodObject, since: number): void {
    this.unready(pod, since)
    const container = pod.status.containerStatuses[0]!.name
    const message = 'Readiness probe failed: HTTP probe failed with statuscode: 503'
    this.addEvent(pod, 'Unhealthy', message, { first: since - 30, last: Math.min(9, this.#now), container })
  }

  ready(pod: PodObject, since: number): void {
    becomeReady(pod, this.at(since))
  }

  /** Pods that never ran, each waiting for the same. */
  waitsFor(pods: PodObject[], reason: string, message?: string): void {
    for (const pod of pods) neverStart(pod, reason, message)
  }

  /** It has a node, but neither volumes nor network yet. */
  isBeingCreated(pod: PodObject): void {
    this.waitsFor([pod], 'ContainerCreating')
    hasNoAddress(pod)
  }

  /** An init container holds the pod up: it runs, or waits for what is told. */
  waitsInInit(pod: PodObject, name: string, waiting?: { reason: string; message: string }): void {
    const container = { name, image: 'registry.example.com/prepare:9', command: ['/bin/prepare'] }
    const status = { ...running(container, this.at(-880)), ready: false }
    pod.spec.initContainers = [container]
    pod.status.initContainerStatuses = [
      waiting === undefined ? status : { ...status, started: false, state: { waiting } }
    ]
    this.waitsFor([pod], 'PodInitializing')
    const message = `containers with incomplete status: [${name}]`
    this.tell(pod, 'Initialized', 'False', -880, 'ContainersNotInitialized', message)
  }

  unschedulable(pod: PodObject, since: number, message: string): void {
    cannotBeScheduled(pod, this.at(since), message)
  }

  evicts(pod: PodObject, when: number, message: string): void {
    evict(pod, this.at(when), message)
  }

  deletes(pod: PodObject, asked: number, graceSeconds?: number): void {
    askToDelete(pod, this.at(asked), graceSeconds)
  }

  /** The watch saw the pod from its beginning to its deletion; it is gone when objects are read. */
  comesAndGoes(pod: PodObject, asked: number, gone: number): void {
    this.saw('ADDED', pod, -2 * DAY)
    this.deletes(pod, asked)
    this.saw('MODIFIED', pod, asked)
    this.sawGo(pod, gone)
  }

  tell(pod: PodObject, type: string, status: string, since: number, reason: string, message = ''): void {
    setCondition(pod, type, status, this.at(since), { reason, message })
  }

  /** A condition of a node; its heartbeat too where given. */
  nodeTells(
    of: PodObject,
    type: string,
    status: string,
    since: number,
    reason: string,
    heartbeat?: number
  ): NodeObject {
    const node = this.nodeOf(of)
    node.status.conditions = node.status.conditions.filter(condition => condition.type !== type)
    const heard = this.at(heartbeat ?? -20)
    const told = { type, status, reason, message: reason, lastHeartbeatTime: heard, lastTransitionTime: this.at(since) }
    node.status.conditions.push(told)
    return node
  }

  #exit(exit: ShopExit): Exit {
    const { at, startedAt, ...rest } = exit
    return { ...rest, finishedAt: this.at(at), ...(startedAt === undefined ? {} : { startedAt: this.at(startedAt) }) }
  }

  /** The slices of the Service as they would be now; they are added at the end unless a case adds slices itself. */
  slices(): SliceObject[] {
    return this.slicesOf(this.service)
  }

  finish(title: string, expect: Expectation): DiagnosisCase {
    if (this.failure === null) throw new Error(`case ${this.id} tells no failure`)
    return {
      id: this.id,
      title,
      now: this.at(this.#now),
      failure: this.failure,
      objects: this.objectsAtEnd().filter(object => !this.unreadable.includes(object.kind as Kind)),
      ...(this.watch.length === 0 ? {} : { watch: this.watch }),
      ...(this.unreadable.length === 0 ? {} : { unreadable: this.unreadable }),
      expect
    }
  }
}

/** One case: the shop, what happens in it, and what is to be said of it. */
export function shopCase(
  id: string,
  title: string,
  tell: (shop: Shop) => Expectation,
  options: ShopOptions = {}
): DiagnosisCase {
  const shop = new Shop(id, options)
  const expect = tell(shop)
  return shop.finish(title, expect)
}

/** `Pod shop/a-1`, `Node worker-1`: an object as evidence names it. */
export function ref(object: { kind: string; metadata: { namespace?: string; name: string } }): string {
  const { namespace, name } = object.metadata
  return `${object.kind} ${namespace === undefined ? name : `${namespace}/${name}`}`
}

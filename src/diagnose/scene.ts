/**
 * The scene of a failure: what the rules look at. Who was asked (Ingress, Service, pod), as it stood at T, resolved once;
 * every question about T goes through its moment.
 */

import type { Cause } from '../../parsers/causes.ts'
import type { ControllerSetting } from '../cluster/controllerSettings.ts'
import type { ConfigMap, Container, Ingress, Kind, Node, ObjectOf, Service, Workload } from '../cluster/objects.ts'
import type { ClusterState, History } from '../cluster/state.ts'
import { type Peer, peerOf } from './address.ts'
import { listOf } from './conditions.ts'
import { type Controller, controllerOf } from './controller.ts'
import { type Current, current, currentOf } from './current.ts'
import { absent, type Fact, unknown } from './fact.ts'
import { hostRoute } from './hostRoute.ts'
import { type DiagnosisInput, NO_DETAIL } from './input.ts'
import type { Moment } from './moment.ts'
import { type Owner, ownerOf } from './owner.ts'
import { PodView } from './podView.ts'
import { ingressOf, type Routed, routed, selects, servicePortOf } from './routing.ts'
import { servingContainer } from './servingContainer.ts'
import { type Setting, settingOf } from './setting.ts'

export class Scene {
  readonly input: DiagnosisInput
  readonly state: ClusterState
  readonly moment: Moment
  /** Namespace, Service and port that were asked; the canary's where that was asked. */
  readonly routed: Routed | null
  /** null: absent at T, or unknown: `isObservable('Service')` says which. */
  readonly service: Current<Service> | null
  readonly ingress: Current<Ingress> | null
  readonly controller: Controller
  readonly upstream: Peer | null
  readonly owner: Owner
  /** POD: who held the upstream address at T; for the rules over several pods, each of them in turn. */
  readonly pod: PodView | null
  /** PODS: those whose labels matched the selector at T, terminating ones too. */
  readonly pods: readonly PodView[]

  private constructor(
    base: Pick<Scene, 'input' | 'state' | 'moment' | 'routed' | 'service' | 'ingress' | 'controller' | 'upstream'>,
    owner: Owner,
    pods: readonly PodView[],
    pod: PodView | null
  ) {
    this.input = base.input
    this.state = base.state
    this.moment = base.moment
    this.routed = base.routed
    this.service = base.service
    this.ingress = base.ingress
    this.controller = base.controller
    this.upstream = base.upstream
    this.owner = owner
    this.pods = pods
    this.pod = pod
  }

  static of(input: DiagnosisInput, state: ClusterState, moment: Moment): Scene {
    const controller = controllerOf(input, state, moment)
    const told = routed(input, state)
    const sent = hostRoute(input, told, { controller, all: (kind, namespace) => allOf(kind, namespace, state, moment) })
    const route = sent?.routed ?? told
    const service = route && currentOf(state.named('Service', route.namespace, route.service), moment)
    const ingress = sent?.ingress ?? ingressOf(input, route, state, moment)
    const upstream = peerOf(input.upstreamAddress)
    const base = { input, state, moment, routed: route, service, ingress, controller, upstream }
    const pods = service === null ? [] : podsOf(service, state, moment)
    const selected = service === null || upstream === null ? null : everSelected(service, state)
    const question = upstream && {
      address: upstream.ip,
      port: upstream.port,
      namespace: route?.namespace ?? null,
      service: route?.service ?? null,
      selected
    }
    const owner: Owner =
      question === null
        ? { tenure: null, certainty: 'unknown', isBeforeHistory: false }
        : ownerOf(state, moment, question)
    const { tenure } = owner
    const pod =
      tenure === null
        ? null
        : (pods.find(view => view.history.uid === tenure.pod.uid) ?? new PodView(tenure.pod, state, moment))
    return new Scene(base, owner, pods, pod)
  }

  /** The same scene with another pod looked at. */
  withPod(pod: PodView): Scene {
    return new Scene(this, this.owner, this.pods, pod)
  }

  /** The same failure, asked of another symptom or Service: a default backend, a cluster IP, a dependency. */
  asIf(change: Partial<DiagnosisInput>): Scene {
    return Scene.of({ ...this.input, ...change }, this.state, this.moment)
  }

  /** Another Service, asked why it had no ready pod. `pods`: where the Service itself is not known. */
  beside(namespace: string, service: string, pods?: readonly PodView[]): Scene {
    const nothing = { port: null, upstreamAddress: null, ingress: null, host: null, path: null, detail: NO_DETAIL }
    const scene = this.asIf({ symptom: 'no_endpoints', namespace, service, ...nothing })
    return pods === undefined ? scene : new Scene(scene, scene.owner, pods, null)
  }

  get symptom(): Cause {
    return this.input.symptom
  }

  get namespace(): string | null {
    return this.routed?.namespace ?? this.input.namespace
  }

  /** CTR: the container that answers on the upstream port (without one: on the Service's target port). */
  get container(): Container | null {
    return this.pod && servingContainer(this.pod.object, this.upstream?.port ?? this.targetPort)
  }

  /**
   * Containers whose state may have kept the pod from answering, CTR first. A refused or cut connection: CTR alone. No
   * endpoints: any that was not ready, since each of them keeps the pod out.
   */
  get decidingContainers(): readonly Container[] {
    const { container, pod } = this
    if (pod === null || container === null) return []
    if (this.symptom !== 'no_endpoints') return [container]
    const others = pod.lasting.filter(({ name }) => name !== container.name)
    return [container, ...others].filter(({ name }) => pod.isContainerReady(name) !== true)
  }

  /** Of the Service port that was asked: a number, a name, or null when there is no such port. */
  get targetPortRef(): number | string | null {
    const port = this.servicePort
    return port === null ? null : (port.targetPort ?? port.port)
  }

  /** The same as a number in the pod looked at; null: a name that no container has. */
  get targetPort(): number | null {
    const target = this.targetPortRef
    if (typeof target === 'number') return target
    if (target === null) return null
    for (const { ports } of this.pod?.containers ?? []) {
      const named = listOf(ports).find(item => item.name === target)
      if (named !== undefined) return named.containerPort
    }
    const number = Number(target)
    return Number.isInteger(number) ? number : null
  }

  /** The entry of `Service.spec.ports` that the Ingress means: by number = port, name, or targetPort. */
  get servicePort() {
    if (this.service === null) return null
    const { object } = this.service
    const port = this.routed?.port ?? this.input.port
    const found = servicePortOf(object, port)
    if (found !== null || port !== null) return found
    // Not told which: the one that leads to the port that nginx asked.
    return listOf(object.spec?.ports).find(item => (item.targetPort ?? item.port) === this.upstream?.port) ?? null
  }

  /** NODE of the pod looked at. */
  get node(): Current<Node> | null {
    const name = this.pod?.object.spec?.nodeName
    return name === undefined ? null : currentOf(this.state.named('Node', '', name), this.moment)
  }

  /** All incarnations of NODE, also when it was deleted before T. */
  get nodeHistories(): readonly History<Node>[] {
    const name = this.pod?.object.spec?.nodeName
    return name === undefined ? [] : this.state.named('Node', '', name)
  }

  /** DEP: the workload that owns the pod looked at, the Deployment rather than its ReplicaSet. null: none, or unknown. */
  get workload(): Current<Workload> | null {
    const owners = this.pod && ownersOf(this.pod.history, this.state, this.moment)
    return owners?.at(-1) ?? null
  }

  /** The ReplicaSet, StatefulSet or DaemonSet that made the pod looked at. */
  get parent(): Current<Workload> | null {
    const owners = this.pod && ownersOf(this.pod.history, this.state, this.moment)
    return owners?.[0] ?? null
  }

  get configMap(): Current<ConfigMap> | null {
    return this.controller.configMap
  }

  /** An annotation of the Ingress, by its name without the prefix `nginx.ingress.kubernetes.io/`; null: not set. */
  annotation(name: string): string | null {
    const { annotations } = this.ingress?.object.metadata ?? {}
    const full = `${ANNOTATION_PREFIX}${name}`
    return annotations && Object.hasOwn(annotations, full) ? annotations[full]! : null
  }

  /** The value in force: annotation of the Ingress, else the controller's ConfigMap, else the default of nginx. */
  setting(name: ControllerSetting): Setting {
    return settingOf(this, name)
  }

  /** An object by name, as it stood at T. */
  get<K extends Kind>(kind: K, namespace: string, name: string): Current<ObjectOf[K]> | null {
    return currentOf(this.state.named(kind, namespace, name), this.moment)
  }

  /** All of a kind in a namespace that were there at T. */
  all<K extends Kind>(kind: K, namespace: string | null): Current<ObjectOf[K]>[] {
    return allOf(kind, namespace, this.state, this.moment)
  }

  isObservable(kind: Kind, namespace = this.namespace ?? ''): boolean {
    return this.state.isObservable(kind, namespace)
  }

  /**
   * That an object was not there at T; null when it was. `isCertain` false: the kind cannot be read there, or was missed
   * around T, and a candidate that needs it is worth 0.45 at most.
   */
  absence(kind: Kind, namespace: string, name: string, text: string): { fact: Fact; isCertain: boolean } | null {
    if (this.get(kind, namespace, name) !== null) return null
    const isCertain = this.isObservable(kind, namespace) && !this.isInGap(kind)
    // What nobody may read is never called absent.
    const fact = isCertain ? absent(kind, namespace, name, text) : unknown(kind, namespace, name)
    return { fact, isCertain }
  }

  /** Nothing of the kind was seen around T. */
  isInGap(kind: Kind): boolean {
    return this.state.gaps(kind).some(({ startMs, endMs }) => this.moment.isWithin(startMs, endMs))
  }

  /** Pods that a Service selected at T. */
  podsOf(service: Current<Service>): PodView[] {
    return podsOf(service, this.state, this.moment)
  }
}

export const ANNOTATION_PREFIX = 'nginx.ingress.kubernetes.io/'

function allOf<K extends Kind>(
  kind: K,
  namespace: string | null,
  state: ClusterState,
  moment: Moment
): Current<ObjectOf[K]>[] {
  const found: Current<ObjectOf[K]>[] = []
  for (const history of state.all(kind, namespace)) {
    const at = current(history, moment)
    if (at !== null) found.push(at)
  }
  return found
}

/** By name, so that the first is the same whatever came first. */
function podsOf(service: Current<Service>, state: ClusterState, moment: Moment): PodView[] {
  const selector = service.object.spec?.selector ?? {}
  if (Object.keys(selector).length === 0) return []
  const { namespace } = service.history
  return state
    .podsWithLabels(namespace, selector)
    .filter(history => {
      const at = current(history, moment)
      return at !== null && selects(selector, at.object.metadata.labels)
    })
    .map(history => new PodView(history, state, moment))
    .sort((a, b) => (a.ref < b.ref ? -1 : a.ref > b.ref ? 1 : 0))
}

function everSelected(service: Current<Service>, state: ClusterState): ReadonlySet<string> {
  const uids = new Set<string>()
  // Versions share what is equal in them.
  for (const selector of new Set(service.history.versions.map(({ object }) => object.spec?.selector ?? {}))) {
    if (Object.keys(selector).length === 0) continue
    for (const pod of state.podsWithLabels(service.history.namespace, selector)) uids.add(pod.uid)
  }
  return uids
}

/** From the controller owner upwards: ReplicaSet, Deployment. */
export function ownersOf(history: History, state: ClusterState, moment: Moment): Current<Workload>[] {
  const owners: Current<Workload>[] = []
  let at: History = history
  for (let depth = 0; depth < 4; depth++) {
    const references = listOf(at.versions.at(-1)!.object.metadata.ownerReferences)
    const reference = references.find(item => item.controller === true) ?? references[0]
    if (reference === undefined || !isWorkloadKind(reference.kind)) break
    const owner =
      state.byUid(reference.kind, reference.uid) ??
      state.named(reference.kind, history.namespace, reference.name).at(-1) ??
      null
    if (owner === null) break
    owners.push(current(owner, moment) ?? { history: owner, object: owner.versions.at(-1)!.object, isLater: true })
    at = owner
  }
  return owners
}

function isWorkloadKind(kind: string): kind is Workload['kind'] {
  return kind === 'ReplicaSet' || kind === 'Deployment' || kind === 'StatefulSet' || kind === 'DaemonSet'
}

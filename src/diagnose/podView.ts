/** A pod as it stood at T: conditions, containers, terminations, deletion. */

import type { Container, ContainerStatus, Pod } from '../cluster/objects.ts'
import type { ClusterState, History } from '../cluster/state.ts'
import { type ConditionAt, conditionAt, listOf, transitionsOf } from './conditions.ts'
import { type Current, current, lastSeen } from './current.ts'
import { type EventSpan, eventsOf } from './events.ts'
import { nameOf } from './fact.ts'
import { EPSILON_MS, type Moment } from './moment.ts'
import { type ReadyAt, readyAt, settlingMs } from './readyAt.ts'
import { timeOf } from './times.ts'

export interface Termination {
  /** Unix ms; null: not told. */
  startedMs: number | null
  finishedMs: number
  reason: string | null
  message: string | null
  exitCode: number | null
  /** `status.containerStatuses[app].lastState.terminated`, or `.state.terminated`: where the newest version tells it. */
  path: string
  /** Everywhere that any version tells it, `path` first. */
  paths: string[]
}

/** A span of a container's process; the runtime tells both ends. */
export interface Instance {
  /** Unix ms. */
  startedMs: number
  /** null: no end is known. */
  finishedMs: number | null
}

export interface Waiting {
  reason: string
  message: string | null
  /** `status.containerStatuses[app].state.waiting`. */
  path: string
}

/** From the end of a container's instance until it could answer again. */
export interface Down {
  termination: Termination
  fromMs: number
  /** Infinity: it did not come back. */
  toMs: number
}

export interface Deletion {
  /** When it was asked for: endpoint removal and SIGTERM begin here. Unix ms. */
  requestedMs: number
  graceMs: number
  /** `metadata.deletionTimestamp`: when the grace period ends; null: only the DELETED event or an Event tells. */
  timestamp: string | null
}

const DEFAULT_GRACE_S = 30
/** The kubelet's first word on Ready comes with the start of the pod. */
const STARTING_MS = 10_000

export class PodView {
  readonly history: History<Pod>
  readonly moment: Moment
  readonly #state: ClusterState
  readonly #at: Current<Pod>
  #ready: ReadyAt | null = null
  #events: EventSpan[] | null = null

  /** Of a pod that was gone by T: as it was last. */
  constructor(history: History<Pod>, state: ClusterState, moment: Moment) {
    this.history = history
    this.moment = moment
    this.#state = state
    this.#at = current(history, moment) ??
      lastSeen(history, moment) ?? { history, object: history.versions[0]!.object, isLater: true }
  }

  /** `Pod shop/cart-1`. */
  get ref(): string {
    return nameOf(this.history)
  }

  /** Undated facts as of T: spec, labels, annotations. */
  get object(): Pod {
    return this.#at.object
  }

  /** What was seen of it is later than T. */
  get isLater(): boolean {
    return this.#at.isLater
  }

  get containers(): readonly Container[] {
    return listOf(this.object.spec?.containers)
  }

  get initContainers(): readonly Container[] {
    return listOf(this.object.spec?.initContainers)
  }

  /** Containers that are meant to go on: the sidecars among the init containers too. */
  get lasting(): readonly Container[] {
    return [...this.containers, ...this.initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always')]
  }

  /** `spec.containers[app]`. */
  specPath(name: string): string {
    const isInit = this.initContainers.some(item => item.name === name)
    return `spec.${isInit ? 'initContainers' : 'containers'}[${name}]`
  }

  condition(type: string): ConditionAt {
    return conditionAt(this.history, type, this.moment)
  }

  get ready(): ReadyAt {
    this.#ready ??= readyAt(this)
    return this.#ready
  }

  /** By last time. */
  get events(): EventSpan[] {
    this.#events ??= eventsOf(this.#state, this.history)
    return this.#events
  }

  container(name: string): Container | null {
    return [...this.containers, ...this.initContainers].find(item => item.name === name) ?? null
  }

  /** The status of a container as of T, or as it was seen first. */
  status(name: string): ContainerStatus | null {
    return statusIn(this.object, name)?.status ?? null
  }

  /** Every end of a container's instance that any version tells, oldest first. */
  terminations(name: string): Termination[] {
    const byEnd = new Map<number, Termination>()
    for (const { object } of this.history.versions) {
      const found = statusIn(object, name)
      if (found === null) continue
      for (const where of ['lastState', 'state'] as const) {
        const ended = found.status[where]?.terminated
        const finishedMs = timeOf(ended?.finishedAt)
        if (!ended || finishedMs === null) continue
        const path = `${found.path}.${where}.terminated`
        const earlier = byEnd.get(finishedMs)?.paths ?? []
        byEnd.set(finishedMs, {
          startedMs: startOf(ended.startedAt),
          finishedMs,
          reason: ended.reason ?? null,
          message: ended.message ?? null,
          exitCode: ended.exitCode ?? null,
          path,
          paths: [path, ...earlier.filter(item => item !== path)]
        })
      }
    }
    return [...byEnd.values()].sort((a, b) => a.finishedMs - b.finishedMs)
  }

  /** Spans of a container's process that any version tells, oldest first. */
  instances(name: string): Instance[] {
    const byStart = new Map<number, Instance>()
    for (const { object } of this.history.versions) {
      const status = statusIn(object, name)?.status
      for (const state of [status?.lastState, status?.state]) {
        const startedMs = startOf(state?.running?.startedAt ?? state?.terminated?.startedAt)
        if (startedMs === null) continue
        const finishedMs = timeOf(state?.terminated?.finishedAt) ?? byStart.get(startedMs)?.finishedMs ?? null
        byStart.set(startedMs, { startedMs, finishedMs })
      }
    }
    return [...byStart.values()].sort((a, b) => a.startedMs - b.startedMs)
  }

  /** Starts of a container's instances, Unix ms, oldest first. */
  starts(name: string): number[] {
    return this.instances(name).map(({ startedMs }) => startedMs)
  }

  /** A process of the container was alive at T; null: nothing tells. */
  runs(name: string): boolean | null {
    const last = this.instances(name).findLast(({ startedMs }) => this.moment.isPast(startedMs))
    const ended = this.terminations(name).findLast(({ finishedMs }) => this.moment.isPast(finishedMs))
    if (last !== undefined) {
      const isEnded = last.finishedMs !== null && this.moment.isPast(last.finishedMs)
      return !isEnded && (ended === undefined || ended.finishedMs <= last.startedMs)
    }
    if (ended !== undefined) return false
    const { status } = this.statusAt(name) ?? {}
    if (status === undefined) return null
    // The first instance came after T; of a later one, an earlier may have lived then.
    return (status.restartCount ?? 0) === 0 || status.state?.waiting ? false : null
  }

  /** The interval without a working instance that T lies in; null: T lies in none. */
  down(name: string): Down | null {
    const terminations = this.terminations(name)
    for (let index = terminations.length - 1; index >= 0; index--) {
      const termination = terminations[index]!
      const fromMs = termination.finishedMs - EPSILON_MS
      if (!this.moment.isPast(fromMs)) continue
      const toMs = this.#backMs(name, termination.finishedMs) + EPSILON_MS
      return this.moment.isAfter(toMs) ? null : { termination, fromMs, toMs }
    }
    return null
  }

  /** When it answered again after an end: the later of its start and the pod's being Ready; Infinity: not seen. */
  #backMs(name: string, finishedMs: number): number {
    const started = this.starts(name).find(ms => ms >= finishedMs)
    if (started === undefined) return Number.POSITIVE_INFINITY
    const transitions = transitionsOf(this.history, 'Ready')
    const readyAgain = transitions.find(item => item.status === 'True' && item.atMs >= started)
    if (readyAgain !== undefined) return this.#endsBetween(name, started, readyAgain.atMs) ? started : readyAgain.atMs
    // It never stopped being Ready, or nothing tells.
    const last = transitions.findLast(item => item.atMs <= started)
    return last === undefined || last.status === 'True' ? started : Number.POSITIVE_INFINITY
  }

  /** Another end came first: being Ready then is the end of a later time without answers. */
  #endsBetween(name: string, startedMs: number, readyMs: number): boolean {
    const container = this.container(name)
    const settledMs = startedMs + (container === null ? 0 : settlingMs(container))
    return this.lasting.some(other =>
      this.terminations(other.name).some(({ finishedMs }) => finishedMs > settledMs && finishedMs <= readyMs)
    )
  }

  /** Why a container was not running at T; null: it ran, or nothing tells. */
  waiting(name: string): Waiting | null {
    return this.waitings(name)[0] ?? null
  }

  /**
   * What was said of a container in the stretch without a process that T lies in, as of T first: `ContainerCreating` becomes
   * `ErrImagePull`, which becomes `ImagePullBackOff`, and kubelet tells each of them late. A snapshot after T counts as long
   * as no process ran between T and it.
   */
  waitings(name: string): Waiting[] {
    if (this.runs(name) === true) return []
    const { versions } = this.history
    const seen = versions.findLastIndex(({ atMs }) => this.moment.isPast(atMs - EPSILON_MS))
    const found: Waiting[] = []
    for (let index = Math.max(seen, 0); index < versions.length; index++) {
      const at = statusIn(versions[index]!.object, name)
      if (at === null) continue
      const { state, lastState } = at.status
      const startedMs = startOf(state?.running?.startedAt ?? lastState?.terminated?.startedAt)
      if (index > seen && startedMs !== null && !this.moment.isPast(startedMs)) break
      const { waiting } = state ?? {}
      if (!waiting) continue
      found.push({ reason: waiting.reason ?? '', message: waiting.message ?? null, path: `${at.path}.state.waiting` })
    }
    return found
  }

  /**
   * The status of a container as of T. Kubelet reports late: when the pod's readiness changed after the last version seen by
   * T and before T, it is the first later version that tells of that change.
   */
  statusAt(name: string): { status: ContainerStatus; path: string } | null {
    const { versions } = this.history
    const seen = versions.findLastIndex(({ atMs }) => this.moment.isPast(atMs - EPSILON_MS))
    const { sinceMs } = this.ready
    const isStale = seen < 0 || (sinceMs !== null && sinceMs > versions[seen]!.atMs)
    if (!isStale) return statusIn(versions[seen]!.object, name)
    const later = versions.slice(Math.max(seen, 0))
    const same = later.find(({ object }) => sinceMs !== null && readyChangeOf(object) === sinceMs) ?? later[0]!
    return statusIn(same.object, name)
  }

  /** `ready` of a container at T; null: nothing tells. */
  isContainerReady(name: string): boolean | null {
    if (this.runs(name) === false) return false
    const { status, sinceMs } = this.ready
    if (status === 'True') return true
    const at = this.statusAt(name)
    if (at?.status.ready === undefined) return null
    const isOfThen = !this.isLater || this.history.versions.some(({ object }) => readyChangeOf(object) === sinceMs)
    return isOfThen ? at.status.ready : null
  }

  /** Of any version: a pod is deleted once. null: it was not, or nothing tells when. */
  get deletion(): Deletion | null {
    const { versions, deletedMs, isDeletionApproximate } = this.history
    // The oldest that tells: the last step of a deletion sets the grace to 0.
    for (const { object } of versions) {
      const { metadata, spec } = object
      const endMs = timeOf(metadata.deletionTimestamp)
      if (endMs === null) continue
      const grace = metadata.deletionGracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_S
      return { requestedMs: endMs - grace * 1000, graceMs: grace * 1000, timestamp: metadata.deletionTimestamp! }
    }
    const killing = this.killing
    const graceMs = (this.object.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_S) * 1000
    if (killing !== null) return { requestedMs: killing.firstMs, graceMs, timestamp: null }
    if (deletedMs === null || isDeletionApproximate) return null
    return { requestedMs: deletedMs, graceMs: 0, timestamp: null }
  }

  /** The kubelet's word that it stops the pod; null: there is none, or it is forgotten. */
  get killing(): EventSpan | null {
    return (
      this.events.find(({ reason, message }) => reason === 'Killing' && message.startsWith('Stopping container')) ??
      null
    )
  }

  /** It had been asked to go by T, within ε. */
  get isBeingDeleted(): boolean {
    const { deletion } = this
    return deletion !== null && this.moment.isPast(deletion.requestedMs - EPSILON_MS)
  }

  /** No endpoint for the proxy: not Ready at T, or asked to go. */
  get isOut(): boolean {
    return this.ready.status !== 'True' || this.isBeingDeleted
  }

  /** Its containers had ended for good by T: it lies there, and nobody waits for it. */
  get isOver(): boolean {
    const { phase } = this.object.status ?? {}
    if (phase !== 'Failed' && phase !== 'Succeeded') return false
    if (!this.isLater) return true
    const ended = this.containers.flatMap(({ name }) => this.terminations(name).map(item => item.finishedMs))
    const last = ended.length > 0 ? Math.max(...ended) : this.condition('Ready').sinceMs
    return last !== null && this.moment.isPast(last)
  }

  /** A container of it had been started by T: image, volumes and network were there. Init containers count too. */
  get hasStarted(): boolean {
    const names = [...this.containers, ...this.initContainers].map(({ name }) => name)
    return names.some(name => this.runningSinceMs(name) !== null)
  }

  /** It had been Ready at some time before T, as far as anything tells. */
  get wasReady(): boolean {
    const bornMs = timeOf(this.object.status?.startTime) ?? this.history.createdMs
    return transitionsOf(this.history, 'Ready').some(({ status, atMs }) => {
      // It becomes unready long after its start only by having been Ready.
      const isLate = bornMs !== null && atMs > bornMs + STARTING_MS
      return (status === 'True' || isLate) && this.moment.isPast(atMs)
    })
  }

  /** When the instance that ran at T was started, Unix ms. */
  runningSinceMs(name: string): number | null {
    return this.starts(name).findLast(ms => this.moment.isPast(ms - EPSILON_MS)) ?? null
  }
}

/** A process that never began has the epoch as its start. */
function startOf(text: string | null | undefined): number | null {
  const ms = timeOf(text)
  return ms === null || ms <= 0 ? null : ms
}

function readyChangeOf(pod: Pod): number | null {
  return timeOf(listOf(pod.status?.conditions).find(({ type }) => type === 'Ready')?.lastTransitionTime)
}

/** Where a container's status stands in a pod, and its path. */
export function statusIn(pod: Pod, name: string): { status: ContainerStatus; path: string } | null {
  for (const list of ['containerStatuses', 'initContainerStatuses'] as const) {
    const status = listOf(pod.status?.[list]).find(item => item.name === name)
    if (status !== undefined) return { status, path: `status.${list}[${name}]` }
  }
  return null
}

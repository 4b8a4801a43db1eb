/** What happens to a pod, written into it as the kubelet and the controllers would. Times are RFC 3339. */

import type { ConditionObject, ContainerStatusObject, PodObject } from './objectTypes.ts'

export function condition(pod: PodObject, type: string): ConditionObject {
  const found = pod.status.conditions.find(candidate => candidate.type === type)
  if (found === undefined) throw new Error(`${pod.metadata.name} has no condition ${type}`)
  return found
}

/** Sets a condition, adding it where it is missing. */
export function setCondition(
  pod: PodObject,
  type: string,
  status: string,
  since: string,
  why: { reason?: string; message?: string } = {}
): void {
  pod.status.conditions = pod.status.conditions.filter(candidate => candidate.type !== type)
  pod.status.conditions.push({ type, status, lastProbeTime: null, lastTransitionTime: since, ...why })
}

/** The first container where none is named. */
export function containerStatus(pod: PodObject, container?: string): ContainerStatusObject {
  const all = [...pod.status.containerStatuses, ...(pod.status.initContainerStatuses ?? [])]
  const found = container === undefined ? all[0] : all.find(candidate => candidate.name === container)
  if (found === undefined) throw new Error(`${pod.metadata.name} has no container ${container}`)
  return found
}

/** All containers run and are ready from then on. */
export function becomeReady(pod: PodObject, since: string): void {
  for (const status of pod.status.containerStatuses) status.ready = true
  setCondition(pod, 'ContainersReady', 'True', since)
  setCondition(pod, 'Ready', 'True', since)
}

/** The pod is not ready because of one container, which goes on running. */
export function becomeUnready(pod: PodObject, since: string, container?: string): void {
  const status = containerStatus(pod, container)
  status.ready = false
  const why = { reason: 'ContainersNotReady', message: `containers with unready status: [${status.name}]` }
  setCondition(pod, 'ContainersReady', 'False', since, why)
  setCondition(pod, 'Ready', 'False', since, why)
}

export interface Exit {
  container?: string
  /** `OOMKilled`, `Error`, `Completed`, `StartError`, `ContainerCannotRun`. */
  reason: string
  exitCode: number
  message?: string
  /** Of the instance that ended; else that of the running one. */
  startedAt?: string
  finishedAt: string
}

function terminated(status: ContainerStatusObject, exit: Exit) {
  const startedAt = exit.startedAt ?? status.state.running?.startedAt
  return {
    reason: exit.reason,
    exitCode: exit.exitCode,
    ...(exit.message === undefined ? {} : { message: exit.message }),
    ...(startedAt === undefined ? {} : { startedAt }),
    finishedAt: exit.finishedAt
  }
}

/** A container ended and runs again; `ready` null: it runs but is not ready yet. */
export function restart(pod: PodObject, exit: Exit, up: string, ready: string | null): void {
  const status = containerStatus(pod, exit.container)
  status.lastState = { terminated: terminated(status, exit) }
  status.state = { running: { startedAt: up } }
  status.restartCount += 1
  if (ready === null) becomeUnready(pod, exit.finishedAt, status.name)
  else becomeReady(pod, ready)
}

/** A container ended and nothing has followed yet. */
export function end(pod: PodObject, exit: Exit): void {
  const status = containerStatus(pod, exit.container)
  status.state = { terminated: terminated(status, exit) }
  status.started = false
  becomeUnready(pod, exit.finishedAt, status.name)
}

/** The kubelet waits before it starts a container once more; `unreadySince` is when the pod was last ready. */
export function backOff(pod: PodObject, exit: Exit, restarts: number, unreadySince: string): void {
  const status = containerStatus(pod, exit.container)
  status.lastState = { terminated: terminated(status, exit) }
  const message = `back-off 5m0s restarting failed container=${status.name} pod=${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`
  status.state = { waiting: { reason: 'CrashLoopBackOff', message } }
  status.started = false
  status.restartCount = restarts
  becomeUnready(pod, unreadySince, status.name)
}

/** A container that never ran: it cannot be pulled, configured, created or started. */
export function neverStart(pod: PodObject, reason: string, message?: string, container?: string): void {
  const status = containerStatus(pod, container)
  status.state = { waiting: { reason, ...(message === undefined ? {} : { message }) } }
  status.lastState = {}
  status.started = false
  status.restartCount = 0
  pod.status.phase = 'Pending'
  becomeUnready(pod, pod.status.startTime ?? pod.metadata.creationTimestamp ?? '', status.name)
}

/** Without an address: volumes or the network of the pod are not there yet. */
export function hasNoAddress(pod: PodObject): void {
  delete pod.status.podIP
  delete pod.status.podIPs
}

/** The scheduler finds no node. */
export function cannotBeScheduled(pod: PodObject, since: string, message: string): void {
  delete pod.spec.nodeName
  delete pod.status.hostIP
  delete pod.status.startTime
  hasNoAddress(pod)
  pod.status.phase = 'Pending'
  pod.status.containerStatuses = []
  pod.status.conditions = []
  setCondition(pod, 'PodScheduled', 'False', since, { reason: 'Unschedulable', message })
}

/** Somebody asks for deletion at `asked`; the API writes the end of the grace period. */
export function askToDelete(
  pod: PodObject,
  asked: string,
  graceSeconds = pod.spec.terminationGracePeriodSeconds
): void {
  const ends = new Date(Date.parse(asked) + graceSeconds * 1000)
  pod.metadata.deletionTimestamp = ends.toISOString().replace(/\.000Z$/, 'Z')
  pod.metadata.deletionGracePeriodSeconds = graceSeconds
}

/** The kubelet evicts it: the object stays, Failed. */
export function evict(pod: PodObject, when: string, message: string): void {
  pod.status.phase = 'Failed'
  pod.status.reason = 'Evicted'
  pod.status.message = message
  setCondition(pod, 'DisruptionTarget', 'True', when, { reason: 'TerminationByKubelet', message })
  becomeUnready(pod, when)
  for (const status of pod.status.containerStatuses) {
    status.ready = false
    status.state = { terminated: { reason: 'Error', exitCode: 137, finishedAt: when } }
  }
}

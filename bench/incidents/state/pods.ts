/** Pods of the simulated shop, and what happens to them. */

import type { Container, ContainerState, Pod, Workload } from '../../../src/cluster/objects.ts'
import type { Random } from '../random.ts'
import { apiTime, metadata } from './texts.ts'

export interface PodFacts {
  name: string
  namespace: string
  address: string
  node: string
  labels: Record<string, string>
  owner: Workload
  container: Container
  createdMs: number
  uid?: string
}

const CONDITIONS = ['Ready', 'ContainersReady', 'PodScheduled']

/** Its container starts two seconds after it was made, and it is not Ready yet. */
export function makePod(random: Random, facts: PodFacts): Pod {
  const { name, namespace, address, node, labels, owner, container, createdMs, uid } = facts
  const { kind, metadata: of } = owner
  const own = metadata(random, name, namespace, {}, createdMs)
  return {
    kind: 'Pod',
    metadata: {
      ...own,
      ...(uid !== undefined && { uid }),
      labels,
      ownerReferences: [{ kind, name: of.name, uid: of.uid!, controller: true }]
    },
    spec: {
      nodeName: node,
      containers: [structuredClone(container)],
      terminationGracePeriodSeconds: 30
    },
    status: {
      phase: 'Running',
      podIP: address,
      podIPs: [{ ip: address }],
      hostIP: `192.168.10.1${node.at(-1)}`,
      startTime: apiTime(createdMs),
      conditions: CONDITIONS.map(type => ({
        type,
        status: /Ready/.test(type) ? 'False' : 'True',
        lastTransitionTime: apiTime(createdMs)
      })),
      containerStatuses: [
        {
          name: container.name,
          image: container.image!,
          ready: false,
          started: true,
          restartCount: 0,
          state: { running: { startedAt: apiTime(createdMs + 2_000) } },
          lastState: {}
        }
      ]
    }
  }
}

export function setReady(pod: Pod, isReady: boolean, atMs: number): void {
  for (const condition of pod.status!.conditions!) {
    if (!/Ready/.test(condition.type)) continue
    condition.status = isReady ? 'True' : 'False'
    condition.lastTransitionTime = apiTime(atMs)
    if (isReady) delete condition.reason
    else condition.reason = 'ContainersNotReady'
  }
  pod.status!.containerStatuses![0]!.ready = isReady
}

export function isReady(pod: Pod): boolean {
  return pod.status!.conditions!.some(({ type, status }) => type === 'Ready' && status === 'True')
}

/** The container's process ended; what follows it is told by `state`. */
export function ended(pod: Pod, end: { reason: string; exitCode: number; atMs: number }, state: ContainerState): void {
  const status = pod.status!.containerStatuses![0]!
  const startedAt = status.state?.running?.startedAt ?? apiTime(end.atMs)
  const terminated = { reason: end.reason, exitCode: end.exitCode, startedAt, finishedAt: apiTime(end.atMs) }
  if (state.terminated) status.state = { terminated }
  else {
    status.lastState = { terminated }
    status.state = state
  }
}

export function restarted(pod: Pod, startedMs: number, count: number): void {
  const status = pod.status!.containerStatuses![0]!
  status.restartCount = count
  status.state = { running: { startedAt: apiTime(startedMs) } }
}

/** Somebody asked for its deletion: the time it is given ends when `deletionTimestamp` says. */
export function askToGo(pod: Pod, atMs: number): void {
  const seconds = pod.spec!.terminationGracePeriodSeconds!
  pod.metadata.deletionTimestamp = apiTime(atMs + seconds * 1000)
  pod.metadata.deletionGracePeriodSeconds = seconds
}

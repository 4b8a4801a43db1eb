/** Objects and events for tests of the cluster's state. Times are seconds after `EPOCH_MS`. */

import type { ClusterEvent, ListEvent } from '../../src/cluster/event.ts'
import type { EndpointSlice, Kind, KubeEvent, KubeObject, Pod, Service } from '../../src/cluster/objects.ts'
import type { ClusterState } from '../../src/cluster/state.ts'

export const EPOCH_MS = Date.UTC(2026, 10, 21)

export function ms(seconds: number): number {
  return EPOCH_MS + seconds * 1_000
}

/** Seconds after the epoch; null and infinities as they are. */
export function seconds(time: number | null): number | null {
  return time === null || !Number.isFinite(time) ? time : (time - EPOCH_MS) / 1_000
}

/** RFC 3339, whole seconds, as the API writes it. */
export function apiText(time: number): string {
  return new Date(ms(time)).toISOString().replace('.000Z', 'Z')
}

export interface PodFacts {
  name: string
  uid?: string
  namespace?: string
  ip?: string | null
  ips?: string[]
  phase?: string
  created?: number
  started?: number
  labels?: Record<string, string>
  owner?: string
  hostNetwork?: boolean
  version?: number
}

export function pod(facts: PodFacts): Pod {
  const { name, uid = name, namespace = 'shop', ip = null, phase = 'Running', created, started, version } = facts
  const ips = facts.ips ?? (ip === null ? [] : [ip])
  return {
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      ...(uid !== '' && { uid }),
      ...(version !== undefined && { resourceVersion: String(version) }),
      ...(created !== undefined && { creationTimestamp: apiText(created) }),
      ...(facts.labels && { labels: facts.labels }),
      ...(facts.owner && { ownerReferences: [{ kind: 'ReplicaSet', name: 'rs', uid: facts.owner, controller: true }] })
    },
    spec: { nodeName: 'node-1', ...(facts.hostNetwork && { hostNetwork: true }), containers: [{ name: 'app' }] },
    status: {
      phase,
      ...(ips.length > 0 && { podIP: ips[0], podIPs: ips.map(one => ({ ip: one })) }),
      ...(started !== undefined && { startTime: apiText(started) })
    }
  }
}

export function service(name: string, spec: NonNullable<Service['spec']>, namespace = 'shop'): Service {
  return { kind: 'Service', metadata: { name, namespace, uid: `service ${namespace} ${name}` }, spec }
}

export function slice(name: string, of: string, endpoints: NonNullable<EndpointSlice['endpoints']>): EndpointSlice {
  const labels = { 'kubernetes.io/service-name': of }
  return { kind: 'EndpointSlice', metadata: { name, namespace: 'shop', uid: `slice ${name}`, labels }, endpoints }
}

export function kubeEvent(name: string, about: NonNullable<KubeEvent['involvedObject']>, last?: number): KubeEvent {
  return {
    kind: 'Event',
    metadata: { name, namespace: 'shop', uid: `event ${name}` },
    involvedObject: about,
    ...(last !== undefined && { lastTimestamp: apiText(last) })
  }
}

export function added(time: number, object: KubeObject): ClusterEvent {
  return { at: ms(time), type: 'ADDED', object }
}

export function modified(time: number, object: KubeObject): ClusterEvent {
  return { at: ms(time), type: 'MODIFIED', object }
}

export function deleted(time: number, object: KubeObject): ClusterEvent {
  return { at: ms(time), type: 'DELETED', object }
}

/** A whole list, its objects seen at its begin. */
export function listed(
  time: number,
  objects: readonly KubeObject[],
  scope: Partial<Omit<ListEvent, 'at' | 'type'>> = {},
  lasting = 0
): ClusterEvent[] {
  const { kinds = ['Pod'], unreadable = {}, namespaces = null } = scope
  return [
    { at: ms(time), type: 'LIST_START', kinds, unreadable, namespaces },
    ...objects.map(object => added(time, object)),
    { at: ms(time + lasting), type: 'LIST_END', kinds, unreadable, namespaces }
  ]
}

export function gap(from: number, to: number, kind: Kind | null = null): ClusterEvent[] {
  return [
    { at: ms(from), type: 'GAP_START', kind },
    { at: ms(to), type: 'GAP_END', kind }
  ]
}

export function heartbeat(time: number): ClusterEvent {
  return { at: ms(time), type: 'HEARTBEAT' }
}

export function applyAll(state: ClusterState, events: readonly ClusterEvent[]): ClusterState {
  for (const event of events) state.apply(event)
  return state
}

/** Tenures in one line each: `uid from-to`, a `~` before a bound that nobody saw, `host` where the address is the node's. */
export function tenureLines(state: ClusterState, address: string): string[] {
  return state.tenures(address).map(({ pod: { uid }, fromMs, toMs, isFromObserved, isToObserved, hostNetwork }) => {
    const from = `${isFromObserved ? '' : '~'}${seconds(fromMs)}`
    const to = toMs === null ? 'open' : `${isToObserved ? '' : '~'}${seconds(toMs)}`
    return `${uid} ${from}-${to}${hostNetwork ? ' host' : ''}`
  })
}

/** Which root causes are lost with a kind that may not be read: what `check` and refusals say. */

import type { Kind } from '../cluster/objects.ts'
import type { RootCause } from './rootCauses.ts'

export interface KindNeed {
  /** Without it hardly anything can be said. */
  isEssential: boolean
  /** Told by this kind, or only in other words without it. `all`: every root cause that lies in the cluster. */
  causes: readonly RootCause[] | 'all'
}

function needs(causes: readonly RootCause[] | 'all', isEssential = false): KindNeed {
  return { isEssential, causes }
}

/** Another kind costs better words at most. */
export const KIND_NEEDS: Readonly<Record<Kind, KindNeed>> = {
  Pod: needs('all', true),
  Service: needs('all', true),
  EndpointSlice: needs(['stale_endpoints', 'selectorless_endpoints', 'external_backend_down'], true),
  Ingress: needs([], true),
  Event: needs([], true),
  Node: needs(['node_not_ready', 'node_pressure', 'node_network_failure']),
  Namespace: needs([]),
  Deployment: needs([]),
  ReplicaSet: needs([]),
  StatefulSet: needs([]),
  DaemonSet: needs([]),
  HorizontalPodAutoscaler: needs(['autoscaler_limited']),
  NetworkPolicy: needs(['network_policy_block']),
  IngressClass: needs([]),
  PersistentVolumeClaim: needs([]),
  ResourceQuota: needs([]),
  ConfigMap: needs([]),
  Secret: needs([]),
  Certificate: needs([]),
  PodMetrics: needs([]),
  Lease: needs([])
}

/** In the order of the kinds; `all`: hardly anything can be said. */
export function causesWithout(kinds: readonly Kind[]): readonly RootCause[] | 'all' {
  const causes = new Set<RootCause>()
  for (const kind of kinds) {
    const lost = KIND_NEEDS[kind].causes
    if (lost === 'all') return 'all'
    for (const cause of lost) causes.add(cause)
  }
  return [...causes]
}

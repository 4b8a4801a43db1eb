/** Which root causes are lost with a kind that may not be read: what `check` and refusals say. */

import type { Kind } from '../cluster/objects.ts'
import type { RootCause } from './rootCauses.ts'

export interface KindNeed {
  /** Without it hardly anything can be said. */
  isEssential: boolean
  /** Told by this kind, or only in other words without it. `all`: every root cause that lies in the cluster. */
  causes: readonly RootCause[] | 'all'
}

/** Of workloads with pods that are not there. */
const WORKLOAD: readonly RootCause[] = [
  'scaled_to_zero',
  'rollout_gap',
  'selector_mismatch',
  'pod_creation_blocked',
  'autoscaler_limited'
]

function needs(causes: readonly RootCause[] | 'all', isEssential = false): KindNeed {
  return { isEssential, causes }
}

/** A test judges every case once more without each kind: what it misses then stands here. */
export const KIND_NEEDS: Readonly<Record<Kind, KindNeed>> = {
  Pod: needs('all', true),
  Service: needs('all', true),
  EndpointSlice: needs(['stale_endpoints', 'selectorless_endpoints', 'external_backend_down'], true),
  Ingress: needs(
    [
      'ingress_service_missing',
      'ingress_port_missing',
      'ingress_rule_mismatch',
      'ingress_class_mismatch',
      'ingress_annotation_denied',
      'ingress_cert_expired',
      'ingress_cert_fallback',
      'backend_protocol_mismatch',
      'proxy_buffer_too_small',
      'default_backend_unhealthy',
      'named_port_missing',
      'app_slow',
      'rate_limit_hit',
      'auth_backend_failing',
      'request_denied',
      'controller_config_error',
      'upstream_tls_config',
      'upstream_cert_invalid',
      'lb_health_check_path'
    ],
    true
  ),
  Event: needs(
    [
      'probe_restart',
      'readiness_failing',
      'readiness_probe_misconfigured',
      'crash_loop',
      'config_missing',
      'pod_creation_blocked',
      'pod_evicted',
      'pod_sandbox_failed',
      'volume_unavailable',
      'grace_period_too_short',
      'ingress_annotation_denied',
      'controller_config_error'
    ],
    true
  ),
  Node: needs(['node_not_ready', 'node_pressure', 'node_network_failure', 'cpu_saturated']),
  Namespace: needs(['network_policy_block']),
  Deployment: needs([...WORKLOAD, 'cluster_dns_failure']),
  ReplicaSet: needs(['rollout_gap', 'pod_creation_blocked']),
  StatefulSet: needs(WORKLOAD),
  DaemonSet: needs([]),
  HorizontalPodAutoscaler: needs(['autoscaler_limited']),
  NetworkPolicy: needs(['network_policy_block']),
  IngressClass: needs(['ingress_class_mismatch']),
  PersistentVolumeClaim: needs(['volume_unavailable']),
  ResourceQuota: needs([]),
  ConfigMap: needs([
    'app_slow',
    'keepalive_mismatch',
    'dependency_down',
    'auth_backend_failing',
    'ingress_annotation_denied',
    'controller_config_error'
  ]),
  Secret: needs(['ingress_cert_expired', 'ingress_cert_fallback', 'ingress_annotation_denied']),
  Certificate: needs(['ingress_cert_expired']),
  PodMetrics: needs(['cpu_saturated', 'controller_resources']),
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

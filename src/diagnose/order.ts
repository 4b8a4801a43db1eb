/** The decision order, in one place: per symptom the root causes that may explain it, deeper ones first. */

import type { Cause } from '../../parsers/causes.ts'
import type { RootCause } from './rootCauses.ts'

/** A root cause, or several that are asked of one pod of the Service after the other; most pods decide. */
export type Step = RootCause | PodStep

export interface PodStep {
  ofEachPod: readonly RootCause[]
  pods: 'unready' | 'all'
}

/** What may keep a pod out of the endpoints: the first match of each pod counts. */
const UNREADY: PodStep = {
  pods: 'unready',
  ofEachPod: [
    'pod_evicted',
    'volume_unavailable',
    'unschedulable',
    'image_pull_failed',
    'config_missing',
    'pod_sandbox_failed',
    'init_container_stuck',
    'probe_restart',
    'oom_killed',
    'container_start_failed',
    'crash_loop',
    'node_not_ready',
    'readiness_probe_misconfigured',
    // Deeper than an app that says it is not ready: why it says so.
    'dependency_down',
    'readiness_failing',
    'app_crash'
  ]
}

/** Why a Service that is needed beside the failing one (DNS, auth, a dependency) has no ready pod; it asks for nothing further. */
export const NESTED: readonly Step[] = [
  'pod_creation_blocked',
  'scaled_to_zero',
  { ...UNREADY, ofEachPod: UNREADY.ofEachPod.filter(cause => cause !== 'dependency_down') },
  'rollout_gap',
  'selector_mismatch'
]

const NO_ENDPOINTS: readonly Step[] = [
  'ingress_service_missing',
  'ingress_port_missing',
  'cluster_dns_failure',
  'external_name_unresolvable',
  'selectorless_endpoints',
  'pod_creation_blocked',
  'scaled_to_zero',
  // Needs new pods without an error of their own: it explains why they are not ready yet.
  'rollout_gap',
  UNREADY,
  // Once more without a pod: the last one was evicted and nothing came after it.
  'pod_evicted',
  'selector_mismatch',
  'named_port_missing',
  'ingress_annotation_denied',
  'controller_config_error',
  'stale_endpoints'
]

const REFUSED: readonly RootCause[] = [
  'pod_evicted',
  'node_not_ready',
  'termination_race',
  'stale_endpoints',
  'probe_restart',
  'oom_killed',
  'container_start_failed',
  'crash_loop',
  'app_crash',
  'readiness_probe_missing',
  'publish_not_ready',
  'readiness_failing',
  'target_port_mismatch',
  'app_not_listening',
  'network_policy_block'
]

const CUT: readonly Step[] = [
  'pod_evicted',
  'grace_period_too_short',
  'termination_race',
  'probe_restart',
  'oom_killed',
  'crash_loop',
  'app_crash',
  'node_not_ready',
  'readiness_probe_missing',
  'publish_not_ready',
  'backend_protocol_mismatch',
  'keepalive_mismatch',
  'node_pressure'
]

const SLOW: readonly Step[] = [
  'external_backend_down',
  'node_not_ready',
  'dependency_down',
  'autoscaler_limited',
  'cpu_saturated',
  'node_pressure',
  'controller_resources',
  'publish_not_ready',
  'readiness_failing',
  'app_slow'
]

export const ORDER: Readonly<Record<Cause, readonly Step[]>> = {
  no_endpoints: NO_ENDPOINTS,
  connection_refused: ['external_backend_down', ...REFUSED],
  no_live_upstreams: ['lb_health_check_path', 'external_backend_down', { pods: 'all', ofEachPod: REFUSED }],
  connect_timeout: [
    'external_backend_down',
    'node_not_ready',
    'network_policy_block',
    'node_network_failure',
    'stale_endpoints',
    'autoscaler_limited',
    'cpu_saturated',
    'node_pressure',
    'controller_resources',
    'publish_not_ready',
    'target_port_mismatch'
  ],
  host_unreachable: [
    'external_backend_down',
    'node_not_ready',
    'pod_evicted',
    'stale_endpoints',
    'termination_race',
    'node_network_failure',
    'network_policy_block'
  ],
  premature_close: CUT,
  connection_reset: CUT,
  read_timeout: SLOW,
  send_timeout: SLOW,
  upstream_error: [
    'backend_protocol_mismatch',
    'dependency_down',
    'cluster_dns_failure',
    'autoscaler_limited',
    'node_pressure',
    'lb_health_check_path',
    'controller_config_error',
    'app_error'
  ],
  invalid_response: ['backend_protocol_mismatch', 'app_invalid_response'],
  header_too_big: ['proxy_buffer_too_small'],
  upstream_tls_handshake: ['backend_protocol_mismatch', 'upstream_tls_config'],
  upstream_tls_verify: ['upstream_cert_invalid'],
  client_tls_failure: ['ingress_cert_expired', 'ingress_cert_fallback'],
  dns_failure: ['cluster_dns_failure', 'external_name_unresolvable'],
  auth_failure: ['auth_backend_failing', 'ingress_annotation_denied', 'request_denied'],
  no_route: ['controller_config_error', 'ingress_class_mismatch', 'lb_health_check_path', 'ingress_rule_mismatch'],
  rate_limited: ['rate_limit_hit'],
  client_closed: ['autoscaler_limited', 'cpu_saturated', 'client_abort'],
  client_timeout: ['client_abort'],
  lua_error: ['controller_config_error'],
  controller_overload: ['controller_resources'],
  controller_config: ['controller_config_error'],
  redirect_cycle: ['controller_config_error'],
  local_port_exhausted: ['controller_resources'],
  body_too_large: ['request_denied'],
  bad_request: ['request_denied'],
  config_reload: [],
  unclassified: []
}

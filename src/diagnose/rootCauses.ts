/** The closed list of root causes, in the order of the catalogue. */

export const ROOT_CAUSES = [
  // Process and container.
  'oom_killed',
  'crash_loop',
  'app_crash',
  'probe_restart',
  'container_start_failed',
  'config_missing',
  'image_pull_failed',
  'init_container_stuck',
  'readiness_failing',
  'readiness_probe_misconfigured',
  'readiness_probe_missing',
  'publish_not_ready',
  'app_not_listening',
  'app_slow',
  'app_error',
  'app_invalid_response',
  'proxy_buffer_too_small',
  'keepalive_mismatch',
  'cpu_saturated',
  'dependency_down',
  // Lifecycle, scheduling, nodes.
  'termination_race',
  'grace_period_too_short',
  'rollout_gap',
  'scaled_to_zero',
  'autoscaler_limited',
  'unschedulable',
  'pod_creation_blocked',
  'pod_evicted',
  'node_not_ready',
  'node_pressure',
  'node_network_failure',
  'volume_unavailable',
  'pod_sandbox_failed',
  'stale_endpoints',
  // Wiring.
  'selector_mismatch',
  'target_port_mismatch',
  'named_port_missing',
  'ingress_service_missing',
  'ingress_port_missing',
  'selectorless_endpoints',
  'external_name_unresolvable',
  'cluster_dns_failure',
  'external_backend_down',
  'network_policy_block',
  'lb_health_check_path',
  // Protocol and TLS.
  'backend_protocol_mismatch',
  'upstream_cert_invalid',
  'upstream_tls_config',
  'ingress_cert_expired',
  'ingress_cert_fallback',
  // Edge.
  'rate_limit_hit',
  'auth_backend_failing',
  'request_denied',
  'ingress_annotation_denied',
  'controller_resources',
  'controller_config_error',
  'ingress_rule_mismatch',
  'ingress_class_mismatch',
  'default_backend_unhealthy',
  'client_abort',
  'undetermined'
] as const

/** `oom_killed` → `oom killed`. */
export function causeName(slug: string): string {
  return slug.replaceAll('_', ' ')
}

export type RootCause = (typeof ROOT_CAUSES)[number]

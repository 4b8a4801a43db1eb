/**
 * What would take a root cause away. Nothing here changes a cluster: commands are dry runs, and policies, Secrets, quota,
 * rights, nodes, volumes and images are left to people.
 */

import type { ClusterState } from '../cluster/state.ts'
import type { Diagnosis } from './diagnosis.ts'
import { looserProbe, moreMemory, restartOne } from './remediation/container.ts'
import { anotherController, sendServerName } from './remediation/edge.ts'
import {
  deleteFailed,
  deleteStuck,
  higherMaximum,
  longerGrace,
  preStopSleep,
  scaleUp
} from './remediation/lifecycle.ts'
import type { Remediation } from './remediation/remedy.ts'
import { undoRollout } from './remediation/rollout.ts'
import { largerBuffer, longerTimeout, oneMore, shorterKeepalive } from './remediation/serving.ts'
import { Target } from './remediation/target.ts'
import {
  alignIngressPort,
  alignSelector,
  alignTargetPort,
  policyManifest,
  restartDns,
  speakAsBackend
} from './remediation/wiring.ts'
import type { RootCause } from './rootCauses.ts'

export type { Change, Remediation } from './remediation/remedy.ts'

type Remedy = (target: Target) => Remediation | null

const byHand =
  (why: string): Remedy =>
  target =>
    target.manual(why)

const REMEDIES: Readonly<Record<RootCause, Remedy>> = {
  oom_killed: moreMemory,
  crash_loop: undoRollout,
  app_crash: byHand('a crash is mended in the application; two replicas or more make it bearable'),
  probe_restart: looserProbe,
  container_start_failed: undoRollout,
  config_missing: byHand('what must be in it, only its owners know: create it, then restart the pods'),
  image_pull_failed: undoRollout,
  init_container_stuck: byHand('what it waits for must be mended'),
  readiness_failing: restartOne,
  readiness_probe_misconfigured: byHand('what the process really serves must be known to correct the probe'),
  readiness_probe_missing: byHand(
    'which path tells readiness, only the application knows; a tcpSocket probe on targetPort is a start'
  ),
  publish_not_ready: byHand('peers may need the flag: traffic wants a Service of its own without it'),
  app_not_listening: byHand('the process must be told where to listen'),
  app_slow: longerTimeout,
  app_error: target =>
    target.diagnosis.variant === 'after_rollout'
      ? undoRollout(target)
      : target.manual('an error of the application is mended there'),
  app_invalid_response: byHand('headers are mended in the application'),
  proxy_buffer_too_small: largerBuffer,
  keepalive_mismatch: shorterKeepalive,
  cpu_saturated: target => oneMore(target, target.workload),
  dependency_down: byHand('the dependency is repaired first: what is wrong with it stands in the chain'),
  termination_race: preStopSleep,
  grace_period_too_short: longerGrace,
  rollout_gap: byHand('whether two versions may run side by side, only its owners know'),
  scaled_to_zero: scaleUp,
  autoscaler_limited: higherMaximum,
  unschedulable: byHand('requests, constraints or nodes: which of them gives way must be decided'),
  pod_creation_blocked: byHand('quota, policies and webhooks are changed by people'),
  pod_evicted: deleteFailed,
  node_not_ready: byHand('nodes are repaired or replaced by people'),
  node_pressure: byHand('nodes are freed by people'),
  node_network_failure: byHand('the network of a node is repaired by people'),
  volume_unavailable: byHand('volumes hold data: people decide about them'),
  pod_sandbox_failed: deleteStuck,
  stale_endpoints: byHand('the controller or the control plane lags behind: find out why'),
  selector_mismatch: alignSelector,
  target_port_mismatch: alignTargetPort,
  named_port_missing: byHand('the port is named in the template, or its number put into the Service'),
  ingress_service_missing: byHand('whether the name is wrong or the Service missing must be decided'),
  ingress_port_missing: alignIngressPort,
  selectorless_endpoints: byHand('who answers for that Service, only its owners know'),
  external_name_unresolvable: byHand('the right name is not known here'),
  cluster_dns_failure: restartDns,
  external_backend_down: byHand('what is wrong lies outside of the cluster'),
  network_policy_block: policyManifest,
  lb_health_check_path: byHand('which path tells health, only the application knows'),
  backend_protocol_mismatch: speakAsBackend,
  upstream_cert_invalid: byHand('certificates are renewed by their issuer, and Secrets are not touched'),
  upstream_tls_config: sendServerName,
  ingress_cert_expired: byHand('certificates are renewed by their issuer, and Secrets are not touched'),
  ingress_cert_fallback: byHand('Secrets are not touched: create it with its certificate'),
  rate_limit_hit: byHand('the limit was set on purpose: raise it only if the client may do more'),
  auth_backend_failing: byHand('the auth service is repaired first'),
  request_denied: byHand('the request was refused on purpose'),
  ingress_annotation_denied: byHand('what the annotation should name, only its owners know'),
  controller_resources: anotherController,
  controller_config_error: byHand('a snippet or plugin is removed by whoever put it there'),
  ingress_rule_mismatch: byHand('which host and path are meant must be decided'),
  ingress_class_mismatch: byHand('which controller should serve it must be decided'),
  default_backend_unhealthy: target => {
    const { behind } = target.told
    if (behind === null || behind === 'default_backend_unhealthy') return target.manual('repair the default backend')
    return REMEDIES[behind](new Target({ ...target.diagnosis, rootCause: behind }, target.state))
  },
  client_abort: () => null,
  undetermined: () => null
}

/** `state`: what was last seen of the cluster; null: the diagnosis alone. null: there is nothing to mend, or nobody knows what. */
export function remediationOf(diagnosis: Diagnosis, state: ClusterState | null): Remediation | null {
  return REMEDIES[diagnosis.rootCause](new Target(diagnosis, state))
}

/** Clients that left, and failures of which nothing can be said: `client_abort`, `undetermined`. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { podMetrics } from '../support/extraObjects.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }

function leaves(shop: Shop, seconds: string): void {
  shop.fails('client_closed', shop.pods[0], { detail: { request_time: seconds, upstream_response_time: seconds } })
}

export const CASES: DiagnosisCase[] = [
  shopCase(
    'left-soon',
    'the client left after 0.8 s',
    shop => {
      leaves(shop, '0.812')
      return {
        root_cause: 'client_abort',
        confidence_max: 0.84,
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=True`],
        must_not: ['app_slow', 'app_crash', 'undetermined']
      }
    },
    APP
  ),

  shopCase(
    'left-after-its-limit',
    'the client left after 30 s to the millisecond: its own limit',
    shop => {
      leaves(shop, '30.000')
      return {
        root_cause: 'client_abort',
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=True`],
        must_not: ['app_crash', 'cpu_saturated', 'undetermined']
      }
    },
    APP
  ),

  // "no exit/deletion at T": who left first is not known then. No row names the kill for this symptom.
  shopCase(
    'left-while-killed',
    'the client left while the server was being killed',
    shop => {
      shop.restarts(shop.pods[0], { reason: 'OOMKilled', exitCode: 137, at: -1, up: 3, ready: 12 })
      leaves(shop, '4.100')
      return { root_cause: 'undetermined', acceptable: ['oom_killed'], must_not: ['client_abort', 'app_slow'] }
    },
    APP
  ),

  shopCase(
    'left-killed-earlier',
    'the server was killed an hour before the client left',
    shop => {
      shop.restarts(shop.pods[0], { reason: 'OOMKilled', exitCode: 137, at: -3600, up: -3597, ready: -3585 })
      leaves(shop, '2.250')
      return {
        root_cause: 'client_abort',
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=True`],
        must_not: ['oom_killed', 'undetermined']
      }
    },
    APP
  ),

  // CC stands beside `cpu_saturated` in the catalogue; the row of client_closed names `client_abort` alone.
  shopCase(
    'left-saturated',
    'the server was at its limit of CPU when the client left',
    shop => {
      const [pod] = shop.pods
      pod.spec.containers[0]!.resources = { limits: { cpu: '500m', memory: '256Mi' } }
      shop.add(podMetrics(pod, { app: '498m' }, shop.at(-15)))
      leaves(shop, '12.007')
      return { root_cause: 'cpu_saturated', acceptable: ['client_abort'], must_not: ['app_crash', 'undetermined'] }
    },
    APP
  ),

  // 408 without an upstream: the table's word, though `client_abort` needs a 499.
  shopCase(
    'client-silent',
    'the client began a request and went silent',
    shop => {
      const error = 'client timed out (110: Operation timed out) while reading client request headers'
      shop.fails('client_timeout', null, { status: 408, detail: { error } })
      return { root_cause: 'client_abort', must_not: ['app_slow', 'controller_resources', 'request_denied'] }
    },
    APP
  ),

  shopCase(
    'nothing-known-reset',
    'a healthy server reset the connection',
    shop => {
      const [pod] = shop.pods
      shop.fails('connection_reset', pod, { detail: { method: 'GET', upstream_response_time: '0.700' } })
      return {
        root_cause: 'undetermined',
        confidence_max: 0,
        must_cite: [ref(shop.service), ref(pod)],
        must_not: ['keepalive_mismatch', 'app_crash', 'termination_race', 'backend_protocol_mismatch']
      }
    },
    APP
  ),

  shopCase(
    'nothing-known-owner',
    'refused by an address that nobody known ever had',
    shop => {
      shop.fails('connection_refused', null, { upstream_addr: '10.99.99.99:8080' })
      return {
        root_cause: 'undetermined',
        must_cite: [ref(shop.service)],
        must_not: [
          'app_not_listening',
          'target_port_mismatch',
          'external_backend_down',
          `cite:${ref(shop.pods[0])} lastState`
        ]
      }
    },
    APP
  ),

  shopCase(
    'nothing-known-silent',
    'a healthy pod on a healthy node did not answer; no policy, no limit',
    shop => {
      const [pod] = shop.pods
      shop.fails('connect_timeout', pod)
      return {
        root_cause: 'undetermined',
        confidence_max: 0,
        must_cite: [ref(shop.service), ref(pod)],
        must_not: ['network_policy_block', 'node_not_ready', 'app_not_listening', 'stale_endpoints']
      }
    },
    APP
  ),

  shopCase(
    'unclassified',
    'a failure that fits no kind',
    shop => {
      const [pod] = shop.pods
      shop.fails('unclassified', pod, { status: 500, detail: { error: 'an unknown module gave up' } })
      return {
        root_cause: 'undetermined',
        confidence_max: 0,
        must_cite: [ref(shop.service), ref(pod)],
        must_not: ['app_error', 'controller_config_error']
      }
    },
    APP
  )
]

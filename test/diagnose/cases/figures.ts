/** Numbers that decide: time limits, CPU, idle times, agents of other names. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { autoscaler, podMetrics } from '../support/extraObjects.ts'
import { DAY } from '../support/moment.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const UNLIMITED = { containers: [webContainer('app', { resources: { requests: { cpu: '500m' } } })] }
const TIMED_OUT = { detail: { upstream_response_time: '60.001', request_time: '60.001' } }

/** A connection closed at once, behind a keep-alive of a minute. */
function closedAtOnce(shop: Shop, method: string): void {
  shop.configures({ 'upstream-keepalive-timeout': '60' })
  const detail = { method, upstream_response_time: '0.000', request_time: '0.001' }
  shop.fails('connection_reset', shop.pods[0], { detail })
}

function idleCase(id: string, variable: string, value: string, isShorter: boolean, method = 'POST'): DiagnosisCase {
  const containers = [webContainer('app', { env: [{ name: variable, value }] })]
  return shopCase(
    id,
    `${variable}=${value}, ${isShorter ? 'shorter' : 'longer'} than nginx keeps a connection`,
    shop => {
      closedAtOnce(shop, method)
      if (!isShorter) return { root_cause: 'undetermined', must_not: ['keepalive_mismatch', 'app_crash'] }
      return {
        root_cause: 'keepalive_mismatch',
        must_cite: [
          `${ref(shop.pods[0])} spec.containers[app].env[${variable}]`,
          'ConfigMap ingress-nginx/ingress-nginx-controller data.upstream-keepalive-timeout=60'
        ],
        must_not: ['app_crash', 'oom_killed', 'termination_race']
      }
    },
    { containers }
  )
}

export const CASES: DiagnosisCase[] = [
  shopCase(
    'limit-not-reached',
    'a time-out after 30 s where 60 s are allowed: not what this Ingress says',
    shop => {
      const detail = { upstream_response_time: '30.001', request_time: '30.001' }
      shop.fails('read_timeout', shop.pods[0], { detail })
      return { root_cause: 'undetermined', must_not: ['app_slow', 'cpu_saturated', 'dependency_down'] }
    },
    APP
  ),

  shopCase(
    'limit-almost',
    'within a second of the limit',
    shop => {
      shop.ingress.metadata.annotations['nginx.ingress.kubernetes.io/proxy-read-timeout'] = '5'
      shop.fails('read_timeout', shop.pods[0], { detail: { upstream_response_time: '5.940', request_time: '5.940' } })
      return {
        root_cause: 'app_slow',
        must_cite: [`${ref(shop.ingress)} annotations[nginx.ingress.kubernetes.io/proxy-read-timeout]=5`],
        must_not: ['cpu_saturated', 'network_policy_block']
      }
    },
    APP
  ),

  shopCase(
    'cpu-of-node',
    'no limit: it takes 94 % of what the node can give',
    shop => {
      const [pod] = shop.pods
      shop.add(podMetrics(pod, { app: '3700m' }, shop.at(-45)))
      shop.fails('read_timeout', pod, TIMED_OUT)
      return {
        root_cause: 'cpu_saturated',
        must_cite: [
          `PodMetrics ${pod.metadata.namespace}/${pod.metadata.name} containers[app].usage.cpu=3700m`,
          `${ref(shop.nodeOf(pod))} status.allocatable.cpu=3920m`
        ],
        must_not: ['app_slow', 'node_pressure']
      }
    },
    UNLIMITED
  ),

  shopCase(
    'cpu-below-node',
    'no limit, and three of almost four processors',
    shop => {
      const [pod] = shop.pods
      shop.add(podMetrics(pod, { app: '3' }, shop.at(-45)))
      shop.fails('read_timeout', pod, TIMED_OUT)
      return { root_cause: 'app_slow', must_cite: [ref(shop.ingress)], must_not: ['cpu_saturated'] }
    },
    UNLIMITED
  ),

  shopCase(
    'cpu-whole',
    'a limit in whole processors',
    shop => {
      const [pod] = shop.pods
      shop.add(podMetrics(pod, { app: '1950m' }, shop.at(89)))
      shop.fails('read_timeout', pod, TIMED_OUT)
      return {
        root_cause: 'cpu_saturated',
        must_cite: [`${ref(pod)} resources.limits.cpu=2`],
        must_not: ['app_slow', 'autoscaler_limited']
      }
    },
    { containers: [webContainer('app', { resources: { limits: { cpu: '2', memory: '1Gi' } } })] }
  ),

  shopCase(
    'cpu-of-sidecar',
    'the sidecar is at its limit, the server is not',
    shop => {
      const [pod] = shop.pods
      shop.add(podMetrics(pod, { app: '120m', 'log-shipper': '100m' }, shop.at(-5)))
      shop.fails('read_timeout', pod, TIMED_OUT)
      return { root_cause: 'app_slow', must_cite: [ref(shop.ingress)], must_not: ['cpu_saturated'] }
    },
    {
      containers: [
        webContainer('app', { resources: { limits: { cpu: '1', memory: '256Mi' } } }),
        webContainer('log-shipper', { ports: [], resources: { limits: { cpu: '100m', memory: '64Mi' } } })
      ]
    }
  ),

  shopCase(
    'scaler-unable',
    'the autoscaler cannot read the scale of a StatefulSet',
    shop => {
      const condition = {
        type: 'AbleToScale' as const,
        status: 'False' as const,
        reason: 'FailedGetScale',
        since: shop.at(-4000)
      }
      const range = { min: 1, max: 6, current: 2, cpuPercent: 0 }
      const hpa = shop.add(autoscaler(shop.workload, range, [condition], shop.at(-30 * DAY)))
      shop.fails('read_timeout', shop.pods[0], TIMED_OUT)
      return {
        root_cause: 'autoscaler_limited',
        must_cite: [`${ref(hpa)} conditions[AbleToScale].status=False`],
        must_not: ['cpu_saturated', 'app_slow']
      }
    },
    { ...APP, kind: 'StatefulSet' }
  ),

  idleCase('idle-large-number', 'KEEPALIVE_TIMEOUT', '15000', true),
  idleCase('idle-larger-number', 'KEEPALIVE_TIMEOUT', '75000', false),
  idleCase('idle-plain-seconds', 'SERVER_KEEP_ALIVE', '20', true, 'GET'),
  idleCase('idle-plain-longer', 'SERVER_KEEP_ALIVE', '65', false),

  ...(['aws-node', 'kindnet', 'antrea-agent', 'weave-net'] as const).map((name, i) =>
    shopCase(
      `agent-${name}`,
      `${name} is not ready on the node of the pod`,
      shop => {
        const [pod] = shop.pods
        const set = shop.addWorkload('DaemonSet', name, { namespace: 'kube-system', labels: { 'k8s-app': name } })
        const agent = shop.addPod(set, { node: pod.spec.nodeName! })
        shop.unready(agent, -60 - i)
        shop.fails(i % 2 === 0 ? 'connect_timeout' : 'host_unreachable', pod)
        return {
          root_cause: 'node_network_failure',
          must_cite: [`${ref(agent)} conditions[Ready].status=False`],
          must_not: ['network_policy_block', 'node_not_ready', 'stale_endpoints']
        }
      },
      APP
    )
  ),

  shopCase(
    'agent-of-metrics',
    'an exporter is not ready on the node: that is no network',
    shop => {
      const [pod] = shop.pods
      const set = shop.addWorkload('DaemonSet', 'node-exporter', { namespace: 'kube-system' })
      const exporter = shop.addPod(set, { node: pod.spec.nodeName! })
      shop.unready(exporter, -600)
      shop.fails('connect_timeout', pod)
      return { root_cause: 'undetermined', must_not: ['node_network_failure', `cite:${ref(exporter)}`] }
    },
    APP
  ),

  shopCase(
    'network-unavailable-later',
    'the network of the node failed after the failure',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', shop.nodeOf(pod), -DAY)
      shop.nodeTells(pod, 'NetworkUnavailable', 'True', 30, 'NoRouteCreated')
      shop.fails('connect_timeout', pod)
      return { root_cause: 'undetermined', must_not: ['node_network_failure', 'network_policy_block'] }
    },
    APP
  )
]

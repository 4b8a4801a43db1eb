/** Time runs out: `app_slow`, `cpu_saturated`, `autoscaler_limited`. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { autoscaler, podMetrics } from '../support/extraObjects.ts'
import { DAY, HOUR } from '../support/moment.ts'
import type { AnyObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const READ_TIMEOUT = 'nginx.ingress.kubernetes.io/proxy-read-timeout'
const SEND_TIMEOUT = 'nginx.ingress.kubernetes.io/proxy-send-timeout'
const LIMITED = {
  containers: [
    webContainer('app', {
      resources: { requests: { cpu: '250m', memory: '128Mi' }, limits: { cpu: '500m', memory: '256Mi' } }
    })
  ]
}

/** An autoscaler of the shop whose limiting condition is told. */
function scaler(shop: Shop, max: number, reason: 'TooManyReplicas' | 'TooFewReplicas', since: number): AnyObject {
  const conditions = [
    { type: 'AbleToScale' as const, status: 'True' as const, reason: 'ReadyForNewScale', since: shop.at(-DAY) },
    { type: 'ScalingActive' as const, status: 'True' as const, reason: 'ValidMetricFound', since: shop.at(-DAY) },
    { type: 'ScalingLimited' as const, status: 'True' as const, reason, since: shop.at(since) }
  ]
  const cpuPercent = reason === 'TooManyReplicas' ? 190 : 12
  return shop.add(autoscaler(shop.workload, { min: 2, max, current: 2, cpuPercent }, conditions, shop.at(-30 * DAY)))
}

export const CASES: DiagnosisCase[] = [
  shopCase('slow-default', 'the default of 60 s ran out', shop => {
    const [pod] = shop.pods
    shop.fails('read_timeout', pod, {
      path: '/export',
      detail: { upstream_response_time: '60.001', request_time: '60.003' }
    })
    return {
      root_cause: 'app_slow',
      must_cite: [ref(shop.ingress), `${ref(pod)} conditions[Ready].status=True`],
      must_not: ['cpu_saturated', 'node_not_ready', 'network_policy_block', 'dependency_down']
    }
  }),

  shopCase(
    'slow-config',
    "the controller's ConfigMap allows 30 s",
    shop => {
      const [pod] = shop.pods
      shop.configures({ 'proxy-read-timeout': '30' })
      shop.fails('read_timeout', pod, { detail: { upstream_response_time: '30.002', request_time: '30.003' } })
      return {
        root_cause: 'app_slow',
        must_cite: ['ConfigMap ingress-nginx/ingress-nginx-controller data.proxy-read-timeout=30', ref(shop.ingress)],
        must_not: ['cpu_saturated', 'autoscaler_limited']
      }
    },
    { kind: 'StatefulSet' }
  ),

  shopCase('slow-annotation', "the Ingress's own limit comes before the controller's", shop => {
    const [pod] = shop.pods
    shop.configures({ 'proxy-read-timeout': '300' })
    shop.ingress.metadata.annotations[READ_TIMEOUT] = '15'
    shop.fails('read_timeout', pod, { detail: { upstream_response_time: '15.000', request_time: '15.001' } })
    return {
      root_cause: 'app_slow',
      must_cite: [`${ref(shop.ingress)} annotations[${READ_TIMEOUT}]=15`, `${ref(pod)} conditions[Ready].status=True`],
      must_not: ['node_pressure', 'cpu_saturated']
    }
  }),

  shopCase('slow-sending', 'it does not read the upload in time', shop => {
    const [pod] = shop.pods
    shop.ingress.metadata.annotations[SEND_TIMEOUT] = '10'
    const error = 'upstream timed out (110: Operation timed out) while sending request to upstream'
    shop.fails('send_timeout', pod, { path: '/upload', detail: { error, request_time: '10.001', method: 'PUT' } })
    return {
      root_cause: 'app_slow',
      must_cite: [`${ref(shop.ingress)} annotations[${SEND_TIMEOUT}]=10`, `${ref(pod)} conditions[Ready].status=True`],
      must_not: ['cpu_saturated', 'node_pressure']
    }
  }),

  shopCase(
    'cpu-at-limit',
    'the container used 96 % of its CPU limit',
    shop => {
      const [pod] = shop.pods
      shop.add(podMetrics(pod, { app: '480m' }, shop.at(-30)))
      shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.000' } })
      return {
        root_cause: 'cpu_saturated',
        must_cite: [
          `PodMetrics ${pod.metadata.namespace}/${pod.metadata.name} containers[app].usage.cpu=480m`,
          `${ref(pod)} resources.limits.cpu=500m`
        ],
        must_not: ['app_slow', 'node_pressure', 'autoscaler_limited']
      }
    },
    LIMITED
  ),

  shopCase(
    'cpu-nanocores',
    'no connection in time: 499 of 500 millicores, told in nanocores',
    shop => {
      const [pod] = shop.pods
      shop.add(podMetrics(pod, { app: '499000000n' }, shop.at(40)))
      shop.fails('connect_timeout', pod)
      return {
        root_cause: 'cpu_saturated',
        must_cite: [`PodMetrics ${pod.metadata.namespace}/${pod.metadata.name} usage.cpu=499000000n`],
        must_not: ['network_policy_block', 'node_not_ready', 'stale_endpoints']
      }
    },
    LIMITED
  ),

  shopCase(
    'cpu-old-metrics',
    'the metrics are ten minutes old',
    shop => {
      const [pod] = shop.pods
      shop.add(podMetrics(pod, { app: '498m' }, shop.at(-600)))
      shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.001' } })
      return {
        root_cause: 'app_slow',
        must_cite: [`${ref(pod)} conditions[Ready].status=True`],
        must_not: ['cpu_saturated']
      }
    },
    LIMITED
  ),

  shopCase(
    'cpu-of-other',
    'the other pod is busy, this one uses a third of its limit',
    shop => {
      const [pod, other] = shop.pods
      shop.add(podMetrics(pod, { app: '160m' }, shop.at(-10)))
      shop.add(podMetrics(other!, { app: '500m' }, shop.at(-10)))
      shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.001' } })
      return {
        root_cause: 'app_slow',
        must_cite: [`${ref(pod)} conditions[Ready].status=True`],
        must_not: ['cpu_saturated', `cite:PodMetrics ${other!.metadata.namespace}/${other!.metadata.name}`]
      }
    },
    LIMITED
  ),

  shopCase(
    'scaler-at-maximum',
    'the autoscaler may add no more pods',
    shop => {
      const [pod] = shop.pods
      const hpa = scaler(shop, 2, 'TooManyReplicas', -1200)
      shop.add(podMetrics(pod, { app: '490m' }, shop.at(-20)))
      shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.001' } })
      return {
        root_cause: 'autoscaler_limited',
        must_cite: [`${ref(hpa)} conditions[ScalingLimited].reason=TooManyReplicas`, `${ref(hpa)} maxReplicas=2`],
        must_not: ['cpu_saturated', 'app_slow']
      }
    },
    LIMITED
  ),

  shopCase('scaler-blind', 'the autoscaler gets no metrics', shop => {
    const [pod] = shop.pods
    const message = 'failed to get cpu utilization: unable to fetch metrics from resource metrics API'
    const condition = {
      type: 'ScalingActive' as const,
      status: 'False' as const,
      reason: 'FailedGetResourceMetric',
      message
    }
    const range = { min: 2, max: 9, current: 2, cpuPercent: 0 }
    const hpa = shop.add(
      autoscaler(shop.workload, range, [{ ...condition, since: shop.at(-3000) }], shop.at(-30 * DAY))
    )
    shop.fails('connect_timeout', pod)
    return {
      root_cause: 'autoscaler_limited',
      must_cite: [`${ref(hpa)} conditions[ScalingActive].status=False`],
      must_not: ['network_policy_block', 'node_not_ready', 'cpu_saturated']
    }
  }),

  shopCase('scaler-at-minimum', 'the autoscaler is limited by its floor: too few pods are wanted', shop => {
    const [pod] = shop.pods
    scaler(shop, 8, 'TooFewReplicas', -1200)
    shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.001' } })
    return {
      root_cause: 'app_slow',
      must_cite: [`${ref(pod)} conditions[Ready].status=True`],
      must_not: ['autoscaler_limited', 'cpu_saturated']
    }
  }),

  shopCase('scaler-later', 'the autoscaler came to its limit half a minute after the failure', shop => {
    const [pod] = shop.pods
    scaler(shop, 2, 'TooManyReplicas', 30)
    shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.001' } })
    return {
      root_cause: 'app_slow',
      must_cite: [`${ref(pod)} conditions[Ready].status=True`],
      must_not: ['autoscaler_limited']
    }
  }),

  shopCase('scaler-of-other', 'the autoscaler at its limit belongs to another workload', shop => {
    const [pod] = shop.pods
    const other = shop.addWorkload('Deployment', 'thumbnails')
    const condition = { type: 'ScalingLimited' as const, status: 'True' as const, reason: 'TooManyReplicas' }
    const range = { min: 1, max: 1, current: 1, cpuPercent: 150 }
    const hpa = shop.add(autoscaler(other, range, [{ ...condition, since: shop.at(-900) }], shop.at(-30 * DAY)))
    shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.001' } })
    return {
      root_cause: 'app_slow',
      must_cite: [`${ref(pod)} conditions[Ready].status=True`],
      must_not: ['autoscaler_limited', `cite:${ref(hpa)}`]
    }
  }),

  shopCase('slow-after-crash', 'it crashed an hour ago, and is slow now', shop => {
    const [pod] = shop.pods
    shop.restarts(pod, { reason: 'Error', exitCode: 1, startedAt: -DAY, at: -HOUR, up: -HOUR + 2, ready: -HOUR + 12 })
    shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.001', request_time: '60.100' } })
    return {
      root_cause: 'app_slow',
      must_cite: [`${ref(pod)} conditions[Ready].status=True`],
      must_not: ['app_crash', 'readiness_failing']
    }
  })
]

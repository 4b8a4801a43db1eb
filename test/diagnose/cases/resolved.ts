/** Symptoms seen through: whose failure it was before anything is asked about the cause. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { DAY } from '../support/moment.ts'
import { metadata } from '../support/objectMaker.ts'
import type { PodObject, ServiceObject, SliceObject, WorkloadObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const OOM = { reason: 'OOMKilled', exitCode: 137 }
const ANNOTATION = 'nginx.ingress.kubernetes.io'

function upstreamName(shop: Shop, service = shop.app): string {
  return `${shop.namespace}-${service}-80`
}

/** Another workload behind a Service of its own. */
function addBackend(
  shop: Shop,
  name: string,
  replicas = 1
): { pods: PodObject[]; service: ServiceObject; workload: WorkloadObject } {
  const workload = shop.addWorkload('Deployment', name, { replicas, containers: [webContainer('app')] })
  const set = shop.addReplicaSet(workload, { replicas })
  const pods = Array.from({ length: replicas }, () => shop.addPod(set))
  return { pods, service: shop.addService(name, { app: name }), workload }
}

/** A canary beside the shop, with half of its requests. */
function addCanary(shop: Shop, replicas = 1) {
  const canary = addBackend(shop, `${shop.app}-canary`, replicas)
  const ingress = shop.addIngress(`${shop.app}-canary`, `${shop.app}.example.com`, canary.service.metadata.name)
  Object.assign(ingress.metadata.annotations, {
    [`${ANNOTATION}/canary`]: 'true',
    [`${ANNOTATION}/canary-weight`]: '50'
  })
  return canary
}

function says503(shop: Shop): void {
  for (const pod of shop.pods) {
    shop.says503(pod, -300)
  }
}

/** A Service without selector and its hand-made slice of one address. */
function leadsOutside(shop: Shop, address: string): SliceObject {
  delete shop.service.spec.selector
  const { name } = shop.service.metadata
  return shop.add({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      ...metadata('EndpointSlice', shop.namespace, `${name}-1`, shop.at(-30 * DAY)),
      labels: { 'kubernetes.io/service-name': name }
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: {} }],
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }]
  })
}

export const CASES: DiagnosisCase[] = [
  shopCase(
    'live-none-memory',
    'no live upstreams: all pods ran out of memory together',
    shop => {
      for (const pod of shop.pods) shop.restarts(pod, { ...OOM, at: -4, up: 0, ready: 12 })
      shop.fails('no_live_upstreams', null)
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(shop.pods[0])} lastState.terminated.reason=OOMKilled`],
        must_not: ['app_crash', 'app_not_listening', 'lb_health_check_path', 'undetermined']
      }
    },
    { ...APP, replicas: 3 }
  ),

  shopCase(
    'live-none-port',
    'no live upstreams: all pods refuse, for the port is wrong',
    shop => {
      shop.service.spec.ports[0]!.targetPort = 8888
      shop.fails('no_live_upstreams', null)
      return {
        root_cause: 'target_port_mismatch',
        must_cite: [`${ref(shop.service)} targetPort=8888`, `${ref(shop.pods[0])} containerPort=8080`],
        must_not: ['app_not_listening', 'lb_health_check_path']
      }
    },
    APP
  ),

  shopCase(
    'canary-crash',
    'the canary crashed, not the backend that the location names',
    shop => {
      const canary = addCanary(shop)
      const pod = canary.pods[0]!
      shop.restarts(pod, { reason: 'Error', exitCode: 139, at: -1, up: 2, ready: 13 })
      const detail = {
        upstream_name: upstreamName(shop),
        alternative_upstream_name: upstreamName(shop, `${shop.app}-canary`)
      }
      shop.fails('connection_refused', pod, { detail })
      return {
        root_cause: 'app_crash',
        must_cite: [`${ref(pod)} lastState.terminated.exitCode=139`],
        must_not: ['stale_endpoints', 'undetermined', `cite:${ref(shop.pods[0])}`]
      }
    },
    APP
  ),

  shopCase(
    'canary-empty',
    'the canary is scaled to nothing while the main backend is well',
    shop => {
      const canary = addCanary(shop, 0)
      const message = `Scaled down replica set ${canary.workload.metadata.name}-5d4f to 0 from 1`
      shop.addEvent(canary.workload, 'ScalingReplicaSet', message, { first: -500, type: 'Normal' })
      const detail = {
        upstream_name: upstreamName(shop),
        alternative_upstream_name: upstreamName(shop, `${shop.app}-canary`)
      }
      shop.fails('no_endpoints', null, { detail })
      return {
        root_cause: 'scaled_to_zero',
        must_cite: [`${ref(canary.workload)} spec.replicas=0`],
        must_not: ['stale_endpoints', 'named_port_missing', 'selector_mismatch', `cite:${ref(shop.workload)}`]
      }
    },
    APP
  ),

  shopCase(
    'canary-not-asked',
    'the canary is scaled to nothing, but it was not asked',
    shop => {
      const canary = addCanary(shop, 0)
      says503(shop)
      shop.fails('no_endpoints', null, {
        detail: { upstream_name: upstreamName(shop), alternative_upstream_name: '-' }
      })
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=False`],
        must_not: ['scaled_to_zero', `cite:${ref(canary.workload)}`]
      }
    },
    APP
  ),

  shopCase(
    'default-of-ingress',
    "the Ingress's default backend ran out of memory",
    shop => {
      const errors = addBackend(shop, 'errors')
      const pod = errors.pods[0]!
      shop.ingress.spec.defaultBackend = { service: { name: 'errors', port: { number: 80 } } }
      shop.restarts(pod, { ...OOM, at: -3, up: 0, ready: 10 })
      shop.fails('connection_refused', pod, {
        service: 'errors',
        detail: { upstream_name: upstreamName(shop, 'errors') }
      })
      return {
        root_cause: 'default_backend_unhealthy',
        chain: ['oom_killed'],
        must_cite: [`${ref(shop.ingress)} spec.defaultBackend.service.name=errors`, ref(pod)],
        must_not: ['app_not_listening', `cite:${ref(shop.pods[0])}`]
      }
    },
    APP
  ),

  shopCase(
    'default-of-errors',
    'the page for errors comes from a backend that crashes',
    shop => {
      const errors = addBackend(shop, 'pages')
      const pod = errors.pods[0]!
      const annotations = {
        [`${ANNOTATION}/default-backend`]: 'pages',
        [`${ANNOTATION}/custom-http-errors`]: '502,503'
      }
      Object.assign(shop.ingress.metadata.annotations, annotations)
      shop.backsOff(pod, { reason: 'Error', exitCode: 1, startedAt: -40, at: -1, restarts: 8, unready: -1 })
      const detail = { upstream_name: `custom-default-backend-${shop.namespace}-pages` }
      shop.fails('connection_refused', pod, { detail })
      return {
        root_cause: 'default_backend_unhealthy',
        chain: ['crash_loop'],
        must_cite: [`${ref(shop.ingress)} metadata.annotations[${ANNOTATION}/default-backend]=pages`, ref(pod)],
        must_not: ['app_crash', 'stale_endpoints']
      }
    },
    { ...APP, now: 30 }
  ),

  shopCase(
    'service-upstream-503',
    'the cluster address refuses: no pod behind it is ready',
    shop => {
      shop.ingress.metadata.annotations[`${ANNOTATION}/service-upstream`] = 'true'
      says503(shop)
      shop.fails('connection_refused', null, { upstream_addr: `${shop.service.spec.clusterIP}:80` })
      return {
        root_cause: 'readiness_failing',
        must_cite: [
          `${ref(shop.pods[0])} conditions[Ready].status=False`,
          `Event ${ref(shop.pods[0])} reason=Unhealthy`
        ],
        must_not: ['stale_endpoints', 'app_not_listening', 'undetermined', 'external_backend_down']
      }
    },
    APP
  ),

  shopCase(
    'service-upstream-zero',
    'the cluster address refuses: nobody runs',
    shop => {
      shop.ingress.metadata.annotations[`${ANNOTATION}/service-upstream`] = 'true'
      const message = `Scaled down replica set ${shop.replicaSet!.metadata.name} to 0 from 3`
      shop.addEvent(shop.workload, 'ScalingReplicaSet', message, { first: -900, type: 'Normal' })
      shop.fails('connection_refused', null, { upstream_addr: `${shop.service.spec.clusterIP}:80` })
      return {
        root_cause: 'scaled_to_zero',
        must_cite: [`${ref(shop.workload)} spec.replicas=0`],
        must_not: ['stale_endpoints', 'undetermined', 'selector_mismatch']
      }
    },
    { ...APP, replicas: 0 }
  ),

  shopCase(
    'outside-by-name',
    'a host outside of the cluster refuses',
    shop => {
      const { spec } = shop.service
      spec.type = 'ExternalName'
      spec.externalName = 'legacy.example.net'
      delete spec.selector
      delete spec.clusterIP
      delete spec.clusterIPs
      shop.fails('connection_refused', null, { upstream_addr: '203.0.113.50:8080' })
      return {
        root_cause: 'external_backend_down',
        must_cite: [ref(shop.service)],
        must_not: ['undetermined', 'stale_endpoints', 'app_not_listening', 'selectorless_endpoints']
      }
    },
    APP
  ),

  shopCase(
    'outside-by-slice',
    'an address without a pod does not answer',
    shop => {
      const slice = leadsOutside(shop, '192.0.2.31')
      shop.fails('connect_timeout', null, { upstream_addr: '192.0.2.31:8080' })
      return {
        root_cause: 'external_backend_down',
        must_cite: [ref(slice)],
        must_not: ['network_policy_block', 'stale_endpoints', 'undetermined', 'selectorless_endpoints']
      }
    },
    { ...APP, replicas: 0 }
  ),

  shopCase(
    'outside-slow',
    'an address without a pod takes the request and says nothing',
    shop => {
      const slice = leadsOutside(shop, '192.0.2.31')
      const detail = { upstream_response_time: '60.001' }
      shop.fails('read_timeout', null, { upstream_addr: '192.0.2.31:8080', detail })
      return { root_cause: 'external_backend_down', must_cite: [ref(slice)], must_not: ['app_slow', 'undetermined'] }
    },
    { ...APP, replicas: 0 }
  )
]

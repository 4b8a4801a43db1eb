/** Who held an address: shared with others, of another family, told by little else. */

import { type DiagnosisCase, ref, shopCase } from '../support/caseBuilder.ts'
import { hostAddress } from '../support/cluster.ts'
import { DAY } from '../support/moment.ts'
import type { PodObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const OOM = { reason: 'OOMKilled', exitCode: 137 }

/** Pods of the shop use the network of their nodes. */
function useHostNetwork(pods: PodObject[]): void {
  for (const pod of pods) {
    const address = hostAddress(pod.spec.nodeName!)
    pod.spec.hostNetwork = true
    pod.status.podIP = address
    pod.status.podIPs = [{ ip: address }]
  }
}

export const CASES: DiagnosisCase[] = [
  shopCase(
    'host-memory',
    'two pods share the address of the node; that of the port ran out of memory',
    shop => {
      const [pod] = shop.pods
      const metrics = shop.addWorkload('DaemonSet', 'node-metrics', {
        containers: [webContainer('metrics', { ports: [{ containerPort: 9100 }] })]
      })
      const neighbour = shop.addPod(metrics, { node: pod.spec.nodeName! })
      useHostNetwork([...shop.pods, neighbour])
      shop.restarts(pod, { ...OOM, at: -2, up: 1, ready: 12 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'oom_killed',
        ref: ref(pod),
        must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
        must_not: ['target_port_mismatch', `cite:${ref(neighbour)}`]
      }
    },
    { ...APP, kind: 'DaemonSet', replicas: 3 }
  ),

  shopCase(
    'host-neighbour',
    'it was the neighbour on the node that ran out of memory',
    shop => {
      const [pod] = shop.pods
      const metrics = shop.addWorkload('DaemonSet', 'node-metrics', {
        containers: [webContainer('metrics', { ports: [{ containerPort: 9100 }] })]
      })
      const neighbour = shop.addPod(metrics, { node: pod.spec.nodeName! })
      useHostNetwork([...shop.pods, neighbour])
      shop.restarts(neighbour, { ...OOM, at: -2, up: 1, ready: 12 })
      shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.001' } })
      return {
        root_cause: 'app_slow',
        must_cite: [`${ref(pod)} conditions[Ready].status=True`],
        must_not: ['oom_killed', `cite:${ref(neighbour)}`]
      }
    },
    { ...APP, kind: 'DaemonSet', replicas: 3 }
  ),

  shopCase(
    'second-family',
    'asked by its IPv6 address, which is its second one',
    shop => {
      const [pod] = shop.pods
      shop.restarts(pod, { ...OOM, at: -2, up: 1, ready: 12 })
      shop.fails('connection_refused', pod, { upstream_addr: shop.upstreamAddress(pod, pod.status.podIPs![1]!.ip) })
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
        must_not: ['undetermined', 'stale_endpoints', 'external_backend_down']
      }
    },
    { ...APP, families: ['IPv4', 'IPv6'], service: { ipFamilies: ['IPv4', 'IPv6'] } }
  ),

  shopCase(
    'only-ipv6',
    'a cluster of IPv6 addresses only, a crash',
    shop => {
      const pod = shop.pods[1]!
      shop.restarts(pod, { reason: 'Error', exitCode: 139, at: -3, up: 0, ready: 8 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'app_crash',
        must_cite: [`${ref(pod)} lastState.terminated.exitCode=139`],
        must_not: ['undetermined', 'app_not_listening']
      }
    },
    {
      ...APP,
      families: ['IPv6'],
      service: { ipFamilies: ['IPv6'], clusterIP: 'fd00:96::1f', clusterIPs: ['fd00:96::1f'] }
    }
  ),

  shopCase(
    'port-by-name',
    'ports by name from the Ingress to the container',
    shop => {
      const [pod] = shop.pods
      const { ports } = shop.service.spec
      Object.assign(ports[0]!, { name: 'web', port: 8000, targetPort: 'http' })
      shop.ingress.spec.rules[0]!.http.paths[0]!.backend.service.port = { name: 'web' }
      shop.restarts(pod, { ...OOM, at: -2, up: 1, ready: 12 })
      shop.fails('connection_refused', pod, { port: 'web' })
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
        must_not: ['target_port_mismatch', 'named_port_missing', 'ingress_port_missing']
      }
    },
    { containers: [webContainer('app', { ports: [{ name: 'http', containerPort: 3000 }] })] }
  ),

  shopCase(
    'only-upstream-name',
    'nothing is known of the failure but the name of the upstream',
    shop => {
      const [pod] = shop.pods
      shop.says503(pod, -300)
      const unknown = { namespace: null, service: null, port: null, ingress: null, host: null, path: null }
      shop.fails('no_endpoints', null, { ...unknown, detail: { upstream_name: `${shop.namespace}-${shop.app}-80` } })
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(pod)} conditions[Ready].status=False`],
        must_not: ['undetermined', 'ingress_service_missing', 'selector_mismatch']
      }
    },
    { ...APP, namespace: 'team-blue', app: 'price-list', replicas: 1 }
  ),

  shopCase(
    'only-address',
    'nothing is known of the failure but the address',
    shop => {
      const [pod] = shop.pods
      shop.restarts(pod, { ...OOM, at: -2, up: 1, ready: 12 })
      const unknown = {
        namespace: null,
        service: null,
        port: null,
        ingress: null,
        host: null,
        path: null,
        status: null
      }
      shop.fails('connection_refused', pod, unknown)
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
        must_not: ['undetermined', 'stale_endpoints']
      }
    },
    APP
  ),

  shopCase(
    'address-of-finished-job',
    'a finished job still tells the address that it once had',
    shop => {
      const [pod] = shop.pods
      const job = shop.addWorkload('Deployment', 'import', { namespace: 'batch', replicas: 0 })
      const finished = shop.addPod(shop.addReplicaSet(job, { replicas: 0 }), {
        created: -6 * DAY,
        address: pod.status.podIP!
      })
      shop.ends(finished, { reason: 'Completed', exitCode: 0, at: -5 * DAY })
      finished.status.phase = 'Succeeded'
      shop.restarts(pod, { ...OOM, at: -2, up: 1, ready: 12 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
        must_not: ['app_crash', 'stale_endpoints', `cite:${ref(finished)}`]
      }
    },
    APP
  )
]

/** Who a Service selects and which port it leads to: `selector_mismatch`, `target_port_mismatch`, `named_port_missing`, `selectorless_endpoints`. */

import { type DiagnosisCase, ref, shopCase } from '../support/caseBuilder.ts'
import { addHandMadeSlice, addPolicy, allSay503, annotate } from '../support/edgeObjects.ts'
import { HOUR } from '../support/moment.ts'
import type { PodObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const ONE = { ...APP, replicas: 1 }

function cited503(pod: PodObject): string[] {
  return [`${ref(pod)} conditions[Ready].status=False`]
}

export const CASES: DiagnosisCase[] = [
  shopCase(
    'selector-second-key',
    'of two pairs of the selector the pods have one',
    shop => {
      const [pod] = shop.pods
      shop.service.spec.selector = { app: shop.app, tier: 'web' }
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'selector_mismatch',
        confidence_min: 0.85,
        must_cite: [`${ref(shop.service)} spec.selector.tier=web`, `${ref(pod)} metadata.labels`],
        must_not: ['readiness_failing', 'stale_endpoints', 'scaled_to_zero', 'selectorless_endpoints']
      }
    },
    ONE
  ),

  shopCase(
    'selector-fits-abroad',
    'pods that the selector fits live in another namespace',
    shop => {
      const [pod] = shop.pods
      shop.service.spec.selector = { app: 'web' }
      const abroad = shop.addWorkload('Deployment', 'web', { namespace: 'sandbox' })
      const stranger = shop.addPod(shop.addReplicaSet(abroad))
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'selector_mismatch',
        must_cite: [`${ref(shop.service)} spec.selector.app=web`, `${ref(pod)} metadata.labels.app=${shop.app}`],
        must_not: ['stale_endpoints', `cite:${ref(stranger)}`, `cite:${ref(abroad)}`]
      }
    },
    ONE
  ),

  shopCase(
    'selector-fits-nobody-at-zero',
    'the only workload runs no pods, and the selector would not fit them',
    shop => {
      shop.service.spec.selector = { app: shop.app, release: 'blue' }
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'selector_mismatch',
        must_cite: [`${ref(shop.service)} spec.selector.release=blue`],
        must_not: ['scaled_to_zero', 'rollout_gap', 'pod_creation_blocked']
      }
    },
    { ...APP, replicas: 0 }
  ),

  shopCase(
    'selector-broken-since',
    'the selector was broken ten minutes after the failure',
    shop => {
      allSay503(shop)
      shop.saw('ADDED', shop.service, -HOUR)
      for (const pod of shop.pods) shop.saw('ADDED', pod, -250)
      shop.service.spec.selector = { app: 'web' }
      shop.saw('MODIFIED', shop.service, 600)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: cited503(shop.pods[0]),
        must_not: ['selector_mismatch', 'stale_endpoints']
      }
    },
    { ...ONE, now: 900 }
  ),

  shopCase(
    'cluster-address-selector',
    'the cluster address refuses, for the Service selects nothing',
    shop => {
      annotate(shop.ingress, { 'service-upstream': 'true' })
      shop.service.spec.selector = { app: `${shop.app}-v2` }
      shop.fails('connection_refused', null, { upstream_addr: `${shop.service.spec.clusterIP}:80` })
      return {
        root_cause: 'selector_mismatch',
        must_cite: [
          `${ref(shop.service)} spec.selector.app=${shop.app}-v2`,
          `${ref(shop.pods[0])} metadata.labels.app=${shop.app}`
        ],
        must_not: ['app_not_listening', 'stale_endpoints', 'external_backend_down', 'undetermined']
      }
    },
    ONE
  ),

  shopCase(
    'port-number',
    'the Service leads to 9090, the server opens 8080',
    shop => {
      const [pod] = shop.pods
      shop.service.spec.ports[0]!.targetPort = 9090
      addPolicy(shop, 'deny-all', { podSelector: {}, policyTypes: ['Ingress'] })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'target_port_mismatch',
        must_cite: [`${ref(shop.service)} targetPort=9090`, `${ref(pod)} containerPort=8080`],
        must_not: ['app_not_listening', 'network_policy_block', 'readiness_probe_missing']
      }
    },
    APP
  ),

  shopCase(
    'port-of-sidecar',
    'the Service leads to a port that a sidecar declares and does not open',
    shop => {
      const [pod] = shop.pods
      shop.service.spec.ports[0]!.targetPort = 9102
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'app_not_listening',
        must_cite: [`${ref(shop.service)} targetPort=9102`, `${ref(pod)} conditions[Ready].status=True`],
        must_not: ['target_port_mismatch', 'network_policy_block']
      }
    },
    {
      containers: [
        webContainer('app'),
        { name: 'app-exporter', image: 'registry.example.com/exporter:1', ports: [{ containerPort: 9102 }] }
      ]
    }
  ),

  // "CR (CT)" in the catalogue; the row of connect_timeout does not have it.
  shopCase(
    'port-silent',
    'packets to a port that nobody opens are dropped',
    shop => {
      shop.service.spec.ports[0]!.targetPort = 9090
      shop.fails('connect_timeout', shop.pods[0])
      return {
        root_cause: 'target_port_mismatch',
        acceptable: ['undetermined'],
        must_not: ['network_policy_block', 'node_not_ready', 'stale_endpoints']
      }
    },
    APP
  ),

  shopCase(
    'named-port',
    'no container has a port named grpc; the Ingress names the port of the Service rightly',
    shop => {
      shop.service.spec.ports[0]!.targetPort = 'grpc'
      shop.ingress.spec.rules[0]!.http.paths[0]!.backend.service.port = { name: 'http' }
      shop.fails('no_endpoints', null, { port: 'http' })
      return {
        root_cause: 'named_port_missing',
        must_cite: [`${ref(shop.service)} targetPort=grpc`],
        must_not: ['stale_endpoints', 'selector_mismatch', 'ingress_port_missing', 'readiness_failing']
      }
    },
    APP
  ),

  shopCase(
    'named-port-of-unready',
    'the name is missing, but no pod is ready either',
    shop => {
      shop.service.spec.ports[0]!.targetPort = 'web'
      allSay503(shop)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: cited503(shop.pods[0]),
        must_not: ['named_port_missing', 'stale_endpoints']
      }
    },
    ONE
  ),

  // "else stale_endpoints (C)", though none of what that cause needs is there.
  shopCase(
    'named-port-of-second',
    'the second container has a port of that name',
    shop => {
      shop.service.spec.ports[0]!.targetPort = 'web'
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'stale_endpoints',
        acceptable: ['undetermined'],
        must_not: ['named_port_missing', 'selector_mismatch', 'ingress_port_missing']
      }
    },
    {
      containers: [
        webContainer('app'),
        {
          name: 'front',
          image: 'registry.example.com/front:1',
          ports: [{ name: 'web', containerPort: 9000 }],
          readinessProbe: { tcpSocket: { port: 'web' }, periodSeconds: 10 }
        }
      ]
    }
  ),

  shopCase(
    'no-selector-no-slice',
    'a Service without selector that nobody wrote a slice for, beside healthy pods of its name',
    shop => {
      delete shop.service.spec.selector
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'selectorless_endpoints',
        must_cite: [ref(shop.service)],
        must_not: ['selector_mismatch', 'stale_endpoints', 'external_name_unresolvable', 'scaled_to_zero']
      }
    },
    APP
  ),

  shopCase(
    'no-selector-unlabelled',
    'the slice does not say which Service it is of',
    shop => {
      addHandMadeSlice(shop, { address: '192.0.2.40', isUnlabelled: true })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'selectorless_endpoints',
        must_cite: [ref(shop.service)],
        must_not: ['selector_mismatch', 'stale_endpoints', 'external_backend_down']
      }
    },
    { ...APP, replicas: 0 }
  ),

  shopCase(
    'no-selector-not-ready',
    'the only address of the slice is said not to be ready',
    shop => {
      addHandMadeSlice(shop, { address: '192.0.2.41', ready: false })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'selectorless_endpoints',
        must_cite: [ref(shop.service)],
        must_not: ['selector_mismatch', 'external_backend_down']
      }
    },
    { ...APP, replicas: 0 }
  ),

  // An address whose `ready` is unset counts: what is wrong then, no row says.
  shopCase(
    'no-selector-unset',
    'the slice has an address of which nothing is said',
    shop => {
      addHandMadeSlice(shop, { address: '192.0.2.42' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'undetermined',
        acceptable: ['stale_endpoints'],
        must_not: ['selectorless_endpoints', 'selector_mismatch', 'scaled_to_zero']
      }
    },
    { ...APP, replicas: 0 }
  ),

  shopCase(
    'hand-made-for-pod',
    'a hand-made slice that leads to a pod: the pod was killed, nothing outside is down',
    shop => {
      const [pod] = shop.pods
      addHandMadeSlice(shop, { address: pod.status.podIP!, ready: true, target: pod })
      shop.restarts(pod, { reason: 'OOMKilled', exitCode: 137, at: -3, up: 0, ready: 9 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
        must_not: ['external_backend_down', 'app_not_listening', 'selectorless_endpoints']
      }
    },
    ONE
  )
]

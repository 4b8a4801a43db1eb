/** Kinds that could not be read: nothing of them is absent, and what rests on them is not said for sure. */

import { KINDS } from '../../../src/cluster/objects.ts'
import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { addPolicy, allSay503, annotate, controllerPod } from '../support/edgeObjects.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const ONE = { ...APP, replicas: 1 }
/** What is said of a Service whose pods are known to be none. */
const OF_PODS = ['selector_mismatch', 'scaled_to_zero', 'selectorless_endpoints', 'rollout_gap']

function noRoute(shop: Shop, host: string): void {
  shop.fails('no_route', null, { namespace: null, service: null, port: null, ingress: null, host })
}

export const CASES: DiagnosisCase[] = [
  shopCase('unreadable-all', 'nothing could be read: nothing is said', shop => {
    shop.unreadable = [...KINDS]
    shop.fails('connection_refused', shop.pods[0])
    return { root_cause: null }
  }),

  shopCase('unreadable-all-empty', 'nothing could be read, and there is no endpoint', shop => {
    shop.unreadable = [...KINDS]
    shop.fails('no_endpoints', null)
    return { root_cause: null }
  }),

  shopCase('unreadable-pods', 'pods cannot be read: that there is none cannot be said', shop => {
    shop.unreadable = ['Pod']
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'undetermined',
      must_cite: [ref(shop.service)],
      must_not: [...OF_PODS, 'ingress_service_missing', 'pod_creation_blocked']
    }
  }),

  shopCase('unreadable-pods-refused', 'refused, and nobody may know which pod it was', shop => {
    shop.unreadable = ['Pod']
    shop.fails('connection_refused', shop.pods[0])
    return {
      root_cause: 'undetermined',
      must_cite: [ref(shop.service)],
      must_not: ['stale_endpoints', 'external_backend_down', 'target_port_mismatch', 'app_not_listening']
    }
  }),

  shopCase(
    'unreadable-services',
    'Services cannot be read: whether the one of the Ingress is there cannot be said',
    shop => {
      shop.unreadable = ['Service', 'EndpointSlice']
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'ingress_service_missing',
        confidence_max: 0.45,
        acceptable: ['undetermined', 'stale_endpoints'],
        must_not: [...OF_PODS, 'ingress_port_missing', `cite:${ref(shop.service)} absent`]
      }
    },
    APP
  ),

  shopCase(
    'unreadable-slices',
    'slices cannot be read: that a Service without selector has none cannot be said',
    shop => {
      delete shop.service.spec.selector
      shop.unreadable = ['EndpointSlice']
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'selectorless_endpoints',
        confidence_max: 0.45,
        acceptable: ['undetermined'],
        must_cite: [ref(shop.service)],
        must_not: ['selector_mismatch', 'stale_endpoints', 'ingress_service_missing']
      }
    },
    APP
  ),

  shopCase(
    'unreadable-workloads',
    'workloads cannot be read: whether a template fits cannot be said',
    shop => {
      shop.service.spec.selector = { app: 'web' }
      shop.unreadable = ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet']
      for (const pod of shop.pods) delete pod.metadata.ownerReferences
      for (const object of shop.objects) delete object.metadata.ownerReferences
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'selector_mismatch',
        confidence_max: 0.45,
        acceptable: ['undetermined'],
        must_cite: [ref(shop.service)],
        must_not: ['scaled_to_zero', 'rollout_gap', 'stale_endpoints']
      }
    },
    ONE
  ),

  shopCase(
    'unreadable-events',
    'Events cannot be read; the pods themselves say that they are not ready',
    shop => {
      allSay503(shop)
      shop.unreadable = ['Event']
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=False`],
        must_not: ['stale_endpoints', 'undetermined', 'crash_loop', `cite:Event ${ref(shop.pods[0])}`]
      }
    },
    ONE
  ),

  shopCase(
    'unreadable-nodes',
    "Nodes cannot be read: the pod's is not gone",
    shop => {
      const [pod] = shop.pods
      shop.unreadable = ['Node']
      shop.fails('connect_timeout', pod)
      return {
        root_cause: 'undetermined',
        must_cite: [ref(shop.service), ref(pod)],
        must_not: [
          'node_not_ready',
          'node_network_failure',
          'network_policy_block',
          `cite:Node ${pod.spec.nodeName} absent`
        ]
      }
    },
    APP
  ),

  shopCase(
    'unreadable-policies',
    'policies cannot be read: one that denies is not known',
    shop => {
      const policy = addPolicy(shop, 'deny-all', { podSelector: {}, policyTypes: ['Ingress'] })
      shop.unreadable = ['NetworkPolicy']
      shop.fails('connect_timeout', shop.pods[0])
      return {
        root_cause: 'undetermined',
        must_cite: [ref(shop.service), ref(shop.pods[0])],
        must_not: ['network_policy_block', 'node_not_ready', `cite:${ref(policy)}`]
      }
    },
    APP
  ),

  shopCase(
    'unreadable-namespaces',
    "Namespaces cannot be read: whether the controller's has the label cannot be said",
    shop => {
      const from = [{ namespaceSelector: { matchLabels: { 'network/edge': 'true' } } }]
      addPolicy(shop, 'from-edge', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from }] })
      shop.unreadable = ['Namespace']
      shop.fails('connect_timeout', shop.pods[0])
      return {
        root_cause: 'network_policy_block',
        confidence_max: 0.45,
        acceptable: ['undetermined'],
        must_not: ['node_not_ready', 'stale_endpoints', 'cite:Namespace ingress-nginx absent']
      }
    },
    APP
  ),

  shopCase(
    'unreadable-config',
    "the controller's ConfigMap cannot be read: 60 s are the default, but it may say otherwise",
    shop => {
      const [pod] = shop.pods
      shop.unreadable = ['ConfigMap']
      shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.002' } })
      return {
        root_cause: 'app_slow',
        confidence_max: 0.45,
        must_cite: [`${ref(pod)} conditions[Ready].status=True`],
        must_not: ['cpu_saturated', 'controller_resources', 'node_pressure']
      }
    },
    APP
  ),

  shopCase(
    'unreadable-config-but-told',
    "the controller's ConfigMap cannot be read, but the annotation comes before it",
    shop => {
      const [pod] = shop.pods
      annotate(shop.ingress, { 'proxy-read-timeout': '25' })
      shop.unreadable = ['ConfigMap']
      shop.fails('read_timeout', pod, { detail: { upstream_response_time: '25.001' } })
      return {
        root_cause: 'app_slow',
        confidence_min: 0.6,
        must_cite: [
          `${ref(shop.ingress)} annotations[nginx.ingress.kubernetes.io/proxy-read-timeout]=25`,
          `${ref(pod)} conditions[Ready].status=True`
        ],
        must_not: ['cpu_saturated', 'undetermined']
      }
    },
    APP
  ),

  shopCase('unreadable-ingresses', 'Ingresses cannot be read: that none takes the host cannot be said', shop => {
    shop.unreadable = ['Ingress']
    noRoute(shop, 'nobody.example.com')
    return { root_cause: 'undetermined', must_not: ['ingress_rule_mismatch', 'ingress_class_mismatch'] }
  }),

  shopCase('unreadable-classes', 'classes cannot be read: which one is the default cannot be said', shop => {
    delete shop.ingress.spec.ingressClassName
    shop.unreadable = ['IngressClass']
    noRoute(shop, `${shop.app}.example.com`)
    return {
      root_cause: 'ingress_class_mismatch',
      confidence_max: 0.45,
      acceptable: ['undetermined'],
      must_not: ['ingress_rule_mismatch', 'controller_config_error']
    }
  }),

  shopCase('unreadable-controller', "the controller's own pod is not there; its Service, pods and policy are", shop => {
    const from = [{ podSelector: {} }]
    shop.remove(controllerPod(shop))
    const policy = addPolicy(shop, 'own-pods', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from }] })
    shop.fails('connect_timeout', shop.pods[0])
    return {
      root_cause: 'network_policy_block',
      acceptable: ['undetermined'],
      must_not: ['node_not_ready', 'controller_resources', `cite:${ref(policy)} absent`]
    }
  })
]

/** `network_policy_block`: policies of the controller's own namespace, of another time, and beside other symptoms. */

import { type DiagnosisCase, ref, shopCase } from '../support/caseBuilder.ts'
import { addPolicy, controllerPod } from '../support/edgeObjects.ts'
import { HOUR } from '../support/moment.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const DENIES = { podSelector: {}, policyTypes: ['Ingress'] }
const ADMITS = { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ namespaceSelector: {} }] }] }
const AT_CONTROLLER = { namespace: 'ingress-nginx' }
const ONLY_NAMES = {
  podSelector: {},
  policyTypes: ['Ingress', 'Egress'],
  ingress: [{}],
  egress: [{ to: [{ namespaceSelector: {} }], ports: [{ port: 53, protocol: 'UDP' }] }]
}

export const CASES: DiagnosisCase[] = [
  shopCase(
    'policy-controller-may-not-send',
    'the pods admit everybody, but the controller may ask for names only',
    shop => {
      addPolicy(shop, 'open', ADMITS)
      const sending = addPolicy(shop, 'names-only', ONLY_NAMES, AT_CONTROLLER)
      shop.fails('connect_timeout', shop.pods[0])
      return {
        root_cause: 'network_policy_block',
        confidence_min: 0.85,
        must_cite: [ref(sending)],
        must_not: ['node_not_ready', 'stale_endpoints', 'cpu_saturated']
      }
    },
    APP
  ),

  shopCase(
    'policy-controller-may-send',
    'the controller may send to the namespace and the port of the pods',
    shop => {
      const to = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': shop.namespace } } }]
      const egress = [{ to, ports: [{ port: 8080, endPort: 8090, protocol: 'TCP' }] }]
      addPolicy(shop, 'to-shops', { podSelector: {}, policyTypes: ['Egress'], egress }, AT_CONTROLLER)
      shop.fails('connect_timeout', shop.pods[0])
      return { root_cause: 'undetermined', must_not: ['network_policy_block', 'node_not_ready', 'stale_endpoints'] }
    },
    APP
  ),

  shopCase(
    'policy-controller-to-its-own',
    'a selector of pods alone means those of the same namespace, also on the way out',
    shop => {
      const egress = [{ to: [{ podSelector: { matchLabels: { app: shop.app } } }] }]
      const sending = addPolicy(shop, 'to-apps', { podSelector: {}, policyTypes: ['Egress'], egress }, AT_CONTROLLER)
      shop.fails('connect_timeout', shop.pods[0])
      return {
        root_cause: 'network_policy_block',
        must_cite: [ref(sending)],
        must_not: ['node_not_ready', 'stale_endpoints']
      }
    },
    APP
  ),

  shopCase(
    'policy-controller-receives',
    'a policy about what comes to the controller does not touch the way to the pods',
    shop => {
      addPolicy(shop, 'web-only', { podSelector: {}, ingress: [{ ports: [{ port: 443 }] }] }, AT_CONTROLLER)
      shop.fails('connect_timeout', shop.pods[0])
      return { root_cause: 'undetermined', must_not: ['network_policy_block'] }
    },
    APP
  ),

  shopCase(
    'policy-of-other-sender',
    'the policy of the way out is about other pods beside the controller',
    shop => {
      const podSelector = { matchLabels: { app: 'backup' } }
      addPolicy(shop, 'silent', { podSelector, policyTypes: ['Egress'] }, AT_CONTROLLER)
      shop.fails('connect_timeout', shop.pods[0])
      return { root_cause: 'undetermined', must_not: ['network_policy_block'] }
    },
    APP
  ),

  shopCase(
    'policy-of-other-namespace',
    'a policy that admits nothing stands in another namespace',
    shop => {
      addPolicy(shop, 'deny-all', DENIES, { namespace: 'sandbox' })
      shop.fails('connect_timeout', shop.pods[0])
      return { root_cause: 'undetermined', must_not: ['network_policy_block'] }
    },
    APP
  ),

  shopCase(
    'policy-lifted-since',
    'the watch saw the policy, which was lifted five minutes after the failure',
    shop => {
      const lifted = addPolicy(shop, 'deny-all', DENIES, { created: -HOUR })
      shop.saw('ADDED', lifted, -HOUR)
      shop.fails('connect_timeout', shop.pods[0])
      shop.sawGo(lifted, 300)
      return {
        root_cause: 'network_policy_block',
        must_cite: [ref(lifted)],
        must_not: ['undetermined', 'node_not_ready', 'stale_endpoints']
      }
    },
    { ...APP, now: 600 }
  ),

  shopCase(
    'policy-closed-since',
    'the policy admitted the controller until a minute after the failure',
    shop => {
      const policy = addPolicy(shop, 'from-edge', ADMITS)
      shop.saw('ADDED', policy, -HOUR)
      Object.assign(policy, { spec: DENIES })
      shop.saw('MODIFIED', policy, 60)
      shop.fails('connect_timeout', shop.pods[0])
      return { root_cause: 'undetermined', must_not: ['network_policy_block'] }
    },
    APP
  ),

  shopCase(
    'policy-refused',
    'refused though a probe on that port passes: some networks answer for a policy',
    shop => {
      const policy = addPolicy(shop, 'deny-all', DENIES)
      shop.fails('connection_refused', shop.pods[0])
      return {
        root_cause: 'network_policy_block',
        confidence_max: 0.64,
        must_cite: [ref(policy)],
        must_not: ['app_not_listening', 'target_port_mismatch', 'stale_endpoints']
      }
    },
    APP
  ),

  shopCase(
    'policy-unreachable',
    'told that there is no way: some networks answer so for a policy',
    shop => {
      const policy = addPolicy(shop, 'deny-all', DENIES)
      shop.fails('host_unreachable', shop.pods[1]!)
      return {
        root_cause: 'network_policy_block',
        confidence_max: 0.64,
        must_cite: [ref(policy)],
        must_not: ['node_network_failure', 'stale_endpoints', 'node_not_ready']
      }
    },
    APP
  ),

  shopCase(
    'policy-but-slow',
    'the connection stood: a policy that denies it cannot be why the answer was late',
    shop => {
      addPolicy(shop, 'deny-all', DENIES)
      shop.fails('read_timeout', shop.pods[0], { detail: { upstream_response_time: '60.000' } })
      return {
        root_cause: 'app_slow',
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=True`],
        must_not: ['network_policy_block']
      }
    },
    APP
  ),

  shopCase(
    'policy-which-controller',
    'of two controllers the one that sent it is admitted',
    shop => {
      const sender = controllerPod(shop)
      const workload = shop.addWorkload('Deployment', 'edge', {
        namespace: 'edge-internal',
        labels: sender.metadata.labels!
      })
      shop.addPod(shop.addReplicaSet(workload))
      const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } }
      addPolicy(shop, 'from-edge', { podSelector: {}, ingress: [{ from: [{ namespaceSelector }] }] })
      shop.fails('connect_timeout', shop.pods[0], {
        controller_namespace: 'ingress-nginx',
        controller_pod: sender.metadata.name
      })
      return { root_cause: 'undetermined', must_not: ['network_policy_block'] }
    },
    APP
  ),

  shopCase(
    'policy-controller-service-port',
    'the controller may send to port 80, the pods listen on 8080',
    shop => {
      const egress = [{ ports: [{ port: 80, protocol: 'TCP' }] }]
      const sending = addPolicy(shop, 'web', { podSelector: {}, policyTypes: ['Egress'], egress }, AT_CONTROLLER)
      shop.fails('connect_timeout', shop.pods[0])
      return {
        root_cause: 'network_policy_block',
        must_cite: [ref(sending)],
        must_not: ['target_port_mismatch', 'node_not_ready', 'stale_endpoints']
      }
    },
    APP
  ),

  shopCase(
    'policy-label-given-since',
    "the controller's namespace got the label that is asked for a minute after the failure",
    shop => {
      const edge = shop.objects.find(({ kind, metadata }) => kind === 'Namespace' && metadata.name === 'ingress-nginx')!
      const namespaceSelector = { matchLabels: { 'network/edge': 'true' } }
      const policy = addPolicy(shop, 'from-edge', { podSelector: {}, ingress: [{ from: [{ namespaceSelector }] }] })
      shop.saw('ADDED', edge, -HOUR)
      edge.metadata.labels!['network/edge'] = 'true'
      shop.saw('MODIFIED', edge, 60)
      shop.fails('connect_timeout', shop.pods[0])
      return {
        root_cause: 'network_policy_block',
        must_cite: [ref(policy), 'Namespace ingress-nginx metadata.labels'],
        must_not: ['undetermined', 'node_not_ready']
      }
    },
    APP
  )
]

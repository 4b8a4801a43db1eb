/** `network_policy_block`: the evaluation of policies, rule by rule, always from the controller to a healthy pod that was silent. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { hostAddress } from '../support/cluster.ts'
import { addPolicy, controllerPod } from '../support/edgeObjects.ts'
import type { AnyObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const CONTROLLER = { matchLabels: { 'app.kubernetes.io/name': 'ingress-nginx' } }
const CONTROLLER_NAMESPACE = { matchLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } }
const NODE_ADDRESS = hostAddress('worker-3')
const NODE_RANGE = '192.168.0.0/16'
const NEIGHBOURS = [
  'node_not_ready',
  'cpu_saturated',
  'stale_endpoints',
  'node_network_failure',
  'target_port_mismatch'
]

interface PolicyCase {
  id: string
  title: string
  isDenied: boolean
  /** Fields of a policy's `spec` beside a selector of the shop's pods; several policies where several are given. */
  policies: object[]
  /** Beside the first policy. */
  mustCite?: (shop: Shop, policies: AnyObject[]) => string[]
  prepare?: (shop: Shop) => void
  created?: number
}

function policyCase(input: PolicyCase): DiagnosisCase {
  const { id, title, isDenied, mustCite } = input
  return shopCase(
    id,
    title,
    shop => {
      input.prepare?.(shop)
      const own = { podSelector: { matchLabels: { app: shop.app } } }
      const made = input.policies.map((spec, i) => addPolicy(shop, `rule-${i + 1}`, { ...own, ...spec }, input))
      shop.fails('connect_timeout', shop.pods[0])
      if (!isDenied) return { root_cause: 'undetermined', must_not: ['network_policy_block', ...NEIGHBOURS] }
      return {
        root_cause: 'network_policy_block',
        confidence_min: 0.85,
        must_cite: [ref(made[0]!), ...(mustCite?.(shop, made) ?? [])],
        must_not: [...NEIGHBOURS, 'undetermined']
      }
    },
    APP
  )
}

function from(...peers: object[]): object {
  return { policyTypes: ['Ingress'], ingress: [{ from: peers }] }
}

function ports(...allowed: object[]): object {
  return { policyTypes: ['Ingress'], ingress: [{ ports: allowed }] }
}

/** The controller lives in the network of its node. */
function onHostNetwork(shop: Shop): void {
  const controller = controllerPod(shop)
  controller.spec.hostNetwork = true
  controller.status.podIP = NODE_ADDRESS
  controller.status.podIPs = [{ ip: NODE_ADDRESS }]
}

const citesHostNetwork = (shop: Shop) => [`${ref(controllerPod(shop))} spec.hostNetwork=true`]
const citesNamespace = () => ['Namespace ingress-nginx metadata.labels']

export const CASES: DiagnosisCase[] = [
  policyCase({
    id: 'policy-pods-of-namespace',
    title: "the controller's labels are admitted, but of pods of the same namespace only",
    isDenied: true,
    policies: [from({ podSelector: CONTROLLER })]
  }),
  policyCase({
    id: 'policy-nothing-admitted',
    title: 'a policy without a rule admits nothing',
    isDenied: true,
    policies: [{ policyTypes: ['Ingress'] }]
  }),
  policyCase({
    id: 'policy-all-pods',
    title: 'an empty selector is all pods; without types a policy is about what comes in',
    isDenied: true,
    policies: [{ podSelector: {}, ingress: [] }]
  }),
  policyCase({
    id: 'policy-and',
    title: 'both selectors of one item must fit: the namespace does, the pod does not',
    isDenied: true,
    policies: [from({ namespaceSelector: CONTROLLER_NAMESPACE, podSelector: { matchLabels: { app: 'gateway' } } })]
  }),
  policyCase({
    id: 'policy-or',
    title: 'two items: one that fits is enough',
    isDenied: false,
    policies: [from({ namespaceSelector: CONTROLLER_NAMESPACE }, { podSelector: { matchLabels: { app: 'gateway' } } })]
  }),
  policyCase({
    id: 'policy-and-fits',
    title: 'both selectors of one item fit',
    isDenied: false,
    policies: [from({ namespaceSelector: CONTROLLER_NAMESPACE, podSelector: CONTROLLER })]
  }),
  policyCase({
    id: 'policy-all-namespaces',
    title: 'an empty selector of namespaces is all of them',
    isDenied: false,
    policies: [from({ namespaceSelector: {} })]
  }),
  policyCase({
    id: 'policy-namespace-label',
    title: "namespaces with a label that the controller's does not have",
    isDenied: true,
    policies: [from({ namespaceSelector: { matchLabels: { 'network/edge': 'true' } } })],
    mustCite: citesNamespace
  }),
  policyCase({
    id: 'policy-not-in',
    title: "every namespace but the controller's",
    isDenied: true,
    policies: [
      from({
        namespaceSelector: {
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['ingress-nginx'] }]
        }
      })
    ],
    mustCite: citesNamespace
  }),
  policyCase({
    id: 'policy-any-peer',
    title: 'a rule without peers admits everybody',
    isDenied: false,
    policies: [{ policyTypes: ['Ingress'], ingress: [{}] }]
  }),
  policyCase({
    id: 'policy-empty-from',
    title: 'a rule whose list of peers is empty admits everybody',
    isDenied: false,
    policies: [{ policyTypes: ['Ingress'], ingress: [{ from: [], ports: [{ port: 8080, protocol: 'TCP' }] }] }]
  }),
  policyCase({
    id: 'policy-service-port',
    title: "the port of the Service is admitted, the pod's is not",
    isDenied: true,
    policies: [ports({ port: 80, protocol: 'TCP' })]
  }),
  policyCase({
    id: 'policy-port-named',
    title: "the pod's port is admitted by its name",
    isDenied: false,
    policies: [ports({ port: 'http' })]
  }),
  policyCase({
    id: 'policy-port-misnamed',
    title: 'a port is admitted by a name that no container has',
    isDenied: true,
    policies: [ports({ port: 'web', protocol: 'TCP' })]
  }),
  policyCase({
    id: 'policy-range',
    title: 'a range that ends with the port',
    isDenied: false,
    policies: [ports({ port: 8000, endPort: 8080, protocol: 'TCP' })]
  }),
  policyCase({
    id: 'policy-range-beside',
    title: 'a range that begins behind the port',
    isDenied: true,
    policies: [ports({ port: 8081, endPort: 9000, protocol: 'TCP' })]
  }),
  policyCase({
    id: 'policy-udp',
    title: 'the port is admitted for UDP',
    isDenied: true,
    policies: [ports({ port: 8080, protocol: 'UDP' })]
  }),
  policyCase({
    id: 'policy-peer-or-port',
    title: 'one rule admits the peer on another port, another rule another peer on the port',
    isDenied: true,
    policies: [
      {
        policyTypes: ['Ingress'],
        ingress: [
          { from: [{ namespaceSelector: CONTROLLER_NAMESPACE }], ports: [{ port: 9090 }] },
          { from: [{ podSelector: {} }], ports: [{ port: 8080 }] }
        ]
      }
    ]
  }),
  policyCase({
    id: 'policy-host-network',
    title: "the controller's namespace is admitted, but it speaks from its node's address",
    isDenied: true,
    policies: [from({ namespaceSelector: CONTROLLER_NAMESPACE, podSelector: CONTROLLER })],
    prepare: onHostNetwork,
    mustCite: citesHostNetwork
  }),
  policyCase({
    id: 'policy-host-block',
    title: "the addresses of the nodes are admitted, and the controller has its node's",
    isDenied: false,
    policies: [from({ ipBlock: { cidr: NODE_RANGE } })],
    prepare: onHostNetwork
  }),
  policyCase({
    id: 'policy-host-except',
    title: "the addresses of the nodes are admitted, but for that of the controller's node",
    isDenied: true,
    policies: [from({ ipBlock: { cidr: NODE_RANGE, except: [`${NODE_ADDRESS}/32`] } })],
    prepare: onHostNetwork,
    mustCite: citesHostNetwork
  }),
  policyCase({
    id: 'policy-second-admits',
    title: 'one policy admits nothing, another one the controller',
    isDenied: false,
    policies: [{ policyTypes: ['Ingress'] }, from({ namespaceSelector: CONTROLLER_NAMESPACE })]
  }),
  policyCase({
    id: 'policy-other-pods',
    title: 'the policy is about other pods',
    isDenied: false,
    policies: [{ podSelector: { matchLabels: { app: 'database' } }, policyTypes: ['Ingress'] }]
  }),
  policyCase({
    id: 'policy-way-out',
    title: 'the policy is about what these pods send',
    isDenied: false,
    policies: [{ policyTypes: ['Egress'], egress: [] }]
  }),
  policyCase({
    id: 'policy-later',
    title: 'the policy came half a minute after the failure',
    isDenied: false,
    policies: [{ policyTypes: ['Ingress'] }],
    created: 30
  }),
  policyCase({
    id: 'policy-pod-on-host',
    title: 'no policy is asked for a pod in the network of its node',
    isDenied: false,
    policies: [{ policyTypes: ['Ingress'] }],
    prepare: shop => {
      for (const pod of shop.pods) {
        pod.spec.hostNetwork = true
        pod.status.podIP = pod.status.hostIP!
        pod.status.podIPs = [{ ip: pod.status.hostIP! }]
      }
    }
  }),

  policyCase({
    id: 'policy-does-not-exist',
    title: 'a policy for all pods without a label, and these have none',
    isDenied: true,
    policies: [
      {
        podSelector: { matchExpressions: [{ key: 'network/open', operator: 'DoesNotExist' }] },
        policyTypes: ['Ingress']
      }
    ]
  }),
  policyCase({
    id: 'policy-exists',
    title: 'a policy for all pods with a label, and these do not have it',
    isDenied: false,
    policies: [
      { podSelector: { matchExpressions: [{ key: 'network/closed', operator: 'Exists' }] }, policyTypes: ['Ingress'] }
    ]
  }),
  policyCase({
    id: 'policy-host-other-pods',
    title: 'an empty selector of namespaces is all pods, and a node is none',
    isDenied: true,
    policies: [from({ namespaceSelector: {} })],
    prepare: onHostNetwork,
    mustCite: citesHostNetwork
  })
]

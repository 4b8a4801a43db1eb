import type { NetworkPolicy } from '../../cluster/objects.ts'
import { listOf } from '../conditions.ts'
import type { Current } from '../current.ts'
import { type Fact, field, key, nameOf } from '../fact.ts'
import { type Denial, denialOf, type End, keysOf, namespaceKeysOf, rulesOf } from '../networkPolicy.ts'
import type { PodView } from '../podView.ts'
import { selectorMatches } from '../routing.ts'
import type { Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'

/** Where and as what the controller runs when nothing tells. */
const USUAL_NAMESPACE = 'ingress-nginx'
const USUAL_LABELS = {
  'app.kubernetes.io/name': 'ingress-nginx',
  'app.kubernetes.io/instance': 'ingress-nginx',
  'app.kubernetes.io/component': 'controller'
}
const NAMESPACE_NAME = 'kubernetes.io/metadata.name'
const CITED = 4
const RULES_TEXT_MAX = 300

/** Policies admit no flow from the controller to the pod. */
export const networkPolicyBlock: Rule = {
  cause: 'network_policy_block',
  isOfPod: true,
  judge(scene) {
    const { pod, upstream } = scene
    const port = upstream?.port ?? scene.targetPort
    if (pod === null || port === null) return null
    const target = endOf(scene, pod)
    const own = scene.all('NetworkPolicy', target.namespace)
    if (target.hostNetwork)
      return own.length === 0 ? null : { because: `${pod.ref} is on the host network: policies do not hold it` }
    const [controller] = scene.controller.pods
    const source = controller === undefined ? usualEnd(scene) : endOf(scene, controller)
    const all = source.namespace === target.namespace ? own : [...own, ...scene.all('NetworkPolicy', source.namespace)]
    const named = new Map<string, number>()
    for (const { ports } of pod.containers)
      for (const { name, containerPort } of listOf(ports)) if (name !== undefined) named.set(name, containerPort)
    const denial = denialOf(all, source, target, { number: port, named })
    if (denial === null) return whyAdmitted(scene, pod, all)
    const peerNamespace = denial.direction === 'ingress' ? source.namespace : target.namespace
    const keys = namespaceKeysOf(denial.policies, denial.direction)
    return {
      tier: scene.symptom === 'connect_timeout' ? 'A' : 'C',
      ref: nameOf(denial.policies[0]!.history),
      atMs: denial.policies[0]!.history.createdMs,
      needs: [
        ...denial.policies.slice(0, CITED).flatMap(policy => policyFacts(policy, denial, pod)),
        ...(controller !== undefined && source.hostNetwork
          ? [
              field(
                controller.history,
                'spec.hostNetwork',
                true,
                'the controller is on the host network: only an ipBlock of its node fits'
              )
            ]
          : []),
        ...namespaceFacts(scene, peerNamespace, keys)
      ],
      supports: whoFacts(denial, pod, controller),
      isUnobserved: (controller === undefined && !isClosed(denial)) || !areNamespacesKnown(scene, peerNamespace, keys)
    }
  }
}

function endOf(scene: Scene, pod: PodView): End {
  const { metadata, spec, status } = pod.object
  const { namespace } = pod.history
  const hostNetwork = spec?.hostNetwork === true
  const ips = [status?.podIP, ...listOf(status?.podIPs).map(({ ip }) => ip), hostNetwork ? status?.hostIP : undefined]
  return {
    namespace,
    namespaceLabels: namespaceLabels(scene, namespace),
    labels: metadata.labels ?? {},
    addresses: ips.filter(ip => ip !== undefined),
    hostNetwork
  }
}

function usualEnd(scene: Scene): End {
  const namespace = scene.controller.namespace ?? USUAL_NAMESPACE
  const namespaceLabelsOfIt = namespaceLabels(scene, namespace)
  return { namespace, namespaceLabels: namespaceLabelsOfIt, labels: USUAL_LABELS, addresses: [], hostNetwork: false }
}

/** The API server gives every namespace a label with its name. */
function namespaceLabels(scene: Scene, namespace: string): Record<string, string> {
  const labels = scene.get('Namespace', '', namespace)?.object.metadata.labels
  return { ...labels, [NAMESPACE_NAME]: namespace }
}

/** Nobody from outside of the namespace fits, whatever the controller's labels are. */
function isClosed({ direction, policies }: Denial): boolean {
  return policies.every(({ object }) =>
    rulesOf(object, direction).every(({ peers }) => peers.every(peer => !peer.namespaceSelector && !peer.ipBlock))
  )
}

function areNamespacesKnown(scene: Scene, namespace: string, keys: readonly string[]): boolean {
  return keys.every(name => name === NAMESPACE_NAME) || scene.get('Namespace', '', namespace) !== null
}

function policyFacts({ history, object }: Current<NetworkPolicy>, { direction }: Denial, pod: PodView): Fact[] {
  const rules = direction === 'ingress' ? object.spec?.ingress : object.spec?.egress
  const isEmpty = listOf(rules).length === 0
  const admits = isEmpty ? 'admits nothing' : 'admits others only'
  const what = direction === 'ingress' ? `selects ${pod.ref} and ${admits}` : `selects the controller and ${admits}`
  const text = `${nameOf(history)} ${what} (policies of network vendors, as Cilium and Calico, are not evaluated)`
  const value = isEmpty ? null : JSON.stringify(rules).slice(0, RULES_TEXT_MAX)
  const type = direction === 'ingress' ? 'Ingress' : 'Egress'
  const isListed = listOf(object.spec?.policyTypes).includes(type)
  return [
    field(history, `spec.${direction}`, value, text, history.createdMs),
    field(history, 'spec.policyTypes', isListed ? type : null, `it is about ${direction}`),
    ...selectorFacts({ history, object })
  ]
}

function selectorFacts({ history, object }: Pick<Current<NetworkPolicy>, 'history' | 'object'>): Fact[] {
  const selector = object.spec?.podSelector
  const pairs = Object.entries(selector?.matchLabels ?? {})
  if (pairs.length === 0 && keysOf(selector).length === 0)
    return [field(history, 'spec.podSelector', '{}', 'it holds for every pod of its namespace')]
  return pairs
    .slice(0, CITED)
    .map(([name, value]) =>
      field(history, `spec.podSelector.matchLabels${key(name)}`, value, `it holds for pods with ${name}=${value}`)
    )
}

/** Labels of the other side's namespace that were compared. */
function namespaceFacts(scene: Scene, namespace: string, keys: readonly string[]): Fact[] {
  const known = scene.get('Namespace', '', namespace)
  if (known === null) return []
  const labels = namespaceLabels(scene, namespace)
  return keys.slice(0, CITED).map(name => {
    const value = Object.hasOwn(labels, name) ? labels[name]! : null
    return field(
      known.history,
      `metadata.labels${key(name)}`,
      value,
      `Namespace ${namespace} has ${name}=${value ?? 'absent'}`
    )
  })
}

/** Who is selected, by the labels that the policy asks for. */
function whoFacts({ direction, policies }: Denial, pod: PodView, controller: PodView | undefined): Fact[] {
  const view = direction === 'ingress' ? pod : controller
  if (view === undefined) return []
  const names = new Set(policies.flatMap(({ object }) => keysOf(object.spec?.podSelector)))
  const labels = view.object.metadata.labels ?? {}
  return [...names]
    .filter(name => Object.hasOwn(labels, name))
    .slice(0, 1)
    .map(name =>
      field(view.history, `metadata.labels${key(name)}`, labels[name], `${view.ref} has ${name}=${labels[name]}`)
    )
}

/** What looks like the cause and is not: policies that select the pod and admit the flow, or came later. */
function whyAdmitted(scene: Scene, pod: PodView, all: readonly Current<NetworkPolicy>[]): { because: string } | null {
  const { namespace } = pod.history
  const labels = pod.object.metadata.labels
  const own = all.filter(
    ({ history, object }) => history.namespace === namespace && selectorMatches(object.spec?.podSelector ?? {}, labels)
  )
  const [first] = own
  if (first !== undefined) return { because: `${nameOf(first.history)} selects ${pod.ref}, and the flow is admitted` }
  for (const history of scene.state.all('NetworkPolicy', namespace)) {
    const { createdMs } = history
    if (createdMs !== null && !scene.moment.isPast(createdMs))
      return { because: `${nameOf(history)} was created later` }
  }
  return null
}

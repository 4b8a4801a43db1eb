import type { Pod } from '../../cluster/objects.ts'
import type { History } from '../../cluster/state.ts'
import { conditionAt, listOf } from '../conditions.ts'
import { current } from '../current.ts'
import { field } from '../fact.ts'
import { PodView } from '../podView.ts'
import type { Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { timeText } from '../times.ts'

const AGENT = /^(calico-node|canal|cilium|kube-flannel|aws-node|weave-net|antrea-agent|ovnkube-node|kindnet)(-ds)?/
/** Of DaemonSets: the operators and proxies of the same projects are no agents. */
const AGENT_SET =
  /^(calico-node|canal|cilium|kube-flannel(-ds.*)?|aws-node|weave-net|antrea-agent|ovnkube-node|kindnet)$/
const NAMESPACES = [
  'kube-system',
  'calico-system',
  'cilium',
  'cilium-system',
  'kube-flannel',
  'openshift-ovn-kubernetes',
  'ovn-kubernetes'
]

/** The network of one node did not work, while its pods stayed Ready. */
export const nodeNetworkFailure: Rule = {
  cause: 'node_network_failure',
  isOfPod: true,
  judge(scene) {
    const { pod, moment } = scene
    const name = pod?.object.spec?.nodeName
    if (pod === null || name === undefined) return null
    const place = field(pod.history, 'spec.nodeName', name, `${pod.ref} was on node ${name}`)
    const condition = scene.node && conditionAt(scene.node.history, 'NetworkUnavailable', moment)
    if (scene.node !== null && condition !== null && condition.status === 'True') {
      const { sinceMs, isInferred, next } = condition
      const path = 'status.conditions[NetworkUnavailable]'
      const text = `the network of node ${name} was not set up`
      const fact = isInferred
        ? field(scene.node.history, `${path}.lastTransitionTime`, timeText(next?.atMs), text, next?.atMs)
        : field(scene.node.history, `${path}.status`, 'True', text, sinceMs)
      return { tier: 'A', ref: `Node ${name}`, atMs: sinceMs, needs: [place, fact], isInferred }
    }
    let because: string | null = null
    for (const agent of agentsOn(scene, name)) {
      const { status, sinceMs, isInferred, next } = agent.ready
      if (status !== 'False' && status !== 'Unknown') {
        if (next?.status === 'False') because = `${agent.ref} failed only after the failure`
        continue
      }
      const text = `${agent.ref}, which makes the network of node ${name}, was not Ready`
      const path = 'status.conditions[Ready]'
      const fact = isInferred
        ? field(agent.history, `${path}.lastTransitionTime`, timeText(next?.atMs), text, next?.atMs)
        : field(agent.history, `${path}.status`, status, text, sinceMs)
      return { tier: 'A', ref: agent.ref, atMs: sinceMs, needs: [place, fact], isInferred }
    }
    return because === null ? null : { because }
  }
}

/** Pods of the network's agent on a node at T. */
function agentsOn({ state, moment }: Scene, node: string): PodView[] {
  const found = new Map<string, PodView>()
  for (const namespace of NAMESPACES) {
    for (const history of state.all('Pod', namespace)) {
      if (!isAgent(history) || current(history, moment)?.object.spec?.nodeName !== node) continue
      found.set(history.uid, new PodView(history, state, moment))
    }
  }
  return [...found.values()].sort((a, b) => (a.ref < b.ref ? -1 : 1))
}

function isAgent({ name, versions }: History<Pod>): boolean {
  if (!AGENT.test(name)) return false
  const owner = listOf(versions.at(-1)!.object.metadata.ownerReferences)[0]
  const set = owner === undefined ? name.replace(/-[a-z0-9]{5}$/, '') : owner.name
  return (owner === undefined || owner.kind === 'DaemonSet') && AGENT_SET.test(set)
}

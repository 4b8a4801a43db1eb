/** The cluster's DNS as it stood at T, and what error texts say of names. */

import { current } from './current.ts'
import { type Fact, field } from './fact.ts'
import { PodView } from './podView.ts'
import type { Scene } from './scene.ts'

export const DNS_NAMESPACE = 'kube-system'
export const DNS_SERVICE = 'kube-dns'
const LABELS = { 'k8s-app': 'kube-dns' }
const WORKLOADS = ['coredns', 'kube-dns']
const CITED = 4

export interface Dns {
  pods: PodView[]
  /** Those that did not answer at T. */
  out: PodView[]
  /** Nobody answered: none of its pods was Ready, or none was meant to be there. */
  isDown: boolean
  facts: Fact[]
}

/** null: nothing is known of it, as in a snapshot of one namespace. */
export function dnsOf(scene: Scene): Dns | null {
  const { state, moment } = scene
  const pods = state
    .podsWithLabels(DNS_NAMESPACE, LABELS)
    .filter(history => current(history, moment) !== null)
    .map(history => new PodView(history, state, moment))
    .sort((a, b) => (a.ref < b.ref ? -1 : 1))
  if (pods.length === 0) return withoutPods(scene)
  const out = pods.filter(pod => pod.isOut)
  const facts = out.slice(0, CITED).map(pod => {
    const { status, sinceMs } = pod.ready
    const text = `${pod.ref} answers for DNS and was not Ready`
    return field(
      pod.history,
      'status.conditions[Ready].status',
      status === 'True' ? 'True' : (status ?? 'Unknown'),
      text,
      sinceMs
    )
  })
  return { pods, out, isDown: out.length === pods.length, facts }
}

function withoutPods(scene: Scene): Dns | null {
  for (const name of WORKLOADS) {
    const workload = scene.get('Deployment', DNS_NAMESPACE, name)
    const replicas = workload?.object.spec?.replicas
    if (workload === null || replicas !== 0) continue
    const fact = field(workload.history, 'spec.replicas', replicas, 'nobody runs the cluster DNS')
    return { pods: [], out: [], isDown: true, facts: [fact] }
  }
  return null
}

/** The name has no address: NXDOMAIN, in the words of nginx's resolver and of the controller's Lua. */
export function saysNoSuchName(error: string | null): boolean {
  return (
    error !== null &&
    /name error|host not found|nxdomain|no such host|no (?:a|aaaa|a or aaaa)\b.*record|\(3:/i.test(error)
  )
}

/** DNS itself did not answer. */
export function saysNoAnswer(error: string | null): boolean {
  return error !== null && /timed? ?out|timeout|refused|server failure|servfail|\((?:2|5|110|111):/i.test(error)
}

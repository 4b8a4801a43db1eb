/**
 * Whether the NetworkPolicies of Kubernetes admit a flow. Policies of network vendors (Cilium, Calico, AdminNetworkPolicy)
 * are other kinds, and are not evaluated.
 *
 *   ingress   policies of the target's namespace that select it: none ⇒ admitted; else one rule of one of them must
 *   egress    the same for the side that connects, with `to`
 */

import type { LabelSelector, NetworkPolicy, PolicyPeer, PolicyPort } from '../cluster/objects.ts'
import { isInRange } from './cidr.ts'
import { listOf } from './conditions.ts'
import type { Current } from './current.ts'
import { selectorMatches } from './routing.ts'

export type Direction = 'ingress' | 'egress'

/** One end of a flow. */
export interface End {
  namespace: string
  namespaceLabels: Record<string, string>
  labels: Record<string, string>
  /** Of its pod, or of its node where it is on the host network. */
  addresses: readonly string[]
  /** Labels say nothing of it, and policies do not hold it. */
  hostNetwork: boolean
}

/** Ports of the target pod, by number; names stand for numbers of its containers. */
export interface TargetPort {
  number: number
  named: ReadonlyMap<string, number>
}

export interface Denial {
  direction: Direction
  /** All that select the end, and of which none admits the flow. */
  policies: Current<NetworkPolicy>[]
}

/** Both directions must admit the flow; null: they do. */
export function denialOf(
  policies: readonly Current<NetworkPolicy>[],
  from: End,
  to: End,
  port: TargetPort
): Denial | null {
  return denied('ingress', policies, to, from, port) ?? denied('egress', policies, from, to, port)
}

function denied(
  direction: Direction,
  policies: readonly Current<NetworkPolicy>[],
  selected: End,
  peer: End,
  port: TargetPort
): Denial | null {
  // On the host network a pod is its node: no policy selects it.
  if (selected.hostNetwork) return null
  const selecting = policiesOn(direction, policies, selected)
  if (selecting.length === 0) return null
  const isAdmitted = selecting.some(({ object }) =>
    rulesOf(object, direction).some(
      ({ peers, ports }) =>
        (peers.length === 0 || peers.some(item => peerMatches(item, peer, selected.namespace))) &&
        (ports.length === 0 || ports.some(item => portMatches(item, port)))
    )
  )
  return isAdmitted ? null : { direction, policies: selecting }
}

/** Policies that hold an end in a direction. */
export function policiesOn(
  direction: Direction,
  policies: readonly Current<NetworkPolicy>[],
  { namespace, labels }: End
): Current<NetworkPolicy>[] {
  return policies.filter(
    ({ history, object }) =>
      history.namespace === namespace &&
      hasDirection(object, direction) &&
      selectorMatches(object.spec?.podSelector ?? {}, labels)
  )
}

/** Without `policyTypes` every policy is about ingress, and about egress when it has rules for it. */
function hasDirection({ spec }: NetworkPolicy, direction: Direction): boolean {
  const types = listOf(spec?.policyTypes)
  if (types.length > 0) return types.includes(direction === 'ingress' ? 'Ingress' : 'Egress')
  return direction === 'ingress' || listOf(spec?.egress).length > 0
}

export function rulesOf(
  { spec }: NetworkPolicy,
  direction: Direction
): { peers: readonly PolicyPeer[]; ports: readonly PolicyPort[] }[] {
  return direction === 'ingress'
    ? listOf(spec?.ingress).map(rule => ({ peers: listOf(rule.from), ports: listOf(rule.ports) }))
    : listOf(spec?.egress).map(rule => ({ peers: listOf(rule.to), ports: listOf(rule.ports) }))
}

/** Both selectors of one item must fit; a pod selector alone means the policy's own namespace. */
function peerMatches({ podSelector, namespaceSelector, ipBlock }: PolicyPeer, peer: End, own: string): boolean {
  if (ipBlock !== undefined) {
    const { cidr, except } = ipBlock
    return peer.addresses.some(
      address => isInRange(address, cidr) && !listOf(except).some(range => isInRange(address, range))
    )
  }
  if (peer.hostNetwork) return false
  const isNamespace: boolean =
    namespaceSelector === undefined
      ? podSelector !== undefined && peer.namespace === own
      : selectorMatches(namespaceSelector, peer.namespaceLabels)
  return isNamespace && (podSelector === undefined || selectorMatches(podSelector, peer.labels))
}

function portMatches({ port, endPort, protocol = 'TCP' }: PolicyPort, target: TargetPort): boolean {
  if (protocol !== 'TCP') return false
  if (port === undefined) return true
  if (typeof port === 'string') return target.named.get(port) === target.number
  return endPort === undefined ? port === target.number : port <= target.number && target.number <= endPort
}

/** Labels of namespaces that the peers of policies ask for. */
export function namespaceKeysOf(policies: readonly Current<NetworkPolicy>[], direction: Direction): string[] {
  const keys = new Set<string>()
  for (const { object } of policies)
    for (const { peers } of rulesOf(object, direction))
      for (const { namespaceSelector } of peers) for (const name of keysOf(namespaceSelector)) keys.add(name)
  return [...keys].sort()
}

export function keysOf(selector: LabelSelector | undefined): string[] {
  return [...Object.keys(selector?.matchLabels ?? {}), ...listOf(selector?.matchExpressions).map(({ key }) => key)]
}

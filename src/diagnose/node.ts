/** A node as it stood at T: its Events, its lease, and what was found out about it late. */

import type { Node } from '../cluster/objects.ts'
import type { ClusterState, History } from '../cluster/state.ts'
import { listOf } from './conditions.ts'
import { type EventSpan, eventsOf, spanOf } from './events.ts'
import { timeOf } from './times.ts'

/** By last time. The kubelet writes the node's name where its uid belongs. */
export function nodeEvents(state: ClusterState, name: string, history: History<Node> | null): EventSpan[] {
  const spans = [
    ...(history === null ? [] : eventsOf(state, history)),
    ...state.eventsNamed('Node', '', name).map(spanOf)
  ]
  return [...new Map(spans.map(span => [span.object, span])).values()].sort((a, b) => a.lastMs - b.lastMs)
}

export interface Silence {
  /** When the node was called Unknown, Unix ms: 40 s and more after it had fallen silent. */
  foundMs: number
  /** Its last status; null: not told. */
  heartbeatMs: number | null
  heartbeat: string | null
  reason: string | null
}

/** Every time the node controller called a node Unknown, oldest first. */
export function silencesOf({ versions }: History<Node>): Silence[] {
  const byTime = new Map<number, Silence>()
  for (const { atMs, object } of versions) {
    const ready = listOf(object.status?.conditions).find(({ type }) => type === 'Ready')
    if (ready?.status !== 'Unknown') continue
    const foundMs = timeOf(ready.lastTransitionTime) ?? atMs
    const heartbeat = ready.lastHeartbeatTime ?? null
    byTime.set(foundMs, { foundMs, heartbeat, heartbeatMs: timeOf(heartbeat), reason: ready.reason ?? null })
  }
  return [...byTime.values()].sort((a, b) => a.foundMs - b.foundMs)
}

export interface Renewal {
  atMs: number
  text: string
}

const LEASES = 'kube-node-lease'

/** Times at which the node renewed its lease, as far as they were seen, oldest first. It does so every ten seconds. */
export function renewalsOf(state: ClusterState, node: string): Renewal[] {
  const renewals: Renewal[] = []
  for (const { versions } of state.named('Lease', LEASES, node)) {
    for (const { object } of versions) {
      const text = object.spec?.renewTime
      const atMs = timeOf(text)
      if (text !== undefined && atMs !== null) renewals.push({ atMs, text })
    }
  }
  return renewals.sort((a, b) => a.atMs - b.atMs)
}

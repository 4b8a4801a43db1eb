/** Pods that one workload made, also those that were gone by T: what came before and after a pod. */

import type { Pod } from '../cluster/objects.ts'
import type { History } from '../cluster/state.ts'
import { listOf } from './conditions.ts'
import { PodView } from './podView.ts'
import type { Scene } from './scene.ts'
import { isOfKind } from './workloads.ts'

/** Other pods of the same Deployment or StatefulSet (of any revision), by creation. A pod without owner has none. */
export function siblingsOf(scene: Scene, pod: PodView): PodView[] {
  const { state, moment } = scene
  const parent = ownerUid(pod.history)
  if (parent === null) return []
  const grand = state.byUid('ReplicaSet', parent)
  const top = grand === null ? null : ownerUid(grand)
  const parents = top === null ? [parent] : [parent, ...state.ownedBy(top).map(({ uid }) => uid)]
  const byUid = new Map<string, History<Pod>>()
  for (const uid of parents) {
    for (const history of state.ownedBy(uid)) if (isOfKind(history, 'Pod')) byUid.set(history.uid, history)
  }
  byUid.delete(pod.history.uid)
  return [...byUid.values()]
    .sort((a, b) => (a.createdMs ?? 0) - (b.createdMs ?? 0) || (a.uid < b.uid ? -1 : 1))
    .map(history => new PodView(history, state, moment))
}

/** Name of the workload that made it, as its pods' names begin; null: nobody did. */
export function makerOf({ versions }: History): string | null {
  return ownerOf(versions.at(-1)!.object.metadata.ownerReferences)?.name ?? null
}

function ownerUid({ versions }: History): string | null {
  return ownerOf(versions.at(-1)!.object.metadata.ownerReferences)?.uid ?? null
}

function ownerOf(references: Parameters<typeof listOf<{ uid: string; name: string; controller?: boolean }>>[0]) {
  const all = listOf(references)
  return all.find(item => item.controller === true) ?? all[0] ?? null
}

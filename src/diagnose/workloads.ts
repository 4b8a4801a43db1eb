/** The workloads behind a Service: those whose template it selects, and those that made its pods. */

import type { Kind, ObjectOf, Workload } from '../cluster/objects.ts'
import type { History } from '../cluster/state.ts'
import { listOf } from './conditions.ts'
import { type Current, current } from './current.ts'
import { selects } from './routing.ts'
import { ownersOf, type Scene } from './scene.ts'

const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'] as const

/** As they stood at T: a Deployment rather than its ReplicaSets. By kind and name. */
export function workloadsOf(scene: Scene): Current<Workload>[] {
  const byUid = new Map<string, Current<Workload>>()
  const selector = scene.service?.object.spec?.selector ?? {}
  if (scene.service !== null && Object.keys(selector).length > 0) {
    for (const kind of KINDS) {
      for (const at of scene.all(kind, scene.service.history.namespace)) {
        if (kind === 'ReplicaSet' && listOf(at.object.metadata.ownerReferences).length > 0) continue
        if (selects(selector, at.object.spec?.template?.metadata?.labels)) byUid.set(at.history.uid, at)
      }
    }
  }
  for (const pod of scene.pods) {
    const owner = ownersOf(pod.history, scene.state, scene.moment).at(-1)
    if (owner !== undefined) byUid.set(owner.history.uid, owner)
  }
  return [...byUid.values()]
}

/** ReplicaSets of a Deployment that were there at T, by creation, the newest last. */
export function replicaSetsOf(scene: Scene, workload: Current<Workload>): Current<Workload>[] {
  const sets: Current<Workload>[] = []
  for (const history of scene.state.ownedBy(workload.history.uid)) {
    if (!isOfKind(history, 'ReplicaSet')) continue
    const at = current(history, scene.moment)
    if (at !== null) sets.push(at)
  }
  return sets.sort(
    (a, b) => revisionOf(a.object) - revisionOf(b.object) || (a.history.createdMs ?? 0) - (b.history.createdMs ?? 0)
  )
}

/** `deployment.kubernetes.io/revision`; 0: not told. */
export function revisionOf({ metadata }: Workload): number {
  const text = metadata.annotations?.['deployment.kubernetes.io/revision']
  const revision = Number(text ?? 0)
  return Number.isFinite(revision) ? revision : 0
}

export function isOfKind<K extends Kind>(history: History, kind: K): history is History<ObjectOf[K]> {
  return history.kind === kind
}

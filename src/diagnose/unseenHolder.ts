/** Holders of an address that were never seen as objects: a slice still names them, or an Event tells their address. */

import type { Pod } from '../cluster/objects.ts'
import type { ClusterState, History, Tenure } from '../cluster/state.ts'
import { listOf } from './conditions.ts'
import { spanOf } from './events.ts'
import { EPSILON_MS, type Moment, PROPAGATION_MS } from './moment.ts'
import type { OwnerQuestion } from './owner.ts'

type Unseen = { tenure: Tenure; certainty: 'certain' | 'ambiguous' | 'stale' }

/** A pod that was gone before the first look at the cluster; null: nothing tells of one. */
export function unseenHolder(state: ClusterState, moment: Moment, question: OwnerQuestion): Unseen | null {
  const { namespace, service } = question
  if (namespace === null || service === null) return null
  return bySlice(state, moment, namespace, service, question.address) ?? byEvent(state, moment, namespace, question)
}

/** A slice of the Service names a pod that no list of pods holds any more. */
function bySlice(
  state: ClusterState,
  moment: Moment,
  namespace: string,
  service: string,
  address: string
): Unseen | null {
  for (const entry of state.sliceEntries(address)) {
    if (entry.uid === null || entry.namespace !== namespace || entry.service !== service) continue
    if (state.byUid('Pod', entry.uid) !== null || (entry.isFromObserved && !moment.isPast(entry.fromMs))) continue
    const isOver = entry.toMs !== null && moment.isAfter(entry.toMs + PROPAGATION_MS)
    for (const slice of state.slicesOf(namespace, service)) {
      for (const { object } of slice.versions) {
        const endpoint = listOf(object.endpoints).find(({ targetRef }) => targetRef?.uid === entry.uid)
        const { kind = 'Pod', name } = endpoint?.targetRef ?? {}
        if (name === undefined || kind !== 'Pod') continue
        const found = holder(namespace, name, entry.uid, address, endpoint?.nodeName, isOver ? 'stale' : 'certain')
        return { ...found, tenure: { ...found.tenure, toMs: entry.toMs } }
      }
    }
  }
  return null
}

/** `Readiness probe failed: Get "http://10.1.2.3:8080/ready": …` of a pod that nobody saw. */
function byEvent(state: ClusterState, moment: Moment, namespace: string, { address }: OwnerQuestion): Unseen | null {
  for (const history of state.eventsTelling(namespace, address)) {
    const span = spanOf(history)
    const { kind, name, uid } = span.object.involvedObject ?? {}
    if (kind !== 'Pod' || name === undefined || uid === undefined || span.reason !== 'Unhealthy') continue
    if (!moment.isPast(span.firstMs - EPSILON_MS)) continue
    if (state.byUid('Pod', uid) === null)
      return holder(namespace, name, uid, address, span.object.source?.host, 'ambiguous')
  }
  return null
}

function holder(
  namespace: string,
  name: string,
  uid: string,
  address: string,
  nodeName: string | undefined,
  certainty: Unseen['certainty']
): Unseen {
  const object: Pod = {
    kind: 'Pod',
    metadata: { name, namespace, uid },
    ...(nodeName === undefined ? {} : { spec: { nodeName } })
  }
  const pod: History<Pod> = {
    kind: 'Pod',
    namespace,
    name,
    uid,
    versions: [{ atMs: Number.NEGATIVE_INFINITY, isObserved: false, object }],
    createdMs: null,
    deletedMs: null,
    isDeletionApproximate: false
  }
  const bounds = { fromMs: Number.NEGATIVE_INFINITY, toMs: null, isFromObserved: false, isToObserved: false }
  return { certainty, tenure: { pod, address, ...bounds, hostNetwork: false } }
}

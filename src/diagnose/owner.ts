/** Who held the upstream address at T. */

import type { ClusterState, Tenure } from '../cluster/state.ts'
import { listOf } from './conditions.ts'
import { EPSILON_MS, type Moment, PROPAGATION_MS } from './moment.ts'
import { unseenHolder } from './unseenHolder.ts'

/**
 * `certain`: one tenure fits. `ambiguous`: several do, or the only one contradicts what the log says of the Service.
 * `stale`: nobody of the Service held it any more; the last holder that the Service selected. `unknown`: nobody is known.
 */
export type Certainty = 'certain' | 'ambiguous' | 'stale' | 'unknown'

export interface Owner {
  /** null besides when nobody is known: the only holder is of another namespace, and nothing is blamed on a stranger. */
  tenure: Tenure | null
  certainty: Certainty
  /** T is older than what is kept: nothing may be said of who held it. */
  isBeforeHistory: boolean
}

export interface OwnerQuestion {
  address: string
  port: number | null
  namespace: string | null
  service: string | null
  /** uids of pods that the Service selected at any time; null: the Service is not known. */
  selected: ReadonlySet<string> | null
}

const NOBODY: Owner = { tenure: null, certainty: 'unknown', isBeforeHistory: false }

/**
 * Tenures with `from − ε ≤ T ≤ to + P`. Of several: the one that contains T exactly, then one that the Service's slices named
 * at T, then the namespace, then the one whose bounds were observed; a tenure that has just ended loses to one that contains
 * T, unless the Service does not select that one. None: the last holder that the Service selected.
 */
export function ownerOf(state: ClusterState, moment: Moment, question: OwnerQuestion): Owner {
  if (!moment.isPast(state.forgottenToMs)) return { ...NOBODY, isBeforeHistory: true }
  const { namespace, selected } = question
  const all = state.tenures(question.address)
  const near = byPort(all.filter(isNear), question)
  const named = namedBySlices(state, moment, question)
  const isOurs = ({ pod }: Tenure): boolean => (selected?.has(pod.uid) ?? false) || named.has(pod.uid)
  // A stranger that has the address now was never asked by this Service; who of the Service had it before was.
  if (!near.some(isOurs)) {
    const former = all.filter(tenure => isOurs(tenure) && tenure.toMs !== null && moment.isPast(tenure.toMs))
    const [stale] = former.sort((a, b) => b.toMs! - a.toMs!)
    if (stale !== undefined) return { ...NOBODY, tenure: stale, certainty: 'stale' }
  }
  if (near.length === 0) {
    const unseen = unseenHolder(state, moment, question)
    return unseen === null ? NOBODY : { ...NOBODY, ...unseen }
  }
  const ranked = near.map(tenure => ({ tenure, rank: rank(tenure) })).sort((a, b) => b.rank - a.rank)
  const [best, second] = ranked
  const { tenure } = best!
  if (namespace !== null && tenure.pod.namespace !== namespace) return { ...NOBODY, certainty: 'ambiguous' }
  const isContradicted = selected !== null && !isOurs(tenure)
  const isTie = second !== undefined && second.rank === best!.rank
  return { ...NOBODY, tenure, certainty: isContradicted || isTie ? 'ambiguous' : 'certain' }

  function isNear(tenure: Tenure): boolean {
    const { pod, fromMs, toMs, isToObserved } = tenure
    if (!moment.isPast(fromMs - EPSILON_MS)) return false
    if (pod.createdMs !== null && !moment.isPast(pod.createdMs - EPSILON_MS)) return false
    if (toMs === null || !moment.isAfter(toMs + PROPAGATION_MS)) return true
    // It went in a gap of the watch, at some time before it was missed.
    const { deletedMs, isDeletionApproximate } = pod
    const wasMissedLater = !isToObserved && isDeletionApproximate && deletedMs !== null && !moment.isPast(deletedMs)
    return wasMissedLater && !all.some(other => hasTaken(other, tenure))
  }

  /** Two pods do not hold an address together: whoever came next says that the one before had gone. */
  function hasTaken(next: Tenure, { pod, fromMs, hostNetwork }: Tenure): boolean {
    if (hostNetwork || next.hostNetwork || next.pod.uid === pod.uid) return false
    return next.fromMs > fromMs && moment.isPast(next.fromMs + PROPAGATION_MS)
  }

  function rank(tenure: Tenure): number {
    const { pod, fromMs, toMs, isFromObserved, isToObserved } = tenure
    const isExact = moment.isPast(fromMs) && (toMs === null || !moment.isAfter(toMs))
    return (
      (isOurs(tenure) ? 32 : 0) +
      (isExact ? 16 : 0) +
      (named.has(pod.uid) ? 8 : 0) +
      (pod.namespace === namespace ? 4 : 0) +
      (isFromObserved && (toMs === null || isToObserved) ? 2 : 0)
    )
  }
}

/** Pods of the host network share an address: the port tells, and what the Service selects. */
function byPort(near: readonly Tenure[], { port, selected }: OwnerQuestion): readonly Tenure[] {
  if (near.length < 2 || !near.some(({ hostNetwork }) => hostNetwork)) return near
  const declaring = near.filter(
    ({ pod }) =>
      port !== null &&
      listOf(pod.versions.at(-1)!.object.spec?.containers).some(({ ports }) =>
        listOf(ports).some(({ containerPort }) => containerPort === port)
      )
  )
  const fitting = declaring.length > 0 ? declaring : near
  const ours = fitting.filter(({ pod }) => selected?.has(pod.uid) ?? false)
  return ours.length > 0 ? ours : fitting
}

/** uids that slices of the asked Service named for the address at T: the best witness of whom the proxy could ask. */
function namedBySlices(
  state: ClusterState,
  moment: Moment,
  { address, namespace, service }: OwnerQuestion
): ReadonlySet<string> {
  const uids = new Set<string>()
  for (const entry of state.sliceEntries(address)) {
    if (entry.uid === null) continue
    if (namespace !== null && service !== null && (entry.namespace !== namespace || entry.service !== service)) continue
    // One that stood in the first list had stood there before.
    if (entry.isFromObserved && !moment.isPast(entry.fromMs)) continue
    if (entry.toMs === null || !moment.isAfter(entry.toMs)) uids.add(entry.uid)
  }
  return uids
}

/** Who held the upstream address at T. */

import type { ClusterState, Tenure } from '../cluster/state.ts'
import { EPSILON_MS, type Moment, PROPAGATION_MS } from './moment.ts'

/**
 * `certain`: one tenure fits. `ambiguous`: several do, or the only one contradicts what the log says of the Service.
 * `stale`: nobody held it any more; the last holder that the Service selected. `unknown`: nobody is known.
 */
export type Certainty = 'certain' | 'ambiguous' | 'stale' | 'unknown'

export interface Owner {
  tenure: Tenure | null
  certainty: Certainty
  /** T is older than what is kept: nothing may be said of who held it. */
  isBeforeHistory: boolean
}

export interface OwnerQuestion {
  address: string
  port: number | null
  namespace: string | null
  /** uids of pods that the Service selected at any time; null: the Service is not known. */
  selected: ReadonlySet<string> | null
}

const NOBODY: Owner = { tenure: null, certainty: 'unknown', isBeforeHistory: false }

/**
 * Tenures with `from − ε ≤ T ≤ to + P`. Of several: the one that contains T exactly, then one that the Service's slices named
 * at T, then the namespace; a tenure that has just ended loses to one that contains T, unless the Service does not select
 * that one.
 */
export function ownerOf(state: ClusterState, moment: Moment, question: OwnerQuestion): Owner {
  const { address, port, namespace, selected } = question
  if (!moment.isPast(state.forgottenToMs)) return { ...NOBODY, isBeforeHistory: true }
  const all = state.tenures(address)
  let near = all.filter(
    ({ pod, fromMs, toMs }) =>
      moment.isPast(fromMs - EPSILON_MS) &&
      (toMs === null || !moment.isAfter(toMs + PROPAGATION_MS)) &&
      (pod.createdMs === null || moment.isPast(pod.createdMs - EPSILON_MS))
  )
  const isSelected = ({ pod }: Tenure): boolean => selected?.has(pod.uid) ?? false
  const declares = (tenure: Tenure): boolean =>
    port !== null &&
    (tenure.pod.versions.at(-1)!.object.spec?.containers ?? []).some(container =>
      (container.ports ?? []).some(item => item.containerPort === port)
    )
  // Pods of the host network share an address: the port tells, and what the Service selects.
  if (near.some(tenure => tenure.hostNetwork)) {
    const byPort = near.filter(declares)
    if (byPort.length > 0) near = byPort
    const bySelection = near.filter(isSelected)
    if (bySelection.length > 0) near = bySelection
    if (near.length > 1) return { tenure: near[0]!, certainty: 'ambiguous', isBeforeHistory: false }
  }
  if (near.length === 0) {
    const stale = all.filter(tenure => isSelected(tenure) && tenure.toMs !== null && moment.isPast(tenure.toMs)).at(-1)
    return stale === undefined ? NOBODY : { tenure: stale, certainty: 'stale', isBeforeHistory: false }
  }
  const exact = ({ fromMs, toMs }: Tenure): boolean => moment.isPast(fromMs) && (toMs === null || !moment.isAfter(toMs))
  const named = new Set(
    state
      .sliceEntries(address)
      .filter(({ fromMs, toMs }) => moment.isPast(fromMs) && (toMs === null || !moment.isAfter(toMs)))
      .map(({ uid }) => uid)
  )
  const rank = (tenure: Tenure): number =>
    // A stranger that has the address now was never asked by this Service.
    (isSelected(tenure) ? 32 : 0) +
    (exact(tenure) ? 16 : 0) +
    (named.has(tenure.pod.uid) ? 8 : 0) +
    (tenure.pod.namespace === namespace ? 4 : 0) +
    (tenure.isFromObserved && (tenure.toMs === null || tenure.isToObserved) ? 2 : 0)
  const [best, second] = near.map(tenure => ({ tenure, rank: rank(tenure) })).sort((a, b) => b.rank - a.rank)
  const isContradicted =
    (selected !== null && !isSelected(best!.tenure)) || (namespace !== null && best!.tenure.pod.namespace !== namespace)
  const isAmbiguous = isContradicted || (second !== undefined && second.rank === best!.rank)
  return { tenure: best!.tenure, certainty: isAmbiguous ? 'ambiguous' : 'certain', isBeforeHistory: false }
}

/** Who held an address when: pods' histories, read for their addresses. */

import { canonicalAddress } from './address.ts'
import { apiTime } from './apiTime.ts'
import type { Life } from './histories.ts'
import type { Pod } from './objects.ts'
import type { History, Tenure } from './state.ts'

/** A pod has one address a family, and nobody needs more; more is somebody's joke. */
const ADDRESSES_MAX = 16

/** All addresses of a pod, canonical; empty: none yet. */
export function podAddresses(pod: Pod): ReadonlySet<string> {
  const { status } = pod
  const listed = Array.isArray(status?.podIPs) ? status.podIPs.slice(0, ADDRESSES_MAX) : []
  const all = [...listed.map(entry => entry?.ip), status?.podIP].map(canonicalAddress)
  return new Set(all.filter(address => address !== null))
}

/** The tenures of a pod, by `fromMs`. */
export function tenuresOf({ history, knownTo }: Life): Tenure[] {
  const pod = history as History<Pod>
  const tenures: Tenure[] = []
  const open = new Map<string, Tenure>()
  for (const [i, version] of pod.versions.entries()) {
    const held = isOver(version.object) ? new Set<string>() : podAddresses(version.object)
    for (const [address, tenure] of open) {
      if (held.has(address)) continue
      close(tenure, pod, knownTo, i)
      open.delete(address)
    }
    for (const address of held) {
      if (open.has(address)) continue
      const tenure = begin(pod, knownTo, i, address)
      open.set(address, tenure)
      tenures.push(tenure)
    }
    // Seen only when it was over: it held its addresses before.
    if (i === 0 && isOver(version.object))
      for (const address of podAddresses(version.object)) {
        const tenure = begin(pod, knownTo, i, address)
        close(tenure, pod, knownTo, i)
        tenures.push(tenure)
      }
  }
  for (const tenure of open.values()) {
    if (pod.deletedMs === null) continue
    tenure.toMs = pod.isDeletionApproximate ? knownTo.at(-1)! : pod.deletedMs
    tenure.isToObserved = !pod.isDeletionApproximate
  }
  for (const tenure of tenures) if (tenure.toMs !== null) tenure.fromMs = Math.min(tenure.fromMs, tenure.toMs)
  return tenures.sort((a, b) => a.fromMs - b.fromMs)
}

function begin(pod: History<Pod>, knownTo: readonly number[], i: number, address: string): Tenure {
  const { atMs, isObserved, object } = pod.versions[i]!
  const startedMs = apiTime(object.status?.startTime) ?? pod.createdMs
  // Not before the version before it ended: then it had another address, or none.
  const earliestMs = Math.max(startedMs ?? atMs, i === 0 ? Number.NEGATIVE_INFINITY : knownTo[i - 1]!)
  return {
    pod,
    address,
    fromMs: isObserved ? atMs : Math.min(atMs, earliestMs),
    toMs: null,
    isFromObserved: isObserved,
    isToObserved: false,
    hostNetwork: object.spec?.hostNetwork === true || canonicalAddress(object.status?.hostIP) === address
  }
}

/** The version `i` is the first without the address, or the first in which the pod is over. */
function close(tenure: Tenure, pod: History<Pod>, knownTo: readonly number[], i: number): void {
  const { atMs, isObserved, object } = pod.versions[i]!
  tenure.isToObserved = isObserved
  if (isObserved) tenure.toMs = atMs
  else {
    const knownMs = i === 0 ? Number.NEGATIVE_INFINITY : knownTo[i - 1]!
    const overMs = isOver(object) ? endedMs(object) : null
    if (overMs !== null) tenure.toMs = Math.min(atMs, Math.max(overMs, knownMs))
    else tenure.toMs = i === 0 ? atMs : knownMs
  }
}

/** Its containers have ended and will not start again; its address is free, however long the object stays. */
function isOver(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

/** When the last container ended, by the pod's own words, Unix ms. */
function endedMs(pod: Pod): number | null {
  const statuses = Array.isArray(pod.status?.containerStatuses) ? pod.status.containerStatuses : []
  const times = statuses.map(status => apiTime(status?.state?.terminated?.finishedAt)).filter(ms => ms !== null)
  return times.length === 0 ? null : Math.max(...times)
}

/** What EndpointSlices of the asked Service said of a pod at T: the best witness of what the proxy could have used. */

import type { EndpointSlice } from '../cluster/objects.ts'
import type { History } from '../cluster/state.ts'
import { listOf } from './conditions.ts'
import { current } from './current.ts'
import type { PodView } from './podView.ts'
import type { Scene } from './scene.ts'

export interface Listing {
  slice: History<EndpointSlice>
  /** As the slice writes it. */
  address: string
  /** `ready` true or unset: the controller takes it, whatever else is said. */
  isReady: boolean
  /** The slice was seen only later than T. */
  isLater: boolean
}

/** Entries for a pod, by uid, or by name and address where a slice does not tell the uid. */
export function listingsOf({ state, service, moment }: Scene, { history, object }: PodView): Listing[] {
  if (service === null) return []
  const { namespace, name } = service.history
  const found: Listing[] = []
  for (const slice of state.slicesOf(namespace, name)) {
    const at = current(slice, moment)
    if (at === null) continue
    for (const { addresses, conditions, targetRef } of listOf(at.object.endpoints)) {
      const [address] = listOf(addresses)
      const isThePod =
        targetRef?.uid === undefined
          ? targetRef?.name === history.name && address === object.status?.podIP
          : targetRef.uid === history.uid
      if (address === undefined || !isThePod) continue
      found.push({ slice, address, isReady: conditions?.ready !== false, isLater: at.isLater })
    }
  }
  return found
}

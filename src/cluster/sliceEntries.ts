/** What EndpointSlices told the controller, and when: their histories, read for their addresses. */

import { canonicalAddress } from './address.ts'
import type { Life } from './histories.ts'
import type { EndpointSlice, SliceEndpoint } from './objects.ts'
import type { History, SliceEntry } from './state.ts'

/** Kubernetes allows a thousand. */
const ENDPOINTS_MAX = 1_000
const ADDRESSES_MAX = 100
const SERVICE_LABEL = 'kubernetes.io/service-name'

/** Name of its Service; null: it belongs to none. */
export function serviceOfSlice(slice: EndpointSlice): string | null {
  const service = slice.metadata.labels?.[SERVICE_LABEL]
  return typeof service === 'string' && service !== '' ? service : null
}

export function sliceAddresses(slice: EndpointSlice): ReadonlySet<string> {
  return new Set(endpointsOf(slice).flatMap(addressesOf))
}

/** All entries of a slice by address, each by `fromMs`. */
export function entriesOf({ history, knownTo }: Life): ReadonlyMap<string, readonly SliceEntry[]> {
  const slices = history as History<EndpointSlice>
  const all = new Map<string, SliceEntry[]>()
  let open = new Map<string, SliceEntry>()
  for (const [i, { atMs, isObserved, object }] of slices.versions.entries()) {
    const still = new Map<string, SliceEntry>()
    for (const [key, named] of namedBy(object)) {
      const before = open.get(key)
      if (before !== undefined) still.set(key, before)
      else {
        const entry = {
          namespace: slices.namespace,
          slice: slices.name,
          fromMs: atMs,
          toMs: null,
          isFromObserved: isObserved,
          ...named
        }
        still.set(key, entry)
        const entries = all.get(entry.address)
        if (entries === undefined) all.set(entry.address, [entry])
        else entries.push(entry)
      }
    }
    for (const [key, entry] of open) if (!still.has(key)) entry.toMs = isObserved ? atMs : knownTo[i - 1]!
    open = still
  }
  if (slices.deletedMs !== null) for (const entry of open.values()) entry.toMs = knownTo.at(-1)!
  return all
}

type Named = Pick<SliceEntry, 'service' | 'address' | 'ready' | 'uid'>

/** By what makes an entry another one. */
function namedBy(slice: EndpointSlice): Map<string, Named> {
  const named = new Map<string, Named>()
  const service = serviceOfSlice(slice)
  if (service === null) return named
  for (const endpoint of endpointsOf(slice)) {
    const ready = endpoint.conditions?.ready !== false
    const uid = typeof endpoint.targetRef?.uid === 'string' ? endpoint.targetRef.uid : null
    for (const address of addressesOf(endpoint))
      named.set(JSON.stringify([service, address, ready, uid]), { service, address, ready, uid })
  }
  return named
}

function endpointsOf(slice: EndpointSlice): SliceEndpoint[] {
  if (!Array.isArray(slice.endpoints)) return []
  return slice.endpoints.slice(0, ENDPOINTS_MAX).filter(endpoint => typeof endpoint === 'object' && endpoint !== null)
}

function addressesOf(endpoint: SliceEndpoint): string[] {
  const addresses = Array.isArray(endpoint.addresses) ? endpoint.addresses.slice(0, ADDRESSES_MAX) : []
  return addresses.map(canonicalAddress).filter(address => address !== null)
}

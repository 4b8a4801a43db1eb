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

/** Addresses of a slice, but for those of endpoints that it shares with the version `before`. */
export function sliceAddresses(slice: EndpointSlice, before: EndpointSlice | null): ReadonlySet<string> {
  if (slice.endpoints === before?.endpoints) return new Set()
  const known = new Set(before === null ? [] : endpointsOf(before))
  return new Set(endpointsOf(slice).flatMap(endpoint => (known.has(endpoint) ? [] : addressesOf(endpoint))))
}

/** All entries of a slice by address, each by `fromMs`. */
export function entriesOf({ history, knownTo }: Life): ReadonlyMap<string, readonly SliceEntry[]> {
  const slices = history as History<EndpointSlice>
  const all = new Map<string, SliceEntry[]>()
  let open = new Map<Named, SliceEntry>()
  let service: string | null = null
  let seen: unknown
  const reader = new EndpointReader()
  for (const [i, { atMs, isObserved, object }] of slices.versions.entries()) {
    const before: string | null = service
    service = serviceOfSlice(object)
    if (i > 0 && service === before && object.endpoints === seen) continue
    seen = object.endpoints
    const still = new Map<Named, SliceEntry>()
    const carried = service === before ? open : still
    const endpoints = service === null ? [] : endpointsOf(object)
    for (const endpoint of endpoints)
      for (const named of reader.read(endpoint)) {
        const known = carried.get(named) ?? still.get(named)
        if (known !== undefined) still.set(named, known)
        else {
          const { address, ready, uid } = named
          const entry = {
            namespace: slices.namespace,
            service: service!,
            slice: slices.name,
            address,
            fromMs: atMs,
            toMs: null,
            ready,
            isFromObserved: isObserved,
            uid
          }
          still.set(named, entry)
          // Nearly always two or three: an array that has grown keeps room for sixteen more.
          all.set(address, [...(all.get(address) ?? []), entry])
        }
      }
    for (const [named, entry] of open) if (still.get(named) !== entry) entry.toMs = isObserved ? atMs : knownTo[i - 1]!
    open = still
  }
  if (slices.deletedMs !== null) for (const entry of open.values()) entry.toMs = knownTo.at(-1)!
  return all
}

/** What makes an entry another one, within its Service: the same object for the same. */
type Named = Pick<SliceEntry, 'address' | 'ready' | 'uid'>

/** Versions share their endpoints, so each is read once. */
class EndpointReader {
  readonly #read = new Map<SliceEndpoint, readonly Named[]>()
  readonly #named = new Map<string, Named>()

  read(endpoint: SliceEndpoint): readonly Named[] {
    let known = this.#read.get(endpoint)
    if (known === undefined) this.#read.set(endpoint, (known = this.#namedBy(endpoint)))
    return known
  }

  #namedBy(endpoint: SliceEndpoint): readonly Named[] {
    const ready = endpoint.conditions?.ready !== false
    const uid = typeof endpoint.targetRef?.uid === 'string' ? endpoint.targetRef.uid : null
    return addressesOf(endpoint).map(address => {
      const key = `${address} ${ready} ${uid ?? ''}`
      let named = this.#named.get(key)
      if (named === undefined) this.#named.set(key, (named = { address, ready, uid }))
      return named
    })
  }
}

function endpointsOf(slice: EndpointSlice): SliceEndpoint[] {
  if (!Array.isArray(slice.endpoints)) return []
  return slice.endpoints.slice(0, ENDPOINTS_MAX).filter(endpoint => typeof endpoint === 'object' && endpoint !== null)
}

function addressesOf(endpoint: SliceEndpoint): string[] {
  const addresses = Array.isArray(endpoint.addresses) ? endpoint.addresses.slice(0, ADDRESSES_MAX) : []
  return addresses.map(canonicalAddress).filter(address => address !== null)
}

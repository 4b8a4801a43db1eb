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
  let open = new Map<string, SliceEntry>()
  // Versions share their endpoints, so each is read once.
  const read = new Map<SliceEndpoint, readonly Named[]>()
  for (const [i, { atMs, isObserved, object }] of slices.versions.entries()) {
    const still = new Map<string, SliceEntry>()
    const service = serviceOfSlice(object)
    const endpoints = service === null ? [] : endpointsOf(object)
    for (const { key, ...named } of endpoints.flatMap(endpoint => namedBy(endpoint, read))) {
      const before = open.get(service + key)
      if (before !== undefined) still.set(service + key, before)
      else {
        const entry = {
          namespace: slices.namespace,
          service: service!,
          slice: slices.name,
          fromMs: atMs,
          toMs: null,
          isFromObserved: isObserved,
          ...named
        }
        still.set(service + key, entry)
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

/** `key`: what makes an entry another one, within its Service. */
type Named = Pick<SliceEntry, 'address' | 'ready' | 'uid'> & { key: string }

function namedBy(endpoint: SliceEndpoint, read: Map<SliceEndpoint, readonly Named[]>): readonly Named[] {
  const known = read.get(endpoint)
  if (known !== undefined) return known
  const ready = endpoint.conditions?.ready !== false
  const uid = typeof endpoint.targetRef?.uid === 'string' ? endpoint.targetRef.uid : null
  const named = addressesOf(endpoint).map(address => ({
    address,
    ready,
    uid,
    key: ` ${address} ${ready} ${uid ?? ''}`
  }))
  read.set(endpoint, named)
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

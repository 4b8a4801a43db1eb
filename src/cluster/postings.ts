/** Objects by what one of their versions says: an address, a label, an owner. */

import { canonicalAddress } from './address.ts'
import type { EndpointSlice, Ingress, KubeEvent, KubeObject, Pod, Service } from './objects.ts'
import { CLUSTER_KINDS, type Kind } from './objects.ts'
import type { SightingLog } from './sightings.ts'
import { serviceOfSlice, sliceAddresses } from './sliceEntries.ts'
import { podAddresses } from './tenures.ts'
import { upstreamsOfIngress, upstreamsOfService } from './upstreamNames.ts'

/** Of one object; a file with more is not indexed further. */
const LABELS_MAX = 200
/** So many are kept without a set. */
const FEW = 6
const NONE: readonly SightingLog[] = []

/** In order of arrival. */
export type Logs = readonly SightingLog[] | ReadonlySet<SightingLog>

/** What objects are found by. The text behind it is a key that `keysOf` has made. */
export type Topic = 'address' | 'label' | 'owner' | 'about' | 'told' | 'slice' | 'upstream' | 'clusterIp'

export class Postings {
  /** Most keys have one log, or three; a set of them costs ten times as much. */
  readonly #logs = new Map<string, readonly SightingLog[] | Set<SightingLog>>()

  get(topic: Topic, ...parts: string[]): Logs {
    return this.#logs.get(keyOf(topic, parts)) ?? NONE
  }

  count(topic: Topic, ...parts: string[]): number {
    const logs = this.get(topic, ...parts)
    return logs instanceof Set ? logs.size : (logs as readonly SightingLog[]).length
  }

  /** `before`: the version that was added before this one, where there is one; what they share is there already. */
  add(log: SightingLog, object: KubeObject, before: KubeObject | null = null): void {
    for (const key of keysOf(log, object, before)) {
      const logs = this.#logs.get(key)
      if (logs instanceof Set) logs.add(log)
      else if (logs === undefined) this.#logs.set(key, [log])
      else if (!logs.includes(log)) this.#logs.set(key, logs.length < FEW ? [...logs, log] : new Set([...logs, log]))
    }
  }

  /** As if the log had been added with the objects of `kept` only, instead of with those of `all`. */
  delete(log: SightingLog, all: readonly KubeObject[], kept: readonly KubeObject[] = []): void {
    const keys = keysOfAll(log, all)
    for (const key of keysOfAll(log, kept)) keys.delete(key)
    for (const key of keys) {
      const logs = this.#logs.get(key)
      if (logs instanceof Set) {
        logs.delete(log)
        if (logs.size === 0) this.#logs.delete(key)
      } else if (logs !== undefined) {
        const rest = logs.filter(other => other !== log)
        if (rest.length === 0) this.#logs.delete(key)
        else this.#logs.set(key, rest)
      }
    }
  }
}

function keysOfAll(log: SightingLog, objects: readonly KubeObject[]): Set<string> {
  const keys = new Set<string>()
  let before: KubeObject | null = null
  for (const object of objects) {
    for (const key of keysOf(log, object, before)) keys.add(key)
    before = object
  }
  return keys
}

/** uid of the owner that controls the object; null: none does. */
export function controllerOf(object: KubeObject): string | null {
  const { ownerReferences } = object.metadata
  if (!Array.isArray(ownerReferences)) return null
  const owner = ownerReferences.find(one => one?.controller === true)
  return typeof owner?.uid === 'string' ? owner.uid : null
}

/** Kind, namespace and name of what an Event is about; null: it does not tell. */
export function aboutOf(event: KubeEvent): [kind: string, namespace: string, name: string] | null {
  const { kind, namespace, name } = event.involvedObject ?? {}
  if (typeof kind !== 'string' || typeof name !== 'string') return null
  if (CLUSTER_KINDS.has(kind as Kind)) return [kind, '', name]
  const own = typeof event.metadata.namespace === 'string' ? event.metadata.namespace : ''
  return [kind, typeof namespace === 'string' && namespace !== '' ? namespace : own, name]
}

/** `Readiness probe failed: Get "http://10.1.2.3:8080/ready": …`: whom it asked, canonical; null: nobody. */
export function addressIn(message: unknown): string | null {
  if (typeof message !== 'string') return null
  const host = /\/\/(\[[0-9a-fA-F:]{2,45}\]|[0-9.]{7,15})(?::\d{1,5})?\//.exec(message)?.[1]
  return canonicalAddress(host)
}

/** All cluster addresses of a Service, canonical. */
export function clusterAddresses(service: Service): ReadonlySet<string> {
  const { spec } = service
  const listed = Array.isArray(spec?.clusterIPs) ? spec.clusterIPs.slice(0, 2) : []
  return new Set([...listed, spec?.clusterIP].map(canonicalAddress).filter(address => address !== null))
}

/** Versions share what is equal in them: what is the same in `before` needs no look. */
function keysOf(log: SightingLog, object: KubeObject, before: KubeObject | null): string[] {
  const keys: string[] = []
  const { labels, ownerReferences } = object.metadata
  const haveLabelsChanged = before === null || labels !== before.metadata.labels
  if (before === null || ownerReferences !== before.metadata.ownerReferences) {
    const owner = controllerOf(object)
    if (owner !== null) keys.push(keyOf('owner', [owner]))
  }
  switch (log.kind) {
    case 'Pod': {
      const { status } = object as Pod
      const old = (before as Pod | null)?.status
      if (old === undefined || status?.podIPs !== old.podIPs || status?.podIP !== old.podIP)
        for (const address of podAddresses(object as Pod)) keys.push(keyOf('address', ['Pod', address]))
      if (haveLabelsChanged)
        for (const [name, value] of Object.entries(labels ?? {}).slice(0, LABELS_MAX))
          if (typeof value === 'string') keys.push(keyOf('label', [log.namespace, name, value]))
      break
    }
    case 'EndpointSlice': {
      for (const address of sliceAddresses(object as EndpointSlice, before as EndpointSlice | null))
        keys.push(keyOf('address', ['EndpointSlice', address]))
      const service = haveLabelsChanged ? serviceOfSlice(object as EndpointSlice) : null
      if (service !== null) keys.push(keyOf('slice', [log.namespace, service]))
      break
    }
    case 'Event': {
      const about = aboutOf(object as KubeEvent)
      if (about !== null) keys.push(keyOf('about', about))
      const told = addressIn((object as KubeEvent).message)
      if (told !== null) keys.push(keyOf('told', [log.namespace, told]))
      break
    }
    case 'Ingress':
      for (const name of upstreamsOfIngress(object as Ingress).keys()) keys.push(keyOf('upstream', ['Ingress', name]))
      break
    case 'Service':
      for (const name of upstreamsOfService(object as Service).keys()) keys.push(keyOf('upstream', ['Service', name]))
      for (const address of clusterAddresses(object as Service)) keys.push(keyOf('clusterIp', [address]))
      break
  }
  return keys
}

function keyOf(topic: Topic, parts: readonly string[]): string {
  return `${topic}\0${parts.join('\0')}`
}

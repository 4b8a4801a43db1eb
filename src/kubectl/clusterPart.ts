/** The part of a cluster that failures concern, listed into a state: after the logs were read, because objects tell later. */

import { ApiError, type Connection } from '../cluster/apiRequest.ts'
import { certificateFacts } from '../cluster/certificate.ts'
import { openClusterState } from '../cluster/clusterIndex.ts'
import type { ListEvent } from '../cluster/event.ts'
import { keptObject } from '../cluster/keptFields.ts'
import { type ListOptions, listKinds } from '../cluster/list.ts'
import { CLUSTER_KINDS, type Kind } from '../cluster/objects.ts'
import { DEFAULT_KINDS } from '../cluster/resources.ts'
import type { ClusterState } from '../cluster/state.ts'
import type { ObjectName } from '../cluster/units.ts'

export interface PartRequest {
  connection: Connection
  /** ConfigMaps of the controllers. */
  configMaps: readonly ObjectName[]
  /** When it is, by the clock of the server, Unix ms. */
  now: () => number
  signal: AbortSignal
  /** Between tries, ms; default: waits. */
  wait?: (ms: number) => Promise<void>
}

/** A list that was refused for want of a right. */
export interface Refusal {
  kind: Kind
  /** null: everywhere. */
  namespace: string | null
}

/** Few and small, and needed whole: which Ingress has an upstream name, or matches a request that found none. */
const EVERYWHERE: readonly Kind[] = ['Ingress', ...DEFAULT_KINDS.filter(kind => CLUSTER_KINDS.has(kind))]

export class ClusterPart {
  readonly state: ClusterState = openClusterState({ keepMs: Number.POSITIVE_INFINITY })
  readonly refused: Refusal[] = []
  /** What went wrong beside refusals, in sentences. */
  readonly problems: string[] = []
  readonly listed = new Set<string>()
  readonly #request: PartRequest
  /** Kinds that were read everywhere. */
  readonly #wide = new Set<Kind>()

  constructor(request: PartRequest) {
    this.#request = request
  }

  /** What is needed of everywhere; of all kinds when `isWhole`. */
  async listEverywhere(isWhole: boolean): Promise<void> {
    const kinds = (isWhole ? DEFAULT_KINDS : EVERYWHERE).filter(kind => !this.#wide.has(kind))
    const { configMaps } = this.#request
    const read = await this.#list({ kinds, ...(this.#wide.size === 0 && { configMaps }) }, null)
    for (const kind of read) this.#wide.add(kind)
  }

  /** What was not read everywhere, of namespaces that were not listed before. */
  async listIn(namespaces: Iterable<string>): Promise<void> {
    const kinds = DEFAULT_KINDS.filter(kind => !CLUSTER_KINDS.has(kind) && !this.#wide.has(kind))
    for (const namespace of namespaces) {
      if (this.listed.has(namespace)) continue
      this.listed.add(namespace)
      if (kinds.length > 0) await this.#list({ kinds, namespaces: [namespace], isNarrow: true }, namespace)
    }
  }

  /** Names of all namespaces; empty when they may not be listed. */
  get namespaces(): string[] {
    return [...this.state.all('Namespace', null)].map(({ name }) => name)
  }

  /** Namespaces that the objects of those listed speak of, as hosts of Services; kube-system where DNS is asked. */
  mentioned(): string[] {
    const known = new Set(this.namespaces)
    const found = new Set<string>()
    for (const kind of ['Ingress', 'Service', 'Pod'] as const)
      for (const namespace of this.listed)
        for (const { versions } of this.state.all(kind, namespace)) {
          const text = JSON.stringify(versions.at(-1)!.object)
          for (const [, host] of text.matchAll(/\.([a-z0-9-]{1,63})\.svc\b/g)) if (known.has(host!)) found.add(host!)
          if (text.includes('"ExternalName"')) found.add('kube-system')
        }
    return [...found].filter(namespace => !this.listed.has(namespace)).sort()
  }

  async #list(
    options: Pick<ListOptions, 'kinds' | 'namespaces' | 'isNarrow' | 'configMaps'>,
    namespace: string | null
  ): Promise<readonly Kind[]> {
    const { connection, now, signal, wait } = this.#request
    try {
      const keep = (object: unknown) => keptObject(object, { certificateFacts })
      const events = await listKinds(connection, { ...options, keep, now, signal, ...(wait && { wait }) })
      for (const event of events) this.state.apply(event)
      const { kinds, unreadable } = events[0] as ListEvent
      for (const [kind, why] of Object.entries(unreadable) as [Kind, string][]) {
        if (why.startsWith('403')) this.refused.push({ kind, namespace })
        else if (!why.startsWith('404')) this.problems.push(`${kind} objects cannot be listed: ${why}`)
      }
      return kinds
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 401) throw error
      if (error.status === 403) this.refused.push(...options.kinds!.map(kind => ({ kind, namespace })))
      else this.problems.push(`the state of the cluster cannot be read: ${error.said}`)
      return []
    }
  }
}

/** What is asked of the API one by one: a kind everywhere, a kind in a namespace, or one object by its name. */

import type { ApiError } from './apiRequest.ts'
import { CLUSTER_KINDS, type Kind } from './objects.ts'
import { apiOf, DEFAULT_KINDS } from './resources.ts'

export interface Unit {
  kind: Kind
  /** null: all namespaces, or a kind of the cluster. */
  namespace: string | null
  /** null: all there are. */
  name: string | null
}

export interface ObjectName {
  namespace: string
  name: string
}

export interface Selection {
  /** Default: all that diagnosis reads. */
  kinds?: readonly Kind[]
  /** Where pods may be listed when they may not be listed everywhere. */
  namespaces?: readonly string[]
  /** ConfigMaps of the controllers, as `ingress-nginx/ingress-nginx-controller`. */
  configMaps?: readonly ObjectName[]
  /** TLS Secrets whose certificates are read; default: none, ever. */
  secrets?: readonly ObjectName[]
}

/** Read by name alone, so nothing of them can be called absent and no list names them. */
const NAMED_KINDS: ReadonlySet<Kind> = new Set(['ConfigMap', 'Secret'])

/** `namespaces` null: everything is listed everywhere. */
export function unitsOf(selection: Selection, namespaces: readonly string[] | null): Unit[] {
  const kinds = [...new Set(selection.kinds ?? DEFAULT_KINDS)].filter(kind => !NAMED_KINDS.has(kind))
  const everywhere = (kind: Kind): Unit => ({ kind, namespace: null, name: null })
  const named = (kind: Kind, names: readonly ObjectName[] = []) => names.map((name): Unit => ({ kind, ...name }))
  return [
    ...kinds.flatMap(kind =>
      namespaces === null || CLUSTER_KINDS.has(kind)
        ? [everywhere(kind)]
        : namespaces.map((namespace): Unit => ({ kind, namespace, name: null }))
    ),
    ...named('ConfigMap', selection.configMaps),
    ...named('Secret', selection.secrets)
  ]
}

/** The kind by which it is found out whether everything may be listed everywhere; null: none lives in a namespace. */
export function scopeKind(selection: Selection): Kind | null {
  const kinds = (selection.kinds ?? DEFAULT_KINDS).filter(kind => !CLUSTER_KINDS.has(kind) && !NAMED_KINDS.has(kind))
  return kinds.includes('Pod') ? 'Pod' : (kinds[0] ?? null)
}

/** Kinds that a list of these units holds whole. */
export function listedKinds(units: Iterable<Unit>): Kind[] {
  return [...new Set([...units].filter(({ name }) => name === null).map(({ kind }) => kind))]
}

/** Why nothing can be read, as long as nobody changes permissions or installs something; null: it may work at any time. */
export function unreadableBecause(unit: Unit, error: ApiError): string | null {
  if (error.status === 403) return error.said
  if (error.status === 404 || error.status === 405) return `404 the API ${apiOf(unit.kind)} is not served`
  return null
}

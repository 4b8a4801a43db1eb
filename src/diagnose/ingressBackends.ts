/** The backends that Ingresses name, and where in them. */

import type { Ingress, IngressBackend } from '../cluster/objects.ts'
import { listOf } from './conditions.ts'
import type { Current } from './current.ts'
import { type Fact, field } from './fact.ts'
import { hostMatches, pathMatches } from './routing.ts'
import type { Scene } from './scene.ts'

export interface BackendReference {
  ingress: Current<Ingress>
  /** `spec.rules[shop.example.com].http.paths[/cart].backend`, `spec.defaultBackend`. */
  path: string
  /** Of the rule; null: the default backend. */
  rule: { host: string | undefined; path: string; pathType: string | undefined } | null
  backend: IngressBackend
}

/** All of an Ingress, as they stand in it, its default backend last. */
export function backendsOf(ingress: Current<Ingress>): BackendReference[] {
  const { spec } = ingress.object
  const found: BackendReference[] = []
  for (const { host, http } of listOf(spec?.rules)) {
    for (const { path = '/', pathType, backend } of listOf(http?.paths)) {
      if (backend === undefined) continue
      const where = `${rulePath(host)}.http.paths[${path}].backend`
      found.push({ ingress, path: where, rule: { host, path, pathType }, backend })
    }
  }
  const backend = spec?.defaultBackend
  if (backend !== undefined) found.push({ ingress, path: 'spec.defaultBackend', rule: null, backend })
  return found
}

/** `spec.rules[shop.example.com]`; `*` for a rule that takes every host. */
export function rulePath(host: string | undefined): string {
  return `spec.rules[${host === undefined || host === '' ? '*' : host}]`
}

/**
 * Where the Service that was asked is named: by the Ingress of the log line first, else by another of its namespace (a
 * canary's); of several places the one that takes this host and path. null: nowhere.
 */
export function backendOf(scene: Scene): BackendReference | null {
  const { routed, ingress, input } = scene
  if (routed === null) return null
  const { service, port, namespace } = routed
  const rank = ({ rule, backend }: BackendReference): number =>
    (rule !== null && hostMatches(rule.host, input.host ?? '') ? 4 : 0) +
    (rule !== null && pathMatches(rule, input.path ?? '/') ? 2 + rule.path.length / 1000 : 0) +
    (port !== null && portOf(backend) === port ? 1 : 0)
  const others = scene.all('Ingress', namespace).filter(({ history }) => history.uid !== ingress?.history.uid)
  for (const among of [ingress === null ? [] : [ingress], others]) {
    const named = among.flatMap(backendsOf).filter(({ backend }) => backend.service?.name === service)
    const [first] = named.sort((a, b) => rank(b) - rank(a))
    if (first !== undefined) return first
  }
  return null
}

/** As the Ingress writes it: a number or a name; null: it names none. */
export function portOf(backend: IngressBackend | undefined): string | null {
  const { number, name } = backend?.service?.port ?? {}
  return number === undefined ? (name ?? null) : String(number)
}

export function serviceFact({ ingress, path, backend }: BackendReference): Fact {
  const name = backend.service?.name
  return field(ingress.history, `${path}.service.name`, name, `the Ingress sends requests to Service ${name}`)
}

export function portFact({ ingress, path, backend }: BackendReference): Fact {
  const { number, name } = backend.service?.port ?? {}
  const text = `the Ingress asks for port ${number ?? name} of it`
  return field(
    ingress.history,
    `${path}.service.port.${number === undefined ? 'name' : 'number'}`,
    number ?? name,
    text
  )
}

/** Names that ingress-nginx gives its upstreams: `namespace-service-port`, which cannot be taken apart by itself. */

import type { Ingress, IngressBackend, Service } from './objects.ts'
import type { UpstreamName } from './state.ts'

/** Of one object; a real Ingress has hundreds at most. */
const BACKENDS_MAX = 5_000

/** By name, what an Ingress has the controller make. */
export function upstreamsOfIngress(ingress: Ingress): Map<string, UpstreamName> {
  const backends: (IngressBackend | undefined)[] = [ingress.spec?.defaultBackend]
  for (const rule of list(ingress.spec?.rules))
    for (const path of list(rule?.http?.paths)) if (backends.length < BACKENDS_MAX) backends.push(path?.backend)
  const namespace = namespaceOf(ingress)
  const names = new Map<string, UpstreamName>()
  for (const backend of backends) {
    const service = backend?.service?.name
    const port = portText(backend?.service?.port?.number) ?? portText(backend?.service?.port?.name)
    if (typeof service === 'string' && port !== null) add(names, { namespace, service, port })
  }
  return names
}

/** By name, what an Ingress could have the controller make of a Service, and what `default-backend` annotations do. */
export function upstreamsOfService(service: Service): Map<string, UpstreamName> {
  const names = new Map<string, UpstreamName>()
  const namespace = namespaceOf(service)
  const { name } = service.metadata
  for (const [i, port] of list(service.spec?.ports).slice(0, BACKENDS_MAX).entries()) {
    const number = portText(port?.port)
    // The controller takes the first port there.
    if (i === 0 && number !== null)
      names.set(`custom-default-backend-${namespace}-${name}`, { namespace, service: name, port: number })
    for (const text of [number, portText(port?.name)])
      if (text !== null) add(names, { namespace, service: name, port: text })
  }
  return names
}

function add(names: Map<string, UpstreamName>, upstream: UpstreamName): void {
  names.set(`${upstream.namespace}-${upstream.service}-${upstream.port}`, upstream)
}

function portText(port: unknown): string | null {
  if (typeof port === 'number') return port > 0 ? String(port) : null
  return typeof port === 'string' && port !== '' ? port : null
}

function namespaceOf(object: Ingress | Service): string {
  return typeof object.metadata.namespace === 'string' ? object.metadata.namespace : ''
}

function list<T>(items: readonly T[] | undefined): readonly T[] {
  return Array.isArray(items) ? (items as readonly T[]) : []
}

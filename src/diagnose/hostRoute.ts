/** Where a request was sent when its line does not tell: host and path over the Ingresses, as ingress-nginx routes. */

import type { Ingress } from '../cluster/objects.ts'
import type { Current } from './current.ts'
import { type BackendReference, backendsOf, portOf } from './ingressBackends.ts'
import { type ClassScene, controllerClasses, isTaken } from './ingressClasses.ts'
import { isCanary, isPathTaken } from './ingressMatch.ts'
import type { DiagnosisInput } from './input.ts'
import { hostMatches, type Routed } from './routing.ts'

export interface HostRoute {
  routed: Routed
  ingress: Current<Ingress>
}

/** Requests that no Ingress took, or that ended before they had a path. */
const UNROUTED: ReadonlySet<string> = new Set(['no_route', 'client_tls_failure', 'config_reload'])

/**
 * The backend that takes host and path: in the Ingress of the line, else in all of the controller's class. `told`: what the
 * line tells of the Service; only a backend of that counts. null: nothing is missing, or nothing decides.
 */
export function hostRoute(input: DiagnosisInput, told: Routed | null, scene: ClassScene): HostRoute | null {
  if (UNROUTED.has(input.symptom) || (told !== null && told.port !== null)) return null
  const { host, path } = input
  if (host === null && input.ingress === null) return null
  const all = scene.all('Ingress', told?.namespace ?? input.namespace)
  const named = all.filter(({ history }) => history.name === input.ingress)
  const classes = controllerClasses(scene)
  const own = all.filter(ingress => isTaken(ingress, classes) && !isCanary(ingress))
  const pools = [named, own].map(pool => pool.flatMap(backendsOf).filter(item => isAsked(item, input, told)))
  for (const pool of pools) {
    const found = host === null ? null : takenBy(pool, host, path)
    if (found !== null) return routeOf(found)
  }
  const found = agreed(pools[0]!)
  return found === null ? null : routeOf(found)
}

/** It is a Service, and what the line does tell does not speak against it. */
function isAsked(
  { ingress, backend }: BackendReference,
  { service, port, detail }: DiagnosisInput,
  told: Routed | null
) {
  const { name } = backend.service ?? {}
  if (name === undefined) return false
  if (told !== null) return name === told.service
  if ((service !== null && service !== name) || (port !== null && port !== portOf(backend))) return false
  const { upstreamName } = detail
  const own = `${ingress.history.namespace}-${name}-${portOf(backend)}`
  return upstreamName === null || upstreamName === '' || upstreamName === '-' || upstreamName === own
}

/** The server of the host first (exact, wildcard, none), there an exact path, then the longest; of equal ones the oldest. */
function takenBy(pool: readonly BackendReference[], host: string, path: string | null): BackendReference | null {
  const ofHost = pool.filter(({ rule }) => rule !== null && hostMatches(rule.host, host))
  const server = Math.max(...ofHost.map(({ rule }) => serverRank(rule!.host)))
  const ofServer = ofHost.filter(({ rule }) => serverRank(rule!.host) === server)
  if (path === null) return agreed(ofServer)
  const [first] = ofServer
    .filter(reference => isPathTaken(reference, path))
    .sort(
      (a, b) =>
        Number(b.rule!.pathType === 'Exact') - Number(a.rule!.pathType === 'Exact') ||
        b.rule!.path.length - a.rule!.path.length ||
        (a.ingress.history.createdMs ?? 0) - (b.ingress.history.createdMs ?? 0)
    )
  if (first !== undefined) return first
  const hosts = new Set(ofServer.map(({ ingress }) => ingress))
  return pool.find(({ rule, ingress }) => rule === null && hosts.has(ingress)) ?? null
}

function serverRank(host: string | undefined): number {
  return host === undefined || host === '' ? 0 : host.startsWith('*.') ? 1 : 2
}

/** The one backend that all of them name; null: they name several, or none. */
function agreed(pool: readonly BackendReference[]): BackendReference | null {
  const names = new Set(pool.map(({ backend }) => `${backend.service?.name}:${portOf(backend)}`))
  return names.size === 1 ? pool[0]! : null
}

function routeOf({ ingress, backend }: BackendReference): HostRoute {
  const routed = { namespace: ingress.history.namespace, service: backend.service!.name, port: portOf(backend) }
  return { routed, ingress }
}

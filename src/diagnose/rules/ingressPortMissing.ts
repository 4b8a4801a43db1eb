import { nameOf } from '../fact.ts'
import { backendOf, portFact, portOf, serviceFact } from '../ingressBackends.ts'
import { servicePortFacts } from '../ports.ts'
import { servicePortOf } from '../routing.ts'
import type { Rule } from '../rule.ts'

/** The Ingress asks for a port that the Service has not, neither by number nor by name nor as target port. */
export const ingressPortMissing: Rule = {
  cause: 'ingress_port_missing',
  judge(scene) {
    const { service } = scene
    // An ExternalName Service needs no ports.
    if (service === null || service.object.spec?.type === 'ExternalName') return null
    const reference = backendOf(scene)
    const port = portOf(reference?.backend) ?? scene.routed?.port ?? null
    if (port === null || servicePortOf(service.object, port) !== null) return null
    const asked = reference === null || portOf(reference.backend) === null ? null : portFact(reference)
    return {
      tier: 'A',
      ref: reference === null ? nameOf(service.history) : nameOf(reference.ingress.history),
      atMs: null,
      needs: [...(asked === null ? [] : [asked]), ...servicePortFacts(service)],
      supports: reference === null ? [] : [serviceFact(reference)],
      isUnobserved: asked === null
    }
  }
}

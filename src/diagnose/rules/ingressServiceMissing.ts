import { nameOf } from '../fact.ts'
import { backendOf, serviceFact } from '../ingressBackends.ts'
import type { Rule } from '../rule.ts'

/** The Ingress sends requests to a Service that is not in its namespace. */
export const ingressServiceMissing: Rule = {
  cause: 'ingress_service_missing',
  judge(scene) {
    const reference = backendOf(scene)
    const { routed } = scene
    if (reference === null || routed === null) return null
    const { namespace } = reference.ingress.history
    const { service } = routed
    const text = `no Service ${namespace}/${service} was there; one of that name elsewhere does not count`
    const missing = scene.absence('Service', namespace, service, text)
    if (missing === null) return { because: `Service ${namespace}/${service} was there` }
    return {
      tier: 'A',
      ref: nameOf(reference.ingress.history),
      atMs: null,
      needs: [serviceFact(reference), missing.fact],
      isUnobserved: !missing.isCertain
    }
  }
}

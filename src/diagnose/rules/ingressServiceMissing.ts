import { listOf } from '../conditions.ts'
import { field } from '../fact.ts'
import type { Rule } from '../rule.ts'

/** The Ingress sends requests to a Service that is not in its namespace. */
export const ingressServiceMissing: Rule = {
  cause: 'ingress_service_missing',
  judge(scene) {
    const { ingress, routed } = scene
    if (ingress === null || routed === null) return null
    const { namespace } = ingress.history
    const { service } = routed
    const path = backendPath(scene.ingress!.object.spec, service)
    if (path === null) return null
    const text = `no Service ${namespace}/${service} was there; one of that name elsewhere does not count`
    const missing = scene.absence('Service', namespace, service, text)
    if (missing === null) return { because: `Service ${namespace}/${service} was there` }
    return {
      tier: 'A',
      ref: `Ingress ${namespace}/${ingress.history.name}`,
      atMs: null,
      needs: [field(ingress.history, path, service, `the Ingress sends requests to ${service}`), missing.fact],
      isUnobserved: !missing.isCertain
    }
  }
}

type Spec = NonNullable<import('../../cluster/objects.ts').Ingress['spec']>

/** Where an Ingress names a Service as backend; null: nowhere. */
function backendPath(spec: Spec | undefined, service: string): string | null {
  for (const { host = '*', http } of listOf(spec?.rules)) {
    for (const { path = '/', backend } of listOf(http?.paths)) {
      if (backend?.service?.name === service) return `spec.rules[${host}].http.paths[${path}].backend.service.name`
    }
  }
  return spec?.defaultBackend?.service?.name === service ? 'spec.defaultBackend.service.name' : null
}

/** What is settled before any rule: which Service really failed, and which symptom its rules are asked with. */

import type { Cause } from '../../parsers/causes.ts'
import type { Ingress, IngressBackend } from '../cluster/objects.ts'
import { listOf } from './conditions.ts'
import type { Diagnosis } from './diagnosis.ts'
import { type Fact, field } from './fact.ts'
import { ANNOTATION_PREFIX, type Scene } from './scene.ts'

export interface Resolved {
  scene: Scene
  symptom: Cause
  /** Makes the answer for the failure of the answer for the scene; null: they are one. */
  wrap: ((diagnosis: Diagnosis) => Diagnosis) | null
}

const DEFAULT_UPSTREAM = /^(upstream-default-backend$|custom-default-backend-)/

export function resolve(scene: Scene): Resolved {
  const reference = defaultBackendReference(scene)
  if (reference !== null) {
    const inner = reference.change === null ? scene : scene.asIf(reference.change)
    const { scene: resolved, symptom } = byClusterIp(inner)
    return { scene: resolved, symptom, wrap: diagnosis => asDefaultBackend(diagnosis, reference.fact, resolved) }
  }
  return { ...byClusterIp(scene), wrap: null }
}

/** With `service-upstream` the address is the Service's own: a refusal means that it had no ready endpoint. */
function byClusterIp(scene: Scene): Omit<Resolved, 'wrap'> {
  const { service, upstream, symptom } = scene
  const addresses = [service?.object.spec?.clusterIP, ...listOf(service?.object.spec?.clusterIPs)]
  if (upstream === null || !addresses.includes(upstream.ip)) return { scene, symptom }
  if (symptom !== 'connection_refused') return { scene, symptom }
  return { scene: scene.asIf({ symptom: 'no_endpoints' }), symptom: 'no_endpoints' }
}

interface Reference {
  fact: Fact
  /** null: the scene is of that Service already. */
  change: { namespace: string; service: string; port: string | null } | null
}

/** Who names the failing Service as a default backend; null: it is an ordinary one. */
function defaultBackendReference(scene: Scene): Reference | null {
  const { upstreamName } = scene.input.detail
  const { ingress } = scene
  const isByName = upstreamName !== null && DEFAULT_UPSTREAM.test(upstreamName)
  const service = scene.routed?.service ?? null
  if (ingress === null) return null
  const { namespace } = ingress.history
  const annotation = scene.annotation('default-backend')
  if (annotation !== null && (isByName || annotation === service)) {
    const path = `metadata.annotations[${ANNOTATION_PREFIX}default-backend]`
    const fact = field(ingress.history, path, annotation, `the Ingress names ${annotation} as its default backend`)
    return { fact, change: annotation === service ? null : { namespace, service: annotation, port: null } }
  }
  const backend = ingress.object.spec?.defaultBackend
  const name = backend?.service?.name
  if (backend === undefined || name === undefined) return null
  // A Service that a rule sends requests to as well was asked as such, unless the upstream's name says otherwise.
  if (!isByName && (name !== service || isInRules(ingress.object, name))) return null
  const text = `the Ingress names ${name} as its default backend`
  const fact = field(ingress.history, 'spec.defaultBackend.service.name', name, text)
  return { fact, change: name === service ? null : { namespace, service: name, port: portOf(backend) } }
}

function isInRules({ spec }: Ingress, name: string): boolean {
  return listOf(spec?.rules).some(rule =>
    listOf(rule.http?.paths).some(({ backend }) => backend?.service?.name === name)
  )
}

export function portOf(backend: IngressBackend | undefined): string | null {
  const { number, name } = backend?.service?.port ?? {}
  return number === undefined ? (name ?? null) : String(number)
}

function asDefaultBackend(diagnosis: Diagnosis, fact: Fact, scene: Scene): Diagnosis {
  if (diagnosis.rootCause === 'undetermined') return diagnosis
  return {
    ...diagnosis,
    rootCause: 'default_backend_unhealthy',
    variant: null,
    ref: diagnosis.ref,
    evidence: [fact, ...diagnosis.evidence],
    chain: [scene.input.symptom, 'default_backend_unhealthy', ...diagnosis.chain.slice(1)]
  }
}

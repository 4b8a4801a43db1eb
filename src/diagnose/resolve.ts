/** What is settled before any rule: which Service really failed, and which symptom its rules are asked with. */

import type { Cause } from '../../parsers/causes.ts'
import { isSameAddress } from './cidr.ts'
import { listOf } from './conditions.ts'
import { controllerArgument } from './controller.ts'
import type { Diagnosis } from './diagnosis.ts'
import { type Fact, field } from './fact.ts'
import { type BackendReference, backendsOf, portOf } from './ingressBackends.ts'
import type { Scene } from './scene.ts'
import { annotationPath } from './setting.ts'

export interface Resolved {
  scene: Scene
  symptom: Cause
  /** Makes the answer for the failure of the answer for the scene; null: they are one. */
  wrap: ((diagnosis: Diagnosis) => Diagnosis) | null
}

const GLOBAL_UPSTREAM = 'upstream-default-backend'
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
  if (upstream === null || !addresses.some(item => item !== undefined && isSameAddress(item, upstream.ip)))
    return { scene, symptom }
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
  // A request that no Ingress takes ends there too, and nothing is wrong with who answers it.
  if (scene.symptom === 'no_route') return null
  const isByName = upstreamName !== null && DEFAULT_UPSTREAM.test(upstreamName)
  return ofIngress(scene, isByName) ?? (upstreamName === GLOBAL_UPSTREAM ? ofController(scene) : null)
}

function ofIngress(scene: Scene, isByName: boolean): Reference | null {
  const { ingress } = scene
  const service = scene.routed?.service ?? null
  if (ingress === null) return null
  const { namespace } = ingress.history
  const annotation = scene.annotation('default-backend')
  // A Service that a rule sends requests to as well was asked as such, unless the upstream's name says otherwise.
  const isOrdinary = service !== null && backendsOf(ingress).some(item => item.rule !== null && isOf(item, service))
  if (annotation !== null && (isByName || (annotation === service && !isOrdinary))) {
    const text = `the Ingress names ${annotation} as its default backend`
    const fact = field(ingress.history, annotationPath('default-backend'), annotation, text)
    return { fact, change: annotation === service ? null : { namespace, service: annotation, port: null } }
  }
  const reference = backendsOf(ingress).find(({ rule }) => rule === null)
  const name = reference?.backend.service?.name
  if (reference === undefined || name === undefined) return null
  if (!isByName && (name !== service || isOrdinary)) return null
  const text = `the Ingress names ${name} as its default backend`
  const fact = field(ingress.history, `${reference.path}.service.name`, name, text)
  return { fact, change: name === service ? null : { namespace, service: name, port: portOf(reference.backend) } }
}

function isOf({ backend }: BackendReference, service: string): boolean {
  return backend.service?.name === service
}

/** `--default-backend-service=namespace/name`: of all Ingresses that name none. */
function ofController({ controller }: Scene): Reference | null {
  const [pod] = controller.pods
  const argument = pod && controllerArgument(pod, 'default-backend-service')
  if (!pod || !argument) return null
  const [namespace, service] = argument.value.replace('$(POD_NAMESPACE)', pod.history.namespace).split('/')
  if (!namespace || !service) return null
  const fact = field(pod.history, argument.path, argument.text, `the controller's default backend is ${argument.value}`)
  return { fact, change: { namespace, service, port: null } }
}

function asDefaultBackend(diagnosis: Diagnosis, fact: Fact, scene: Scene): Diagnosis {
  if (diagnosis.rootCause === 'undetermined') return diagnosis
  return {
    ...diagnosis,
    rootCause: 'default_backend_unhealthy',
    variant: null,
    evidence: [fact, ...diagnosis.evidence],
    chain: [scene.input.symptom, 'default_backend_unhealthy', ...diagnosis.chain.slice(1)]
  }
}

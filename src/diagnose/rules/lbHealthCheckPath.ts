import type { Container, Ingress } from '../../cluster/objects.ts'
import type { Current } from '../current.ts'
import { type Fact, field, nameOf } from '../fact.ts'
import { backendsOf } from '../ingressBackends.ts'
import { annotationOf, classFacts, classOf, controllerClasses, isTaken } from '../ingressClasses.ts'
import { nearestTo, ruleFacts } from '../ingressMatch.ts'
import type { PodView } from '../podView.ts'
import type { Finding, Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { probePort, servingContainer } from '../servingContainer.ts'

const BACKENDS = 'ingress.kubernetes.io/backends'
const CLASSES = new Set(['gce', 'gce-internal'])
const CHECKERS = /GoogleHC|ELB-HealthChecker/
const VALUE_MAX = 300
const CITED_PODS = 4

/** A cloud load balancer asks "/" for its health check, because the pods have no readiness probe that tells it better. */
export const lbHealthCheckPath: Rule = {
  cause: 'lb_health_check_path',
  judge(scene) {
    return byAnnotation(scene) ?? byAgent(scene)
  }
}

function byAnnotation(scene: Scene): Finding | { because: string } | null {
  const ingress = cloudIngress(scene)
  const value = ingress && annotationOf(ingress.object.metadata.annotations, BACKENDS)
  if (ingress === null || value === null || !value.includes('UNHEALTHY')) return null
  const serving = served(scene)
  if (serving?.hasProbe === true) return { because: `${serving.pod.ref} has a readiness probe on the port it serves` }
  const text = 'the load balancer finds a backend unhealthy'
  return {
    tier: 'A',
    ref: nameOf(ingress.history),
    atMs: null,
    needs: [
      field(ingress.history, `metadata.annotations[${BACKENDS}]`, value.slice(0, VALUE_MAX), text),
      ...(serving?.facts ?? []),
      ...classFacts(ingress)
    ],
    isUnobserved: serving === null
  }
}

/** The health checker's own requests, in the log. */
function byAgent(scene: Scene): Finding | null {
  const { agent, upstreamStatus } = scene.input.detail
  const status = scene.input.status ?? upstreamStatus
  if (agent === null || !CHECKERS.test(agent) || status === null || status === 200) return null
  const serving = served(scene)
  const said = `a health check of the load balancer was answered with ${status}`
  const seen = askedFact(scene, said)
  if (seen === null) return null
  const needs = serving === null || serving.hasProbe ? [seen.fact] : [...serving.facts, seen.fact]
  return { tier: 'A', ref: seen.ref, atMs: null, needs }
}

/** What the health check asked, as far as it is known: Ingress, Service, else the controller, else what came nearest to it. */
function askedFact(scene: Scene, text: string): { ref: string; fact: Fact } | null {
  const { ingress, service, controller } = scene
  const [pod] = controller.pods
  if (ingress !== null)
    return {
      ref: nameOf(ingress.history),
      fact: field(ingress.history, 'spec.ingressClassName', classOf(ingress), text)
    }
  if (service !== null)
    return { ref: nameOf(service.history), fact: field(service.history, 'spec.type', service.object.spec?.type, text) }
  if (pod !== undefined) return { ref: pod.ref, fact: field(pod.history, 'metadata.name', pod.history.name, text) }
  return nearestFact(scene, text)
}

/** Of a cluster of which the controller is not known: the Ingress whose rule comes nearest, else the controller's class. */
function nearestFact(scene: Scene, text: string): { ref: string; fact: Fact } | null {
  const { host, path } = scene.input
  const classes = controllerClasses(scene)
  const all = scene.all('Ingress', null)
  const own = all.filter(ingress => isTaken(ingress, classes))
  const nearest = nearestTo(own, host ?? '', path ?? '/') ?? nearestTo(all, host ?? '', path ?? '/')
  if (nearest !== null) {
    const [first] = ruleFacts(nearest)
    return first === undefined ? null : { ref: nameOf(nearest.ingress.history), fact: { ...first, text } }
  }
  const [fact] = classes.facts
  return fact === undefined ? null : { ref: 'Ingress', fact: { ...fact, text } }
}

/** The Ingress of the failure, else one of the load balancer that leads to the same Service or to the controller's. */
function cloudIngress(scene: Scene): Current<Ingress> | null {
  const isCloud = (ingress: Current<Ingress>): boolean => CLASSES.has(classOf(ingress) ?? '')
  const { ingress, routed, controller } = scene
  if (ingress !== null && isCloud(ingress)) return ingress
  const namespaces = new Set([routed?.namespace, controller.namespace])
  for (const namespace of namespaces) {
    if (!namespace) continue
    const found = scene
      .all('Ingress', namespace)
      .find(item => isCloud(item) && (namespace !== routed?.namespace || leadsTo(item, routed.service)))
    if (found !== undefined) return found
  }
  return null
}

function leadsTo(ingress: Current<Ingress>, service: string): boolean {
  return backendsOf(ingress).some(({ backend }) => backend.service?.name === service)
}

interface Serving {
  pod: PodView
  hasProbe: boolean
  facts: Fact[]
}

/** CTR of the pod, or of those of the Service; one with a probe is enough for the health check to follow it. */
function served(scene: Scene): Serving | null {
  const pods = scene.pod === null ? scene.pods : [scene.pod]
  const facts: Fact[] = []
  for (const pod of pods) {
    const port = scene.upstream?.port ?? scene.withPod(pod).targetPort
    const container = servingContainer(pod.object, port)
    if (container === null) continue
    const probe = container.readinessProbe
    const asked = probePort(container, probe)
    if (probe?.httpGet !== undefined && (asked === null || port === null || asked === port))
      return { pod, hasProbe: true, facts: [] }
    facts.push(probeFact(pod, container))
  }
  return facts.length === 0 ? null : { pod: pods[0]!, hasProbe: false, facts: facts.slice(0, CITED_PODS) }
}

function probeFact(pod: PodView, container: Container): Fact {
  const path = `spec.containers[${container.name}].readinessProbe`
  const probe = container.readinessProbe
  if (probe === undefined)
    return field(
      pod.history,
      path,
      null,
      `container ${container.name} has no readiness probe: the health check asks "/"`
    )
  if (probe.httpGet === undefined)
    return field(pod.history, `${path}.httpGet`, null, 'its readiness probe asks no path: the health check asks "/"')
  return field(
    pod.history,
    `${path}.httpGet.port`,
    probe.httpGet.port,
    'its readiness probe asks another port: the health check asks "/"'
  )
}

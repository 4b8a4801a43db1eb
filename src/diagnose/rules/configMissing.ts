import type { Container } from '../../cluster/objects.ts'
import { listOf } from '../conditions.ts'
import type { EventSpan } from '../events.ts'
import { eventFacts, type Fact, field } from '../fact.ts'
import { EPSILON_MS } from '../moment.ts'
import type { PodView } from '../podView.ts'
import type { Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { waitingFacts } from './containerStartFailed.ts'

const CREATING: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing', ''])
const NOT_FOUND = /\b(configmap|secret)s? "?(?:[^"/\s]+\/)?([a-z0-9][-.a-z0-9]*)"? not found/i
const NO_KEY = /references non-existent (?:config|secret) key/i

/** A ConfigMap, a Secret or a key that the pod refers to is not there. */
export const configMissing: Rule = {
  cause: 'config_missing',
  explains: ['readiness_failing', 'init_container_stuck'],
  judge(scene) {
    const { pod } = scene
    if (pod === null) return null
    const containers = [...pod.initContainers, ...pod.containers]
    for (const { name } of containers) {
      const waiting = pod.waitings(name).find(({ reason }) => reason === 'CreateContainerConfigError')
      if (waiting === undefined) continue
      const text = `container ${name} cannot be made: ${waiting.message ?? 'something it refers to is missing'}`
      return {
        tier: 'A',
        ref: pod.ref,
        atMs: pod.history.createdMs,
        needs: waitingFacts(pod, waiting, text),
        supports: referenceFacts(scene, pod, waiting.message ?? '')
      }
    }
    const event = mountEvent(pod)
    if (event === null) return null
    const said = containers.flatMap(({ name }) => pod.waitings(name))
    const creating = said.find(({ reason }) => CREATING.has(reason))
    const runs = containers.some(({ name }) => pod.runs(name) === true)
    if (runs || (creating === undefined && said.length > 0))
      return { because: `${pod.ref} had got past mounting its volumes by then` }
    const phase = pod.object.status?.phase
    return {
      tier: 'A',
      ref: pod.ref,
      atMs: event.firstMs,
      needs: [
        ...eventFacts(event, event.lastMs, `a volume of ${pod.ref} needs what is not there: ${event.message}`),
        ...(creating === undefined ? [] : waitingFacts(pod, creating, 'its containers wait for the volume')),
        ...(creating === undefined && phase !== undefined
          ? [field(pod.history, 'status.phase', phase, `the pod is ${phase}`)]
          : [])
      ],
      supports: referenceFacts(scene, pod, event.message)
    }
  }
}

/** A mount that failed by T for want of a ConfigMap, a Secret, or a key of one. */
function mountEvent(pod: PodView): EventSpan | null {
  return (
    pod.events.findLast(
      ({ reason, message, firstMs }) =>
        reason === 'FailedMount' &&
        (NOT_FOUND.test(message) || NO_KEY.test(message)) &&
        pod.moment.isPast(firstMs - EPSILON_MS)
    ) ?? null
  )
}

/** Where the pod refers to the object that a message names, and that it is not there. */
function referenceFacts(scene: Scene, pod: PodView, message: string): Fact[] {
  const match = NOT_FOUND.exec(message)
  if (match === null) return []
  const kind = match[1]!.toLowerCase() === 'secret' ? 'Secret' : 'ConfigMap'
  const name = match[2]!
  const facts: Fact[] = []
  for (const container of [...pod.initContainers, ...pod.containers])
    facts.push(...inContainer(pod, container, kind, name))
  for (const { name: volume, configMap, secret } of listOf(pod.object.spec?.volumes)) {
    const path = `spec.volumes[${volume}]`
    if (kind === 'ConfigMap' && configMap?.name === name)
      facts.push(field(pod.history, `${path}.configMap.name`, name, `volume ${volume} is made of it`))
    if (kind === 'Secret' && secret?.secretName === name)
      facts.push(field(pod.history, `${path}.secret.secretName`, name, `volume ${volume} is made of it`))
  }
  const { namespace } = pod.history
  const missing = scene.absence(kind, namespace, name, `there is no ${kind} ${namespace}/${name}`)
  if (missing?.isCertain) facts.push(missing.fact)
  return facts
}

function inContainer(pod: PodView, container: Container, kind: 'Secret' | 'ConfigMap', name: string): Fact[] {
  const path = pod.specPath(container.name)
  const reference = kind === 'Secret' ? 'secretKeyRef' : 'configMapKeyRef'
  const source = kind === 'Secret' ? 'secretRef' : 'configMapRef'
  const facts: Fact[] = []
  for (const { name: variable, valueFrom } of listOf(container.env)) {
    if (valueFrom?.[reference]?.name !== name) continue
    facts.push(
      field(pod.history, `${path}.env[${variable}].valueFrom.${reference}.name`, name, `${variable} is taken from it`)
    )
  }
  for (const item of listOf(container.envFrom)) {
    if (item[source]?.name !== name) continue
    facts.push(field(pod.history, `${path}.envFrom[${name}].${source}.name`, name, 'its environment is taken from it'))
  }
  return facts
}

import type { Container } from '../../cluster/objects.ts'
import { listOf } from '../conditions.ts'
import { type Fact, field, nameOf } from '../fact.ts'
import type { PodView } from '../podView.ts'
import { quantityOf } from '../quantity.ts'
import { readyFacts } from '../readyFacts.ts'
import type { Finding, Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { timeOf } from '../times.ts'

const EXHAUSTED = /worker_connections are not enough|too many open files/i
/** How far a measurement may be from T. */
const NEAR_MS = 90_000
const FULL = 0.9
const CONTAINER = 'controller'
/** The usual place. */
const CONFIG_MAP = { namespace: 'ingress-nginx', name: 'ingress-nginx-controller' }

/** The controller ran out of connections, files, memory or CPU, or was down itself. */
export const controllerResources: Rule = {
  cause: 'controller_resources',
  judge(scene) {
    const { symptom, input } = scene
    const down = firstOf(scene, pod => downOf(pod))
    const isSaid =
      symptom === 'controller_overload' ||
      symptom === 'local_port_exhausted' ||
      EXHAUSTED.test(input.detail.error ?? '')
    if (!isSaid) return down ?? firstOf(scene, pod => fullOf(scene, pod))
    const limit = limitOf(scene)
    const [pod] = scene.controller.pods
    const { namespace, name } = CONFIG_MAP
    const configMap = nameOf({ kind: 'ConfigMap', namespace: scene.controller.namespace ?? namespace, name })
    return {
      tier: 'A',
      ref: pod?.ref ?? configMap,
      atMs: down?.atMs ?? null,
      needs: [limit.fact, ...(down?.needs ?? [])],
      supports: pod === undefined ? [] : readyFacts(pod, `${pod.ref} was Ready`).slice(0, 1),
      isUnobserved: !limit.isCertain
    }
  }
}

/** Where the number of connections is set; without a ConfigMap the default holds. */
function limitOf(scene: Scene): { fact: Fact; isCertain: boolean } {
  const { fact } = scene.setting('max-worker-connections')
  if (fact !== null) return { fact, isCertain: true }
  const namespace = scene.controller.namespace ?? CONFIG_MAP.namespace
  const text = 'the controller has no ConfigMap: the default of max-worker-connections holds'
  return scene.absence('ConfigMap', namespace, CONFIG_MAP.name, text)!
}

/** Of the pod that wrote the lines, where the log tells which; else the first for which it holds. */
function firstOf({ controller, input }: Scene, judge: (pod: PodView) => Finding | null): Finding | null {
  const asked = controller.pods.filter(({ history }) => history.name === input.controllerPod)
  for (const pod of asked.length > 0 ? asked : controller.pods) {
    const found = judge(pod)
    if (found !== null) return found
  }
  return null
}

function containerOf(pod: PodView): Container | null {
  return pod.container(CONTAINER) ?? pod.containers[0] ?? null
}

function downOf(pod: PodView): Finding | null {
  const container = containerOf(pod)
  const down = container && pod.down(container.name)
  if (!container || !down) return null
  const { reason, exitCode, finishedMs, path } = down.termination
  const facts: Fact[] = [
    field(pod.history, `${path}.reason`, reason, `the controller ended: ${reason ?? 'no reason is told'}`, finishedMs)
  ]
  if (exitCode !== null)
    facts.push(field(pod.history, `${path}.exitCode`, exitCode, `its exit code was ${exitCode}`, finishedMs))
  return { tier: 'A', ref: pod.ref, atMs: finishedMs, needs: facts }
}

/** What it used near T, against its limits. */
function fullOf({ state, moment }: Scene, pod: PodView): Finding | null {
  const container = containerOf(pod)
  if (container === null) return null
  const { namespace, name } = pod.history
  for (const history of state.named('PodMetrics', namespace, name)) {
    for (const { object } of history.versions) {
      const atMs = timeOf(object.timestamp)
      if (atMs === null || !moment.isWithin(atMs - NEAR_MS, atMs + NEAR_MS)) continue
      const usage = listOf(object.containers).find(item => item.name === container.name)?.usage
      for (const resource of ['cpu', 'memory'] as const) {
        const limitText = container.resources?.limits?.[resource]
        const used = quantityOf(usage?.[resource])
        const limit = quantityOf(limitText)
        if (used === null || limit === null || used < FULL * limit) continue
        const path = `spec.containers[${container.name}].resources.limits.${resource}`
        const text = `the controller used ${usage![resource]} ${resource} of ${limitText}`
        return {
          tier: 'A',
          ref: pod.ref,
          atMs,
          needs: [
            field(history, `containers[${container.name}].usage.${resource}`, usage![resource], text, atMs),
            field(pod.history, path, limitText, `its limit is ${limitText}`)
          ]
        }
      }
    }
  }
  return null
}

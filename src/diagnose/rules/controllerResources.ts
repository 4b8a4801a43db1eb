import type { Container } from '../../cluster/objects.ts'
import { listOf } from '../conditions.ts'
import { type Fact, field } from '../fact.ts'
import type { PodView } from '../podView.ts'
import { quantityOf } from '../quantity.ts'
import type { Finding, Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { timeOf } from '../times.ts'

const EXHAUSTED = /worker_connections are not enough|too many open files/i
/** How far a measurement may be from T. */
const NEAR_MS = 90_000
const FULL = 0.9
const CONTAINER = 'controller'

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
    const limit = scene.setting('max-worker-connections').fact
    const [pod] = scene.controller.pods
    const ref = scene.configMap === null ? (pod?.ref ?? 'the controller') : refOf(scene)
    const needs = [...(limit === null ? [] : [limit]), ...(down?.needs ?? [])]
    return { tier: 'A', ref: pod?.ref ?? ref, atMs: down?.atMs ?? null, needs, isUnobserved: needs.length === 0 }
  }
}

function refOf({ configMap }: Scene): string {
  return `ConfigMap ${configMap!.history.namespace}/${configMap!.history.name}`
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

import type { Container, PodMetrics } from '../../cluster/objects.ts'
import { listOf } from '../conditions.ts'
import { type Fact, field, nameOf } from '../fact.ts'
import type { PodView } from '../podView.ts'
import { quantityOf } from '../quantity.ts'
import type { Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { timeOf } from '../times.ts'

/** So far from T a measurement still tells of it. */
const NEAR_MS = 90_000
const FULL = 0.9

/** The container uses all the CPU it may use. */
export const cpuSaturated: Rule = {
  cause: 'cpu_saturated',
  isOfPod: true,
  explains: ['app_slow', 'client_abort'],
  yieldsTo: ['autoscaler_limited'],
  judge(scene) {
    const { pod, container } = scene
    if (pod === null || container === null) return null
    const used = usage(scene, pod, container)
    if (used === null) return null
    const limit = limitOf(scene, pod, container)
    if (limit === null) return null
    const share = Math.round((used.cores / limit.cores) * 100)
    if (used.cores < FULL * limit.cores) return { because: `${pod.ref} used ${share} % of the CPU that it may use` }
    return { tier: 'B', ref: pod.ref, atMs: used.atMs, needs: [...used.facts(share), limit.fact] }
  }
}

interface Usage {
  cores: number
  atMs: number
  facts: (share: number) => Fact[]
}

/** The highest measurement of the container near T; null: none is near. */
function usage({ state, moment }: Scene, pod: PodView, { name }: Container): Usage | null {
  let best: Usage | null = null
  for (const history of state.named('PodMetrics', pod.history.namespace, pod.history.name)) {
    for (const { object, atMs: seenMs } of history.versions) {
      const metrics: PodMetrics = object
      const atMs = timeOf(metrics.timestamp) ?? seenMs
      if (!moment.isWithin(atMs - NEAR_MS, atMs + NEAR_MS)) continue
      const cpu = listOf(metrics.containers).find(item => item.name === name)?.usage?.cpu
      const cores = quantityOf(cpu)
      if (cores === null || cpu === undefined) continue
      if (best !== null && best.cores >= cores) continue
      const text = (share: number) => `container ${name} used ${cpu} CPU, ${share} % of what it may use`
      best = {
        cores,
        atMs,
        facts: share => [
          field(history, `containers[${name}].usage.cpu`, cpu, text(share), atMs),
          ...(metrics.timestamp === undefined
            ? []
            : [field(history, 'timestamp', metrics.timestamp, `measured at ${metrics.timestamp}`, atMs)])
        ]
      }
    }
  }
  return best
}

/** Its own limit; without one, what the node has. */
function limitOf(scene: Scene, pod: PodView, { name, resources }: Container): { cores: number; fact: Fact } | null {
  const limit = resources?.limits?.cpu
  const cores = quantityOf(limit)
  if (cores !== null && cores > 0) {
    const text = `the CPU limit of container ${name} is ${limit}`
    return { cores, fact: field(pod.history, `spec.containers[${name}].resources.limits.cpu`, limit, text) }
  }
  const { node } = scene
  const all = node?.object.status?.allocatable?.cpu
  const nodeCores = quantityOf(all)
  if (node === null || nodeCores === null || nodeCores <= 0) return null
  const text = `container ${name} has no CPU limit, and ${nameOf(node.history)} has ${all} to give`
  return { cores: nodeCores, fact: field(node.history, 'status.allocatable.cpu', all, text) }
}

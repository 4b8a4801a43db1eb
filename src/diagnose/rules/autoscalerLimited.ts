import type { HorizontalPodAutoscaler } from '../../cluster/objects.ts'
import { listOf } from '../conditions.ts'
import type { Current } from '../current.ts'
import { type Fact, field } from '../fact.ts'
import type { Exclusion, Finding, Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { timeOf } from '../times.ts'
import { workloadsOf } from '../workloads.ts'

/** More was asked for than the autoscaler may add, or it could not tell how much. */
export const autoscalerLimited: Rule = {
  cause: 'autoscaler_limited',
  explains: ['cpu_saturated', 'app_slow', 'client_abort', 'app_error'],
  judge(scene) {
    const { namespace, workload } = scene
    if (namespace === null) return null
    const targets = workload === null ? workloadsOf(scene) : [workload]
    let excluded: Exclusion | null = null
    for (const hpa of scene.all('HorizontalPodAutoscaler', namespace)) {
      const { kind, name } = hpa.object.spec?.scaleTargetRef ?? {}
      if (!targets.some(({ history }) => history.kind === kind && history.name === name)) continue
      // Transitions are dated: a later version may tell one that had happened by then.
      const later = hpa.history.versions.map(({ object }) => object)
      for (const object of [hpa.object, ...later.slice(later.indexOf(hpa.object) + 1)]) {
        const result = judgeOne(scene, { ...hpa, object })
        if (result !== null && 'tier' in result) return result
        excluded ??= result
      }
    }
    return excluded
  }
}

function judgeOne(scene: Scene, hpa: Current<HorizontalPodAutoscaler>): Finding | Exclusion | null {
  const { history, object } = hpa
  const { maxReplicas } = object.spec ?? {}
  const { currentReplicas, desiredReplicas } = object.status ?? {}
  let excluded: Exclusion | null = null
  for (const { type, status, reason = '', message = '', lastTransitionTime } of listOf(object.status?.conditions)) {
    const sinceMs = timeOf(lastTransitionTime)
    const isLimit = type === 'ScalingLimited' && status === 'True'
    const isBlind =
      (type === 'ScalingActive' || type === 'AbleToScale') && status === 'False' && reason.startsWith('FailedGet')
    if (!isLimit && !isBlind) continue
    if (isLimit && reason !== 'TooManyReplicas') {
      excluded ??= { because: `${history.name} is limited by its minimum (${reason}), not by its maximum` }
      continue
    }
    if (sinceMs !== null && !scene.moment.isPast(sinceMs)) {
      excluded ??= { because: `${history.name} came to its limit only after the failure` }
      continue
    }
    if (isLimit && maxReplicas !== undefined && currentReplicas !== undefined && currentReplicas < maxReplicas) {
      excluded ??= { because: `${history.name} still had room: ${currentReplicas} of ${maxReplicas} replicas` }
      continue
    }
    const path = `status.conditions[${type}]`
    const text = isLimit
      ? `the autoscaler wanted more than its ${maxReplicas ?? '?'} replicas`
      : `the autoscaler could not read its metrics${message === '' ? '' : `: ${message}`}`
    const needs = [
      field(history, `${path}.status`, status, text, sinceMs),
      field(history, `${path}.reason`, reason, text, sinceMs),
      field(history, `${path}.lastTransitionTime`, lastTransitionTime, text, sinceMs),
      targetFact(hpa)
    ]
    if (isLimit) {
      needs.push(field(history, 'spec.maxReplicas', maxReplicas ?? null, `its maximum is ${maxReplicas ?? 'not told'}`))
      needs.push(field(history, 'status.currentReplicas', currentReplicas ?? null, `it has ${currentReplicas ?? '?'}`))
    }
    return {
      tier: 'B',
      ref: `HorizontalPodAutoscaler ${history.namespace}/${history.name}`,
      atMs: sinceMs,
      needs,
      supports:
        isLimit && desiredReplicas !== undefined && desiredReplicas === maxReplicas
          ? [field(history, 'status.desiredReplicas', desiredReplicas, 'it wants all that it may have')]
          : [],
      isUnobserved: sinceMs === null
    }
  }
  return excluded
}

function targetFact({ history, object }: Current<HorizontalPodAutoscaler>): Fact {
  const { kind, name } = object.spec?.scaleTargetRef ?? {}
  return field(history, 'spec.scaleTargetRef.name', name, `it scales ${kind ?? ''} ${name ?? ''}`)
}

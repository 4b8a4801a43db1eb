import { type Fact, field } from '../fact.ts'
import { readyFacts } from '../readyFacts.ts'
import type { Rule } from '../rule.ts'
import { ANNOTATION_PREFIX, type Scene } from '../scene.ts'
import { secondsOf } from '../setting.ts'

/** So near the timeout it was the timeout that ended the request. */
const NEAR_MS = 1_000

/** The handler needs longer than the proxy waits. */
export const appSlow: Rule = {
  cause: 'app_slow',
  yieldsTo: [
    'external_backend_down',
    'node_not_ready',
    'dependency_down',
    'autoscaler_limited',
    'cpu_saturated',
    'node_pressure',
    'controller_resources',
    'publish_not_ready',
    'readiness_failing'
  ],
  judge(scene) {
    const { pod, ingress } = scene
    const isSending = scene.symptom === 'send_timeout'
    const { upstreamResponseTimeMs, requestTimeMs } = scene.input.detail
    const tookMs = isSending ? (requestTimeMs ?? upstreamResponseTimeMs) : (upstreamResponseTimeMs ?? requestTimeMs)
    const name = isSending ? 'proxy-send-timeout' : 'proxy-read-timeout'
    const { value, from, fact, isCertain } = scene.setting(name)
    const timeoutMs = (secondsOf(value) ?? 60) * 1000
    if (tookMs !== null && Math.abs(tookMs - timeoutMs) > NEAR_MS)
      return { because: `the request took ${tookMs / 1000} s, and ${name} is ${timeoutMs / 1000} s` }
    if (pod !== null && pod.ready.status === 'False') return { because: `${pod.ref} was not Ready` }
    const needs: Fact[] = []
    if (fact !== null) needs.push(fact)
    if (from === 'configMap' && ingress !== null) needs.push(unset(scene, name))
    if (pod !== null) needs.push(...readyFacts(pod, `${pod.ref} was Ready`).slice(0, 2))
    return {
      tier: 'B',
      ref: pod?.ref ?? (ingress === null ? 'Ingress' : `Ingress ${ingress.history.namespace}/${ingress.history.name}`),
      atMs: null,
      needs,
      isUnobserved: tookMs === null || pod === null || pod.ready.status !== 'True' || ingress === null || !isCertain,
      isInferred: pod?.ready.isInferred === true
    }
  }
}

/** That the Ingress leaves a setting to others. */
function unset({ ingress }: Scene, name: string): Fact {
  return field(
    ingress!.history,
    `metadata.annotations[${ANNOTATION_PREFIX}${name}]`,
    null,
    `the Ingress does not set ${name}`
  )
}

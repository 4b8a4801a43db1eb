import type { Fact } from '../fact.ts'
import { readyFacts } from '../readyFacts.ts'
import type { Rule } from '../rule.ts'

const MALFORMED = /invalid header|duplicate header line|no valid HTTP|invalid status|invalid chunked|invalid response/i

/** The app's answer is no well-formed HTTP, and nothing says that it speaks another protocol. */
export const appInvalidResponse: Rule = {
  cause: 'app_invalid_response',
  isOfPod: true,
  yieldsTo: ['backend_protocol_mismatch'],
  judge(scene) {
    const { pod, ingress } = scene
    const { error } = scene.input.detail
    if (error !== null && !MALFORMED.test(error)) return null
    const protocol = scene.setting('backend-protocol')
    const needs: Fact[] = []
    if (pod !== null) needs.push(...readyFacts(pod, `${pod.ref} answered what is no HTTP: ${error ?? ''}`).slice(0, 2))
    if (protocol.fact !== null) needs.push(protocol.fact)
    return {
      tier: 'B',
      ref: pod?.ref ?? (ingress === null ? 'Ingress' : `Ingress ${ingress.history.namespace}/${ingress.history.name}`),
      atMs: null,
      needs,
      isUnobserved: error === null
    }
  }
}

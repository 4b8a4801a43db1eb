/** What is said when no root cause holds: what was looked at, and what would decide. */

import { type Fact, field } from './fact.ts'
import type { Scene } from './scene.ts'

export function undetermined(scene: Scene): { evidence: Fact[]; wouldDecide: string[] } {
  const { service, pod, ingress, owner, symptom } = scene
  const evidence: Fact[] = []
  if (service !== null) {
    const { type = 'ClusterIP' } = service.object.spec ?? {}
    evidence.push(field(service.history, 'spec.type', type, 'the Service was there'))
  }
  if (pod !== null) {
    const { status, sinceMs } = pod.ready
    const text = status === 'True' ? 'the pod was Ready' : `the pod's readiness was ${status ?? 'not known'}`
    evidence.push(field(pod.history, 'status.conditions[Ready].status', status ?? 'Unknown', text, sinceMs))
  }
  if (ingress !== null && symptom === 'client_tls_failure') {
    for (const { hosts = [], secretName } of ingress.object.spec?.tls ?? []) {
      const path = `spec.tls[${hosts[0] ?? ''}].secretName`
      evidence.push(field(ingress.history, path, secretName, 'the certificate of the host is in this Secret'))
    }
  }
  return { evidence, wouldDecide: wouldDecide(scene, owner.isBeforeHistory) }
}

function wouldDecide(scene: Scene, isBeforeHistory: boolean): string[] {
  const { pod, input, owner } = scene
  const texts: string[] = []
  if (isBeforeHistory) texts.push('a record of the cluster that reaches back to that moment')
  else if (input.upstreamAddress !== null && owner.certainty === 'unknown')
    texts.push(`a watch that was running at that moment: nobody is known to have held ${input.upstreamAddress}`)
  if (pod !== null) texts.push(`the logs of ${pod.ref} around that moment`)
  texts.push('a trace of the request', 'metrics of the node: connections tracked, drops, CPU')
  return texts
}

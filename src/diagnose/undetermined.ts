/** What is said when no root cause holds: what was looked at, and what would decide. */

import { endOf, namesFact, servedCertificate } from './certificates.ts'
import { type Fact, field } from './fact.ts'
import type { Scene } from './scene.ts'

const CITED_PODS = 4

export function undetermined(scene: Scene): { evidence: Fact[]; wouldDecide: string[] } {
  const { service, ingress, owner, symptom } = scene
  // Without an address: what the Service selected.
  const views = scene.pod === null ? scene.pods.slice(0, CITED_PODS) : [scene.pod]
  const evidence: Fact[] = []
  if (service !== null) {
    const { type = 'ClusterIP' } = service.object.spec ?? {}
    evidence.push(field(service.history, 'spec.type', type, 'the Service was there'))
  }
  for (const pod of views) {
    const { status, sinceMs } = pod.ready
    const text = status === 'True' ? `${pod.ref} was Ready` : `the readiness of ${pod.ref} was ${status ?? 'not known'}`
    evidence.push(field(pod.history, 'status.conditions[Ready].status', status ?? 'Unknown', text, sinceMs))
  }
  if (ingress !== null && symptom === 'client_tls_failure') evidence.push(...certificateFacts(scene))
  if (evidence.length === 0 && ingress !== null) {
    const name = ingress.object.spec?.ingressClassName
    evidence.push(field(ingress.history, 'spec.ingressClassName', name, 'the Ingress was there'))
  }
  return { evidence, wouldDecide: wouldDecide(scene, owner.isBeforeHistory) }
}

/** Of the host: where its certificate is, until when and for which names. */
function certificateFacts(scene: Scene): Fact[] {
  const served = servedCertificate(scene)
  if (served === null) {
    const { ingress } = scene
    return [field(ingress!.history, 'spec.tls', null, 'the Ingress has no certificate for the host')]
  }
  const { fact, secret, certificates } = served
  const end = endOf(secret, certificates)
  const names = namesFact(secret)
  return [fact, ...(end === null ? [] : [end.fact]), ...(names === null ? [] : [names.fact])]
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

import type { Cause } from '../../../parsers/causes.ts'
import { field } from '../fact.ts'
import { readyFacts } from '../readyFacts.ts'
import type { Rule } from '../rule.ts'

const SYMPTOMS: ReadonlySet<Cause> = new Set([
  'connection_refused',
  'connect_timeout',
  'read_timeout',
  'premature_close',
  'no_live_upstreams'
])

/** The Service publishes addresses of pods that are not ready, and the proxy takes them. */
export const publishNotReady: Rule = {
  cause: 'publish_not_ready',
  isOfPod: true,
  explains: ['readiness_failing', 'app_slow', 'app_not_listening'],
  judge(scene) {
    const { pod, service } = scene
    if (pod === null || service === null || !SYMPTOMS.has(scene.symptom)) return null
    if (service.object.spec?.publishNotReadyAddresses !== true) return null
    const { status, sinceMs, isInferred } = pod.ready
    if (status === 'True') return { because: `${pod.ref} was Ready` }
    if (status === null) return null
    const text = 'the Service publishes pods that are not ready'
    return {
      tier: 'A',
      ref: `Service ${service.history.namespace}/${service.history.name}`,
      atMs: sinceMs,
      needs: [
        field(service.history, 'spec.publishNotReadyAddresses', true, text),
        ...readyFacts(pod, `${pod.ref} was not Ready`)
      ],
      isInferred
    }
  }
}

import type { Container } from '../../cluster/objects.ts'
import { listOf } from '../conditions.ts'
import type { EventSpan } from '../events.ts'
import { eventFacts, type Fact, field } from '../fact.ts'
import type { PodView } from '../podView.ts'
import { readinessFailuresAtT } from '../readiness.ts'
import { readyFacts } from '../readyFacts.ts'
import type { Rule } from '../rule.ts'
import { declaresPort, probePort } from '../servingContainer.ts'
import { probeFacts } from './readinessFailing.ts'

/** Answers that come from the wrong path, or for want of credentials, not from an app that is not ready. */
const WRONG_STATUS = /statuscode: (?:404|401|403|405)\b/
const NO_ANSWER = /connection refused|timeout|timed out|deadline exceeded/i
const WRONG_SCHEME =
  /server gave HTTP response to HTTPS client|malformed HTTP response|first record does not look like a TLS/i

/** The readiness probe asks a path or a port that does not answer for readiness. */
export const readinessProbeMisconfigured: Rule = {
  cause: 'readiness_probe_misconfigured',
  isOfPod: true,
  explains: ['readiness_failing'],
  judge(scene) {
    const { pod } = scene
    if (pod === null || pod.ready.status === 'True') return null
    for (const container of pod.lasting) {
      const failures = readinessFailuresAtT(pod, container)
      for (const event of failures) {
        const wrong = whatIsWrong(pod, container, event)
        if (wrong === null) continue
        return {
          tier: 'A',
          ref: pod.ref,
          atMs: pod.ready.sinceMs ?? event.firstMs,
          needs: [
            ...eventFacts(event, event.firstMs, `its readiness probe asks the wrong thing: ${event.message}`),
            ...probeFacts(pod, container),
            ...wrong,
            ...readyFacts(pod, `${pod.ref} was not Ready`)
          ],
          supports: livenessFacts(pod, container),
          isInferred: pod.ready.isInferred
        }
      }
    }
    return null
  }
}

/** null: it asks the right thing, as far as is told. */
function whatIsWrong(pod: PodView, container: Container, { message }: EventSpan): Fact[] | null {
  if (WRONG_STATUS.test(message) || WRONG_SCHEME.test(message)) return []
  if (!NO_ANSWER.test(message)) return null
  const port = probePort(container, container.readinessProbe)
  if (port === null || pod.containers.some(item => declaresPort(item, port))) return null
  const declared = pod.containers.flatMap(({ name, ports }) => listOf(ports).map(item => ({ name, item })))
  if (declared.length === 0) return null
  return declared.map(({ name, item }) =>
    field(
      pod.history,
      `spec.containers[${name}].ports[${item.name ?? item.containerPort}].containerPort`,
      item.containerPort,
      `no container declares port ${port}; ${name} declares ${item.containerPort}`
    )
  )
}

/** A liveness probe that asks something else and passes. */
function livenessFacts(pod: PodView, { name, livenessProbe, readinessProbe }: Container): Fact[] {
  const other = livenessProbe?.httpGet
  if (other === undefined) return []
  const { path, port } = readinessProbe?.httpGet ?? {}
  if (other.path === path && other.port === port) return []
  const isFailing = pod.events.some(
    ({ reason, message }) => reason === 'Unhealthy' && message.startsWith('Liveness probe failed')
  )
  if (isFailing) return []
  const text = 'its liveness probe asks something else and is not known to fail'
  return [field(pod.history, `${pod.specPath(name)}.livenessProbe.httpGet.path`, other.path ?? '/', text)]
}

import { listOf } from '../conditions.ts'
import { eventFacts, type Fact, field } from '../fact.ts'
import type { PodView } from '../podView.ts'
import type { Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { hasBegun, isAboutConfig, isAboutVolumes, isCreating, unscheduledOf } from '../starting.ts'

const MOUNTING: ReadonlySet<string> = new Set(['FailedMount', 'FailedAttachVolume'])

/** Storage that could not be bound, attached or mounted keeps the pod from starting. */
export const volumeUnavailable: Rule = {
  cause: 'volume_unavailable',
  isOfPod: true,
  explains: ['unschedulable'],
  judge(scene) {
    const { pod } = scene
    if (pod === null) return null
    const waiting = unscheduledOf(pod)
    if (waiting !== null && isAboutVolumes(waiting.message)) {
      const { message, sinceMs, isInferred, event } = waiting
      const text = `${pod.ref} waits for a volume: ${message}`
      const path = 'status.conditions[PodScheduled]'
      const condition = [
        field(pod.history, `${path}.reason`, 'Unschedulable', text, sinceMs),
        field(pod.history, `${path}.message`, message, text, sinceMs)
      ]
      const told = event === null ? [] : eventFacts(event, event.firstMs, `${pod.ref}: ${event.message}`)
      return {
        tier: 'A',
        ref: pod.ref,
        atMs: sinceMs ?? event?.firstMs ?? null,
        needs: [...(isInferred ? told : condition), ...claimFacts(scene, pod)],
        supports: isInferred ? [] : told,
        isInferred
      }
    }
    // No node fits for another reason: a claim that waits for its first consumer waits for that.
    if (waiting !== null || !isCreating(pod)) return null
    const events = pod.events.filter(span => MOUNTING.has(span.reason) && hasBegun(pod, span))
    const isForConfig = events.some(({ message }) => isAboutConfig(message))
    // "timed out waiting for the condition" is the echo of the mount that lacks its ConfigMap.
    const event = events.findLast(({ reason, message }) =>
      reason === 'FailedAttachVolume' ? true : !isForConfig && !isAboutConfig(message)
    )
    const claims = claimFacts(scene, pod)
    if (event !== undefined) {
      const text = `${pod.ref}: ${event.message}`
      const needs = [...eventFacts(event, event.firstMs, text), ...waitingFacts(pod), ...claims]
      return { tier: 'A', ref: pod.ref, atMs: event.firstMs, needs }
    }
    if (isForConfig) return { because: `${pod.ref} waits for a ConfigMap or Secret, not for a volume` }
    if (claims.length === 0) return null
    return { tier: 'A', ref: pod.ref, atMs: null, needs: [...claims, ...waitingFacts(pod)] }
  }
}

/** Claims of the pod that are not bound. */
function claimFacts(scene: Scene, pod: PodView): Fact[] {
  const facts: Fact[] = []
  for (const { name, persistentVolumeClaim } of listOf(pod.object.spec?.volumes)) {
    const claimName = persistentVolumeClaim?.claimName
    if (claimName === undefined) continue
    const claim = scene.get('PersistentVolumeClaim', pod.history.namespace, claimName)
    const phase = claim?.object.status?.phase
    if (!claim || (phase !== 'Pending' && phase !== 'Lost')) continue
    const text = `claim ${claimName}, which ${pod.ref} mounts, was ${phase}`
    facts.push(
      field(claim.history, 'status.phase', phase, text),
      field(
        pod.history,
        `spec.volumes[${name}].persistentVolumeClaim.claimName`,
        claimName,
        `${pod.ref} mounts ${claimName}`
      )
    )
  }
  return facts
}

function waitingFacts(pod: PodView): Fact[] {
  for (const { name } of pod.containers) {
    const waiting = pod.waiting(name)
    if (waiting === null) continue
    return [field(pod.history, `${waiting.path}.reason`, waiting.reason, `container ${name} was not started`)]
  }
  const { phase } = pod.object.status ?? {}
  return phase === 'Pending' ? [field(pod.history, 'status.phase', phase, `${pod.ref} was Pending`)] : []
}

import { eventFacts, field } from '../fact.ts'
import type { Rule } from '../rule.ts'
import { isAboutVolumes, unscheduledOf } from '../starting.ts'

/** No node fits the pod. */
export const unschedulable: Rule = {
  cause: 'unschedulable',
  isOfPod: true,
  judge({ pod }) {
    const waiting = pod && unscheduledOf(pod)
    if (!pod || !waiting) return null
    const { message, sinceMs, event, isInferred } = waiting
    if (isAboutVolumes(message)) return { because: `${pod.ref} waits for a volume: ${message}` }
    const path = 'status.conditions[PodScheduled]'
    const text = `no node fits ${pod.ref}${message === '' ? '' : `: ${message}`}`
    const told = event === null ? [] : eventFacts(event, event.firstMs, `${pod.ref}: ${event.message}`)
    if (isInferred) return { tier: 'A', ref: pod.ref, atMs: event?.firstMs ?? null, needs: told, isInferred }
    return {
      tier: 'A',
      ref: pod.ref,
      atMs: sinceMs,
      needs: [
        field(pod.history, `${path}.status`, 'False', text, sinceMs),
        field(pod.history, `${path}.reason`, 'Unschedulable', text, sinceMs),
        ...(message === '' ? [] : [field(pod.history, `${path}.message`, message, text, sinceMs)])
      ],
      supports: told
    }
  }
}

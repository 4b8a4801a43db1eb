import { covers } from '../events.ts'
import { eventFacts, field } from '../fact.ts'
import type { Rule } from '../rule.ts'

const REASONS: ReadonlySet<string> = new Set(['FailedCreatePodSandBox', 'NetworkNotReady'])

/** The pod got no network of its own. */
export const podSandboxFailed: Rule = {
  cause: 'pod_sandbox_failed',
  isOfPod: true,
  judge({ pod }) {
    if (pod === null) return null
    const events = pod.events.filter(({ reason }) => REASONS.has(reason))
    const event = events.findLast(span => covers(span, pod.moment))
    if (event === undefined)
      return events.length === 0 ? null : { because: `${pod.ref} lacked its network at another time` }
    const isRunning = pod.containers.some(({ name }) => {
      const sinceMs = pod.runningSinceMs(name)
      return sinceMs !== null && sinceMs >= event.firstMs && pod.down(name) === null
    })
    if (isRunning) return { because: `${pod.ref} had got its network: its containers ran` }
    const { nodeName } = pod.object.spec ?? {}
    return {
      tier: 'A',
      ref: pod.ref,
      atMs: event.firstMs,
      needs: eventFacts(event, event.firstMs, `${pod.ref}: ${event.message}`),
      supports:
        nodeName === undefined ? [] : [field(pod.history, 'spec.nodeName', nodeName, `it is on node ${nodeName}`)]
    }
  }
}

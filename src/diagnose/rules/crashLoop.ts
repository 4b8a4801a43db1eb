import { exitKind, terminationFacts } from '../containerExit.ts'
import { crashLoopOf } from '../crashLoop.ts'
import { type PodView, statusIn } from '../podView.ts'
import type { Rule } from '../rule.ts'

/** The process keeps dying, by itself. */
export const crashLoop: Rule = {
  cause: 'crash_loop',
  isOfPod: true,
  explains: ['app_crash', 'readiness_failing', 'publish_not_ready', 'readiness_probe_misconfigured'],
  judge(scene) {
    const { pod } = scene
    if (pod === null) return null
    let isKnown = false
    for (const { name } of scene.decidingContainers) {
      const loop = crashLoopOf(pod, name)
      if (loop === null) continue
      const { termination } = loop
      const kind = termination === null ? null : exitKind(pod, name, termination)
      // What keeps ending it is known: the deeper cause names the loop in its chain.
      if (kind === 'oom' || kind === 'probe' || kind === 'start') {
        isKnown = true
        continue
      }
      const text = `container ${name} ended: ${termination?.reason ?? 'no reason told'}`
      return {
        tier: 'A',
        ref: pod.ref,
        atMs: loop.sinceMs,
        needs: [...loop.facts, ...(termination === null ? [] : terminationFacts(pod, termination, text))],
        isInferred: loop.isInferred,
        // What the last end was decides whether this is the cause, or something deeper.
        isUnobserved: termination === null
      }
    }
    if (isKnown) return null
    return wasInLoop(scene.decidingContainers, pod) ? { because: `${pod.ref} was Ready at that moment` } : null
  }
}

/** Some version tells of a loop, at whatever time. */
function wasInLoop(containers: readonly { name: string }[], { history }: PodView): boolean {
  return history.versions.some(({ object }) =>
    containers.some(({ name }) => statusIn(object, name)?.status.state?.waiting?.reason === 'CrashLoopBackOff')
  )
}

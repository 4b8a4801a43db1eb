import { exitKind, terminationFacts } from '../containerExit.ts'
import { crashLoopOf } from '../crashLoop.ts'
import type { Rule } from '../rule.ts'

/** The process keeps dying, by itself. */
export const crashLoop: Rule = {
  cause: 'crash_loop',
  isOfPod: true,
  explains: ['app_crash', 'readiness_failing', 'publish_not_ready', 'readiness_probe_misconfigured'],
  judge(scene) {
    const { pod } = scene
    if (pod === null) return null
    let because: string | null = null
    for (const { name } of scene.decidingContainers) {
      const loop = crashLoopOf(pod, name)
      if (loop === null) continue
      const { termination } = loop
      const kind = termination === null ? null : exitKind(pod, name, termination)
      if (kind === 'oom' || kind === 'probe' || kind === 'start') {
        because = `what keeps ending ${name} of ${pod.ref} is known: ${KINDS[kind]}`
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
    if (because !== null) return { because }
    return wasInLoop(scene.decidingContainers, pod) ? { because: `${pod.ref} was Ready at that moment` } : null
  }
}

const KINDS = { oom: 'the OOM killer', probe: 'a failing probe', start: 'it cannot be started' }

function wasInLoop(
  containers: readonly { name: string }[],
  { history }: { history: import('../podView.ts').PodView['history'] }
) {
  const names = new Set(containers.map(({ name }) => name))
  return history.versions.some(({ object }) =>
    (object.status?.containerStatuses ?? []).some(
      ({ name, state }) => names.has(name) && state?.waiting?.reason === 'CrashLoopBackOff'
    )
  )
}

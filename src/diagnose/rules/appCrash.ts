import { exitKind, terminationFacts } from '../containerExit.ts'
import { crashLoopOf } from '../crashLoop.ts'
import { field } from '../fact.ts'
import { statusIn } from '../podView.ts'
import type { Rule } from '../rule.ts'

/** One abnormal exit of the server: a panic, a signal, or its just coming to an end. */
export const appCrash: Rule = {
  cause: 'app_crash',
  isOfPod: true,
  explains: ['readiness_failing', 'publish_not_ready'],
  judge(scene) {
    const { pod } = scene
    if (pod === null) return null
    for (const { name } of scene.decidingContainers) {
      const down = pod.down(name)
      if (down === null) {
        const ended = pod.terminations(name).at(-1)
        if (ended === undefined || exitKind(pod, name, ended) !== 'crash') continue
        return { because: `${name} of ${pod.ref} ended at another time: ${new Date(ended.finishedMs).toISOString()}` }
      }
      const { termination } = down
      if (exitKind(pod, name, termination) !== 'crash') continue
      if (pod.isBeingDeleted) return { because: `${pod.ref} was asked to go: its end was no crash` }
      if (crashLoopOf(pod, name) !== null) return { because: `${name} of ${pod.ref} keeps dying: it is not one exit` }
      const { exitCode } = termination
      const text = `container ${name} ended with ${exitCode === null ? 'no exit code told' : `exit code ${exitCode}`}`
      const newest = statusIn(pod.history.versions.at(-1)!.object, name)
      const restarts = newest?.status.restartCount
      return {
        // No row of the decision table names one exit where a Service has no endpoints.
        tier: scene.symptom === 'no_endpoints' ? 'C' : 'A',
        ref: pod.ref,
        atMs: termination.finishedMs,
        needs: terminationFacts(pod, termination, text),
        supports:
          typeof restarts === 'number' && restarts > 0
            ? [
                field(
                  pod.history,
                  `${newest!.path}.restartCount`,
                  restarts,
                  `it was restarted ${restarts} times in all`
                )
              ]
            : []
      }
    }
    return null
  }
}

import type { Container } from '../../cluster/objects.ts'
import { exitKind, terminationFacts } from '../containerExit.ts'
import { crashLoopOf } from '../crashLoop.ts'
import { field } from '../fact.ts'
import { statusIn, type Termination } from '../podView.ts'
import type { Rule, Tier } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { isoText } from '../times.ts'

/** One abnormal exit of the server: a panic, a signal, or its just coming to an end. */
export const appCrash: Rule = {
  cause: 'app_crash',
  isOfPod: true,
  explains: ['readiness_failing', 'publish_not_ready'],
  judge(scene) {
    const { pod } = scene
    if (pod === null) return null
    for (const container of scene.decidingContainers) {
      const { name } = container
      const down = pod.down(name)
      if (down === null) {
        const ended = pod.terminations(name).at(-1)
        if (ended === undefined || exitKind(pod, name, ended) !== 'crash') continue
        return { because: `${name} of ${pod.ref} ended at another time: ${isoText(ended.finishedMs)}` }
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
        tier: tierOf(scene, container, termination),
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

/** SIGKILL and SIGTERM: somebody else ended it. */
const ENDED_BY_OTHERS: ReadonlySet<number | null> = new Set([137, 143])

function tierOf(scene: Scene, { livenessProbe, startupProbe }: Container, { exitCode }: Termination): Tier {
  // No row of the decision table names one exit where a Service has no endpoints.
  if (scene.symptom === 'no_endpoints') return 'C'
  // It may have been the probe: Events of it are gone after an hour, or were not collected.
  const hasProbe = livenessProbe !== undefined || startupProbe !== undefined
  return hasProbe && ENDED_BY_OTHERS.has(exitCode) ? 'C' : 'A'
}

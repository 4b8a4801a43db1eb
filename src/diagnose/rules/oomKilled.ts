import { field } from '../fact.ts'
import type { Rule } from '../rule.ts'

/** SIGTERM: the runtime's OOM counter is cumulative, and this exit was asked for. */
const TERMINATED = 143

/** The kernel killed the container at its memory limit, and T lies in the time it was down. */
export const oomKilled: Rule = {
  cause: 'oom_killed',
  isOfPod: true,
  explains: ['crash_loop', 'app_crash', 'probe_restart', 'readiness_failing'],
  judge(scene) {
    const { pod } = scene
    if (pod === null) return null
    let because: string | null = null
    for (const container of scene.decidingContainers) {
      const down = pod.down(container.name)
      if (down === null) {
        if (pod.terminations(container.name).some(({ reason }) => reason === 'OOMKilled'))
          because = `${pod.ref} ${container.name} was OOM-killed at another time`
        continue
      }
      const { reason, exitCode, finishedMs, path } = down.termination
      if (reason !== 'OOMKilled') continue
      if (exitCode === TERMINATED && pod.deletion !== null) {
        because = `${pod.ref} ended on SIGTERM: the OOM counter of the runtime is cumulative`
        continue
      }
      const limit = container.resources?.limits?.memory
      const text = `container ${container.name} was OOM-killed${limit === undefined ? '' : ` (limit ${limit})`}`
      return {
        tier: 'A',
        ref: pod.ref,
        atMs: finishedMs,
        needs: [
          field(pod.history, `${path}.reason`, 'OOMKilled', text, finishedMs),
          ...(exitCode === null
            ? []
            : [field(pod.history, `${path}.exitCode`, exitCode, `it ended with exit code ${exitCode}`, finishedMs)])
        ],
        supports:
          limit === undefined
            ? []
            : [
                field(
                  pod.history,
                  `spec.containers[${container.name}].resources.limits.memory`,
                  limit,
                  `its memory limit is ${limit}`
                )
              ]
      }
    }
    return because === null ? null : { because }
  }
}

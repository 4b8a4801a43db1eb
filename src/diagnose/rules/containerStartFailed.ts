import { exitKind, isStartFailure, terminationFacts } from '../containerExit.ts'
import { crashLoopOf } from '../crashLoop.ts'
import { type Fact, field } from '../fact.ts'
import type { PodView, Waiting } from '../podView.ts'
import type { Rule } from '../rule.ts'

const REASONS: ReadonlySet<string> = new Set(['RunContainerError', 'CreateContainerError', 'StartError'])

/** The entrypoint cannot be run: no such file, no permission, another architecture. */
export const containerStartFailed: Rule = {
  cause: 'container_start_failed',
  isOfPod: true,
  explains: ['crash_loop', 'app_crash', 'readiness_failing', 'publish_not_ready'],
  judge(scene) {
    const { pod } = scene
    if (pod === null) return null
    let because: string | null = null
    for (const { name } of scene.decidingContainers) {
      const waiting = pod.waitings(name).find(({ reason }) => REASONS.has(reason)) ?? null
      const loop = crashLoopOf(pod, name)
      const down = pod.down(name)
      const newest = down?.termination ?? loop?.termination ?? pod.terminations(name).at(-1) ?? null
      const isNow = waiting !== null || down !== null || loop !== null
      const isStart = newest !== null && exitKind(pod, name, newest) === 'start'
      if (!isNow) {
        if (newest !== null && isStartFailure(newest)) because = `${name} of ${pod.ref} ran at that moment`
        continue
      }
      if (waiting === null && !isStart) continue
      const text = `container ${name} could not be started`
      return {
        tier: 'A',
        ref: pod.ref,
        atMs: newest?.finishedMs ?? null,
        needs: [
          ...(waiting === null ? [] : waitingFacts(pod, waiting, text)),
          ...(isStart ? terminationFacts(pod, newest, text) : [])
        ],
        supports: loop?.facts ?? [],
        isInferred: waiting === null && down === null && loop?.isInferred === true,
        ...(loop !== null && { chain: ['crash_loop'] })
      }
    }
    return because === null ? null : { because }
  }
}

export function waitingFacts({ history }: PodView, { path, reason, message }: Waiting, text: string): Fact[] {
  const facts = [field(history, `${path}.reason`, reason, text)]
  if (message !== null) facts.push(field(history, `${path}.message`, message, message))
  return facts
}

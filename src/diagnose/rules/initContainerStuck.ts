import type { Container } from '../../cluster/objects.ts'
import { terminationFacts } from '../containerExit.ts'
import { field } from '../fact.ts'
import type { PodView } from '../podView.ts'
import { conditionFacts } from '../readyFacts.ts'
import type { Finding, Rule } from '../rule.ts'
import { timeText } from '../times.ts'
import { waitingFacts } from './containerStartFailed.ts'

/** It ends, or cannot even begin, again and again. */
const FAILING: ReadonlySet<string> = new Set([
  'CrashLoopBackOff',
  'RunContainerError',
  'CreateContainerError',
  'StartError'
])

/** An init container does not come to its end, so nothing else starts. */
export const initContainerStuck: Rule = {
  cause: 'init_container_stuck',
  explains: ['readiness_failing'],
  judge(scene) {
    const { pod } = scene
    if (pod === null) return null
    const initialized = pod.condition('Initialized')
    if (initialized.status !== 'False') return null
    for (const container of pod.initContainers) {
      // A sidecar: it is meant to go on.
      if (container.restartPolicy === 'Always') continue
      const finding = stuck(pod, container)
      if (finding === null) continue
      const text = `${pod.ref} was not initialized`
      const { needs, ...rest } = finding
      return {
        ...rest,
        needs: [...conditionFacts(pod, 'Initialized', text), ...needs],
        isInferred: initialized.isInferred
      }
    }
    return null
  }
}

function stuck(pod: PodView, { name }: Container): Finding | null {
  const base = { tier: 'A' as const, ref: pod.ref }
  const at = pod.statusAt(name)
  if (at === null) return null
  const last = pod.terminations(name).at(-1)
  const ends =
    last !== undefined && last.exitCode !== 0 ? terminationFacts(pod, last, `init container ${name} failed`) : []
  if (pod.runs(name) === true) {
    const startedMs = pod.runningSinceMs(name)
    const text = `init container ${name} was still running`
    const { running, terminated } = at.status.state ?? {}
    const started = startedMs === null ? null : timeText(startedMs)
    const needs = running
      ? [field(pod.history, `${at.path}.state.running.startedAt`, running.startedAt, text, startedMs)]
      : terminated
        ? [
            field(
              pod.history,
              `${at.path}.state.terminated.finishedAt`,
              terminated.finishedAt,
              `${text}, since ${started}`
            )
          ]
        : []
    return { ...base, atMs: startedMs, needs: [...needs, ...ends] }
  }
  const waiting = pod.waitings(name).find(({ reason }) => FAILING.has(reason))
  if (waiting !== undefined) {
    const needs = waitingFacts(pod, waiting, `init container ${name} keeps failing`)
    return { ...base, atMs: last?.finishedMs ?? null, needs: [...needs, ...ends] }
  }
  // Between two attempts.
  const isFailed = at.status.state?.terminated !== undefined && at.status.state.terminated.exitCode !== 0
  return isFailed && ends.length > 0 ? { ...base, atMs: last!.finishedMs, needs: ends } : null
}

import type { Container } from '../../cluster/objects.ts'
import { isOutOfMemory, TERMINATED, terminationFacts } from '../containerExit.ts'
import { crashLoopOf } from '../crashLoop.ts'
import { type Fact, field } from '../fact.ts'
import type { PodView, Termination } from '../podView.ts'
import type { Finding, Rule } from '../rule.ts'
import { isoText } from '../times.ts'

/** The kernel killed the container at its memory limit, and T lies in the time it was down. */
export const oomKilled: Rule = {
  cause: 'oom_killed',
  isOfPod: true,
  explains: ['crash_loop', 'app_crash', 'probe_restart', 'readiness_failing', 'publish_not_ready'],
  judge(scene) {
    const { pod } = scene
    if (pod === null) return null
    for (const container of scene.decidingContainers) {
      const finding = killed(pod, container)
      if (finding !== null) return finding
    }
    const because = otherKill(pod, new Set(scene.decidingContainers.map(({ name }) => name)))
    return because === null ? null : { because }
  }
}

function killed(pod: PodView, container: Container): Finding | null {
  const down = pod.down(container.name)
  // A container that dies again and again may be up at T for a moment, and its status tells only the newest end.
  const loop = crashLoopOf(pod, container.name)
  const termination = down?.termination ?? loop?.termination ?? null
  if (termination === null || !isOutOfMemory(termination)) return null
  const limit = container.resources?.limits?.memory
  const text = `container ${container.name} was OOM-killed${limit === undefined ? '' : ` (limit ${limit})`}`
  return {
    tier: 'A',
    ref: pod.ref,
    atMs: termination.finishedMs,
    needs: terminationFacts(pod, termination, text),
    supports: [...limitFacts(pod, container), ...(loop?.facts ?? [])],
    isInferred: down === null,
    ...(loop !== null && { chain: ['crash_loop'] })
  }
}

function limitFacts(pod: PodView, { name, resources }: Container): Fact[] {
  const limit = resources?.limits?.memory
  if (limit === undefined) return []
  return [field(pod.history, `${pod.specPath(name)}.resources.limits.memory`, limit, `its memory limit is ${limit}`)]
}

/** An OOM kill that is told of this pod and did not fail this request; null: none is told. */
function otherKill(pod: PodView, deciding: ReadonlySet<string>): string | null {
  for (const { name } of pod.lasting) {
    const ends = pod.terminations(name).filter(({ reason }) => reason === 'OOMKilled')
    const newest = ends.at(-1)
    if (newest === undefined) continue
    if (!deciding.has(name)) return `${name} of ${pod.ref} was OOM-killed, and was not what failed here`
    return otherwise(pod, name, newest)
  }
  return null
}

function otherwise(pod: PodView, name: string, { exitCode, finishedMs }: Termination): string {
  if (exitCode === TERMINATED)
    return `${pod.ref} ended on SIGTERM (exit code 143): the runtime's count of OOM kills is cumulative`
  const when = isoText(finishedMs)
  return `${name} of ${pod.ref} was OOM-killed at ${when}: it was not down because of that when the request failed`
}

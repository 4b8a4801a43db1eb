import type { Container, Probe } from '../../cluster/objects.ts'
import { probeKill, terminationFacts } from '../containerExit.ts'
import { crashLoopOf } from '../crashLoop.ts'
import { covers } from '../events.ts'
import { eventFacts, type Fact, field } from '../fact.ts'
import type { PodView } from '../podView.ts'
import type { Finding, Rule } from '../rule.ts'

/** A liveness or startup probe had the container killed, and T lies in the time it was down. */
export const probeRestart: Rule = {
  cause: 'probe_restart',
  isOfPod: true,
  explains: ['oom_killed', 'crash_loop', 'app_crash', 'readiness_failing', 'publish_not_ready'],
  judge(scene) {
    const { pod } = scene
    if (pod === null) return null
    for (const container of scene.decidingContainers) {
      const finding = restarted(pod, container, scene.symptom === 'no_endpoints')
      if (finding !== null) return finding
    }
    const other = pod.events.findLast(
      ({ reason, message }) => reason === 'Killing' && /failed (liveness|startup) probe/.test(message)
    )
    if (other === undefined) return null
    return { because: `a probe had a container of ${pod.ref} killed, and that is not why this request failed` }
  }
}

function restarted(pod: PodView, container: Container, isKeptOut: boolean): Finding | null {
  const { name } = container
  const down = pod.down(name)
  const loop = crashLoopOf(pod, name)
  const termination = down?.termination ?? loop?.termination ?? null
  const kill = probeKill(pod, name, termination)
  if (kill === null) return null
  // Killed again before it could become Ready: its status tells only of an end after T.
  const isBetweenKills = isKeptOut && pod.ready.status === 'False' && covers(kill.event, pod.moment)
  if (down === null && loop === null && !isBetweenKills) return null
  const { event, probe } = kill
  const text = `kubelet killed container ${name}: it failed its ${probe} probe`
  const ends = termination === null ? [] : terminationFacts(pod, termination, `container ${name} was ended by kubelet`)
  return {
    tier: 'A',
    variant: probe,
    ref: pod.ref,
    atMs: termination?.finishedMs ?? event.lastMs,
    needs: [...eventFacts(event, event.lastMs, text), ...ends, ...(down === null ? (loop?.facts ?? []) : [])],
    supports: [...probeFacts(pod, container, probe), ...unhealthyFacts(pod, name, probe)],
    isInferred: down === null && (loop === null || loop.isInferred),
    ...(loop !== null && { chain: ['crash_loop'] })
  }
}

function probeFacts(pod: PodView, container: Container, kind: 'liveness' | 'startup'): Fact[] {
  const probe: Probe | undefined = container[`${kind}Probe`]
  if (probe === undefined) return []
  const path = `${pod.specPath(container.name)}.${kind}Probe`
  return (['timeoutSeconds', 'failureThreshold', 'periodSeconds', 'initialDelaySeconds'] as const).flatMap(name => {
    const value = probe[name]
    return value === undefined
      ? []
      : [field(pod.history, `${path}.${name}`, value, `${name} of the ${kind} probe is ${value}`)]
  })
}

function unhealthyFacts(pod: PodView, name: string, kind: 'liveness' | 'startup'): Fact[] {
  const words = kind === 'liveness' ? 'Liveness probe failed' : 'Startup probe failed'
  const event = pod.events.findLast(
    ({ reason, message, container }) =>
      reason === 'Unhealthy' && message.startsWith(words) && (container === null || container === name)
  )
  return event === undefined ? [] : eventFacts(event, event.lastMs, `its ${kind} probe failed`)
}

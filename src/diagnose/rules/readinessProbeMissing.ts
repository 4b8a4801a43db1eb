import { type Fact, field } from '../fact.ts'
import { EPSILON_MS } from '../moment.ts'
import { type PodView, statusIn } from '../podView.ts'
import type { Rule } from '../rule.ts'
import { timeOf } from '../times.ts'

/** So long after its start a server may not listen yet. */
const FRESH_MS = 60_000

/** Nothing asks the app whether it is ready, so it gets requests from the moment its process exists. */
export const readinessProbeMissing: Rule = {
  cause: 'readiness_probe_missing',
  isOfPod: true,
  explains: ['app_not_listening'],
  judge(scene) {
    const { pod, container } = scene
    if (pod === null || container === null) return null
    const first = firstStart(pod, container.name)
    if (first === null) return null
    if (!pod.moment.isWithin(first.startedMs - EPSILON_MS, first.startedMs + FRESH_MS)) return null
    const path = `spec.containers[${container.name}]`
    if (container.readinessProbe || container.startupProbe)
      return { because: `container ${container.name} of ${pod.ref} has a readiness or startup probe` }
    const text = `container ${container.name} has no readiness probe: it gets requests as soon as its process exists`
    return {
      tier: 'A',
      ref: pod.ref,
      atMs: first.startedMs,
      needs: [
        field(pod.history, `${path}.readinessProbe`, null, text),
        field(pod.history, `${path}.startupProbe`, null, `container ${container.name} has no startup probe`),
        first.fact,
        ...first.restarts
      ]
    }
  }
}

interface FirstStart {
  startedMs: number
  fact: Fact
  restarts: Fact[]
}

/** Of the container's first instance; null: not told. */
function firstStart(pod: PodView, name: string): FirstStart | null {
  for (const { object } of pod.history.versions) {
    const at = statusIn(object, name)
    if (at === null) continue
    const { restartCount = 0, state, lastState } = at.status
    const places = [
      ['state.running.startedAt', state?.running?.startedAt, 0],
      ['state.terminated.startedAt', state?.terminated?.startedAt, 0],
      ['lastState.terminated.startedAt', lastState?.terminated?.startedAt, 1]
    ] as const
    for (const [where, text, count] of places) {
      const startedMs = timeOf(text)
      if (startedMs === null || startedMs <= 0 || restartCount !== count) continue
      return {
        startedMs,
        fact: field(pod.history, `${at.path}.${where}`, text, `its first instance was started at ${text}`, startedMs),
        restarts: [
          field(pod.history, `${at.path}.restartCount`, restartCount, `it was restarted ${restartCount} times`)
        ]
      }
    }
  }
  return null
}

import { eventFacts, type Fact, field } from '../fact.ts'
import { EPSILON_MS, PROPAGATION_MS } from '../moment.ts'
import type { PodView, Termination } from '../podView.ts'
import type { Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { timeText } from '../times.ts'
import { deletionFacts } from './terminationRace.ts'

/** SIGKILL. */
const KILLED = 137
const EVENTS: ReadonlySet<string> = new Set(['FailedPreStopHook', 'ExceededGracePeriod'])
/** The kubelet starts its own clock a little after the request, and whole seconds round. */
const LATE_MS = 5_000

/** A request that began in time was cut off when the grace period had passed and the container was killed. */
export const gracePeriodTooShort: Rule = {
  cause: 'grace_period_too_short',
  isOfPod: true,
  explains: ['termination_race', 'app_crash', 'oom_killed'],
  judge(scene) {
    const { pod, container, moment } = scene
    const deletion = pod?.deletion ?? null
    if (pod === null || deletion === null || container === null) return null
    const { requestedMs, graceMs } = deletion
    if (!moment.isPast(requestedMs - EPSILON_MS)) return null
    if (moment.isAfter(requestedMs + PROPAGATION_MS + durationMs(scene)))
      return { because: `the request began when ${pod.ref} had long been asked to go` }
    const dueMs = requestedMs + graceMs
    const event = pod.events.find(
      span => EVENTS.has(span.reason) && span.firstMs >= requestedMs - EPSILON_MS && isAbout(span.container)
    )
    const end = pod.terminations(container.name).at(-1) ?? null
    if (end !== null && end.finishedMs >= requestedMs - EPSILON_MS) {
      if (!moment.isWithin(end.finishedMs - EPSILON_MS, end.finishedMs + EPSILON_MS))
        return { because: `container ${container.name} ended at another time` }
      const isDue = Math.abs(end.finishedMs - dueMs) <= LATE_MS && end.finishedMs >= dueMs - EPSILON_MS
      if (!(isDue && end.exitCode === KILLED) && event === undefined)
        return { because: `container ${container.name} ended by itself, before its grace period had passed` }
      return finding(pod, end, end.finishedMs)
    }
    // The last state of the container was not seen: only the clock speaks.
    if (graceMs === 0 || !moment.isWithin(dueMs - EPSILON_MS, dueMs + EPSILON_MS)) return null
    return { ...finding(pod, null, dueMs), isUnobserved: event === undefined }

    function isAbout(name: string | null): boolean {
      return name === null || name === container!.name
    }

    function finding(view: PodView, ended: Termination | null, atMs: number) {
      const needs: Fact[] = []
      if (ended !== null && ended.exitCode !== null) {
        const text = `container ${container!.name} was killed when its grace period had passed`
        needs.push(
          field(view.history, `${ended.path}.exitCode`, ended.exitCode, text, ended.finishedMs),
          field(view.history, `${ended.path}.finishedAt`, timeText(ended.finishedMs), text, ended.finishedMs)
        )
      }
      if (event !== undefined) needs.push(...eventFacts(event, event.lastMs, `${view.ref}: ${event.message}`))
      const { terminationGracePeriodSeconds: grace } = view.object.spec ?? {}
      const text = `the pod has ${grace ?? graceMs / 1000} s to end`
      needs.push(
        field(view.history, 'spec.terminationGracePeriodSeconds', grace ?? null, text),
        ...deletionFacts(view, deletion!)
      )
      return { tier: 'A' as const, ref: view.ref, atMs, needs }
    }
  }
}

/** How long the request took. */
function durationMs({ input }: Scene): number {
  const { requestTimeMs, upstreamResponseTimeMs } = input.detail
  return requestTimeMs ?? upstreamResponseTimeMs ?? 0
}

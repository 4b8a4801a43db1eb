/** Whether a pod was Ready at T, also where the only change of it that is told came after T and after an end of a container. */

import type { Container } from '../cluster/objects.ts'
import type { ConditionAt } from './conditions.ts'
import { covers } from './events.ts'
import { EPSILON_MS } from './moment.ts'
import type { PodView, Termination } from './podView.ts'
import { readinessFailuresAtT } from './readiness.ts'

const DEFAULT_PERIOD_S = 10

export interface ReadyAt extends ConditionAt {
  /** The end of an instance that was alive at T: the change to True after it says nothing of T. null: there is none. */
  laterEnd: Termination | null
}

/**
 * A snapshot tells one change. When it is to True and a container that was alive at T ended in between, it is the end of a
 * later time without answers, and the pod was Ready before that: not the opposite.
 */
export function readyAt(pod: PodView): ReadyAt {
  const read = pod.condition('Ready')
  const { status, isInferred, next } = read
  if (!isInferred || status !== 'False' || next === null) return { ...read, laterEnd: null }
  const laterEnd = endBefore(pod, next.atMs)
  if (laterEnd === null) return { ...read, laterEnd }
  const ended = { status: 'False', atMs: laterEnd.finishedMs, reason: null, message: null }
  return { ...read, status: 'True', next: ended, laterEnd }
}

/** The first end after T of an instance that had been up for long enough to be ready; none where anything says it was not. */
function endBefore(pod: PodView, readyMs: number): Termination | null {
  const { moment, lasting } = pod
  let first: Termination | null = null
  for (const container of lasting) {
    const { name } = container
    // Not `runs`: what that makes of a late status depends on readiness.
    const last = pod.instances(name).findLast(({ startedMs }) => moment.isPast(startedMs))
    const isDown = last !== undefined && last.finishedMs !== null && moment.isPast(last.finishedMs)
    if (isDown || readinessFailuresAtT(pod, container).length > 0) return null
    for (const end of pod.terminations(name)) {
      const { startedMs, finishedMs } = end
      if (startedMs === null || !moment.isPast(startedMs + settlingMs(container))) continue
      if (moment.isPast(finishedMs - EPSILON_MS) || finishedMs > readyMs) continue
      if (first === null || finishedMs < first.finishedMs) first = end
    }
  }
  if (first === null) return null
  return pod.events.some(event => event.reason === 'BackOff' && covers(event, moment)) ? null : first
}

/** The earliest that a container's probes can find it ready after its start, ms. */
export function settlingMs({ readinessProbe, startupProbe }: Container): number {
  const probes = [readinessProbe, startupProbe].filter(probe => probe !== undefined && probe !== null)
  const seconds = probes.map(
    ({ initialDelaySeconds = 0, periodSeconds = DEFAULT_PERIOD_S }) => initialDelaySeconds + periodSeconds
  )
  return Math.max(0, ...seconds) * 1000
}

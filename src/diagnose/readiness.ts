/** A readiness probe that failed around T, by the pod's Events. */

import type { Container } from '../cluster/objects.ts'
import { isAbout } from './containerExit.ts'
import { covers, type EventSpan } from './events.ts'
import type { PodView } from './podView.ts'

const DEFAULT_PERIOD_S = 10
const FAILED = /^Readiness probe (failed|errored)/

export function periodMs(container: Container | null): number {
  return (container?.readinessProbe?.periodSeconds ?? DEFAULT_PERIOD_S) * 1000
}

/** Newest first, of one container. */
export function readinessFailures(pod: PodView, container: Container): EventSpan[] {
  return pod.events
    .filter(event => event.reason === 'Unhealthy' && FAILED.test(event.message) && isAbout(event, container.name))
    .toReversed()
}

export function readinessFailuresAtT(pod: PodView, container: Container): EventSpan[] {
  return readinessFailures(pod, container).filter(event => covers(event, pod.moment, periodMs(container)))
}

/** A pod that is older than this is no longer starting. */
const STARTING_MS = 15 * 60_000
/** The Ready condition of a new pod is False from its scheduling on, a few seconds after its creation. */
const FIRST_CONDITION_MS = 60_000

/**
 * A new pod that had not been Ready by T, and became so after T: most of what is told of such a start is nothing unusual.
 */
export function isStarting({ ready, history, moment }: PodView): boolean {
  const { status, next, sinceMs } = ready
  const { createdMs } = history
  if (status === 'True' || next?.status !== 'True') return false
  if (createdMs === null || moment.isPast(createdMs + STARTING_MS)) return false
  return sinceMs === null || sinceMs - createdMs < FIRST_CONDITION_MS
}

/** Pods on their way: scheduled or not, but no container of theirs has run yet. */

import { covers, type EventSpan } from './events.ts'
import { EPSILON_MS } from './moment.ts'
import type { PodView } from './podView.ts'

const CREATING: ReadonlySet<string> = new Set(['', 'ContainerCreating', 'PodInitializing'])
const ABOUT_VOLUMES = /persistentvolumeclaim|volume node affinity|persistent volumes? to bind|max volume count/i
/** The kubelet's words for a mount that waits for a ConfigMap or Secret, or has not heard of it yet. */
const ABOUT_CONFIG =
  /(configmap|secret)s? "[^"]*" (not found|is forbidden)|references non-existent .*key|object "[^"]*"\/"[^"]*" not registered/i

/** Pending or ContainerCreating at T: what is missing is a node, a volume, a network. */
export function isCreating(pod: PodView): boolean {
  if (pod.hasStarted || pod.isOver) return false
  return pod.containers.every(({ name }) => CREATING.has(pod.waiting(name)?.reason ?? ''))
}

export interface Unscheduled {
  sinceMs: number | null
  message: string
  /** Read backwards from when it was scheduled. */
  isInferred: boolean
  event: EventSpan | null
}

/** No node for the pod at T; null: it had one, or nobody has looked yet. */
export function unscheduledOf(pod: PodView): Unscheduled | null {
  const { status, reason, message, sinceMs, isInferred } = pod.condition('PodScheduled')
  if (status !== 'False') return null
  const event = pod.events.findLast(span => span.reason === 'FailedScheduling' && hasBegun(pod, span)) ?? null
  // Every pod waits for a moment: only the scheduler's word makes it more.
  if (reason !== 'Unschedulable' && event === null) return null
  if (reason === 'SchedulingGated' || (isInferred && !(event !== null && covers(event, pod.moment)))) return null
  return { sinceMs, message: message ?? event?.message ?? '', isInferred, event }
}

export function isAboutVolumes(message: string): boolean {
  return ABOUT_VOLUMES.test(message)
}

export function isAboutConfig(message: string): boolean {
  return ABOUT_CONFIG.test(message)
}

/** The Event had been seen by T. */
export function hasBegun({ moment }: PodView, { firstMs }: EventSpan): boolean {
  return moment.isPast(firstMs - EPSILON_MS)
}

/** Kubernetes Events as spans of time. They live for one hour: a missing Event never disproves anything. */

import type { KubeEvent } from '../cluster/objects.ts'
import type { ClusterState, History } from '../cluster/state.ts'
import { EPSILON_MS, type Moment } from './moment.ts'
import { timeOf } from './times.ts'

const COVERS_MS = 60_000

export interface EventSpan {
  object: KubeEvent
  reason: string
  message: string
  /** Unix ms. */
  firstMs: number
  lastMs: number
  /** The container it is about (`spec.containers{x}`); null: the whole object. */
  container: string | null
}

export function spanOf({ versions }: History<KubeEvent>): EventSpan {
  const { atMs, object } = versions.at(-1)!
  const eventMs = timeOf(object.eventTime)
  const seriesMs = timeOf(object.series?.lastObservedTime)
  const firstMs = timeOf(object.firstTimestamp) ?? eventMs ?? timeOf(object.lastTimestamp) ?? atMs
  const lastMs = timeOf(object.lastTimestamp) ?? seriesMs ?? eventMs ?? firstMs
  const container = /\{(.+)\}$/.exec(object.involvedObject?.fieldPath ?? '')?.[1] ?? null
  return {
    object,
    reason: object.reason ?? '',
    message: object.message ?? '',
    firstMs,
    lastMs: Math.max(firstMs, lastMs),
    container
  }
}

/** Events of an object, by last time. */
export function eventsOf(state: ClusterState, history: History): EventSpan[] {
  return state.eventsOf(history).map(spanOf)
}

/** It was going on at T. `periodMs` of the probe that made it; 0: no probe did. */
export function covers({ firstMs, lastMs }: EventSpan, moment: Moment, periodMs = 0): boolean {
  return moment.isWithin(firstMs - EPSILON_MS, lastMs + Math.max(COVERS_MS, 3 * periodMs))
}

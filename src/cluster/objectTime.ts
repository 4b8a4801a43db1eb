/** The newest time that an object tells of itself: it was seen then, or later. */

import { isRecord } from './fieldShape.ts'
import type { KubeObject } from './objects.ts'

const TIME_FIELDS = new Set([
  'creationTimestamp',
  'lastTransitionTime',
  'lastHeartbeatTime',
  'startTime',
  'startedAt',
  'finishedAt',
  'firstTimestamp',
  'lastTimestamp',
  'eventTime',
  'lastObservedTime',
  'timeAdded',
  'timestamp',
  'renewTime'
])
/** Anybody may write a date there. */
const NO_TIMES = new Set(['labels', 'annotations', 'data', 'metrics', 'currentMetrics', 'allocatable', 'hard', 'used'])

/** Unix ms, -Infinity: none. Of a kept object. `deletionTimestamp` lies in the future: it counts as the time it was asked for. */
export function newestTime(object: KubeObject): number {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata
  const deleted = deletionTimestamp === undefined ? Number.NEGATIVE_INFINITY : Date.parse(deletionTimestamp)
  return Math.max(deleted - deletionGracePeriodSeconds * 1_000, newestBelow(object))
}

function newestBelow(value: object): number {
  let newest = Number.NEGATIVE_INFINITY
  for (const key of Object.keys(value)) {
    const inner = (value as Record<string, unknown>)[key]
    if (typeof inner === 'string') {
      if (TIME_FIELDS.has(key)) newest = Math.max(newest, Date.parse(inner))
    } else if ((isRecord(inner) && !NO_TIMES.has(key)) || Array.isArray(inner)) {
      newest = Math.max(newest, newestBelow(inner))
    }
  }
  return newest
}

import { apiTime } from './apiTime.ts'
import type { KubeEvent } from './objects.ts'
import type { History } from './state.ts'

/** When an Event was last true, by its own words, else when it was seen. Unix ms. */
export function eventTimeMs(history: History<KubeEvent>): number {
  const { object, atMs } = history.versions.at(-1)!
  const told = [object.lastTimestamp, object.series?.lastObservedTime, object.eventTime, object.firstTimestamp]
  return told.map(apiTime).find(ms => ms !== null) ?? atMs
}

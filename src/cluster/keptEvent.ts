/** Events come in two forms: of core/v1, and of events.k8s.io/v1, which renamed most of it. */

import { fields, isRecord, message, number, ownField, text, time } from './fieldShape.ts'
import type { KubeEvent } from './objects.ts'

type Inner<Key extends keyof KubeEvent> = NonNullable<KubeEvent[Key]>

export const EVENT: { readonly [Key in keyof Required<Omit<KubeEvent, 'kind' | 'metadata'>>]: typeof text } = {
  involvedObject: fields<Inner<'involvedObject'>>({
    kind: text,
    namespace: text,
    name: text,
    uid: text,
    fieldPath: text
  }),
  reason: text,
  message,
  type: text,
  count: number,
  firstTimestamp: time,
  lastTimestamp: time,
  eventTime: time,
  series: fields<Inner<'series'>>({ count: number, lastObservedTime: time }),
  source: fields<Inner<'source'>>({ component: text, host: text })
}

/** Ours ← theirs; what is there under our name stays. */
const RENAMED = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['count', 'deprecatedCount'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['source', 'deprecatedSource']
] as const

/** Either form → that of core/v1. */
export function coreEvent(raw: Record<string, unknown>): Record<string, unknown> {
  const event: Record<string, unknown> = {}
  for (const key of Object.keys(EVENT)) event[key] = ownField(raw, key)
  for (const [ours, theirs] of RENAMED) event[ours] ??= ownField(raw, theirs)
  // Who reports it stands in `source` of old events only; there it is an object without fields in new ones.
  const component = ownField(event.source, 'component')
  const reporter = ownField(raw, 'reportingController') ?? ownField(raw, 'reportingComponent')
  if ((component === undefined || component === '') && typeof reporter === 'string' && reporter !== '')
    event.source = { ...(isRecord(event.source) ? { host: ownField(event.source, 'host') } : {}), component: reporter }
  return event
}

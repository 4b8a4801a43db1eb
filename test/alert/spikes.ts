/** Spikes at two services and of two causes, minute by minute, and a pager that is told of them. */

import fc from 'fast-check'
import type { Alerting } from '../../src/alert/alerting.ts'
import { isOpenGroup } from '../../src/alert/grouping.ts'
import { atMs, sighting } from './samples.ts'

const CAUSES = ['connection_refused', 'read_timeout'] as const
const SERVICES = ['shop-cart-80', 'shop-pay-80'] as const
/** The detector says nothing before it knows what is normal. */
export const QUIET = 120
export const MINUTES = 100

export interface Spike {
  service: (typeof SERVICES)[number]
  cause: (typeof CAUSES)[number]
  from: number
  minutes: number
  perMinute: number
}

export const anySpike: fc.Arbitrary<Spike> = fc.record({
  service: fc.constantFrom(...SERVICES),
  cause: fc.constantFrom(...CAUSES),
  from: fc.integer({ min: 0, max: MINUTES - 20 }),
  minutes: fc.integer({ min: 1, max: 15 }),
  perMinute: fc.integer({ min: 15, max: 60 })
})

function failuresIn(spikes: readonly Spike[], service: string, cause: string, minute: number): number {
  const hit = spikes.filter(one => one.service === service && one.cause === cause)
  return hit.reduce(
    (sum, { from, minutes, perMinute }) => sum + (minute >= from && minute < from + minutes ? perMinute : 0),
    0
  )
}

export function tell(alerting: Alerting, spikes: readonly Spike[], minute: number, isHistory: boolean): void {
  for (const upstream of SERVICES) {
    alerting.addRequests(upstream, atMs(minute), 500)
    for (const cause of CAUSES) {
      const count = failuresIn(spikes, upstream, cause, minute)
      if (count === 0) continue
      if (isHistory) alerting.addFailures(upstream, cause, atMs(minute), count)
      else
        alerting.add(sighting({ timeMs: atMs(minute, 1), upstream, cause, service: upstream, namespace: null }), count)
    }
  }
}

/** What a pager is told: once that it is open, once that it is over. */
export function notify(alerting: Alerting, minute: number, heard: string[]): void {
  for (const group of alerting.groups) {
    const { head } = group
    const state = isOpenGroup(group) ? 'open' : 'resolved'
    const known = head.told.pager?.state ?? null
    if (known === state || (known === null && state === 'resolved')) continue
    head.told.pager = { state, atMs: atMs(minute), failures: head.failures }
    heard.push(`${minute} ${state} ${head.id}`)
  }
}

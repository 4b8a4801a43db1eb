/** What the objects of the simulated shop have in common. */

import type { Metadata } from '../../../src/cluster/objects.ts'
import type { Random } from '../random.ts'

/** Everything that is older than the log was made then. */
export const LONG_AGO_MS = Date.parse('2026-11-20T08:14:00Z')

/** As the API writes times: whole seconds. */
export function apiTime(ms: number): string {
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`
}

export function metadata(
  random: Random,
  name: string,
  namespace: string | null,
  more: Partial<Metadata> = {},
  createdMs = LONG_AGO_MS
): Metadata {
  return {
    name,
    ...(namespace !== null && { namespace }),
    uid: random.uuid(),
    creationTimestamp: apiTime(createdMs),
    ...more
  }
}

/** Suffix of a name that the API makes up. */
export function suffix(random: Random, length = 5): string {
  return Array.from({ length }, () => random.pick('bcdfghjklmnpqrstvwxz2456789'.split(''))).join('')
}

/** How a workload replaces its pods: does any stay while the new ones start? */

import type { Workload } from '../cluster/objects.ts'
import type { Current } from './current.ts'
import { type Fact, field } from './fact.ts'
import type { Tier } from './rule.ts'

export interface GapStrategy {
  tier: Tier
  facts: Fact[]
}

/** null: pods stay. B: the text of the strategy allows a surge, yet all old pods may go at once. */
export function gapStrategy({ history, object }: Current<Workload>): GapStrategy | null {
  const { spec } = object
  const replicas = spec?.replicas ?? 1
  if (history.kind === 'StatefulSet') {
    if (replicas !== 1 || spec?.updateStrategy?.type === 'OnDelete') return null
    const text = 'a StatefulSet of one pod has none while it is replaced'
    return { tier: 'B', facts: [field(history, 'spec.replicas', 1, text)] }
  }
  if (history.kind !== 'Deployment') return null
  if (spec?.strategy?.type === 'Recreate') {
    const text = 'the strategy Recreate takes all old pods away before it makes new ones'
    return { tier: 'A', facts: [field(history, 'spec.strategy.type', 'Recreate', text)] }
  }
  const { maxSurge = '25%', maxUnavailable = '25%' } = spec?.strategy?.rollingUpdate ?? {}
  const surge = countOf(maxSurge, replicas, Math.ceil)
  // The controller reads 0 and 0 as one that may be missing.
  const unavailable = Math.max(countOf(maxUnavailable, replicas, Math.floor), surge === 0 ? 1 : 0)
  if (unavailable < replicas) return null
  const path = 'spec.strategy.rollingUpdate'
  const text = `the rollout may take ${maxUnavailable} of ${replicas} pods away, with ${maxSurge} more at a time`
  return {
    tier: surge === 0 ? 'A' : 'B',
    facts: [
      field(history, `${path}.maxSurge`, maxSurge, text),
      field(history, `${path}.maxUnavailable`, maxUnavailable, text),
      field(history, 'spec.replicas', replicas, `it has ${replicas} replicas`)
    ]
  }
}

/** `25%` of the replicas, or a number. */
function countOf(value: number | string, replicas: number, round: (value: number) => number): number {
  const match = /^(\d+)%$/.exec(String(value))
  if (match !== null) return round((Number(match[1]) * replicas) / 100)
  const count = Number(value)
  return Number.isFinite(count) ? count : 0
}

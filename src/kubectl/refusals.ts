/** Sentences about what may not be listed: what that costs, and what would allow it. */

import type { Kind } from '../cluster/objects.ts'
import { howToAllow, type Right, resourceName, rightOf } from '../cluster/rights.ts'
import { causesWithout } from '../diagnose/kindNeeds.ts'
import type { Refusal } from './clusterPart.ts'

/** One for each namespace, and one for what is of everywhere. */
export function refusalNotes(refused: readonly Refusal[]): string[] {
  const byNamespace = new Map<string | null, Kind[]>()
  for (const { kind, namespace } of refused) {
    const kinds = byNamespace.get(namespace) ?? []
    if (!kinds.includes(kind)) byNamespace.set(namespace, [...kinds, kind])
  }
  return [...byNamespace]
    .sort(([a], [b]) => (a ?? '').localeCompare(b ?? '', 'en'))
    .map(([namespace, kinds]) => {
      const rights = kinds.map(kind => rightOf('list', kind, namespace)) as [Right, ...Right[]]
      const where = namespace === null ? '' : ` in ${namespace}`
      const named = kinds.map(resourceName).join(', ')
      return `${named} may not be listed${where} (403)${costOf(kinds)}: ${howToAllow(...rights)}`
    })
}

/** `, so nobody can say node_not_ready or node_pressure`; empty where nothing is lost but words. */
export function costOf(kinds: readonly Kind[]): string {
  const causes = causesWithout(kinds)
  if (causes === 'all') return ', so no root cause can be told'
  return causes.length === 0 ? '' : `, so it cannot be told whether it was ${causes.join(', ')}`
}

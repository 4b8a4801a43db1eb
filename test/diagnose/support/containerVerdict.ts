import { openClusterState } from '../../../src/cluster/clusterIndex.ts'
import { readCase } from '../../../src/diagnose/caseFile.ts'
import { diagnose } from '../../../src/diagnose/diagnose.ts'
import { verdictOf } from '../../../src/diagnose/verdict.ts'
import { type Shop, type ShopOptions, shopCase } from './caseBuilder.ts'
import { webContainer } from './podMaker.ts'

/** One container, `app`. */
export const APP: ShopOptions = { containers: [webContainer('app')] }

/**
 * What is said of a shop in which `tell` lets something go wrong. Times are seconds from the failure.
 * @param unreadable kinds that nobody could read
 */
export function verdictOn(tell: (shop: Shop) => void, options: ShopOptions = APP, unreadable: string[] = []) {
  const built = shopCase(
    'container-rules',
    '',
    shop => {
      tell(shop)
      return { root_cause: '' }
    },
    options
  )
  const { input, events } = readCase({ ...built, unreadable })
  const state = openClusterState()
  for (const event of events) state.apply(event)
  const diagnosis = diagnose(input, state)
  if (diagnosis === null) throw new Error('nothing of the cluster is known')
  return verdictOf(diagnosis)
}

/** The citations without their objects. */
export function paths({ evidence }: ReturnType<typeof verdictOn>): string[] {
  return evidence.map(({ cite }) => cite.replace(/^(Event )?\S+ \S+ /, '$1'))
}

/** A sentence for each excluded cause. */
export function excluded({ excluded: list }: ReturnType<typeof verdictOn>): string[] {
  return list.map(({ root_cause: cause }) => cause)
}

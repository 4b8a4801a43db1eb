/** Cases through the whole of diagnosis, for the tests of rules about pods' lives. */

import { openClusterState } from '../../../src/cluster/clusterIndex.ts'
import { readCase } from '../../../src/diagnose/caseFile.ts'
import { diagnose } from '../../../src/diagnose/diagnose.ts'
import { verdictOf } from '../../../src/diagnose/verdict.ts'
import { type Expectation, type Shop, type ShopOptions, shopCase } from './caseBuilder.ts'
import { mismatches } from './expectation.ts'

export type Told = [title: string, tell: (shop: Shop) => Expectation, options?: ShopOptions]

/** What is wrong with the verdict on a shop that something happened in; empty: nothing is. */
export function complaintsAbout([title, tell, options]: Told): string[] {
  const one = shopCase(title, title, tell, options)
  const { input, events } = readCase(one)
  const state = openClusterState()
  for (const event of events) state.apply(event)
  const diagnosis = diagnose(input, state)
  return diagnosis === null ? ['nothing of the cluster is known'] : mismatches(one.expect, verdictOf(diagnosis))
}

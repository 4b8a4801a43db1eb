/** Cases through the whole of diagnosis: read, indexed, judged. */

import { certificateFacts } from '../../../src/cluster/certificate.ts'
import { openClusterState } from '../../../src/cluster/clusterIndex.ts'
import { readCase } from '../../../src/diagnose/caseFile.ts'
import { diagnose } from '../../../src/diagnose/diagnose.ts'
import { verdictOf } from '../../../src/diagnose/verdict.ts'
import type { DiagnosisCase } from './caseBuilder.ts'
import type { Verdict } from './expectation.ts'

/** What `why5xx diagnose` says of a case; null: nothing of the cluster is known. */
export function caseVerdict(one: DiagnosisCase): Verdict | null {
  const { input, events } = readCase(one, { certificateFacts })
  const state = openClusterState()
  for (const event of events) state.apply(event)
  const diagnosis = diagnose(input, state)
  return diagnosis === null ? null : verdictOf(diagnosis)
}

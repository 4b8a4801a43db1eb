/** The state of a cluster from files, for judging failures as they are found. */

import { openClusterState } from '../cluster/clusterIndex.ts'
import { readSnapshots } from '../cluster/snapshot.ts'
import type { ClusterState } from '../cluster/state.ts'
import { DiagnosisMemo } from '../diagnose/memo.ts'
import type { Why5xxError } from '../errors.ts'
import { inputOfFailure } from '../failureInput.ts'
import type { Masker } from '../mask.ts'
import type { Failure } from '../model.ts'

export class ClusterJudge {
  readonly state: ClusterState
  readonly problems: readonly Why5xxError[]
  /** Failures behind the newest moment that the files tell of: what happened to the cluster since then is not known. */
  later = 0
  readonly #masker: Masker
  readonly #memo = new DiagnosisMemo()

  constructor(state: ClusterState, masker: Masker, problems: readonly Why5xxError[] = []) {
    this.state = state
    this.#masker = masker
    this.problems = problems
  }

  /** Of files; never throws for what they hold: `problems` says so. */
  static async read(paths: readonly string[], masker: Masker): Promise<ClusterJudge> {
    const { events, problems } = await readSnapshots(paths)
    // A postmortem is weeks later: nothing is too old.
    const state = openClusterState({ keepMs: Number.POSITIVE_INFINITY })
    for (const event of events) state.apply(event)
    return new ClusterJudge(state, masker, problems)
  }

  judge(failure: Failure): void {
    const isKnown = failure.timeMs <= this.state.knownToMs
    if (!isKnown) this.later++
    const diagnosis = this.#memo.diagnose(inputOfFailure(failure, this.#masker), this.state)
    failure.judgement = { isKnown, diagnosis }
  }
}

/** The state of a cluster from files, for judging failures as they are found. */

import { statSync } from 'node:fs'
import { openClusterState } from '../cluster/clusterIndex.ts'
import { readSnapshots } from '../cluster/snapshot.ts'
import type { ClusterState } from '../cluster/state.ts'
import { rounded, UNOBSERVED_MAX } from '../diagnose/confidence.ts'
import type { Diagnosis } from '../diagnose/diagnosis.ts'
import { DiagnosisMemo } from '../diagnose/memo.ts'
import type { Why5xxError } from '../errors.ts'
import { inputOfFailure } from '../failureInput.ts'
import type { Masker } from '../mask.ts'
import type { Failure } from '../model.ts'

export class ClusterJudge {
  readonly state: ClusterState
  readonly problems: readonly Why5xxError[]
  /** Failures behind `knownToMs`: what happened to the cluster since then is not known. */
  later = 0
  /** Up to when the files can tell: their newest time, or when they were written. */
  readonly knownToMs: number
  readonly #masker: Masker
  readonly #memo = new DiagnosisMemo()

  constructor(state: ClusterState, masker: Masker, problems: readonly Why5xxError[] = [], writtenMs = state.knownToMs) {
    this.state = state
    this.knownToMs = Math.max(state.knownToMs, Number.isFinite(state.knownToMs) ? writtenMs : Number.NEGATIVE_INFINITY)
    this.#masker = masker
    this.problems = problems
  }

  /** Of files; never throws for what they hold: `problems` says so. */
  static async read(paths: readonly string[], masker: Masker): Promise<ClusterJudge> {
    const { events, problems } = await readSnapshots(paths)
    // A postmortem is weeks later: nothing is too old.
    const state = openClusterState({ keepMs: Number.POSITIVE_INFINITY })
    for (const event of events) state.apply(event)
    return new ClusterJudge(state, masker, problems, writtenMs(paths))
  }

  judge(failure: Failure): void {
    const isKnown = failure.timeMs <= this.knownToMs
    if (!isKnown) this.later++
    const diagnosis = this.#memo.diagnose(inputOfFailure(failure, this.#masker), this.state)
    failure.judgement = { isKnown, diagnosis: isKnown ? diagnosis : doubted(diagnosis) }
  }
}

/** What was so before the failure may have changed since: it is worth no more than a fact that nobody saw. */
function doubted(diagnosis: Diagnosis | null): Diagnosis | null {
  if (diagnosis === null || diagnosis.confidence <= UNOBSERVED_MAX) return diagnosis
  const { confidence, terms } = diagnosis
  const term = {
    text: 'the state of the cluster is older than the failure',
    value: rounded(UNOBSERVED_MAX - confidence)
  }
  return { ...diagnosis, confidence: UNOBSERVED_MAX, terms: [...terms, term] }
}

/** When the newest of the files was written, Unix ms; a quiet cluster has no newer time in it. */
function writtenMs(paths: readonly string[]): number {
  const times = paths.map(path =>
    path === '-' ? Date.now() : (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
  )
  return Math.max(0, ...times)
}

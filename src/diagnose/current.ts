/** An object as it stood at T, by what a watch or a later snapshot tells. */

import type { History } from '../cluster/state.ts'
import { EPSILON_MS, type Moment } from './moment.ts'

export interface Current<O> {
  history: History<O>
  object: O
  /** What was seen is later than T: spec, labels and annotations are taken to have been the same. */
  isLater: boolean
}

/** Undated facts (spec, labels, existence) of the last version seen by T + ε; null: it was not there. */
export function current<O>(history: History<O>, moment: Moment): Current<O> | null {
  const { versions, deletedMs, isDeletionApproximate } = history
  const first = versions[0]!
  // A watch that saw it come saw it in time, should it not tell itself when it was made.
  const createdMs = history.createdMs ?? (first.isObserved ? first.atMs : null)
  if (createdMs !== null && !moment.isPast(createdMs - EPSILON_MS)) return null
  // Existence is an undated fact too: what is gone by T + ε is gone.
  if (deletedMs !== null && moment.isPast(isDeletionApproximate ? deletedMs : deletedMs - EPSILON_MS)) return null
  return lastSeen(history, moment) ?? { history, object: first.object, isLater: true }
}

/** As `current`, also of an object that was gone by T: as it was last. */
export function lastSeen<O>(history: History<O>, moment: Moment): Current<O> | null {
  const { versions } = history
  for (let index = versions.length - 1; index >= 0; index--) {
    const { atMs, object } = versions[index]!
    if (moment.isPast(atMs - EPSILON_MS)) return { history, object, isLater: false }
  }
  return null
}

/** The one of several incarnations that stood at T. */
export function currentOf<O>(histories: readonly History<O>[], moment: Moment): Current<O> | null {
  for (let index = histories.length - 1; index >= 0; index--) {
    const found = current(histories[index]!, moment)
    if (found !== null) return found
  }
  return null
}

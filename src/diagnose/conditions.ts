/** Conditions over time: every version tells when one changed last, also versions that came long after T. */

import type { Condition } from '../cluster/objects.ts'
import type { History } from '../cluster/state.ts'
import type { Moment } from './moment.ts'
import { timeOf } from './times.ts'

export interface Transition {
  status: string
  /** When it came to be so, Unix ms. */
  atMs: number
  reason: string | null
  message: string | null
}

export interface ConditionAt {
  /** `True`, `False`, `Unknown`; null: nothing tells. */
  status: string | null
  /** null when read backwards. */
  sinceMs: number | null
  reason: string | null
  message: string | null
  /** It changed after T, and had the other status before. */
  isInferred: boolean
  /** The next change after T; null: none is known. */
  next: Transition | null
}

type Conditioned = { status?: { conditions?: Condition[] } }

/** Every change of a condition that any version tells, oldest first. */
export function transitionsOf(history: History<Conditioned & object>, type: string): Transition[] {
  const transitions: Transition[] = []
  for (const { atMs, object } of history.versions) {
    const condition = listOf(object.status?.conditions).find(item => item.type === type)
    if (condition === undefined) continue
    const at = timeOf(condition.lastTransitionTime) ?? atMs
    const last = transitions.at(-1)
    // The same again, or a message that changed without a transition.
    if (last !== undefined && last.status === condition.status && last.atMs >= at) continue
    const { status, reason = null, message = null } = condition
    transitions.push({ status, atMs: at, reason, message })
  }
  return transitions.sort((a, b) => a.atMs - b.atMs)
}

/** What a condition was at T. Read backwards it had the opposite status, unless the object was made after T. */
export function conditionAt(history: History<Conditioned & object>, type: string, moment: Moment): ConditionAt {
  const transitions = transitionsOf(history, type)
  for (let index = transitions.length - 1; index >= 0; index--) {
    const { status, atMs, reason, message } = transitions[index]!
    if (!moment.isPast(atMs)) continue
    return { status, sinceMs: atMs, reason, message, isInferred: false, next: transitions[index + 1] ?? null }
  }
  const next = transitions[0] ?? null
  const isMadeLater = history.createdMs !== null && !moment.isPast(history.createdMs)
  const status = next === null || isMadeLater ? null : next.status === 'True' ? 'False' : 'True'
  return { status, sinceMs: null, reason: null, message: null, isInferred: status !== null, next }
}

/** Objects come from files too: what should be a list may be anything. */
export function listOf<T>(value: readonly T[] | null | undefined): readonly T[] {
  return Array.isArray(value) ? value.filter(item => item !== null && item !== undefined) : []
}

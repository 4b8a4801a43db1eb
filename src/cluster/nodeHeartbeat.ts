/** Nodes say every few minutes that they live: a status that differs in nothing else is no other state of the node. */

import type { Condition, KubeObject, Node } from './objects.ts'

/** `after` says what `before` said, only later. */
export function isHeartbeatOf(before: KubeObject, after: KubeObject): boolean {
  if (before.kind !== 'Node' || after.kind !== 'Node') return false
  const { status: told = {}, ...rest } = before as Node
  const { status: tells = {}, ...now } = after as Node
  const { conditions: conditionsBefore, ...statusBefore } = told
  const { conditions: conditionsNow, ...statusNow } = tells
  return (
    isSameList(conditionsBefore, conditionsNow) && isSame(statusBefore, statusNow) && isSame({ ...rest }, { ...now })
  )
}

function isSameList(before: readonly Condition[] | undefined, after: readonly Condition[] | undefined): boolean {
  if (before === after) return true
  if (!Array.isArray(before) || !Array.isArray(after) || before.length !== after.length) return false
  return before.every((condition: Condition, i) => {
    const other = after[i] as Condition
    return (
      condition.type === other.type &&
      condition.status === other.status &&
      condition.reason === other.reason &&
      condition.message === other.message &&
      condition.lastTransitionTime === other.lastTransitionTime
    )
  })
}

/** Equal parts of versions are nearly always one object. */
function isSame(before: object, after: object): boolean {
  const keys = Object.keys(before)
  if (keys.length !== Object.keys(after).length) return false
  return keys.every(key => {
    const [one, two] = [before, after].map(object => (object as Record<string, unknown>)[key])
    return one === two || JSON.stringify(one) === JSON.stringify(two)
  })
}

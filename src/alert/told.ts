/** Who was told of an incident, as it was when it was looked at last. */

import type { Incident, ToldMark } from './incident.ts'

type Told = Incident['told']

export function copyOfTold(told: Told): Told {
  return Object.fromEntries(Object.entries(told).map(([receiver, mark]) => [receiver, { ...mark }]))
}

/** The same receivers with the same marks. */
export function isSameTold(a: Told, b: Told): boolean {
  let more = 0
  for (const receiver in a) {
    if (!Object.hasOwn(b, receiver) || !isSameMark(a[receiver]!, b[receiver]!)) return false
    more++
  }
  for (const _ in b) more--
  return more === 0
}

/** Anybody was. */
export function isTold({ told }: Incident): boolean {
  for (const _ in told) return true
  return false
}

function isSameMark(a: ToldMark, b: ToldMark): boolean {
  return a.state === b.state && a.atMs === b.atMs && a.failures === b.failures
}

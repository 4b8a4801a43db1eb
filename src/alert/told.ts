/** Who was told of an incident, as it was when it was looked at last. */

import type { Incident, ToldMark } from './incident.ts'

type Told = Incident['told']

export function copyOfTold(told: Told): Told {
  return Object.fromEntries(Object.entries(told).map(([receiver, mark]) => [receiver, { ...mark }]))
}

/** The same receivers with the same marks. */
export function isSameTold(a: Told, b: Told): boolean {
  const receivers = Object.keys(a)
  if (receivers.length !== Object.keys(b).length) return false
  return receivers.every(receiver => Object.hasOwn(b, receiver) && isSameMark(a[receiver]!, b[receiver]!))
}

/** Anybody was. */
export function isTold({ told }: Incident): boolean {
  return Object.keys(told).length > 0
}

/** Somebody was told that it is open, and nothing since. */
export function isOwed({ told }: Incident): boolean {
  return Object.values(told).some(({ state }) => state === 'open')
}

function isSameMark(a: ToldMark, b: ToldMark): boolean {
  return a.state === b.state && a.atMs === b.atMs && a.failures === b.failures && a.severity === b.severity
}

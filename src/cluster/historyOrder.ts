/** In which order answers stand: by what they say, never by when it arrived. */

import type { History, SliceEntry } from './state.ts'

/** Oldest first; of equal ones by uid, so that the order of arrival does not matter. */
export function byAge<O>(a: History<O>, b: History<O>): number {
  return (
    a.versions[0]!.atMs - b.versions[0]!.atMs || (a.createdMs ?? 0) - (b.createdMs ?? 0) || compareText(a.uid, b.uid)
  )
}

export function byName<O>(a: History<O>, b: History<O>): number {
  return compareText(a.namespace, b.namespace) || compareText(a.name, b.name) || byAge(a, b)
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Tells entries of one moment apart. */
export function entryText({ namespace, slice, ready, uid }: SliceEntry): string {
  return JSON.stringify([namespace, slice, ready, uid])
}

/** Which daily indices a question about some time is put to. */

import type { StoreFilter } from '../store.ts'
import type { DailyKind, IndexNames } from './names.ts'

const DAY_MS = 86_400_000
/** More names than these make a request line that a server or a proxy may refuse (4,096 bytes). */
const DAYS_NAMED_MAX = 31

/**
 * The days by name when there are few, else the pattern of all: a document lies in the index of its own day, so no other
 * index can hold it. A day without an index is skipped by the server.
 */
export function askedIndices(
  names: IndexNames,
  kinds: readonly DailyKind[],
  { fromMs, toMs }: Pick<StoreFilter, 'fromMs' | 'toMs'>
): string[] {
  const days = Math.ceil(toMs / DAY_MS) - Math.floor(fromMs / DAY_MS)
  // Also for open ends, which are infinitely many days.
  if (!(days * kinds.length <= DAYS_NAMED_MAX)) return kinds.map(kind => names.pattern(kind))
  const indices = new Set<string>()
  for (const kind of kinds)
    for (let ms = Math.floor(fromMs / DAY_MS) * DAY_MS; ms < toMs; ms += DAY_MS) indices.add(names.daily(kind, ms))
  return [...indices]
}

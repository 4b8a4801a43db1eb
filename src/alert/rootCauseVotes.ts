/** Which root cause the judged failures speak for. */

import { KEPT_MAX, OPEN_MAX } from './counts.ts'
import type { SightedRootCause } from './sighting.ts'

/** A determined root cause wins over any number of undetermined failures from this share of the judged ones on. */
const DETERMINED_SHARE = 1 / 5

interface Vote {
  count: number
  rootCause: SightedRootCause
}

export interface LeadingRootCause {
  rootCause: SightedRootCause
  /** Of the judged failures those with a root cause of this kind, whichever the object. */
  count: number
  of: number
}

export function rootCauseKey({ kind, ref }: SightedRootCause): string {
  return `${kind}\n${ref ?? ''}`
}

export function isSameRootCause(a: SightedRootCause | null, b: SightedRootCause | null): boolean {
  if (a === null || b === null || a === b) return a === b
  return a.kind === b.kind && (a.ref ?? '') === (b.ref ?? '')
}

export class RootCauseVotes {
  /** Most have none, or one. */
  #votes: Vote[] = []
  /** With or without a vote that is still known. */
  #judged = 0

  get judged(): number {
    return this.#judged
  }

  add(rootCause: SightedRootCause, count = 1): void {
    this.#judged += count
    this.#vote(rootCause, count)
  }

  /** Judged failures of an earlier process, of which only the leading root cause was kept. */
  restore(rootCause: SightedRootCause | null, { count, of }: { count: number; of: number }): void {
    this.#judged += of
    if (rootCause !== null && count > 0) this.#vote(rootCause, count)
  }

  merge(other: RootCauseVotes): void {
    this.#judged += other.#judged
    for (const { rootCause, count } of other.#sorted()) this.#vote(rootCause, count)
  }

  cut(): void {
    if (this.#votes.length > KEPT_MAX) this.#votes = this.#sorted().slice(0, KEPT_MAX)
  }

  /** Most frequent first. */
  each(visit: (rootCause: SightedRootCause, count: number) => void): void {
    for (const { rootCause, count } of this.#sorted()) visit(rootCause, count)
  }

  /** null: nothing was judged. */
  leading(): LeadingRootCause | null {
    if (this.#votes.length <= 1) {
      const only = this.#votes[0]
      return only === undefined ? null : { rootCause: only.rootCause, count: only.count, of: this.#judged }
    }
    const byKind = new Map<string, { count: number; best: Vote }>()
    for (const vote of this.#sorted()) {
      const kind = byKind.get(vote.rootCause.kind)
      if (kind === undefined) byKind.set(vote.rootCause.kind, { count: vote.count, best: vote })
      else kind.count += vote.count
    }
    const kinds = [...byKind.values()].sort((a, b) => b.count - a.count || compareVotes(a.best, b.best))
    const determined = kinds.find(({ best }) => best.rootCause.kind !== 'undetermined')
    const isEnough = determined !== undefined && determined.count >= this.#judged * DETERMINED_SHARE
    const winner = isEnough ? determined : kinds[0]
    if (winner === undefined) return null
    return { rootCause: winner.best.rootCause, count: winner.count, of: this.#judged }
  }

  #vote(rootCause: SightedRootCause, count: number): void {
    const vote = this.#votes.find(one => isSameRootCause(one.rootCause, rootCause))
    if (vote !== undefined) {
      vote.count += count
      if (compareTold(rootCause, vote.rootCause) < 0) vote.rootCause = rootCause
    } else if (this.#votes.length < OPEN_MAX) this.#votes.push({ count, rootCause })
  }

  #sorted(): Vote[] {
    return this.#votes.length <= 1 ? this.#votes : [...this.#votes].sort(compareVotes)
  }
}

function compareVotes(a: Vote, b: Vote): number {
  return b.count - a.count || compareTold(a.rootCause, b.rootCause)
}

/** The same in whatever order they came: the surest, then the earliest. */
function compareTold(a: SightedRootCause, b: SightedRootCause): number {
  if (a === b) return 0
  if (a.confidence !== b.confidence) return b.confidence - a.confidence
  const [aMs, bMs] = [a.atMs ?? Number.POSITIVE_INFINITY, b.atMs ?? Number.POSITIVE_INFINITY]
  if (aMs !== bMs) return aMs - bMs
  const [aKey, bKey] = [`${rootCauseKey(a)}\n${a.sentence}`, `${rootCauseKey(b)}\n${b.sentence}`]
  return aKey < bKey ? -1 : aKey > bKey ? 1 : 0
}

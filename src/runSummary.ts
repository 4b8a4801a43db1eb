/** What a run has done, in a few numbers: for the line that is logged every minute, and for the status line. */

import { isCountedFailure } from './classify/accessTable.ts'
import type { Counters, FailureCount } from './counters.ts'
import type { KafkaFacts } from './source/source.ts'
import type { BulkFacts } from './store/store.ts'

/**
 * Numbers alone, but for `paused`: nothing of a log line can get into it. Counts are since the process started.
 * A type, no interface: only so can it be the fields of a log line as it is.
 */
export type RunSummary = {
  upSeconds: number
  lines: number
  /** Since `previous`, else since the start. */
  linesPerSecond: number
  requests: number
  /** Requests that failed: 5xx, 000, 009. */
  failed: number
  /** All failure documents: these, those a retry saved, those whose client left. */
  documents: number
  lagSeconds: number
  linesHeld: number
  rejects: number
  gaps: number
  gapBytes: number
  /** Documents made durable. */
  stored: number
  /** Why nothing is written just now; null: all is well. */
  paused: string | null
} & Partial<KafkaSummary> &
  Partial<BulkSummary>

/** What a Kafka source adds. */
type KafkaSummary = {
  partitions: number
  partitionsPaused: number
  /** Offsets of all partitions that were not read, or not committed, yet. */
  lagOffsets: number
  committedLagOffsets: number
  resends: number
  offsetResets: number
  rebalances: number
}

/** What Elasticsearch adds: items of bulk requests by what became of them. */
type BulkSummary = {
  bulkWritten: number
  bulkKnown: number
  bulkRejected: number
  bulkRetries: number
}

/** `nowMs`: wall time, Unix ms. `previous`: what this function returned last, for the speed between the two. */
export function summaryOf(counters: Counters, nowMs: number, previous: RunSummary | null = null): RunSummary {
  const lines = sum(Object.values(counters.lines))
  const upSeconds = Math.max(0, (nowMs - counters.startedMs) / 1000)
  const seconds = upSeconds - (previous?.upSeconds ?? 0)
  const failures = [...counters.failures.values()]
  return {
    upSeconds: rounded(upSeconds),
    lines,
    linesPerSecond: seconds > 0 ? Math.round((lines - (previous?.lines ?? 0)) / seconds) : 0,
    requests: sum([...counters.requests.values()]),
    failed: sum(failures.filter(isFailed).map(({ count }) => count)),
    documents: sum(failures.map(({ count }) => count)),
    lagSeconds: rounded(counters.lagSeconds(nowMs)),
    linesHeld: counters.linesHeld,
    rejects: counters.lines.reject,
    gaps: counters.gaps,
    gapBytes: counters.gapBytes,
    stored: counters.written.documents,
    paused: counters.pausedBecause
  }
}

/** The cause and upstream with the most failed requests; the earlier of two that are equal. null: none has failed. */
export function worstFailure(counters: Counters): Pick<FailureCount, 'cause' | 'upstream' | 'count'> | null {
  const counts = new Map<string, Pick<FailureCount, 'cause' | 'upstream' | 'count'>>()
  for (const failure of counters.failures.values()) {
    if (!isFailed(failure)) continue
    const { cause, upstream, count } = failure
    const key = `${cause} ${upstream}`
    counts.set(key, { cause, upstream, count: count + (counts.get(key)?.count ?? 0) })
  }
  let worst: Pick<FailureCount, 'cause' | 'upstream' | 'count'> | null = null
  for (const candidate of counts.values()) if (worst === null || candidate.count > worst.count) worst = candidate
  return worst
}

/** `-`, a failure without an access line, is in no rate. */
function isFailed({ status }: FailureCount): boolean {
  return /^\d+$/.test(status) && isCountedFailure(Number(status))
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}

/** Milliseconds are enough. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1_000) / 1_000
}

/** The part of a summary that a Kafka source tells. */
export function kafkaSummary({ partitions, resends, offsetResets, rebalances }: KafkaFacts): KafkaSummary {
  return {
    partitions: partitions.length,
    partitionsPaused: partitions.filter(({ isPaused }) => isPaused).length,
    lagOffsets: sum(partitions.map(({ lagOffsets }) => lagOffsets)),
    committedLagOffsets: sum(partitions.map(({ committedLagOffsets }) => committedLagOffsets)),
    resends,
    offsetResets,
    rebalances
  }
}

/** The part of a summary that a writer of bulk requests tells. */
export function bulkSummary({ items, retries }: BulkFacts): BulkSummary {
  const count = (outcome: string): number => items.get(outcome) ?? 0
  return {
    bulkWritten: count('written'),
    bulkKnown: count('known'),
    bulkRejected: count('rejected'),
    bulkRetries: retries
  }
}

/**
 * Exact counts of every request as documents: one for each stream, minute and upstream name, with absolute counts and the
 * position up to which its lines are in it. A replay skips what stands below that position, so nothing counts twice although
 * totals and positions do not become durable in one step. Pure.
 */

import type { StreamState } from '../../source/source.ts'
import { countsFrom, type MinuteCounts } from '../../totals.ts'
import { DOCUMENT_SCHEMA } from '../document.ts'
import type { TotalsRow } from '../store.ts'
import { rollupId } from './names.ts'

/** The counts as documents name them. */
const COLUMNS = [
  ['requests', 'requests'],
  ['failures', 'failures'],
  ['masked', 'masked'],
  ['client_closed', 'clientClosed'],
  ['status_500', 'status500'],
  ['status_502', 'status502'],
  ['status_503', 'status503'],
  ['status_504', 'status504'],
  ['duration_ms_sum', 'durationMsSum']
] as const satisfies readonly (readonly [string, keyof MinuteCounts])[]

/** `why5xx.rollup` of a document. */
export type RollupSource = {
  interval_s: number
  topic?: string
  partition?: number
  /** Every line of this key below it is in the counts, but for those in `open`. Of lines without positions: counts up. */
  position: number
  open?: number[]
  stream: string
  containers: string[]
} & Record<(typeof COLUMNS)[number][0], number>

export interface Rollup {
  id: string
  minuteMs: number
  upstream: string
  stream: string
  /** As it was in the store when this process met the key: its lines below are not counted again. */
  readonly loadedTo: number
  readonly loadedOpen: Set<number>
  readonly counts: MinuteCounts
  readonly containers: Set<string>
  position: number
  open: number[]
  /** Writes that are not durable yet: until then the store must not be asked. */
  pending: number
}

/** Where a stream stands as of a batch. */
export type StreamPlace = Pick<StreamState['read'], 'readTo' | 'open'>

export function rollupOf(
  row: Pick<TotalsRow, 'stream' | 'minuteMs' | 'upstream'>,
  stored: RollupSource | null,
  counted = row.stream
): Rollup {
  const { stream, minuteMs, upstream } = row
  const counts = Object.fromEntries(COLUMNS.map(([column, name]) => [name, stored?.[column] ?? 0])) as MinuteCounts
  return {
    id: rollupId(counted, minuteMs, upstream),
    minuteMs,
    upstream,
    stream,
    loadedTo: stored?.position ?? 0,
    loadedOpen: new Set(stored?.open),
    counts,
    containers: new Set(stored?.containers),
    position: stored?.position ?? 0,
    open: stored?.open ?? [],
    pending: 0
  }
}

/**
 * Adds what a row counted that is not in the rollup yet. `place`: of its stream as of the same batch; null: it has told
 * nothing. Returns false when everything was there.
 */
export function addRow(rollup: Rollup, row: TotalsRow, place: StreamPlace | null): boolean {
  const { lines } = row
  if (lines === undefined) {
    addCounts(rollup.counts, row)
    rollup.containers.add(row.container)
    rollup.position++
    return true
  }
  const fresh = freshLines(rollup, lines)
  if (fresh.length === 0) return false
  addCounts(rollup.counts, fresh.length === lines.length ? row : countsFrom(fresh, Number.NEGATIVE_INFINITY))
  rollup.containers.add(row.container)
  moveTo(rollup, place ?? { readTo: behind(lines), open: [] }, fresh)
  return true
}

/** While a replay has not come as far as the store, what the store says stays true, but for open lines that were counted now. */
function moveTo(rollup: Rollup, { readTo, open }: StreamPlace, fresh: readonly number[]): void {
  if (readTo >= rollup.position) {
    rollup.position = readTo
    rollup.open = open
    return
  }
  const counted = new Set(fresh.filter((_, i) => i % 3 === 0))
  rollup.open = rollup.open.filter(position => !counted.has(position))
}

/** The triples that the store did not hold when the key was loaded. */
function freshLines({ loadedTo, loadedOpen }: Rollup, lines: number[]): number[] {
  const isFresh = (position: number): boolean => position >= loadedTo || loadedOpen.has(position)
  if (loadedTo === 0) return lines
  const fresh: number[] = []
  for (let i = 0; i < lines.length; i += 3) if (isFresh(lines[i]!)) fresh.push(lines[i]!, lines[i + 1]!, lines[i + 2]!)
  return fresh
}

function behind(lines: readonly number[]): number {
  let last = -1
  for (let i = 0; i < lines.length; i += 3) if (lines[i]! > last) last = lines[i]!
  return last + 1
}

function addCounts(counts: MinuteCounts, more: MinuteCounts): void {
  for (const [, name] of COLUMNS) counts[name] += more[name]
}

/**
 * Of two documents of one key the one that holds more. Positions never go back and counts never shrink, so a version grows
 * with each write, also where the position stands still (a line whose end came late). A writer that was left behind has a
 * lower one, whatever it writes when it wakes up.
 */
export function rollupVersion({ position, counts }: Rollup): number {
  return position + counts.requests + counts.masked + counts.clientClosed
}

export function rollupDocument(
  rollup: Rollup,
  clusterName: string,
  partition: { topic: string; partition: number } | null
): Record<string, unknown> {
  const { upstream, stream, counts, containers, position, open } = rollup
  const source: RollupSource = {
    interval_s: 60,
    ...partition,
    position,
    ...(open.length > 0 && { open }),
    stream,
    containers: [...containers],
    ...(Object.fromEntries(COLUMNS.map(([stored, name]) => [stored, counts[name]])) as Record<
      (typeof COLUMNS)[number][0],
      number
    >)
  }
  return {
    '@timestamp': new Date(rollup.minuteMs).toISOString(),
    event: { kind: 'metric', dataset: 'why5xx.rollup', module: 'why5xx' },
    orchestrator: { type: 'kubernetes', cluster: { name: clusterName } },
    service: { name: upstream },
    why5xx: { schema: DOCUMENT_SCHEMA, upstream: { name: upstream }, rollup: source }
  }
}

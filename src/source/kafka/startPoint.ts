/** Where a partition is read from when it becomes ours, and what is said about it. Pure. */

import { z } from 'zod'
import { type ReadPosition, START } from '../../checkpoint.ts'
import type { StreamState } from '../source.ts'
import type { Watermarks } from './driver.ts'

/** What the store keeps of a partition beside its position. */
export const partitionPlace = z.object({
  topic: z.string(),
  partition: z.number(),
  /** Of `ShipperRuns`. */
  runs: z.unknown(),
  /** What the group had committed when this was written; null: nothing. */
  committed: z.number().nullable().default(null),
  /** Of the process that wrote it. */
  generation: z.number().default(0)
})

export interface StartPoint {
  offset: number
  resume: ReadPosition | null
  /** State of `ShipperRuns`; null: it knows nothing. */
  runs: unknown
  /** Offsets that nobody will ever read; null: all are there. `to` null: nobody knows how many. */
  lost: { from: number; to: number | null } | null
}

interface Known {
  /** null: the store knows nothing of it. */
  state: StreamState | null
  /** null: the group has committed nothing. */
  committed: number | null
}

/** Where a partition of the group begins. */
export function startPoint(known: Known, marks: Watermarks): StartPoint {
  const wanted = wantedStart(known)
  if (wanted === null) return { offset: marks.low, resume: begunAt(marks.low), runs: null, lost: null }
  const { offset, resume } = wanted
  if (offset >= marks.low && offset <= marks.high) return { ...wanted, lost: null }
  // Behind the end: the topic was made anew, or a broker lost what it had. Nothing that we know fits its offsets.
  if (offset > marks.high)
    return { offset: marks.low, resume: begunAt(marks.low), runs: null, lost: { from: offset, to: null } }
  const lost = { from: offset, to: marks.low }
  if (resume === null || resume.readTo < marks.low)
    return { offset: marks.low, resume: begunAt(marks.low), runs: wanted.runs, lost }
  const left = (offsets: number[]) => offsets.filter(other => other >= marks.low)
  const { held, doubtful, open, from, fromLine } = resume
  return {
    offset: marks.low,
    resume: {
      ...resume,
      from: marks.low,
      fromLine: Math.min(resume.lines, fromLine + marks.low - from),
      held: held === 'all' ? 'all' : left(held),
      doubtful: left(doubtful),
      open: left(open)
    },
    runs: wanted.runs,
    lost
  }
}

/** null: from the earliest offset. */
function wantedStart({ state, committed }: Known): Omit<StartPoint, 'lost'> | null {
  if (state === null) return committed === null ? null : { offset: committed, resume: begunAt(committed), runs: null }
  const { read } = state
  const place = partitionPlace.safeParse(state.place)
  const before = place.success ? place.data.committed : null
  const goOn = { offset: read.from, resume: read, runs: runsOf(state) }
  // Commits follow what is durable: the last one may be missing, and is between what was committed then and the position.
  if (committed === null || committed === before) return goOn
  // Moved on by an operator: what was skipped is skipped. Below the position it may be ours: a chunk that comes late can
  // let positions begin before what was committed.
  if (committed > read.readTo) return { offset: committed, resume: begunAt(committed), runs: null }
  if (before !== null && committed < before)
    return { offset: committed, resume: againFrom(read, committed), runs: runsOf(state) }
  return goOn
}

function runsOf({ place }: StreamState): unknown {
  return place.runs ?? null
}

/** Nothing below is ours to read; null: there is nothing below. */
function begunAt(offset: number): ReadPosition | null {
  return offset === 0 ? null : { ...START, readTo: offset, from: offset }
}

/** Everything from `offset` on is judged again, and nothing counted that was. */
function againFrom(read: ReadPosition, offset: number): ReadPosition {
  if (read.readTo < offset) return { ...START, readTo: offset, from: offset }
  const fromLine = Math.max(0, read.fromLine - Math.max(0, read.from - offset))
  return { ...read, from: offset, fromLine, held: 'all', doubtful: [], newestMs: null }
}

/** One sentence for people. */
export function lostText(name: string, lost: { from: number; to: number | null }): string {
  if (lost.to === null)
    return `${name} ends before offset ${lost.from}, which was reached before: the topic was made anew, or its brokers have lost messages. It is read from its earliest offset.`
  const count = lost.to - lost.from
  return `${name}: ${count} offsets, from ${lost.from} on, had expired before they were read to the end; reading goes on at ${lost.to}.`
}

/** What a shipper has sent of each log file, so that what it sends again is recognised, and what it never sent is noticed. */

import { createHash } from 'node:crypto'
import { grouped, safeText } from '../text.ts'
import { type Hole, LogRuns, type Run } from './logRuns.ts'
import type { SourceGap } from './source.ts'

/** One line as the shipper's envelope tells it. */
export interface ShippedLine {
  /**
   * `log_path`, as the name of one file in the world: a kubelet path is that, by the id of the container. In front of any
   * other the node is needed, or else lines of two nodes at one offset pass for resends.
   */
  path: string
  /** `log_offset`: where the line starts in its file. */
  offset: number
  /** CRI time, Unix ms with a fraction; NaN without one. */
  timeMs: number
  /**
   * Bytes of the CRI line in the file with its frame and line feed; null: not known (a line put together from pieces, replaced
   * bytes). A wrong length can hide lines (`logRuns.ts`), so null for every line with a character beyond ASCII, which a
   * shipper may have put in place of a byte.
   */
  bytes: number | null
}

const FILES_MAX = 512
/** Of all files together; with all paths it is about 64 KB of JSON. */
const RUNS_MAX = 768
/** Fluent Bit sends chunks again for minutes. */
const HOLE_AGE_MS = 600_000
/** A file of an earlier process has no path until a line of it comes. Its holes are told without one when none has come for as long again. */
const NAMELESS_HOLE_AGE_MS = 2 * HOLE_AGE_MS
/** What nobody asks for is told as one, so that it stays bounded. */
const GAPS_WAITING_MAX = 1_000
/** ECMAScript's dates end here. */
const TIME_MS_MAX = 8.64e15
const VERSION = 1

interface NamedHole extends Hole {
  name: string
  bytes: number
}

/**
 * Of one partition. A line is a resend when its offset and its time lie in one run of its file; without a time it never is.
 * What the runs know exactly, and what not, is said in `logRuns.ts`.
 *
 * As JSON: `{"v":1,"files":[[hash of the path, run…]…]}`, the least recently used file first, a run as
 * `[first start, last start, expected end or null, first time, last time]` and a 1 behind it when the hole in front was told.
 * It speaks of every line that was asked about: whoever stores it beside an older position calls what is read again resends.
 */
export class ShipperRuns {
  /** Lines that were recognised. */
  resends = 0

  /** By the hash of the path. */
  readonly #files = new Map<string, LogRuns>()
  /** The same, of files seen by this process. */
  readonly #byPath = new Map<string, LogRuns>()
  /** Lines of one file come many at a time. */
  #path: string | null = null
  #file = new LogRuns(null, [])
  #uses = 0
  #runCount = 0
  /** Time of the line that came last: one wrong stamp makes nothing old for long. */
  #latestMs = -Infinity
  #waiting: NamedHole[] = []

  /** `state`: what `toJSON` said in an earlier process; null: nothing is known. What it cannot be is as good as null. */
  constructor(state: unknown) {
    for (const [hash, runs] of filesOf(state)) {
      const file = new LogRuns(null, runs)
      file.usedAt = ++this.#uses
      this.#files.set(hash, file)
      this.#runCount += file.runs.length
    }
    this.#forget()
  }

  /** Takes the line in; true when it was sent before. */
  isResend(line: ShippedLine): boolean {
    const { offset, timeMs } = line
    if (!Number.isSafeInteger(offset) || offset < 0 || !(Math.abs(timeMs) <= TIME_MS_MAX)) return false
    const file = line.path === this.#path ? this.#file : this.#use(line.path)
    this.#latestMs = timeMs
    const bytes = line.bytes !== null && line.bytes > 0 ? line.bytes : NaN
    if (file.continues(offset, timeMs, bytes)) return false
    if (file.holds(offset, timeMs)) {
      this.resends++
      return true
    }
    const runsBefore = file.runs.length
    this.#tellLater(file, file.add(offset, timeMs, bytes))
    this.#runCount += file.runs.length - runsBefore
    this.#forget()
    return false
  }

  /**
   * Holes that were not filled in ten minutes of record time, each told once; and those of runs that had to be forgotten,
   * which may be younger. `nowMs`: wall time, Unix ms.
   */
  takeGaps(nowMs: number): SourceGap[] {
    for (const file of this.#files.values()) {
      const ageMs = file.path === null ? NAMELESS_HOLE_AGE_MS : HOLE_AGE_MS
      this.#tellLater(file, file.takeHoles(this.#latestMs - ageMs))
    }
    const holes = this.#waiting
    this.#waiting = []
    return holes.map(hole => ({
      name: hole.name,
      atMs: nowMs,
      bytes: hole.bytes,
      reason: 'shipper',
      text: `${grouped(hole.bytes)} bytes of ${safeText(hole.name)}, written between ${timeText(hole.fromMs)} and ${timeText(hole.toMs)}, have not come from the shipper`
    }))
  }

  toJSON(): unknown {
    const files = [...this.#files].filter(([, file]) => file.runs.length > 0)
    files.sort(([, a], [, b]) => a.usedAt - b.usedAt)
    return { v: VERSION, files: files.map(([hash, file]) => [hash, ...file.runs.map(runAsJson)]) }
  }

  /** The file of a path, which it makes the last one. */
  #use(path: string): LogRuns {
    let file = this.#byPath.get(path)
    if (file === undefined) {
      const hash = createHash('sha256').update(path).digest().subarray(0, 8).toString('base64url')
      file = this.#files.get(hash) ?? new LogRuns(path, [])
      file.path = path
      this.#files.set(hash, file)
      this.#byPath.set(path, file)
    }
    file.usedAt = ++this.#uses
    this.#path = path
    this.#file = file
    return file
  }

  /** Keeps to the limits: whole files, the least recently used first; then the oldest run of the file that has most. */
  #forget(): void {
    while (this.#files.size > FILES_MAX) {
      const [hash, file] = [...this.#files].reduce((a, b) => (a[1].usedAt <= b[1].usedAt ? a : b))
      this.#tellLater(file, file.takeHoles(Infinity))
      this.#runCount -= file.runs.length
      this.#files.delete(hash)
      if (file.path !== null) this.#byPath.delete(file.path)
    }
    while (this.#runCount > RUNS_MAX) {
      let most = this.#file
      for (const file of this.#files.values()) if (file.runs.length > most.runs.length) most = file
      this.#tellLater(most, most.forgetOldest())
      this.#runCount--
    }
  }

  #tellLater(file: LogRuns, holes: Hole[]): void {
    for (const hole of holes) {
      const bytes = hole.to - hole.from
      const last = this.#waiting.at(-1)
      if (last !== undefined && this.#waiting.length >= GAPS_WAITING_MAX) last.bytes += bytes
      else this.#waiting.push({ ...hole, bytes, name: file.path ?? 'a log file' })
    }
  }
}

function timeText(ms: number): string {
  return new Date(ms).toISOString()
}

function runAsJson(run: Readonly<Run>): (number | null)[] {
  const numbers = [run.first, run.last, Number.isNaN(run.end) ? null : run.end, run.firstMs, run.lastMs]
  // Nearly always the first line is the earliest one, and the last the latest.
  const areCrossed = run.minMs !== run.firstMs || run.maxMs !== run.lastMs
  if (areCrossed) return [...numbers, run.isHoleTold ? 1 : 0, run.minMs, run.maxMs]
  return run.isHoleTold ? [...numbers, 1] : numbers
}

/** Nothing at all when any part of it is not what `toJSON` says. */
function filesOf(state: unknown): Map<string, Run[]> {
  const files = new Map<string, Run[]>()
  const { v, files: entries } = (state ?? {}) as { v?: unknown; files?: unknown }
  if (v !== VERSION || !Array.isArray(entries)) return files
  for (const entry of entries as unknown[]) {
    if (!Array.isArray(entry)) return new Map()
    const [hash, ...runs] = entry as unknown[]
    const known = runs.map(runOf)
    if (typeof hash !== 'string' || known.includes(null)) return new Map()
    files.set(hash, known as Run[])
  }
  return files
}

function runOf(value: unknown): Run | null {
  if (!Array.isArray(value)) return null
  const [first, last, end, firstMs, lastMs, told, minMs = firstMs, maxMs = lastMs] = value as unknown[]
  const isOffset = (number: unknown): number is number => Number.isSafeInteger(number) && (number as number) >= 0
  const isTime = (number: unknown): number is number => typeof number === 'number' && Math.abs(number) <= TIME_MS_MAX
  if (!isOffset(first) || !isOffset(last) || first > last || !isTime(firstMs) || !isTime(lastMs)) return null
  if (!isTime(minMs) || !isTime(maxMs)) return null
  if (end !== null && !(isOffset(end) && end > last)) return null
  return { first, last, end: end ?? NaN, firstMs, lastMs, minMs, maxMs, isHoleTold: told === 1 }
}

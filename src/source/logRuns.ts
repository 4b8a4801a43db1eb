/**
 * Which lines of one log file have come: boxes of offsets and times, called runs, of which nothing but the corners is kept.
 *
 *   offset                     c c c   second generation: the file was rotated, offsets began again
 *     |        b b b
 *     |  a a a                         a, b: first generation; between them a hole, so they stay apart
 *     +------------------------- time
 *
 * Within a generation offsets and times rise together, and one generation is over when the next begins; so runs are kept in
 * the order of their times, and only neighbours can belong together.
 *
 * What is exact. A run grows only where a line begins at the expected end of the one before it, so no start lies inside
 * that did not come; what comes late into a hole lies in no run. Behind a line of unknown length nothing is joined.
 *
 * What is not. A length that was computed wrong by about a whole line, so that it meets the start of a later one, hides what
 * lies between: such lines must come with `bytes: null`; less than LINE_BYTES_MIN - WRONG_BYTES_MAX does no harm. And the
 * line at the expected end may be the next generation's, whose beginning comes late. The silence before it is as long as it
 * takes to write a whole file, so runs are not joined over their CUTS_MAX longest silences: only a rotation that was quicker
 * than all of those is missed. Everything that is forgotten is counted a second time when it is sent again, never lost.
 */

/** Of log_offset and CRI time, Unix ms; `last` and `lastMs` are those of one line, as are the first ones. */
export interface Run {
  first: number
  last: number
  /** Where the line behind the last one begins; NaN: not known. */
  end: number
  firstMs: number
  lastMs: number
  /** Earliest and latest of all its lines: stdout and stderr come through two pipes, and their stamps may cross. */
  minMs: number
  maxMs: number
  /** The hole in front of this run was told. */
  isHoleTold: boolean
}

/** Bytes that never came, `from` to `to`; they were written between the two times. */
export interface Hole {
  from: number
  to: number
  fromMs: number
  toMs: number
}

/**
 * No file is written full, rotated and written to the same offset again in less. Stamps of one file go back by less, if at
 * all: stdout and stderr reach it through two pipes.
 */
const ROTATION_MS = 100
/** `2026-11-21T10:03:12Z stdout F ` and a line feed: a smaller hole holds no line, so a length was wrong. */
const LINE_BYTES_MIN = 31
/** A shipper drops a carriage return, puts two or three bytes in place of one: such lines touch their neighbours still. */
const WRONG_BYTES_MAX = 3
/**
 * A line that is written in pieces tells where the first one begins. The others follow within this time, behind lines of the
 * other stream even, and look like a hole.
 */
const PIECES_MS = 1_000
/** Places where runs touch and are still not joined. */
const CUTS_MAX = 4
/** Lines of unknown length end a run each, and so does every hole. */
const RUNS_PER_FILE_MAX = 64

const NO_RUN: Readonly<Run> = {
  first: NaN,
  last: NaN,
  end: NaN,
  firstMs: NaN,
  lastMs: NaN,
  minMs: NaN,
  maxMs: NaN,
  isHoleTold: false
}

export class LogRuns {
  /** null: known from an earlier process alone. */
  path: string | null
  /** For whoever forgets files: the higher, the later it was used. */
  usedAt = 0
  readonly #runs: Run[]
  /** The run of the line that came last. */
  #current: Run = NO_RUN
  /** The current run grows up to here without a look at the others. */
  #limit = Infinity

  /** `runs`: as `toJSON` of an earlier process had them, in any order. */
  constructor(path: string | null, runs: Run[]) {
    this.path = path
    this.#runs = runs.sort((a, b) => a.firstMs - b.firstMs || a.first - b.first)
  }

  get runs(): readonly Readonly<Run>[] {
    return this.#runs
  }

  /** The line continues the one that came last, which it then takes in; `bytes` is NaN when it is not known. The way of nearly all lines. */
  continues(offset: number, timeMs: number, bytes: number): boolean {
    const run = this.#current
    if (offset !== run.end || offset >= this.#limit || !(Math.abs(timeMs - run.lastMs) < ROTATION_MS)) return false
    run.last = offset
    run.lastMs = timeMs
    run.end = offset + bytes
    if (timeMs > run.maxMs) run.maxMs = timeMs
    else if (timeMs < run.minMs) run.minMs = timeMs
    return true
  }

  holds(offset: number, timeMs: number): boolean {
    return this.#runs.some(run => isWithin(run, offset, timeMs))
  }

  /** Takes in a line that no run holds. What it says are holes in front of runs that had to be forgotten. */
  add(offset: number, timeMs: number, bytes: number): Hole[] {
    const runs = this.#runs
    let at = runs.length
    while (at > 0 && isAfter(runs[at - 1]!, offset, timeMs)) at--
    const hole = this.#holeBefore(at)
    const isHoleTold = hole !== null && runs[at]!.isHoleTold && offset >= hole.from && offset < hole.to
    const times = { firstMs: timeMs, lastMs: timeMs, minMs: timeMs, maxMs: timeMs }
    const run = { first: offset, last: offset, end: offset + bytes, ...times, isHoleTold }
    runs.splice(at, 0, run)
    this.#current = run
    this.#joinTouching()

    const untold: Hole[] = []
    while (runs.length > RUNS_PER_FILE_MAX) untold.push(...this.forgetOldest())
    return untold
  }

  /** Forgets the oldest run, and says the hole behind it if it was not told. */
  forgetOldest(): Hole[] {
    const hole = this.#holeBefore(1)
    const isTold = this.#runs[1]?.isHoleTold ?? true
    if (this.#runs.shift() === this.#current) this.#current = NO_RUN
    return hole === null || isTold ? [] : [hole]
  }

  /** Holes in front of lines up to `untilMs` that were not told, each once. */
  takeHoles(untilMs: number): Hole[] {
    const holes: Hole[] = []
    for (let at = 1; at < this.#runs.length; at++) {
      const run = this.#runs[at]!
      if (run.isHoleTold || run.firstMs > untilMs) continue
      const hole = this.#holeBefore(at)
      if (hole === null) continue
      run.isHoleTold = true
      holes.push(hole)
    }
    return holes
  }

  /** What is missing between the run at `at` and its neighbour; null when nothing is, or when nobody knows. */
  #holeBefore(at: number): Hole | null {
    const before = this.#runs[at - 1]
    const run = this.#runs[at]
    if (before === undefined || run === undefined) return null
    const isRotated = run.first <= before.last
    if (isRotated && run.firstMs - before.lastMs < ROTATION_MS) return null
    const from = isRotated ? 0 : before.end
    // Not so when the end is unknown: nothing compares with NaN.
    if (!(run.first - from >= LINE_BYTES_MIN)) return null
    if (this.#runs.some(other => Number.isNaN(other.end) && Math.abs(before.lastMs - other.lastMs) < PIECES_MS))
      return null
    return { from, to: run.first, fromMs: before.lastMs, toMs: run.firstMs }
  }

  /** Joins neighbours that touch, but for those with the longest silences between them. */
  #joinTouching(): void {
    const runs = this.#runs
    let cuts = 0
    let shortestAt = -1
    let shortestMs = Infinity
    for (let at = runs.length - 1; at > 0; at--) {
      const silenceMs = runs[at]!.firstMs - runs[at - 1]!.lastMs
      if (!isTouching(runs[at - 1]!, runs[at]!) || silenceMs <= -ROTATION_MS) continue
      if (silenceMs < ROTATION_MS) {
        this.#join(at)
        // What was counted behind it has moved up by one.
        shortestAt--
        continue
      }
      cuts++
      if (silenceMs >= shortestMs) continue
      shortestAt = at
      shortestMs = silenceMs
    }
    if (cuts > CUTS_MAX) this.#join(shortestAt)
    this.#limit = Infinity
    for (const run of runs) if (run.first > this.#current.last) this.#limit = Math.min(this.#limit, run.first)
  }

  #join(at: number): void {
    const [run] = this.#runs.splice(at, 1) as [Run]
    const before = this.#runs[at - 1]!
    before.last = run.last
    before.lastMs = run.lastMs
    before.minMs = Math.min(before.minMs, run.minMs)
    before.maxMs = Math.max(before.maxMs, run.maxMs)
    before.end = run.end
    if (this.#current === run) this.#current = before
  }
}

/** The corners are lines that are known: another time there is another generation. */
function isWithin(run: Run, offset: number, timeMs: number): boolean {
  if (offset === run.first) return timeMs === run.firstMs
  if (offset === run.last) return timeMs === run.lastMs
  return offset > run.first && offset < run.last && timeMs >= run.minMs && timeMs <= run.maxMs
}

function isAfter(run: Run, offset: number, timeMs: number): boolean {
  return run.firstMs > timeMs || (run.firstMs === timeMs && run.first > offset)
}

function isTouching(before: Run, run: Run): boolean {
  return run.first > before.last && Math.abs(run.first - before.end) <= WRONG_BYTES_MAX
}

/** Where a restart goes on in one stream, so that every line counts once and every join is made as if nothing had happened. */

/**
 * As JSON in the store. Offsets are bytes, uncompressed, or those of messages; of a record of several lines they are the
 * first line's.
 */
export interface ReadPosition {
  /** Behind the last whole line that was read: everything below is counted. */
  readTo: number
  /** Physical lines below `readTo`. */
  lines: number
  /** Where a restart begins to read: the lowest of `readTo`, `held` and `open`. */
  from: number
  /** Physical lines before `from`. */
  fromLine: number
  /**
   * Lines below `readTo` that wait for a partner: joined again, not counted again. All others below it are done. Ascending;
   * `all` when everything is to be judged again.
   */
  held: number[] | 'all'
  /** Those of `held` that an equal request could as well have taken. Ascending. */
  doubtful: number[]
  /** Lines below `readTo` that may go on and were told to nobody: pieces, tracebacks. Counted when they are whole. Ascending. */
  open: number[]
  /** Offset of the container's clock from UTC, as far as known. */
  zoneMs: number | null
  /** Record time of the newest line, Unix ms; null before the first. */
  newestMs: number | null
}

/** A stream from its very beginning. */
export const START: ReadPosition = {
  readTo: 0,
  lines: 0,
  from: 0,
  fromLine: 0,
  held: [],
  doubtful: [],
  open: [],
  zoneMs: null,
  newestMs: null
}

/** What a restart asks of each line that it reads again. */
export class ReadFence {
  readonly position: ReadPosition
  readonly readTo: number
  /** Physical lines below `readTo`. */
  readonly lines: number
  readonly #held: ReadonlySet<number> | null
  readonly #doubtful: ReadonlySet<number>
  readonly #open: ReadonlySet<number>

  constructor(position: ReadPosition) {
    this.position = position
    this.readTo = position.readTo
    this.lines = position.lines
    this.#held = position.held === 'all' ? null : new Set(position.held)
    this.#doubtful = new Set(position.doubtful)
    this.#open = new Set(position.open)
  }

  /** The line was counted before. */
  isCounted(byteOffset: number): boolean {
    return byteOffset < this.readTo && !this.#open.has(byteOffset)
  }

  /** The line was counted, and everything it caused is kept: nothing is to be done. */
  isDone(byteOffset: number): boolean {
    return this.#held !== null && this.isCounted(byteOffset) && !this.#held.has(byteOffset)
  }

  /** It was decided before, and is judged once more. */
  isJudgedAgain(byteOffset: number): boolean {
    return this.#held === null && this.isCounted(byteOffset)
  }

  isDoubtful(byteOffset: number): boolean {
    return this.#doubtful.has(byteOffset)
  }
}

/** A line that waits for a partner. */
export interface WaitingLine extends LinePlace {
  isDoubtful: boolean
}

/** A line's begin and number, as readers and entries have it. */
export interface LinePlace {
  byteOffset: number
  number: number
}

/** How far the reader of one stream has come. */
export interface ReadProgress {
  readTo: number
  lines: number
  zoneMs: number | null
  newestMs: number
  /** Lines told to nobody yet. */
  open: Iterable<LinePlace>
  /** What lines to come may refer to: read again, as far as it is near. */
  context: Iterable<LinePlace>
}

/** More than a tenth of a second of a busy controller. */
const CONTEXT_BYTES_MAX = 1 << 19

/**
 * Where a restart goes on. `waiting` are the lines of the stream that wait for a partner; `fence` is where the run before
 * this one got to: what it had not done stays to be done until it has been read again.
 */
export function positionOf(progress: ReadProgress, waiting: readonly WaitingLine[], fence: ReadFence): ReadPosition {
  const { readTo, lines, zoneMs, newestMs } = progress
  const before = fence.position
  const open = [...progress.open]
  const near = [...progress.context].filter(line => readTo - line.byteOffset <= CONTEXT_BYTES_MAX)
  let from: LinePlace = { byteOffset: readTo, number: lines + 1 }
  for (const line of [...waiting, ...open, ...near]) if (line.byteOffset < from.byteOffset) from = line

  const isBehind = readTo < before.readTo
  const openOffsets = offsetsOf(open)
  // Below the fence a line may look open here that was told before: at the end of its file, or because its end is still to be read.
  const toldBefore = openOffsets.filter(offset => fence.isCounted(offset))
  const unreadHeld = isBehind && before.held !== 'all' ? before.held.filter(offset => offset >= readTo) : []
  const held = [...offsetsOf(waiting), ...toldBefore.filter(offset => !fence.isDone(offset)), ...unreadHeld]
  const doubtful = offsetsOf(waiting.filter(line => line.isDoubtful))
  const heldAgain = [...toldBefore, ...unreadHeld].filter(offset => fence.isDoubtful(offset))
  const unreadOpen = isBehind ? before.open.filter(offset => offset >= readTo) : []
  return {
    readTo: isBehind ? before.readTo : readTo,
    lines: isBehind ? before.lines : lines,
    from: from.byteOffset,
    fromLine: from.number - 1,
    held: isBehind && before.held === 'all' ? 'all' : ascending(held),
    doubtful: ascending([...doubtful, ...heldAgain]),
    open: ascending([...openOffsets.filter(offset => !fence.isCounted(offset)), ...unreadOpen]),
    zoneMs: zoneMs ?? before.zoneMs,
    newestMs: Number.isFinite(newestMs) ? newestMs : before.newestMs
  }
}

/** A state from which everything is read and judged once more, and nothing is counted that was. */
export function judgedAgain(position: ReadPosition): ReadPosition {
  return { ...position, from: 0, fromLine: 0, held: 'all', doubtful: [], open: [], newestMs: null }
}

function offsetsOf(lines: readonly LinePlace[]): number[] {
  return lines.map(line => line.byteOffset)
}

function ascending(offsets: number[]): number[] {
  return [...new Set(offsets)].sort((a, b) => a - b)
}

/** Copies of the last blocks of a source, so that a line which came a moment ago can be found again. Bounded in bytes. */

/** A tenth of a second at 10,000 lines/s, and some. */
const BYTES_KEPT = 1 << 19
/** Equal lines that are looked at for one question. */
const CANDIDATES_MAX = 64
const LINE_FEED = 0x0a

/** Whole lines that came together. */
export interface Block {
  bytes: Buffer
  /** Number of its first line. */
  firstLine: number
  /** Offset of its first byte in the source. */
  offset: number
  /** Stamp of its last line, NaN without one. */
  lastMs: number
}

/** A line in a block, its line feed at `end`. */
export interface FoundLine {
  block: Block
  start: number
  end: number
}

export class RecentBlocks {
  /** Newest last. */
  #blocks: Block[] = []
  #bytes = 0

  add(block: Block): void {
    this.#blocks.push({ ...block, bytes: Buffer.from(block.bytes) })
    this.#bytes += block.bytes.length
    let gone = 0
    while (this.#bytes - this.#blocks[gone]!.bytes.length >= BYTES_KEPT)
      this.#bytes -= this.#blocks[gone++]!.bytes.length
    if (gone > 0) this.#blocks = this.#blocks.slice(gone)
  }

  /** Where the blocks begin that hold lines of the last `ms` before the newest one; nothing without stamps. */
  *startsWithin(ms: number): Generator<{ byteOffset: number; number: number }> {
    const newestMs = this.#blocks.at(-1)?.lastMs ?? Number.NaN
    for (const { lastMs, offset, firstLine } of this.#blocks)
      if (lastMs >= newestMs - ms) yield { byteOffset: offset, number: firstLine }
  }

  /**
   * Lines that hold `needle` (Latin-1), newest first, those of the block still being read, `current`, first of all; blocks
   * that end before `sinceMs` are not looked at.
   */
  *linesWith(needle: string, current: Block, sinceMs: number): Generator<FoundLine> {
    let candidates = 0
    for (let i = this.#blocks.length; i >= 0; i--) {
      const block = i === this.#blocks.length ? current : this.#blocks[i]!
      if (block !== current && block.lastMs < sinceMs) return
      let at = block.bytes.lastIndexOf(needle, undefined, 'latin1')
      while (at >= 0) {
        if (++candidates > CANDIDATES_MAX) return
        const start = block.bytes.lastIndexOf(LINE_FEED, at) + 1
        yield { block, start, end: block.bytes.indexOf(LINE_FEED, at) }
        at = start === 0 ? -1 : block.bytes.lastIndexOf(needle, start - 1, 'latin1')
      }
    }
  }
}

/** Number of the line in its source. */
export function lineNumber({ block, start }: FoundLine): number {
  let count = block.firstLine
  for (let at = block.bytes.indexOf(LINE_FEED); at >= 0 && at < start; at = block.bytes.indexOf(LINE_FEED, at + 1))
    count++
  return count
}

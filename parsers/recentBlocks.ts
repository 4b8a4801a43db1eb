/** Copies of the last blocks of a source, so that a line which came a moment ago can be found again. Bounded. */

const BLOCKS_KEPT = 8
const LINE_FEED = 0x0a

interface Block {
  bytes: Buffer
  length: number
  /** Number of its first line. */
  firstLine: number
  /** Offset of its first byte in the source. */
  offset: number
}

/** A line in a block, its line feed at `end`. */
export interface FoundLine {
  bytes: Buffer
  start: number
  end: number
  number: number
  byteOffset: number
}

export class RecentBlocks {
  /** Newest last. */
  readonly #blocks: Block[] = []

  add(bytes: Buffer, firstLine: number, offset: number): void {
    // Buffers go round: a busy source must not make garbage of its whole length.
    const old = this.#blocks.length >= BLOCKS_KEPT ? this.#blocks.shift() : undefined
    const copy = old && old.bytes.length >= bytes.length ? old.bytes : Buffer.allocUnsafeSlow(bytes.length)
    bytes.copy(copy)
    this.#blocks.push({ bytes: copy, length: bytes.length, firstLine, offset })
  }

  /** Lines that hold `needle` (Latin-1), newest first; those of the block still being read, `current`, first of all. */
  *linesWith(needle: string, current: Block): Generator<FoundLine> {
    for (const block of [current, ...this.#blocks.toReversed()]) {
      let at = block.bytes.subarray(0, block.length).lastIndexOf(needle, undefined, 'latin1')
      while (at >= 0) {
        const start = block.bytes.lastIndexOf(LINE_FEED, at) + 1
        const end = block.bytes.indexOf(LINE_FEED, at)
        const number = block.firstLine + countFeeds(block.bytes, start)
        yield { bytes: block.bytes, start, end, number, byteOffset: block.offset + start }
        at = start === 0 ? -1 : block.bytes.lastIndexOf(needle, start - 1, 'latin1')
      }
    }
  }
}

function countFeeds(bytes: Buffer, end: number): number {
  let count = 0
  for (let at = bytes.indexOf(LINE_FEED); at >= 0 && at < end; at = bytes.indexOf(LINE_FEED, at + 1)) count++
  return count
}

/** Looks through text several bytes at a time. All masks have the highest bit of a byte set where the byte is meant. */

const HIGH = 0x80808080 | 0
const LOW = 0x7f7f7f7f
/** Added to a byte below 0x80, the highest bit says that it is no control byte. */
const PRINTABLE = 0x60606060
const QUOTES = 0x22222222
const BACKSLASHES = 0x5c5c5c5c
const BLANKS = 0x20202020

/**
 * Number of `\"` in `[start, end)`; -1 when there is a quote without a backslash, any other escape, or a byte that is no
 * printable ASCII. `[end, end + 3)` must lie in the bytes too.
 */
export function countQuotes(bytes: DataView, start: number, end: number): number {
  let count = 0
  let carry = 0
  for (let pos = start; pos < end; pos += 4) {
    let word = bytes.getInt32(pos, true)
    const left = end - pos
    if (left < 4) {
      const own = (1 << (left * 8)) - 1
      word = (word & own) | (BLANKS & ~own)
    }
    if (((word | ~(word + PRINTABLE)) & HIGH) !== 0) return -1
    const quotes = ~((word ^ QUOTES) + LOW) & HIGH
    const slashes = ~((word ^ BACKSLASHES) + LOW) & HIGH
    if ((quotes | slashes | carry) === 0) continue
    if (((slashes << 8) | carry) !== quotes) return -1
    carry = slashes >>> 24
    for (let rest = quotes; rest !== 0; rest &= rest - 1) count++
  }
  return carry === 0 ? count : -1
}

/** Bytes that must stand somewhere, compared eight at a time where they are ASCII: as doubles, of which none is NaN or zero then. */
export class Constant {
  readonly length: number
  readonly #words: Float64Array
  /** What lies behind the last word. */
  readonly #rest: Uint8Array

  constructor(bytes: Uint8Array) {
    this.length = bytes.length
    const isText = bytes.every(byte => byte >= 0x20 && byte < 0x7f)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#words = Float64Array.from({ length: isText ? bytes.length >> 3 : 0 }, (_, i) => view.getFloat64(i * 8, true))
    this.#rest = Uint8Array.from(bytes.subarray(this.#words.length * 8))
  }

  /** `[at, at + length)` must lie in the bytes. */
  standsAt(bytes: DataView, at: number): boolean {
    const words = this.#words
    let pos = at
    for (let i = 0; i < words.length; i++, pos += 8) if (bytes.getFloat64(pos, true) !== words[i]) return false
    const rest = this.#rest
    for (let i = 0; i < rest.length; i++, pos++) if (bytes.getUint8(pos) !== rest[i]) return false
    return true
  }
}

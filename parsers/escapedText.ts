/** Looks through text several bytes at a time. All masks have the highest bit of a byte set where the byte is meant. */

const HIGH = 0x80808080 | 0
const LOW = 0x7f7f7f7f
/** Added to a byte below 0x80, the highest bit says that it is no control byte. */
const PRINTABLE = 0x60606060
const QUOTES = 0x22222222
const BACKSLASHES = 0x5c5c5c5c

/**
 * Number of `\"` in `[start, end)`; -1 when there is a quote without a backslash, any other escape, or a byte that is no
 * printable ASCII.
 */
export function countQuotes(bytes: DataView, start: number, end: number): number {
  let count = 0
  let carry = 0
  let pos = start
  for (; pos + 4 <= end; pos += 4) {
    const word = bytes.getInt32(pos, true)
    const quotes = ~((word ^ QUOTES) + LOW)
    const slashes = ~((word ^ BACKSLASHES) + LOW)
    // One test for the usual word, which holds nothing of interest.
    if (((word | ~(word + PRINTABLE) | quotes | slashes | carry) & HIGH) === 0) continue
    if (((word | ~(word + PRINTABLE)) & HIGH) !== 0) return -1
    if ((((slashes & HIGH) << 8) | carry) !== (quotes & HIGH)) return -1
    carry = (slashes & HIGH) >>> 24
    for (let rest = quotes & HIGH; rest !== 0; rest &= rest - 1) count++
  }
  for (; pos < end; pos++) {
    const byte = bytes.getUint8(pos)
    if (byte < 0x20 || byte > 0x7f || (byte === 0x22) !== (carry !== 0)) return -1
    if (byte === 0x22) count++
    carry = byte === 0x5c ? 0x80 : 0
  }
  return carry === 0 ? count : -1
}

/** Where text ends that has no quote, no backslash, and nothing but printable ASCII. */
export function endOfPlain(bytes: DataView, start: number, end: number): number {
  let pos = start
  for (; pos + 4 <= end; pos += 4) {
    const word = bytes.getInt32(pos, true)
    const special = word | ~(word + PRINTABLE) | ~((word ^ QUOTES) + LOW) | ~((word ^ BACKSLASHES) + LOW)
    if ((special & HIGH) !== 0) break
  }
  while (pos < end && isPlain(bytes.getUint8(pos))) pos++
  return pos
}

function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c
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

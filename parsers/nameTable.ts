/**
 * Upstream names as small dense integers, looked up by their bytes, so that counting a request needs no string.
 * Bounded: a cluster has as many upstream names as Services with an Ingress; what comes after NAMES_MAX shares one id.
 */

import { latin1 } from './latin1.ts'

export const NAMES_MAX = 20_000
const SLOTS = 65_536
/** Names that few bytes do not tell apart, as somebody may forge them, are looked up by all of their bytes from then on. */
const LOOKS_MAX = 4

/** Name of the id that all names beyond the limit share. */
export const OTHER_NAMES = '(other upstreams)'

export class NameTable {
  /** id → name. Id 0 is "no name". */
  readonly names: string[] = ['']
  /** id → false for the catch-all and for backends that take over from one without endpoints: their answers are no plain ones. */
  readonly isPlain: boolean[] = [true]
  /** Requests whose name did not fit. */
  overflow = 0
  readonly #slots = new Int32Array(SLOTS)
  /** Bytes of all names, one behind the other; `#starts[id]` to `#starts[id + 1]`. */
  #bytes = new Uint8Array(4_096)
  readonly #starts: number[] = [0, 0]

  /** Id of the name `[start, end)`; 0 when it is empty. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (length === 0) return 0
    // Names differ in length and near their end (`<namespace>-<service>-<port>`): a few bytes tell most of them apart, and
    // a collision only costs one more comparison.
    const middle = start + (length >> 1)
    let hash = length * 31 + bytes[end - 1]!
    hash = Math.imul(hash, 31) + bytes[middle]!
    hash = Math.imul(hash, 31) + bytes[(middle + end) >> 1]!
    hash = Math.imul(hash, 31) + bytes[(middle + start) >> 1]!
    hash = Math.imul(hash, 0x9e3779b1)
    let slot = hash >>> 16
    for (let looks = 1; ; looks++) {
      const id = this.#slots[slot]!
      if (id === 0) return this.#add(bytes, start, end, slot)
      if (this.#isName(id, bytes, start, length)) return id
      slot = looks === LOOKS_MAX ? slotOfAll(bytes, start, end) : (slot + 1) & (SLOTS - 1)
    }
  }

  /** The id of a name as text. */
  of(name: string): number {
    const bytes = Buffer.from(name, 'latin1')
    return this.intern(bytes, 0, bytes.length)
  }

  #isName(id: number, bytes: Uint8Array, start: number, length: number): boolean {
    const from = this.#starts[id]!
    if (this.#starts[id + 1]! - from !== length) return false
    const own = this.#bytes
    for (let i = length - 1; i >= 0; i--) if (own[from + i] !== bytes[start + i]) return false
    return true
  }

  #add(bytes: Uint8Array, start: number, end: number, slot: number): number {
    if (this.names.length > NAMES_MAX) {
      this.overflow++
      return NAMES_MAX
    }
    const isLast = this.names.length === NAMES_MAX
    const name = isLast ? OTHER_NAMES : latin1(bytes, start, end)
    const id = this.names.push(name) - 1
    this.isPlain.push(!/^(?:custom-default-backend-|upstream-default-backend$)/.test(name))
    const from = this.#starts[id]!
    if (isLast) {
      this.overflow++
      this.#starts.push(from)
      return id
    }
    this.#starts.push(from + end - start)
    if (from + end - start > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, from + end - start))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes.set(bytes.subarray(start, end), from)
    this.#slots[slot] = id
    return id
  }
}

/** FNV-1a. */
function slotOfAll(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return (hash ^ (hash >>> 16)) & (SLOTS - 1)
}

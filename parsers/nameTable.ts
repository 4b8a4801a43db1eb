/**
 * Upstream names as small dense integers, looked up by their bytes, so that counting a request needs no string.
 * Bounded: a cluster has as many upstream names as Services with an Ingress; what comes after NAMES_MAX shares one id.
 */

const NAMES_MAX = 20_000
const SLOTS = 65_536

/** Name of the id that all names beyond the limit share. */
export const OTHER_NAMES = '(other upstreams)'

export class NameTable {
  /** id → name. Id 0 is "no name". */
  readonly names: string[] = ['']
  /** id → false for the catch-all and for backends that take over from one without endpoints: their answers are no plain ones. */
  readonly isPlain: boolean[] = [true]
  /** Names that did not fit. */
  overflow = 0
  readonly #slots = new Int32Array(SLOTS)
  readonly #keys: Uint8Array[] = [new Uint8Array(0)]
  #lastId = 0

  intern(bytes: Uint8Array, start: number, end: number): number {
    const last = this.#keys[this.#lastId]!
    if (same(last, bytes, start, end)) return this.#lastId
    // Names differ in length and near their end (`<namespace>-<service>-<port>`): a few bytes tell them apart, and a
    // collision only costs one more comparison.
    const length = end - start
    let hash = length
    for (let i = 1; i <= 8 && i <= length; i++) hash = Math.imul(hash ^ bytes[end - i]!, 0x01000193)
    hash = Math.imul(hash ^ bytes[start + (length >> 1)]!, 0x01000193)
    let slot = (hash ^ (hash >>> 15)) & (SLOTS - 1)
    for (;;) {
      const id = this.#slots[slot]!
      if (id === 0) return this.#add(bytes, start, end, slot)
      if (same(this.#keys[id]!, bytes, start, end)) return (this.#lastId = id)
      slot = (slot + 1) & (SLOTS - 1)
    }
  }

  /** The id of a name as text. */
  of(name: string): number {
    const bytes = Uint8Array.from(name, char => char.charCodeAt(0))
    return this.intern(bytes, 0, bytes.length)
  }

  #add(bytes: Uint8Array, start: number, end: number, slot: number): number {
    if (start === end) return 0
    if (this.names.length > NAMES_MAX) {
      this.overflow++
      return NAMES_MAX
    }
    const isLast = this.names.length === NAMES_MAX
    // A copy: `slice` of a Buffer would share the memory of a block that is read over.
    const key = isLast ? new Uint8Array(0) : new Uint8Array(bytes.subarray(start, end))
    const id = this.names.push(isLast ? OTHER_NAMES : latin1(key)) - 1
    this.#keys.push(key)
    this.isPlain.push(!/^(?:custom-default-backend-|upstream-default-backend$)/.test(this.names[id]!))
    if (!isLast) this.#slots[slot] = id
    return id
  }
}

function same(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false
  return true
}

function latin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

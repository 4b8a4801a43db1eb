/**
 * What stands in front of the line in a shipper's JSON, or behind it: constant bytes, and slots in which only times and
 * numbers change.
 *
 *   {"@timestamp":" time ","time":" time ","stream":"stdout","_p":"F","log":" the line
 *   ","log_path":"/var/log/containers/….log","log_offset": number ,"node":"n1"}
 */

import { Constant, endOfPlain } from './escapedText.ts'

export type SlotKind = 'time' | 'number'

const MINUS = 0x2d
const DOT = 0x2e
const QUOTE = 0x22

/** A slot of the example, its quotes left out. */
export interface Slot {
  kind: SlotKind
  start: number
  end: number
}

export class MessageSide {
  /** One more than slots. */
  readonly #constants: readonly Constant[]
  readonly #isTime: readonly boolean[]
  /** Begin and end of each slot in the message that was matched last. */
  readonly slots: Int32Array
  /** Tells sides apart. */
  readonly key: string

  /** `[start, end)` is the side of the example, `slots` what changes in it. */
  constructor(bytes: Buffer, start: number, end: number, slots: readonly Slot[]) {
    const borders = [start, ...slots.flatMap(slot => [slot.start, slot.end]), end]
    const constants: Constant[] = []
    let key = ''
    for (let i = 0; i < borders.length; i += 2) {
      const constant = bytes.subarray(borders[i]!, borders[i + 1]!)
      constants.push(new Constant(constant))
      key += `${constant.toString('latin1')}\n${slots[i / 2]?.kind ?? ''}\n`
    }
    this.#constants = constants
    this.#isTime = slots.map(slot => slot.kind === 'time')
    this.slots = new Int32Array(slots.length * 2)
    this.key = key
  }

  /** Where the side ends that begins at `start`; -1 when it does not stand there. */
  matchFrom(bytes: DataView, start: number, end: number): number {
    const constants = this.#constants
    let pos = start
    for (let i = 0; ; i++) {
      const constant = constants[i]!
      if (pos + constant.length > end || !constant.standsAt(bytes, pos)) return -1
      pos += constant.length
      if (i === constants.length - 1) return pos
      this.slots[i * 2] = pos
      pos = this.#isTime[i] ? endOfPlain(bytes, pos, end) : endOfNumber(bytes, pos, end)
      if (pos < 0) return -1
      this.slots[i * 2 + 1] = pos
    }
  }

  /** Where the side begins that ends at `end`; -1 when it does not stand there. */
  matchTo(bytes: DataView, start: number, end: number): number {
    const constants = this.#constants
    let pos = end
    for (let i = constants.length - 1; ; i--) {
      pos -= constants[i]!.length
      if (pos < start || !constants[i]!.standsAt(bytes, pos)) return -1
      if (i === 0) return pos
      this.slots[i * 2 - 1] = pos
      const from = this.#isTime[i - 1] ? beginOfTime(bytes, start, pos) : beginOfNumber(bytes, start, pos)
      if (from < 0) return -1
      this.slots[i * 2 - 2] = from
      pos = from
    }
  }
}

/** Digits and what stands between them in a time; nothing that could end a JSON text. */
function isTimeByte(byte: number): boolean {
  return (byte >= 0x2d && byte <= 0x3a) || byte === 0x54 || byte === 0x5a || byte === 0x2b || byte === 0x20
}

function beginOfTime(bytes: DataView, start: number, to: number): number {
  let pos = to
  while (pos > start && isTimeByte(bytes.getUint8(pos - 1))) pos--
  return bytes.getUint8(pos - 1) === QUOTE ? pos : -1
}

/** Of a JSON number without an exponent; -1 when there is none. */
function endOfNumber(bytes: DataView, from: number, end: number): number {
  let pos = from
  if (pos < end && bytes.getUint8(pos) === MINUS) pos++
  const digits = pos
  while (pos < end && isDigit(bytes.getUint8(pos))) pos++
  // `07` is no JSON.
  if (pos === digits || (bytes.getUint8(digits) === 0x30 && pos > digits + 1)) return -1
  if (pos >= end || bytes.getUint8(pos) !== DOT) return pos
  const fraction = ++pos
  while (pos < end && isDigit(bytes.getUint8(pos))) pos++
  return pos === fraction ? -1 : pos
}

function beginOfNumber(bytes: DataView, start: number, to: number): number {
  let pos = to
  while (pos > start) {
    const byte = bytes.getUint8(pos - 1)
    if (!isDigit(byte) && byte !== DOT && byte !== MINUS) break
    pos--
  }
  return endOfNumber(bytes, pos, to) === to ? pos : -1
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

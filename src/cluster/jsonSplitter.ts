/**
 * Bytes of a file with JSON in it → the text of each value, without holding the file: values may follow each other in any
 * layout (lines, pretty-printed one after the other), and the items of a list come one by one, before the list itself.
 *
 *   {"kind":"List","items":[{…},{…}]}   → item {…}, item {…}, list {"kind":"List","items":[]}
 *   [{…},{…}]                           → item {…}, item {…}, list []
 *   {…} {…}                             → value {…}, value {…}
 *
 * What is no JSON between values is skipped up to the end of its line, and counted.
 */

/** One object of the API is at most 1.5 MiB; a record of ours less. */
export const VALUE_BYTES_MAX = 16 * 1024 * 1024

export interface JsonReceiver {
  item(text: string): void
  /** A value that is no list, or what is left of a list without its items. */
  value(text: string, isList: boolean): void
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const COLON = 0x3a
const COMMA = 0x2c
const NEWLINE = 0x0a
const ITEMS = [0x69, 0x74, 0x65, 0x6d, 0x73]

export class JsonSplitter {
  /** Values longer than the limit. */
  tooLong = 0
  /** Values that end in the middle: a file was cut, or a line of it. */
  cut = 0
  /** Lines between values that are no JSON. */
  strayLines = 0

  readonly #receiver: JsonReceiver
  readonly #decoder = new TextDecoder()
  #depth = 0
  #isInString = false
  #isEscaped = false
  #isStray = false
  /** The last byte that is no white space, and the one right before. */
  #before = 0
  #last = NEWLINE
  /** Depth of the list whose elements are items; 0: in none. */
  #itemsDepth = 0
  #isList = false
  #isInItem = false
  /** How much of `items` (ITEMS) the string at depth 1 is so far; -1: it is another one. */
  #matched = -1
  #isItemsKey = false
  #outer = new Capture()
  #inner = new Capture()

  constructor(receiver: JsonReceiver) {
    this.#receiver = receiver
  }

  push(chunk: Uint8Array): void {
    this.#capturing()?.resume(0)
    for (let at = 0; at < chunk.length; at++) {
      if (this.#isInString && this.#matched === -1 && !this.#isEscaped) at = this.#skipText(chunk, at)
      const byte = chunk[at]
      if (byte === undefined) break
      if (this.#isStray) this.#isStray = byte !== NEWLINE
      else if (byte === OPEN_OBJECT && this.#last === NEWLINE && this.#isBrokenOff()) this.#restart(at)
      else if (this.#isInString) this.#inString(byte)
      else if (byte > 0x20) this.#structure(byte, at, chunk)
      this.#last = byte
      if (byte > 0x20) this.#before = byte
    }
    this.#capturing()?.pause(chunk, chunk.length)
  }

  /** After the last chunk. */
  end(): void {
    if (this.#depth > 0) this.cut += 1
    this.#reset()
  }

  #capturing(): Capture | null {
    if (this.#isInItem) return this.#inner
    return this.#depth > 0 && this.#itemsDepth === 0 ? this.#outer : null
  }

  /** Most bytes are plain text in strings: up to one that is not. The one before a line break is looked at, too. */
  #skipText(chunk: Uint8Array, from: number): number {
    let at = from
    for (; at < chunk.length; at++) {
      const byte = chunk[at]!
      if (byte === QUOTE || byte === BACKSLASH || byte < 0x20 || this.#last === NEWLINE) break
    }
    if (at > from) this.#last = this.#before = chunk[at - 1]!
    return at
  }

  #inString(byte: number): void {
    if (this.#isEscaped) {
      this.#isEscaped = false
      this.#matched = -1
    } else if (byte === BACKSLASH) this.#isEscaped = true
    else if (byte === QUOTE) {
      this.#isInString = false
      if (this.#depth === 1) this.#isItemsKey = this.#matched === ITEMS.length
    } else if (this.#matched >= 0) this.#matched = byte === ITEMS[this.#matched] ? this.#matched + 1 : -1
  }

  #structure(byte: number, at: number, chunk: Uint8Array): void {
    if (this.#depth === 0) return this.#top(byte, at, chunk)
    switch (byte) {
      case QUOTE:
        this.#isInString = true
        this.#matched = this.#depth === 1 ? 0 : -1
        return
      case OPEN_OBJECT:
      case OPEN_LIST:
        return this.#open(byte, at, chunk)
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        return this.#close(at, chunk)
      case COMMA:
        if (this.#depth === 1) this.#isItemsKey = false
    }
  }

  #top(byte: number, at: number, chunk: Uint8Array): void {
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      this.#depth = 1
      this.#outer.resume(at)
      if (byte === OPEN_LIST) this.#beginItems(at, chunk)
    } else if (byte !== COMMA) {
      this.strayLines += 1
      this.#isStray = true
    }
  }

  #open(byte: number, at: number, chunk: Uint8Array): void {
    if (this.#itemsDepth > 0 && this.#depth === this.#itemsDepth && byte === OPEN_OBJECT) {
      this.#isInItem = true
      this.#inner.resume(at)
    }
    this.#depth += 1
    if (byte === OPEN_LIST && this.#depth === 2 && this.#isItemsKey && this.#before === COLON)
      this.#beginItems(at, chunk)
    if (this.#depth === 2) this.#isItemsKey = false
  }

  #beginItems(at: number, chunk: Uint8Array): void {
    this.#outer.pause(chunk, at + 1)
    this.#itemsDepth = this.#depth
    this.#isList = true
  }

  #close(at: number, chunk: Uint8Array): void {
    if (this.#itemsDepth > 0 && this.#depth === this.#itemsDepth) {
      this.#itemsDepth = 0
      this.#outer.resume(at)
    }
    this.#depth -= 1
    if (this.#isInItem && this.#depth === this.#itemsDepth) {
      this.#isInItem = false
      this.#emit(this.#inner, at, chunk, text => this.#receiver.item(text))
    }
    if (this.#depth > 0) return
    const isList = this.#isList
    this.#emit(this.#outer, at, chunk, text => this.#receiver.value(text, isList))
    this.#reset()
  }

  #emit(capture: Capture, at: number, chunk: Uint8Array, to: (text: string) => void): void {
    capture.pause(chunk, at + 1)
    const bytes = capture.take()
    if (bytes === null) this.tooLong += 1
    else to(this.#decoder.decode(bytes))
  }

  /**
   * A line that begins with `{` inside of a value: no program prints that, unless it goes on with a list. The value before it was
   * cut, as the last line of a file that another one was added to.
   */
  #isBrokenOff(): boolean {
    if (this.#depth === 0) return false
    return this.#isInString || (this.#before !== COMMA && this.#before !== OPEN_LIST && this.#before !== COLON)
  }

  #restart(at: number): void {
    this.cut += 1
    this.#reset()
    this.#depth = 1
    this.#outer.resume(at)
  }

  #reset(): void {
    this.#depth = 0
    this.#isInString = false
    this.#isEscaped = false
    this.#itemsDepth = 0
    this.#isList = false
    this.#isInItem = false
    this.#isItemsKey = false
    this.#outer = new Capture()
    this.#inner = new Capture()
  }
}

/** Bytes of one value, over the borders of chunks. */
class Capture {
  #pieces: Uint8Array[] = []
  #bytes = 0
  #from = -1

  resume(at: number): void {
    this.#from = at
  }

  /** Takes what is in the chunk; it is copied, because the chunk is read over (`slice` of a Buffer would be none). */
  pause(chunk: Uint8Array, to: number): void {
    if (this.#from === -1) return
    this.#bytes += to - this.#from
    if (this.#bytes > VALUE_BYTES_MAX) this.#pieces = []
    else this.#pieces.push(new Uint8Array(chunk.subarray(this.#from, to)))
    this.#from = -1
  }

  /** null: longer than the limit. Begins anew. */
  take(): Uint8Array | null {
    const isTooLong = this.#bytes > VALUE_BYTES_MAX
    const whole = this.#pieces.length === 1 ? this.#pieces[0]! : joined(this.#pieces)
    this.#pieces = []
    this.#bytes = 0
    return isTooLong ? null : whole
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

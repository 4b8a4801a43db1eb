/** The shape of a producer's JSON: what every record of one stream of one container has in common, learned from an example. */

import type { Framing } from './envelope.ts'
import { type EnvelopeFacts, FACT_PATHS, type JsonEnvelope, takePath } from './jsonEnvelope.ts'
import { jsonScalars } from './jsonScalars.ts'
import { latin1 } from './latin1.ts'
import { Line } from './line.ts'
import type { MessageSide, Slot } from './messageSide.ts'
import { parseTimeText, type Rfc3339Reader } from './time.ts'

const LETTER_N = 0x6e
const BACKSLASH = 0x5c
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)$/
const INTEGER_DIGITS_MAX = 15

/** A slot that says something: which one of which side. */
interface SlotPlace {
  side: MessageSide
  index: number
}

export class MessageShape {
  readonly head: MessageSide
  readonly tail: MessageSide
  readonly facts: EnvelopeFacts
  /** The stamp is a text, not a number. */
  readonly hasTextStamp: boolean
  readonly #stamp: SlotPlace | null
  readonly #offset: SlotPlace | null
  /** What the envelope says of each of its lines. */
  readonly #place = new Line()
  readonly #reader: Rfc3339Reader

  constructor(example: Example, head: MessageSide, tail: MessageSide, reader: Rfc3339Reader) {
    const { facts, slots, stamp, offset } = example
    this.head = head
    this.tail = tail
    this.facts = facts
    this.#reader = reader
    const placeOf = (slot: Slot | null): SlotPlace | null => {
      if (slot === null) return null
      const inHead = slots.head.indexOf(slot)
      return inHead >= 0 ? { side: head, index: inHead * 2 } : { side: tail, index: slots.tail.indexOf(slot) * 2 }
    }
    this.#stamp = placeOf(stamp)
    this.#offset = placeOf(offset)
    this.hasTextStamp = stamp?.kind === 'time'
    const { pod, namespace, container, path } = facts
    Object.assign(this.#place, { pod, namespace, container })
    if (path !== null) takePath(this.#place, path)
  }

  /** Says on `line` what the envelope of the message says that both sides have matched; false: something unusual is in a slot. */
  apply(line: Line, bytes: Buffer): boolean {
    const { facts } = this
    const place = this.#place
    line.hasEnvelope = true
    line.timeMs = Number.NaN
    line.written = ''
    line.stream = facts.stream
    line.pod = place.pod
    line.namespace = place.namespace
    line.container = place.container
    line.node = facts.node
    line.path = facts.path
    line.logOffset = Number.NaN
    if (this.#offset !== null) {
      const { side, index } = this.#offset
      line.logOffset = integer(bytes, side.slots[index]!, side.slots[index + 1]!)
      if (Number.isNaN(line.logOffset)) return false
    }
    if (this.#stamp === null) return true
    const { side, index } = this.#stamp
    const from = side.slots[index]!
    const to = side.slots[index + 1]!
    line.bytes = bytes
    line.writtenFrom = from
    line.writtenTo = to
    line.isWrittenNumber = !this.hasTextStamp
    if (this.hasTextStamp) {
      line.timeMs = this.#reader.read(bytes, from, to)
      return this.#reader.end === to && !Number.isNaN(line.timeMs)
    }
    line.timeMs = unixMs(bytes, from, to)
    return !Number.isNaN(line.timeMs)
  }

  /** Whether the content goes on; `hasFeed`: it ends in a line feed. */
  framing(hasFeed: boolean): Framing {
    return this.facts.isDocker ? (hasFeed ? 'last' : 'piece') : 'whole'
  }
}

/** `\n` stands in front of `end`, the position of a text's closing quote, and is not the end of `\\n`. */
export function endsInFeed(bytes: Buffer, end: number): boolean {
  return bytes[end - 1] === LETTER_N && bytes[end - 2] === BACKSLASH && bytes[end - 3] !== BACKSLASH
}

/** Where things are in a message that was read whole. */
export interface Example {
  facts: EnvelopeFacts
  /** Of the content, without quotes and line feed. */
  lineStart: number
  lineEnd: number
  /** Position of the content's closing quote. */
  tailStart: number
  slots: { head: Slot[]; tail: Slot[] }
  stamp: Slot | null
  offset: Slot | null
}

/** Looks for lines and slots in a message that `openJson` read; null when its records have no shape that could be learned. */
export function exampleOf(bytes: Buffer, start: number, end: number, json: JsonEnvelope): Example | null {
  const { facts } = json
  const scalars = jsonScalars(bytes, start, end)
  const content = scalars?.find(({ path }) => path === facts.contentKey)
  if (scalars === null || content === undefined) return null
  const slots: Example['slots'] = { head: [], tail: [] }
  let stamp: Slot | null = null
  let offset: Slot | null = null
  for (const scalar of scalars) {
    const isText = scalar.kind === 'text'
    if (scalar === content || scalar.kind === 'word' || FACT_PATHS.has(scalar.path)) continue
    const slot: Slot = {
      kind: isText ? 'time' : 'number',
      start: scalar.start + (isText ? 1 : 0),
      end: scalar.end - (isText ? 1 : 0)
    }
    if (isText && !TIME.test(bytes.toString('latin1', slot.start, slot.end))) continue
    slots[scalar.start < content.start ? 'head' : 'tail'].push(slot)
    if (scalar.path === facts.stampKey) stamp = slot
    if (scalar.path === facts.offsetPath?.join('\n')) offset = slot
  }
  // A stamp in a spelling of its own changes from record to record; one that nobody can read says nothing.
  if (stamp === null && parseTimeText(json.stamp) !== null) return null
  const tailStart = content.end - 1
  const lineEnd = endsInFeed(bytes, tailStart) ? tailStart - 2 : tailStart
  return { facts, lineStart: content.start + 1, lineEnd, tailStart, slots, stamp, offset }
}

/** Digits alone; NaN when it is anything else. */
function integer(bytes: Buffer, from: number, to: number): number {
  if (to - from > INTEGER_DIGITS_MAX) return Number.NaN
  let value = 0
  for (let pos = from; pos < to; pos++) {
    const digit = bytes[pos]! - 48
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

/** Seconds or milliseconds since 1970, by their digits, as `parseTimeText` reads them; NaN when it is no time. */
function unixMs(bytes: Buffer, from: number, to: number): number {
  let dot = from
  while (dot < to && bytes[dot] !== 0x2e) dot++
  const digits = dot - from
  if (bytes[from] === 0x2d || digits < 9 || digits > 14) return Number.NaN
  const value = decimal(bytes, from, dot, to)
  return digits <= 11 ? value * 1000 : value
}

/** Exact: both sides of the division are, up to 15 digits. */
function decimal(bytes: Buffer, from: number, dot: number, to: number): number {
  if (dot === to) return integer(bytes, from, to)
  if (to - from > INTEGER_DIGITS_MAX + 1) return Number(latin1(bytes, from, to))
  const decimals = to - dot - 1
  return (integer(bytes, from, dot) * 10 ** decimals + integer(bytes, dot + 1, to)) / 10 ** decimals
}

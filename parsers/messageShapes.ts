/**
 * The shapes that one reader has met, most recent first. Heads and tails are kept apart, so that pods whose messages come
 * interleaved share what they have in common. Bounded: what is not used goes.
 */

import { contentOf, type JsonEnvelope } from './jsonEnvelope.ts'
import { latin1 } from './latin1.ts'
import { Line } from './line.ts'
import { endsInFeed, exampleOf, MessageShape } from './messageShape.ts'
import { MessageSide } from './messageSide.ts'
import { Rfc3339Reader } from './time.ts'

/** Streams times stamps' spellings; more than any mixture of shippers has. */
const HEADS_MAX = 32
/** Containers that come in one partition. */
const TAILS_MAX = 128
/** After so many shapes that nobody met again only each `LEARN_EVERY`th message is looked at: its producer puts ids into it. */
const UNUSED_MAX = 256
const LEARN_EVERY = 64

export class MessageShapes {
  /** Of the line in the message that was matched last, without quotes and a final line feed. */
  lineStart = 0
  lineEnd = 0
  /** Position of its closing quote. */
  tailStart = 0
  readonly #heads: MessageSide[] = []
  readonly #tails: MessageSide[] = []
  readonly #shapes = new Map<MessageSide, Map<MessageSide, MessageShape>>()
  #last: MessageShape | null = null
  readonly #stamps = new Rfc3339Reader()
  /** Shapes learned since one was met again. */
  #unused = 0
  #unknown = 0

  /** The shape of the message `[start, end)`; null when none is known. */
  match(words: DataView, bytes: Buffer, start: number, end: number): MessageShape | null {
    const head = this.#matchHead(words, start, end)
    const tail = head === null ? null : this.#matchTail(words, this.lineStart, end)
    if (head === null || tail === null) return null
    let shape = this.#last
    if (shape === null || shape.head !== head || shape.tail !== tail) {
      shape = this.#shapes.get(head)?.get(tail) ?? null
      if (shape === null) return null
      this.#last = shape
    }
    this.#unused = 0
    const to = this.tailStart
    this.lineEnd = endsInFeed(bytes, to) && to - 2 >= this.lineStart ? to - 2 : to
    return shape
  }

  /** Learns the shape of a message that `openJson` read, unless what is matched then says anything else than `json`. */
  learn(words: DataView, bytes: Buffer, start: number, end: number, json: JsonEnvelope): void {
    if (this.#unused >= UNUSED_MAX && ++this.#unknown % LEARN_EVERY !== 0) return
    const example = exampleOf(bytes, start, end, json)
    if (example === null) return
    const { lineStart, tailStart, slots } = example
    const head = known(this.#heads, new MessageSide(bytes, start, lineStart, slots.head))
    const tail = known(this.#tails, new MessageSide(bytes, tailStart, end, slots.tail))
    const shape = new MessageShape(example, head, tail, this.#stamps)
    const line = new Line()
    if (head.matchFrom(words, start, end) !== lineStart || tail.matchTo(words, lineStart, end) !== tailStart) return
    if (!shape.apply(line, bytes) || !isEqual(shape, line, json, latin1(bytes, lineStart - 1, tailStart + 1))) return
    this.#add(shape)
    this.#unused++
  }

  #add(shape: MessageShape): void {
    const { head, tail } = shape
    if (!this.#heads.includes(head)) this.#heads.unshift(head)
    if (!this.#tails.includes(tail)) this.#tails.unshift(tail)
    const byTail = this.#shapes.get(head) ?? new Map<MessageSide, MessageShape>()
    byTail.set(tail, shape)
    this.#shapes.set(head, byTail)
    if (this.#heads.length > HEADS_MAX) this.#shapes.delete(this.#heads.pop()!)
    if (this.#tails.length <= TAILS_MAX) return
    const gone = this.#tails.pop()!
    for (const shapes of this.#shapes.values()) shapes.delete(gone)
  }

  #matchHead(words: DataView, start: number, end: number): MessageSide | null {
    const heads = this.#heads
    for (let i = 0; i < heads.length; i++) {
      const at = heads[i]!.matchFrom(words, start, end)
      if (at < 0) continue
      this.lineStart = at
      return moveToFront(heads, i)
    }
    return null
  }

  #matchTail(words: DataView, start: number, end: number): MessageSide | null {
    const tails = this.#tails
    for (let i = 0; i < tails.length; i++) {
      const at = tails[i]!.matchTo(words, start, end)
      if (at < 0) continue
      this.tailStart = at
      return moveToFront(tails, i)
    }
    return null
  }
}

function known(sides: readonly MessageSide[], side: MessageSide): MessageSide {
  return sides.find(({ key }) => key === side.key) ?? side
}

function moveToFront(sides: MessageSide[], from: number): MessageSide {
  const side = sides[from]!
  for (let i = from; i > 0; i--) sides[i] = sides[i - 1]!
  sides[0] = side
  return side
}

/** The shape says of its own example what `openJson` says. `text` is the content in its quotes. */
function isEqual(shape: MessageShape, line: Line, json: JsonEnvelope, text: string): boolean {
  const { content, stamp, logOffset } = json
  const utf8 = Buffer.from(text, 'latin1').toString('utf8')
  const own = contentOf(JSON.parse(utf8) as string, shape.facts)
  const isSameStamp = line.stamp() === (Number.isNaN(line.timeMs) ? '' : stamp)
  return own.text === content && own.framing === json.framing && isSameStamp && Object.is(line.logOffset, logOffset)
}

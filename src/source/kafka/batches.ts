/** A client library's messages → bytes and offsets. */

import type { MessageBatch } from '../../../parsers/messageBatch.ts'
import type { DriverRead } from './driver.ts'

/** As the chunks of a file: what is read at once stays small beside what waits. */
export const BATCH_BYTES_MAX = 1 << 20

export interface RawMessage {
  offset: string | number
  /** null: the message has none. */
  value: Uint8Array | null
}

const LINE_FEED = 0x0a

/** Copies messages into batches of `BATCH_BYTES_MAX` at most; a larger message has a batch of its own. */
export function batchesOf(messages: readonly RawMessage[]): MessageBatch[] {
  const batches: MessageBatch[] = []
  let from = 0
  let bytes = 0
  for (let i = 0; i < messages.length; i++) {
    const size = sizeOf(messages[i]!)
    if (i > from && bytes + size > BATCH_BYTES_MAX) {
      batches.push(batchOf(messages, from, i, bytes))
      from = i
      bytes = 0
    }
    bytes += size
  }
  if (from < messages.length) batches.push(batchOf(messages, from, messages.length, bytes))
  return batches
}

/** A value and the line feed behind it. */
function sizeOf({ value }: RawMessage): number {
  return value === null ? 0 : value.length + 1
}

function batchOf(messages: readonly RawMessage[], from: number, to: number, length: number): MessageBatch {
  const count = to - from
  const bytes = Buffer.allocUnsafe(length)
  const offsets = new Float64Array(count)
  const starts = new Int32Array(count)
  const ends = new Int32Array(count)
  let at = 0
  for (let i = 0; i < count; i++) {
    const { offset, value } = messages[from + i]!
    offsets[i] = Number(offset)
    starts[i] = at
    ends[i] = -1
    if (value === null) continue
    bytes.set(value, at)
    at += value.length
    ends[i] = at
    bytes[at++] = LINE_FEED
  }
  return { bytes, count, offsets, starts, ends }
}

/** Messages as texts; those without a value are left out. */
export function* textsOf({ batches }: DriverRead): Generator<{ offset: number; text: string }> {
  for (const { bytes, count, offsets, starts, ends } of batches)
    for (let i = 0; i < count; i++)
      if (ends[i] !== -1) yield { offset: offsets[i]!, text: bytes.toString('utf8', starts[i], ends[i]) }
}

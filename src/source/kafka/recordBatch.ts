/**
 * Record batches decoded where they lie: no object of a record. Kafka's format, magic 2
 * (org.apache.kafka.common.record.DefaultRecordBatch, DefaultRecord).
 */

import type { MessageBatch } from '../../../parsers/messageBatch.ts'

/** Of a batch, bytes from its begin; the length counts what lies behind itself. */
const LENGTH_AT = 8
const ATTRIBUTES_AT = 21
const LAST_DELTA_AT = 23
const COUNT_AT = 57
const RECORDS_AT = 61
const BEHIND_LENGTH = 12
const CODEC_MASK = 0x07
/** Transactions and their markers. */
const NOT_PLAIN = 0x30
const LINE_FEED = 0x0a

export interface BatchHeader {
  /** Offset of its first record, and of its last one. */
  baseOffset: number
  lastOffset: number
  codec: number
  /** Records in it. */
  count: number
  /** Of a transaction, or a marker of one. */
  isTransactional: boolean
  /** Of all of it. */
  bytes: number
}

/** null: the rest of it has not come. */
export function batchHeader(buffer: Buffer, at: number): BatchHeader | null {
  if (buffer.length - at < RECORDS_AT) return null
  const bytes = BEHIND_LENGTH + buffer.readInt32BE(at + LENGTH_AT)
  if (buffer.length - at < bytes) return null
  const attributes = buffer.readInt16BE(at + ATTRIBUTES_AT)
  const baseOffset = Number(buffer.readBigInt64BE(at))
  return {
    baseOffset,
    lastOffset: baseOffset + buffer.readInt32BE(at + LAST_DELTA_AT),
    codec: attributes & CODEC_MASK,
    count: buffer.readInt32BE(at + COUNT_AT),
    isTransactional: (attributes & NOT_PLAIN) !== 0,
    bytes
  }
}

/** The records of the batch at `at`, as they are packed. */
export function packedRecords(buffer: Buffer, at: number, { bytes }: BatchHeader): Buffer {
  return buffer.subarray(at + RECORDS_AT, at + bytes)
}

/**
 * Where the values lie. `records` are unpacked, and ours: the byte behind each value becomes a line feed. Throws when the
 * records are not what the header says.
 */
export function valuesIn(
  records: Buffer,
  { baseOffset, count }: Pick<BatchHeader, 'baseOffset' | 'count'>
): MessageBatch {
  const offsets = new Float64Array(count)
  const starts = new Int32Array(count)
  const ends = new Int32Array(count)
  const end = records.length
  let pos = 0
  let value = 0
  /** Zigzag, of up to 35 bits; only the small ones matter here. */
  const varint = (): void => {
    let byte = records[pos++]!
    value = byte & 0x7f
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = records[pos++]!
      value += (byte & 0x7f) * 2 ** shift
    }
    value = value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
  for (let i = 0; i < count; i++) {
    varint()
    const next = pos + value
    if (!(value > 0 && next <= end)) throw new Error(`record ${i} of ${count} is damaged`)
    pos++
    // The time's delta, in up to ten bytes.
    while (records[pos]! >= 0x80) pos++
    pos++
    varint()
    offsets[i] = baseOffset + value
    varint()
    if (value > 0) pos += value
    varint()
    starts[i] = pos
    ends[i] = value < 0 ? -1 : pos + value
    // Behind a value stands at least the number of headers.
    if (value >= 0 && !(pos + value < next)) throw new Error(`record ${i} of ${count} is damaged`)
    if (value >= 0) records[pos + value] = LINE_FEED
    pos = next
  }
  return { bytes: records, count, offsets, starts, ends }
}

/** In parts whose values take `bytesMax` at most, or a single one; only offsets from `from` on. The bytes are shared. */
export function partsOf(batch: MessageBatch, from: number, bytesMax: number): MessageBatch[] {
  const parts: MessageBatch[] = []
  const { offsets, starts, ends, count } = batch
  let first = 0
  while (first < count && offsets[first]! < from) first++
  let bytes = 0
  for (let i = first; i < count; i++) {
    const size = Math.max(0, ends[i]! - starts[i]!) + 1
    if (i > first && bytes + size > bytesMax) {
      parts.push(partOf(batch, first, i))
      first = i
      bytes = 0
    }
    bytes += size
  }
  if (first < count) parts.push(partOf(batch, first, count))
  return parts
}

function partOf({ bytes, offsets, starts, ends }: MessageBatch, from: number, to: number): MessageBatch {
  const begin = starts[from]!
  const last = ends[to - 1]!
  const part = {
    bytes: bytes.subarray(begin, Math.max(last, starts[to - 1]!) + 1),
    count: to - from,
    offsets: offsets.subarray(from, to),
    starts: starts.slice(from, to),
    ends: ends.slice(from, to)
  }
  for (let i = 0; i < part.count; i++) {
    part.starts[i]! -= begin
    if (part.ends[i]! >= 0) part.ends[i]! -= begin
  }
  return part
}

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
/** Length, attributes, two deltas, lengths of key and value, number of headers. */
const RECORD_BYTES_MIN = 7
/** Of a number of 32 bits. */
const VARINT_SHIFT_MAX = 28
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

/** null: the rest of it has not come. Throws when it is no header of a batch. */
export function batchHeader(buffer: Buffer, at: number): BatchHeader | null {
  if (buffer.length - at < RECORDS_AT) return null
  const bytes = BEHIND_LENGTH + buffer.readInt32BE(at + LENGTH_AT)
  if (bytes < RECORDS_AT) throw new Error('its header is damaged')
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

/** The records of the batch at `at`, as they are packed; without a header all that follows. */
export function packedRecords(buffer: Buffer, at: number, header: BatchHeader | null): Buffer {
  return buffer.subarray(at + RECORDS_AT, header === null ? buffer.length : at + header.bytes)
}

/**
 * Where the values lie. `records` are unpacked, and ours: the byte behind each value becomes a line feed. Throws when the
 * records are not what the header says: what is not understood must not pass for read.
 */
export function valuesIn(
  records: Buffer,
  { baseOffset, lastOffset, count }: Pick<BatchHeader, 'baseOffset' | 'lastOffset' | 'count'>
): MessageBatch {
  const end = records.length
  if (count < 0 || count * RECORD_BYTES_MIN > end) throw new Error(`${end} bytes do not hold ${count} records`)
  const offsets = new Float64Array(count)
  const starts = new Int32Array(count)
  const ends = new Int32Array(count)
  let pos = 0
  let value = 0
  let before = baseOffset - 1
  /** Zigzag; whether it is one. */
  const varint = (): boolean => {
    let byte = records[pos++]!
    value = byte & 0x7f
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > VARINT_SHIFT_MAX) return false
      byte = records[pos++]!
      value += (byte & 0x7f) * 2 ** shift
    }
    value = value % 2 === 0 ? value / 2 : -(value + 1) / 2
    return true
  }
  for (let i = 0; i < count; i++) {
    const isLength = varint()
    const next = pos + value
    if (!(isLength && value > 0 && next <= end)) throw damaged(i, count)
    pos++
    // The time's delta, in up to ten bytes.
    while (records[pos]! >= 0x80) pos++
    pos++
    const isDelta = varint()
    const offset = baseOffset + value
    const isKey = varint()
    if (value > 0) pos += value
    const isValue = varint()
    // Behind a value stands at least the number of headers.
    const isInside = isValue && pos + Math.max(0, value) < next
    if (!(isDelta && offset > before && offset <= lastOffset && isKey && isInside)) throw damaged(i, count)
    before = offset
    offsets[i] = offset
    starts[i] = pos
    ends[i] = value < 0 ? -1 : pos + value
    if (value >= 0) records[pos + value] = LINE_FEED
    pos = next
  }
  if (pos !== end) throw new Error(`${end - pos} bytes stand behind the last of ${count} records`)
  return { bytes: records, count, offsets, starts, ends }
}

function damaged(index: number, count: number): Error {
  return new Error(`record ${index} of ${count} is damaged`)
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

/**
 * Where a record batch of a fetch response came from. kafkajs does not tell it with the error of a batch that it cannot
 * unpack, and without it nobody knows which partition to look at. The batch still lies in the response:
 *
 *   partition response: partition 4, error 2, high watermark 8, last stable 8, log start 8, aborted 4 (none),
 *                       preferred replica 4, size of the record set 4, then record batches
 *   record batch:       base offset 8, length of what follows 4, … records from byte 61 on
 */

export interface BatchOrigin {
  offset: number
  /** null: the response does not look as expected. */
  partition: number | null
}

const RECORDS_AT = 61
/** Base offset and length. */
const LENGTH_END = 12
const HEADER_BYTES = 42
const ERROR_AT = 4
const SIZE_AT = 38
/** More than one fetch brings of a partition, but for a single larger batch, which is the first. */
const LOOK_BACK_BYTES_MAX = 16 << 20

/** `records`: the packed records of a batch, a view into the whole response. `partitions`: those that are read. */
export function batchOrigin(records: Buffer, partitions: readonly number[]): BatchOrigin | null {
  const begin = records.byteOffset - RECORDS_AT
  if (begin < 0) return null
  const response = Buffer.from(records.buffer)
  const offset = Number(response.readBigInt64BE(begin))
  const lowest = Math.max(0, begin - LOOK_BACK_BYTES_MAX)
  for (let at = begin - HEADER_BYTES; at >= lowest; at--) {
    const partition = response.readInt32BE(at)
    if (response.readInt16BE(at + ERROR_AT) !== 0 || !partitions.includes(partition)) continue
    if (leadsTo(response, at + HEADER_BYTES, response.readInt32BE(at + SIZE_AT), begin)) return { offset, partition }
  }
  return { offset, partition: null }
}

/** A record set of `size` bytes at `from` holds a batch that begins at `to`. */
function leadsTo(response: Buffer, from: number, size: number, to: number): boolean {
  if (size <= 0 || from + size <= to) return false
  let at = from
  while (at < to) {
    const length = response.readInt32BE(at + LENGTH_END - 4)
    if (length <= 0) return false
    at += LENGTH_END + length
  }
  return at === to
}

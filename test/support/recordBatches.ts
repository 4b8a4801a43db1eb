/** Record batches as kafkajs writes them: the tests' other opinion on the format. */
import { createRequire } from 'node:module'
import type { MessageBatch } from '../../parsers/messageBatch.ts'
import type { DecodeBatch, Decoder } from '../../src/source/kafka/kafkajsDecoder.ts'
import { batchHeader, packedRecords, valuesIn } from '../../src/source/kafka/recordBatch.ts'

export interface TestRecord {
  offsetDelta: number
  timestampDelta?: number
  key: Buffer | null
  value: Buffer | null
  headers?: Record<string, Buffer>
}

export interface BatchOptions {
  records: TestRecord[]
  firstOffset?: number
  /** Default: that of the last record. */
  lastOffsetDelta?: number
  /** Number of the codec. */
  compression?: number
  transactional?: boolean
}

const require = createRequire(import.meta.url)
const protocol = 'kafkajs/src/protocol'
const { RecordBatch } = require(`${protocol}/recordBatch/v0`) as {
  RecordBatch: (options: object) => Promise<{ buffer: Buffer }>
}
const encodeRecord = require(`${protocol}/recordBatch/record/v0`) as (record: object) => unknown
const KafkajsDecoder = require(`${protocol}/decoder`) as new (buffer: Buffer) => Decoder

/** kafkajs's own, which nobody has replaced yet. */
export const decodeByKafkajs = require(`${protocol}/recordBatch/v0/decoder`) as DecodeBatch

export const decoderOf = (buffer: Buffer): Decoder => new KafkajsDecoder(buffer)

/** Codecs must be registered. */
export async function encodeBatch(options: BatchOptions): Promise<Buffer> {
  const { records, firstOffset = 0, lastOffsetDelta = records.at(-1)?.offsetDelta ?? 0, ...rest } = options
  const encoded = records.map(record => encodeRecord(record))
  return (await RecordBatch({ ...rest, firstOffset, lastOffsetDelta, records: encoded })).buffer
}

/** Values (Latin-1; null: none) as a driver finds them in a record batch of their shipper. */
export async function packedBatch(values: readonly (string | null)[], firstOffset = 0): Promise<MessageBatch> {
  const key = Buffer.from('/var/log/containers/"GET /cart HTTP/1.1" .log')
  const records = values.map((value, offsetDelta) => ({
    offsetDelta,
    key,
    value: value === null ? null : Buffer.from(value, 'latin1')
  }))
  const buffer = await encodeBatch({ records, firstOffset })
  const header = batchHeader(buffer, 0)!
  return valuesIn(packedRecords(buffer, 0, header), header)
}

/** Values of a batch, Latin-1, by offset. */
export function valuesOf({ bytes, count, offsets, starts, ends }: MessageBatch): [number, string | null][] {
  return Array.from({ length: count }, (_, i) => [
    offsets[i]!,
    ends[i]! < 0 ? null : bytes.toString('latin1', starts[i], ends[i])
  ])
}

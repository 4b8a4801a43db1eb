/**
 * kafkajs makes an object of each record, with two long numbers as text, and its decoder cannot be replaced by an option. So
 * its module is, in 2.2.4, which is its last: a record batch becomes one message that holds all values where they lie.
 */

import { createRequire } from 'node:module'
import kafkajs from 'kafkajs'
import type { MessageBatch } from '../../../parsers/messageBatch.ts'
import { CodecError, codecName } from './codecs.ts'
import { type BatchHeader, batchHeader, packedRecords, valuesIn } from './recordBatch.ts'

const DECODER = 'kafkajs/src/protocol/recordBatch/v0/decoder'

/** Of kafkajs: `protocol/decoder.js`. */
export interface Decoder {
  buffer: Buffer
  offset: number
  forward(bytes: number): void
}

interface Codec {
  decompress(packed: Buffer): Promise<Buffer>
}

export type DecodeBatch = (decoder: Decoder) => Promise<{ records: unknown[] }>

/** What kafkajs takes for a message: the last one of its batch, which may be empty. */
export interface PackedMessage {
  offset: string
  values: MessageBatch
}

let isDone = false

/**
 * Makes every consumer of this process give record batches as `PackedMessage`, once; those of transactions stay messages.
 * Codecs must be registered.
 */
export function decodeInPlace(): void {
  if (isDone) return
  isDone = true
  const require = createRequire(import.meta.url)
  const original = require(DECODER) as DecodeBatch
  // It is loaded with the first fetch; whoever has fetched before goes on with messages.
  require.cache[require.resolve(DECODER)]!.exports = decoderInstead(original)
}

/**
 * `original`: kafkajs's own, for what is not ours to decode. What it returns throws CodecError when a batch is not what it
 * says: kafkajs then stops, where it would have read other offsets than those that are there.
 */
export function decoderInstead(original: DecodeBatch): DecodeBatch {
  const codecs = kafkajs.CompressionCodecs as unknown as Record<number, () => Codec>
  return async decoder => {
    const { buffer, offset } = decoder
    const header = told('no codec that could be read', packedRecords(buffer, offset, null), () =>
      batchHeader(buffer, offset)
    )
    if (header === null || header.isTransactional) return original(decoder)
    decoder.forward(header.bytes)
    const packed = packedRecords(buffer, offset, header)
    const records = header.codec === 0 ? packed : await unpacked(codecs[header.codec]!(), packed, header)
    const message = {
      magicByte: 2,
      offset: String(header.lastOffset),
      key: null,
      value: null,
      headers: {},
      isControlRecord: false,
      batchContext: { producerId: '-1', inTransaction: false },
      values: told(codecName(header.codec), packed, () => valuesIn(records, header))
    }
    return { records: [message] }
  }
}

/** Compaction leaves batches without records, in which there is nothing to unpack. */
function unpacked(codec: Codec, packed: Buffer, { count }: BatchHeader): Promise<Buffer> | Buffer {
  return count === 0 ? Buffer.alloc(0) : codec.decompress(packed)
}

/** What `read` finds damaged is told as what cannot be unpacked: with the place where it lies. */
function told<T>(codec: string, packed: Buffer, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new CodecError(codec, packed, error)
  }
}

export function isPacked(message: object): message is PackedMessage {
  return 'values' in message
}

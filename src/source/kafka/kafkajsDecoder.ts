/**
 * kafkajs makes an object of each record, with two long numbers as text, and its decoder cannot be replaced by an option. So
 * its module is, in 2.2.4, which is its last: a record batch becomes one message that holds all values where they lie.
 */

import { createRequire } from 'node:module'
import kafkajs from 'kafkajs'
import type { MessageBatch } from '../../../parsers/messageBatch.ts'
import { batchHeader, packedRecords, valuesIn } from './recordBatch.ts'

const DECODER = 'kafkajs/src/protocol/recordBatch/v0/decoder'

/** Of kafkajs: `protocol/decoder.js`. */
interface Decoder {
  buffer: Buffer
  offset: number
  forward(bytes: number): void
}

type DecodeBatch = (decoder: Decoder) => Promise<{ records: unknown[] }>

/** What kafkajs takes for a message: the last one of its batch. */
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

function decoderInstead(original: DecodeBatch): DecodeBatch {
  const codecs = kafkajs.CompressionCodecs as unknown as Record<
    number,
    () => { decompress(packed: Buffer): Promise<Buffer> }
  >
  return async decoder => {
    const { buffer, offset } = decoder
    const header = batchHeader(buffer, offset)
    if (header === null || header.isTransactional) return original(decoder)
    decoder.forward(header.bytes)
    if (header.count <= 0) return { records: [] }
    const packed = packedRecords(buffer, offset, header)
    const records = header.codec === 0 ? packed : await codecs[header.codec]!().decompress(packed)
    const message = {
      magicByte: 2,
      offset: String(header.lastOffset),
      key: null,
      value: null,
      headers: {},
      isControlRecord: false,
      batchContext: { producerId: '-1', inTransaction: false },
      values: valuesIn(records, header)
    }
    return { records: [message] }
  }
}

export function isPacked(message: object): message is PackedMessage {
  return 'values' in message
}

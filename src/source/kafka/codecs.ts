/** Compression for kafkajs, which knows only gzip by itself. */

import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { compress as zstdCompress, decompress as zstdDecompress, init as zstdInit } from '@bokuweb/zstd-wasm'
import kafkajs from 'kafkajs'
import createSnappy from 'kafkajs-snappy'
import { compressFrame, decompressFrame } from 'lz4-napi'

interface Codec {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>
  decompress(buffer: Buffer): Promise<Buffer>
}

const gunzipWhole = promisify(gunzip)
const GUNZIP_BYTES_MIN = 1 << 12
const GUNZIP_BYTES_MAX = 16 << 20
const NAMES = ['no compression', 'gzip', 'snappy', 'lz4', 'zstd']
/** The codec is a number of three bits. */
const CODECS_MAX = 8
/** More than any broker takes in one batch, and little enough to have. */
const UNPACKED_BYTES_MAX = 256 << 20
/** Of frames that do not say how long they are. */
const ZSTD_GUESS_BYTES = 4 << 20

/** A record batch that cannot be unpacked. `packed` lies in the response it came with: see batchOrigin.ts. */
export class CodecError extends Error {
  readonly codec: string
  readonly packed: Buffer
  /** kafkajs: trying again changes nothing. */
  readonly retriable = false

  constructor(codec: string, packed: Buffer, cause: unknown) {
    const why = cause instanceof Error ? cause.message : 'no such codec is known'
    // Without a `cause`: kafkajs would hand on that one instead.
    super(`${codec}: ${why}`)
    this.name = 'CodecError'
    this.codec = codec
    this.packed = packed
  }
}

/** Of the number in a batch's attributes. */
export function codecName(type: number): string {
  return NAMES[type] ?? `codec ${type}`
}

let registered: Promise<void> | null = null

/** Makes kafkajs read and write all codecs of Kafka, once for the process. */
export function registerCodecs(): Promise<void> {
  registered ??= register()
  return registered
}

async function register(): Promise<void> {
  await zstdInit()
  const { CompressionCodecs, CompressionTypes } = kafkajs
  const codecs = CompressionCodecs as unknown as Record<number, () => Codec>
  const ofKafkajs = codecs[CompressionTypes.GZIP]!()
  // In one piece where it fits: kafkajs's own, by 16 KiB, costs a third more.
  const gzip: Codec = {
    compress: encoder => ofKafkajs.compress(encoder),
    decompress: packed => gunzipWhole(packed, { chunkSize: gunzipBytes(packed) })
  }
  const snappy = createSnappy()
  const known = new Map<number, Codec>([
    [CompressionTypes.GZIP, gzip],
    [CompressionTypes.Snappy, snappy],
    [
      CompressionTypes.LZ4,
      { compress: ({ buffer }) => compressFrame(buffer), decompress: buffer => decompressFrame(buffer) }
    ],
    [
      CompressionTypes.ZSTD,
      { compress: async ({ buffer }) => asBuffer(zstdCompress(buffer)), decompress: async buffer => unpackZstd(buffer) }
    ]
  ])
  for (let type = 1; type < CODECS_MAX; type++) {
    const codec = known.get(type) ?? null
    const name = codecName(type)
    codecs[type] = () => ({
      compress: encoder => (codec ?? unknownCodec(name, encoder.buffer)).compress(encoder),
      decompress: async buffer => {
        if (codec === null) throw new CodecError(name, buffer, null)
        try {
          return await codec.decompress(buffer)
        } catch (error) {
          throw new CodecError(name, buffer, error)
        }
      }
    })
  }
}

/** Its last four bytes are the size of what it holds, and one byte more says that nothing follows. A size that lies costs a second piece. */
function gunzipBytes(packed: Buffer): number {
  const size = packed.length < 18 ? 0 : packed.readUInt32LE(packed.length - 4) + 1
  return Math.max(GUNZIP_BYTES_MIN, Math.min(size, GUNZIP_BYTES_MAX))
}

function unknownCodec(name: string, buffer: Buffer): never {
  throw new CodecError(name, buffer, null)
}

function unpackZstd(packed: Buffer): Buffer {
  const size = zstdSize(packed)
  // The library takes the frame's word for its size, and writes where it should not when there is not that much memory.
  if (size !== null && size > UNPACKED_BYTES_MAX) throw new Error(`the frame says it holds ${size} bytes`)
  for (let guess = ZSTD_GUESS_BYTES; ; guess *= 4) {
    try {
      return asBuffer(zstdDecompress(packed, { defaultHeapSize: guess }))
    } catch (error) {
      // Java's streams do not say how much they hold.
      if (size !== null || guess >= UNPACKED_BYTES_MAX) throw error
    }
  }
}

/** What a frame says it holds, bytes; null: it does not say. Throws when it is no frame. */
function zstdSize(frame: Buffer): number | null {
  if (frame.length < 6 || frame.readUInt32LE(0) !== 0xfd2fb528) throw new Error('it is no zstd frame')
  const descriptor = frame[4]!
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  const at = 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!
  const bytes = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeFlag
  if (bytes === 0) return null
  if (frame.length < at + bytes) throw new Error('the frame is cut')
  if (bytes === 1) return frame[at]!
  if (bytes === 2) return frame.readUInt16LE(at) + 256
  return bytes === 4 ? frame.readUInt32LE(at) : Number(frame.readBigUInt64LE(at))
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

import kafkajs from 'kafkajs'
import { beforeAll, expect, test } from 'vitest'
import { batchOrigin } from '../../../src/source/kafka/batchOrigin.ts'
import { CodecError, registerCodecs } from '../../../src/source/kafka/codecs.ts'

type Codec = { compress(encoder: { buffer: Buffer }): Promise<Buffer>; decompress(buffer: Buffer): Promise<Buffer> }

const codecOf = (type: number) => (kafkajs.CompressionCodecs as unknown as Record<number, () => Codec>)[type]!()

beforeAll(() => registerCodecs())

test.each([
  ['gzip', 1],
  ['snappy', 2],
  ['lz4', 3],
  ['zstd', 4]
])('%s gives back what was packed', async (_name, type) => {
  const plain = Buffer.from('line of a log '.repeat(200_000))
  const packed = await codecOf(type).compress({ buffer: plain })
  expect(packed.length).toBeLessThan(plain.length / 4)
  expect((await codecOf(type).decompress(packed)).equals(plain)).toBe(true)
})

test('a zstd frame need not say how much it holds', async () => {
  const text = Buffer.from('as Java writes it')
  // Magic, no size and no checksum, a window of 2 MiB, one raw block that is the last.
  const header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, (text.length << 3) | 1, 0, 0]
  expect((await codecOf(4).decompress(Buffer.from([...header, ...text]))).toString()).toBe('as Java writes it')
})

test('a frame that claims more than there can be is refused', async () => {
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(1n << 40n)
  const frame = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0]), size, Buffer.from([1, 0, 0])])
  await expect(codecOf(4).decompress(frame)).rejects.toThrow('the frame says it holds 1099511627776 bytes')
})

test.each([
  ['an unknown codec', 5, 'codec 5: no such codec is known'],
  ['damaged gzip', 1, 'gzip: '],
  ['damaged zstd', 4, 'zstd: it is no zstd frame'],
  ['damaged lz4', 3, 'lz4: '],
  ['damaged snappy', 2, 'snappy: ']
])('%s is an error that names the codec, and is not tried again', async (_name, type, text) => {
  const packed = Buffer.from('this is no compressed text at all')
  const error = await codecOf(type)
    .decompress(packed)
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(CodecError)
  expect((error as Error).message).toContain(text)
  expect(error).toMatchObject({ retriable: false, packed })
})

/** Header of a partition's answer. */
function partitionHeader(partition: number, bytes: number): Buffer {
  const header = Buffer.alloc(42)
  header.writeInt32BE(partition, 0)
  header.writeInt32BE(bytes, 38)
  return header
}

/** A record batch with `length` bytes of packed records. */
function recordBatch(offset: number, length: number): Buffer {
  const batch = Buffer.alloc(61 + length, 0xee)
  batch.writeBigInt64BE(BigInt(offset), 0)
  batch.writeInt32BE(batch.length - 12, 8)
  return batch
}

test('a batch that cannot be unpacked is found in its response', () => {
  const batches = [recordBatch(70, 30), recordBatch(90, 50)]
  const size = batches.reduce((sum, batch) => sum + batch.length, 0)
  const before = Buffer.concat([partitionHeader(2, 100), recordBatch(5, 39), partitionHeader(7, size), batches[0]!])
  const response = Buffer.concat([before, ...batches.slice(1)])
  const records = response.subarray(before.length + 61)
  expect(batchOrigin(records, [2, 7])).toEqual({ offset: 90, partition: 7 })
  expect(batchOrigin(records, [2])).toEqual({ offset: 90, partition: null })
})

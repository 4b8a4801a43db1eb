import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import type { MessageBatch } from '../../../parsers/messageBatch.ts'
import { CodecError, registerCodecs } from '../../../src/source/kafka/codecs.ts'
import { decoderInstead, type PackedMessage } from '../../../src/source/kafka/kafkajsDecoder.ts'
import { partsOf } from '../../../src/source/kafka/recordBatch.ts'
import {
  decodeByKafkajs,
  decoderOf,
  encodeBatch,
  packedBatch,
  type TestRecord,
  valuesOf
} from '../../support/recordBatches.ts'

const decode = decoderInstead(decodeByKafkajs)

beforeAll(() => registerCodecs())

const bytes = fc.uint8Array({ maxLength: 40 }).map(one => Buffer.from(one))
const text = fc.oneof(
  { weight: 8, arbitrary: bytes },
  fc.constantFrom(0, 63, 64, 127, 128, 8_191, 8_192, 20_000).map(length => Buffer.alloc(length, 'a"\\'))
)
const records: fc.Arbitrary<TestRecord[]> = fc
  .array(
    fc.record({
      hole: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(200)),
      timestampDelta: fc.oneof(fc.constant(0), fc.integer()),
      key: fc.option(bytes, { nil: null }),
      value: fc.option(text, { nil: null }),
      headers: fc.dictionary(fc.stringMatching(/^[a-z.]{1,9}$/), bytes, { maxKeys: 3 })
    }),
    { minLength: 1, maxLength: 20 }
  )
  .map(all => {
    let offsetDelta = -1
    return all.map(({ hole, ...record }) => ({ ...record, offsetDelta: (offsetDelta += hole + 1) }))
  })
const firstOffset = fc.oneof(fc.constant(0), fc.nat(), fc.constant(2 ** 44))
const compression = fc.constantFrom(0, 1, 2, 3, 4)

interface KafkajsMessage {
  offset: string
  value: Buffer | null
}

test('kafkajs writes what it reads; here the same is read where it lies', async () => {
  await fc.assert(
    fc.asyncProperty(
      records,
      firstOffset,
      compression,
      fc.nat(3),
      fc.nat(9),
      async (given, first, codec, atEnd, from) => {
        const lastOffsetDelta = given.at(-1)!.offsetDelta + atEnd
        const batch = await encodeBatch({ records: given, firstOffset: first, lastOffsetDelta, compression: codec })
        const response = Buffer.concat([Buffer.alloc(from, 0xff), batch, batch])
        const theirs = decoderOf(response.subarray(from))
        const wanted = (await decodeByKafkajs(theirs)).records as KafkajsMessage[]
        const want = wanted.map(({ offset, value }) => [Number(offset), value?.toString('latin1') ?? null])
        const ours = decoderOf(response.subarray(from))
        const [message] = (await decode(ours)).records as [PackedMessage]
        expect(valuesOf(message.values)).toEqual(want)
        expect(Number(message.offset)).toBe(first + lastOffsetDelta)
        expect(ours.offset).toBe(theirs.offset)
        // The scanners' end of a line stands behind each value.
        const { values } = message
        for (const end of values.ends) if (end >= 0) expect(values.bytes[end]).toBe(0x0a)
        // And the batch behind it is untouched.
        expect(valuesOf(((await decode(ours)).records as [PackedMessage])[0].values)).toEqual(want)
      }
    ),
    { numRuns: 150, seed: 20_261_121 }
  )
})

test('damaged bytes are an error that says where they lie, or values that lie within their batch', async () => {
  let errors = 0
  await fc.assert(
    fc.asyncProperty(records, compression, fc.nat(), fc.nat(255), async (given, codec, at, byte) => {
      const batch = await encodeBatch({ records: given, compression: codec })
      // Not the attributes, which say whose business it is.
      const place = at % (batch.length - 4)
      const damaged = Buffer.from(batch)
      damaged[place < 21 ? place : place + 2] = byte
      const decoder = decoderOf(damaged)
      const decoded = await decode(decoder).catch((error: unknown) => error)
      if (decoded instanceof Error) {
        errors++
        expect(decoded instanceof CodecError || decoded.name === 'KafkaJSPartialMessageError').toBe(true)
        return
      }
      expect(decoder.offset).toBeGreaterThan(0)
      const { values } = (decoded as { records: [PackedMessage] }).records[0]
      for (let i = 0; i < values.count; i++) {
        expect(values.starts[i]).toBeLessThan(Math.max(1, values.bytes.length))
        expect(values.ends[i]).toBeLessThan(values.bytes.length)
        if (i > 0) expect(values.offsets[i]).toBeGreaterThan(values.offsets[i - 1]!)
      }
    }),
    { numRuns: 400, seed: 20_261_122 }
  )
  expect(errors).toBeGreaterThan(50)
})

const one = { offsetDelta: 0, key: null, value: Buffer.from('a line') }
const written = async (change: (batch: Buffer) => void): Promise<Buffer> => {
  const batch = await encodeBatch({ records: [one, { ...one, offsetDelta: 1 }], firstOffset: 7 })
  change(batch)
  return batch
}

test.each<[string, (batch: Buffer) => void, string]>([
  ['a length that goes backwards', batch => batch.writeInt32BE(-12, 8), 'its header is damaged'],
  ['more records than bytes', batch => batch.writeInt32BE(0x7fffffff, 57), 'bytes do not hold 2147483647 records'],
  ['fewer than no records', batch => batch.writeInt32BE(-1, 57), 'bytes do not hold -1 records'],
  ['records behind the last one', batch => batch.writeInt32BE(1, 57), '13 bytes stand behind the last of 1 records'],
  ['an offset behind the last one', batch => batch.writeInt32BE(0, 23), 'record 1 of 2 is damaged'],
  ['an offset that comes again', batch => batch.writeUInt8(0, 61 + 13 + 3), 'record 1 of 2 is damaged'],
  ['a value behind the end of its record', batch => batch.writeUInt8(14, 61 + 5), 'record 0 of 2 is damaged'],
  ['a key behind the end of its record', batch => batch.writeUInt8(60, 61 + 4), 'record 0 of 2 is damaged'],
  ['a record behind the end', batch => batch.writeUInt8(120, 61), 'record 0 of 2 is damaged'],
  ['a number without an end', batch => batch.fill(0xff, 61), 'record 0 of 2 is damaged']
])('%s is told, with the bytes that say where', async (_name, change, text) => {
  const batch = await written(change)
  const error = await decode(decoderOf(batch)).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(CodecError)
  expect((error as CodecError).message).toContain(text)
  expect((error as CodecError).packed.byteOffset).toBe(batch.byteOffset + 61)
})

test('a batch that compaction has emptied is read to its end', async () => {
  const batch = await encodeBatch({ records: [], firstOffset: 40, lastOffsetDelta: 9, compression: 1 })
  const [message] = (await decode(decoderOf(batch))).records as [PackedMessage]
  expect(message).toMatchObject({ offset: '49', values: { count: 0 } })
  expect(partsOf(message.values, 40, 100)).toEqual([])
})

test('batches of transactions, and those that were cut, are left to kafkajs', async () => {
  const batch = await encodeBatch({ records: [one], transactional: true })
  const [message] = (await decode(decoderOf(batch))).records as [KafkajsMessage & { batchContext: object }]
  expect(message).toMatchObject({ offset: '0', value: one.value, batchContext: { inTransaction: true } })
  const cut = await written(() => {})
  for (const length of [49, 60, 61, cut.length - 1])
    await expect(decode(decoderOf(cut.subarray(0, length)))).rejects.toMatchObject({
      name: 'KafkaJSPartialMessageError'
    })
})

test('parts have all values from an offset on, in their order, and keep to the limit', async () => {
  const value = fc.option(
    fc.string({ maxLength: 30 }).map(one => Buffer.from(one).toString('latin1')),
    { nil: null }
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(value, { minLength: 1, maxLength: 30 }),
      fc.nat(35),
      fc.integer({ min: 1, max: 200 }),
      async (given, from, max) => {
        const batch = await packedBatch(given, 5)
        const parts = partsOf(batch, from, max)
        expect(parts.flatMap(valuesOf)).toEqual(valuesOf(batch).filter(([offset]) => offset >= from))
        const taken = (part: MessageBatch): number =>
          valuesOf(part).reduce((sum, [, one]) => sum + (one?.length ?? 0) + 1, 0)
        for (const part of parts) {
          expect(part.count === 1 || taken(part) <= max).toBe(true)
          for (const end of part.ends) if (end >= 0) expect(part.bytes[end]).toBe(0x0a)
        }
      }
    ),
    { numRuns: 200, seed: 20_261_123 }
  )
})

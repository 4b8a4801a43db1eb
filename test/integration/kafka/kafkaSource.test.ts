import kafkajs from 'kafkajs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { CodecError } from '../../../src/source/kafka/codecs.ts'
import { DEADLINE, DRIVERS, kafka, type Member, SESSION_MS, TestTopic } from './kafkaBed.ts'

const CODECS = [
  ['none', 0],
  ['gzip', 1],
  ['snappy', 2],
  ['lz4', 3],
  ['zstd', 4]
] as const

function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `line ${from + i} ${'x'.repeat(100)}`)
}

/** From its next event on, which comes once a second at least. */
async function hold(member: Member): Promise<void> {
  member.isHeld = true
  await vi.waitFor(() => expect(member.isHolding).toBe(true), DEADLINE)
}

let topic: TestTopic
afterEach(() => topic.remove())

describe.skipIf(kafka === null).each(DRIVERS.map(driver => [driver] as const))('%s', driver => {
  test('all codecs, no value, and a message of 10 MB are read as they were written', async () => {
    topic = await TestTopic.create(1)
    const member = topic.member(driver)
    const written: (string | null)[] = []
    for (const [, codec] of CODECS) {
      const values = numbered(written.length, written.length + 500)
      await topic.write(0, values, codec)
      written.push(...values)
    }
    await topic.write(0, [null, ''])
    const large = `${'0123456789'.repeat(1 << 20)}.`
    await topic.write(0, [large])
    await topic.write(0, ['behind it'])
    written.push(null, '', large, 'behind it')
    await vi.waitFor(() => expect(member.read).toHaveLength(written.length), DEADLINE)
    expect(member.values(0)).toEqual(written)
    expect(member.read.map(({ offset }) => offset)).toEqual(written.map((_, i) => i))
    await vi.waitFor(() => expect(member.idleMs).toBeGreaterThanOrEqual(2_000), DEADLINE)
    const { facts } = member.source
    expect(facts).toMatchObject({ hasJoined: true, rebalances: 0, offsetResets: 0 })
    expect(facts.partitions).toEqual([{ partition: 0, lagOffsets: 0, committedLagOffsets: 0, isPaused: false }])
    expect(Date.now() - facts.aliveMs!).toBeLessThan(10_000)
  })

  test('what is durable is committed, at the latest on close, and the next member goes on there', async () => {
    topic = await TestTopic.create(2)
    const first = topic.member(driver)
    await topic.write(0, numbered(0, 300))
    await topic.write(1, numbered(0, 10))
    await vi.waitFor(async () => expect(await topic.committed()).toEqual({ 0: 300, 1: 10 }), DEADLINE)
    await topic.write(0, numbered(300, 400))
    await vi.waitFor(() => expect(first.read).toHaveLength(410), DEADLINE)
    await first.stop()
    expect(await topic.committed()).toEqual({ 0: 400, 1: 10 })
    await topic.write(0, ['new'])
    const second = topic.member(driver)
    await vi.waitFor(() => expect(second.read).toHaveLength(1), DEADLINE)
    expect(second.read).toEqual([{ partition: 0, offset: 400, value: 'new' }])
    expect(second.gaps).toEqual([])
  })

  test('a commit that an operator moved is followed, forward and back', async () => {
    topic = await TestTopic.create(1)
    await topic.write(0, numbered(0, 90))
    const first = topic.member(driver)
    await vi.waitFor(async () => expect(await topic.committed()).toEqual({ 0: 90 }), DEADLINE)
    // A state that knows of that commit.
    await topic.write(0, numbered(90, 100))
    await vi.waitFor(async () => expect(await topic.committed()).toEqual({ 0: 100 }), DEADLINE)
    await first.stop()
    await topic.moveCommit(0, 40)
    const second = topic.member(driver)
    await vi.waitFor(() => expect(second.read.map(({ offset }) => offset)).toContain(99), DEADLINE)
    expect(second.read[0]).toMatchObject({ offset: 40 })
    expect(second.streams.get(0)!.resume).toMatchObject({ from: 40, readTo: 100, held: 'all' })
    await second.stop()
    await topic.write(0, numbered(100, 200))
    await topic.moveCommit(0, 150)
    const third = topic.member(driver)
    await vi.waitFor(() => expect(third.read).toHaveLength(50), DEADLINE)
    expect(third.read[0]).toMatchObject({ offset: 150 })
  })

  test('what has expired is a gap, and reading goes on at the earliest', async () => {
    topic = await TestTopic.create(1)
    await topic.write(0, numbered(0, 100))
    const first = topic.member(driver)
    await vi.waitFor(async () => expect(await topic.committed()).toEqual({ 0: 100 }), DEADLINE)
    await first.stop()
    await topic.write(0, numbered(100, 200))
    await topic.expire(0, 160)
    const second = topic.member(driver)
    await vi.waitFor(() => expect(second.read).toHaveLength(40), DEADLINE)
    expect(second.read[0]).toMatchObject({ offset: 160 })
    expect(second.gaps).toMatchObject([{ reason: 'expired', name: `${topic.name}/0` }])
    expect(second.gaps[0]!.text).toContain('60 offsets')
    expect(second.source.facts.offsetResets).toBe(1)
  })

  test('what expires while nobody can take it is a gap, too', async () => {
    topic = await TestTopic.create(1)
    const member = topic.member(driver, { partitionMessages: 50 })
    await topic.write(0, ['first'])
    await vi.waitFor(() => expect(member.read).toHaveLength(1), DEADLINE)
    await hold(member)
    await topic.write(0, numbered(1, 100))
    await vi.waitFor(() => expect(member.source.facts.partitions[0]!.isPaused).toBe(true), DEADLINE)
    await topic.write(0, numbered(100, 300))
    await topic.expire(0, 250)
    member.isHeld = false
    await vi.waitFor(() => expect(member.read.at(-1)).toMatchObject({ offset: 299 }), DEADLINE)
    await vi.waitFor(() => expect(member.gaps).toMatchObject([{ reason: 'expired' }]), DEADLINE)
    const offsets = member.read.map(({ offset }) => offset)
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
    expect(new Set(offsets).size).toBe(offsets.length)
  })

  test('two members share the partitions, and nothing is lost when one comes and goes', async () => {
    topic = await TestTopic.create(4)
    const all = [0, 1, 2, 3]
    for (const partition of all) await topic.write(partition, numbered(0, 200))
    const first = topic.member(driver)
    await vi.waitFor(() => expect(first.read).toHaveLength(800), DEADLINE)
    const second = topic.member(driver)
    await vi.waitFor(() => {
      expect(first.partitions).toHaveLength(2)
      expect(second.partitions).toHaveLength(2)
    }, DEADLINE)
    expect([...first.partitions, ...second.partitions].sort((a, b) => a - b)).toEqual(all)
    for (const partition of all) await topic.write(partition, numbered(200, 400))
    await vi.waitFor(() => expect(first.read.length + second.read.length).toBe(1_600), DEADLINE)
    await second.stop()
    await vi.waitFor(() => expect(first.partitions).toEqual(all), DEADLINE)
    for (const partition of all) await topic.write(partition, numbered(400, 600))
    await vi.waitFor(() => expect(first.read.length + second.read.length).toBe(2_400), DEADLINE)
    for (const partition of all) {
      const offsets = [...first.read, ...second.read].filter(one => one.partition === partition).map(one => one.offset)
      expect(offsets.sort((a, b) => a - b)).toEqual(Array.from({ length: 600 }, (_, i) => i))
    }
    expect(first.lost.length).toBeGreaterThanOrEqual(2)
    expect(first.source.facts.rebalances).toBeGreaterThanOrEqual(2)
  })

  test('a pipeline that waits longer than a session keeps its partitions, and loses nothing', async () => {
    topic = await TestTopic.create(1)
    const member = topic.member(driver, { partitionMessages: 100 })
    await topic.write(0, ['first'])
    await vi.waitFor(() => expect(member.read).toHaveLength(1), DEADLINE)
    await hold(member)
    await topic.write(0, numbered(1, 2_000))
    await vi.waitFor(() => expect(member.source.facts.partitions[0]!.isPaused).toBe(true), DEADLINE)
    const heldSinceMs = Date.now()
    await vi.waitFor(() => expect(Date.now() - heldSinceMs).toBeGreaterThan(SESSION_MS + 2_000), DEADLINE)
    expect(member.source.facts).toMatchObject({ hasJoined: true, rebalances: 0 })
    member.isHeld = false
    await vi.waitFor(() => expect(member.read).toHaveLength(2_000), DEADLINE)
    expect(member.read.map(({ offset }) => offset)).toEqual(Array.from({ length: 2_000 }, (_, i) => i))
    expect(member.source.facts.rebalances).toBe(0)
  })

  test('a topic that is not there is an error that names it', async () => {
    topic = await TestTopic.create(1)
    await topic.delete()
    const member = topic.member(driver)
    await vi.waitFor(() => expect(member.failure).not.toBe(null), DEADLINE)
    expect(member.failure).toMatchObject({
      code: 'WHY5XX_KAFKA',
      message: expect.stringContaining(topic.name) as string
    })
  })
})

test.skipIf(kafka === null)('a codec that nobody knows ends the reading and says where it is', async () => {
  topic = await TestTopic.create(3)
  const codecs = kafkajs.CompressionCodecs as unknown as Record<number, () => unknown>
  const known = codecs[4]!
  await topic.write(1, numbered(0, 20))
  await topic.write(1, numbered(20, 40), 4)
  codecs[4] = () => ({
    decompress: (packed: Buffer) => Promise.reject(new CodecError('codec 4', packed, null))
  })
  try {
    const member = topic.member('kafkajs')
    await vi.waitFor(() => expect(member.failure).not.toBe(null), DEADLINE)
    expect(member.failure).toMatchObject({ code: 'WHY5XX_KAFKA' })
    expect((member.failure as Error).message).toContain(
      `the batch at offset 20 of partition 1 of ${topic.name}, which was written with codec 4: no such codec is known`
    )
  } finally {
    codecs[4] = known
  }
})

/** Programs that read JSON lines take lines of some megabytes only: however much a batch holds, its lines are short. */
import { appendFileSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedWriter } from '../../../src/store/embedded/open.ts'
import { openEmbeddedReader } from '../../../src/store/embedded/reader.ts'
import { LINE_BYTES_MAX, segmentsOf } from '../../../src/store/embedded/segment.ts'
import { verifyStore } from '../../../src/store/embedded/verify.ts'
import type { Batch } from '../../../src/store/store.ts'
import { MemoryDisk } from '../../support/memoryDisk.ts'
import { openMemoryWriter, readMemory } from '../../support/memoryStore.ts'
import { Folder } from '../../support/program.ts'
import { batch, EVERYTHING, failure, MINUTE_MS, NOON, stream, totals } from '../failures.ts'
import { sealAll, segmentNames } from './sealing.ts'

const MIB = 1 << 20
/** As JSON far over the 16 MiB that DuckDB takes if nobody tells it more. */
const ROWS = 70_000
const STREAMS = 4_000

let folder: Folder
let path: string
beforeEach(() => {
  folder = new Folder()
  path = join(folder.path, 'store')
})
afterEach(() => folder.remove())

function manyTotals(count: number): Batch {
  return batch({
    failures: [failure({ id: 'a' })],
    totals: Array.from({ length: count }, (_, i) => totals({ minuteMs: NOON + i * MINUTE_MS, requests: 2 })),
    streams: Array.from({ length: STREAMS }, (_, i) => stream(`stream-${i}`, i)),
    engine: { n: 1 }
  })
}

async function write(given: Batch): Promise<void> {
  const writer = await openEmbeddedWriter(path, { retention: null, seal: () => Promise.reject(new Error('later')) })
  await writer.write(given)
  await writer.close()
}

async function requests(): Promise<number> {
  const reader = await openEmbeddedReader(path)
  try {
    const sums = await reader.totals(EVERYTHING, Number.POSITIVE_INFINITY)
    return sums.reduce((sum, row) => sum + row.requests, 0)
  } finally {
    await reader.close()
  }
}

async function segmentPath(): Promise<string> {
  return join(path, (await segmentNames(path))[0]!)
}

test('totals of a whole month and thousands of streams in one batch can be read, checked and sealed', async () => {
  await write(manyTotals(ROWS))
  const bytes = readFileSync(await segmentPath())
  expect(bytes.length).toBeGreaterThan(17 * MIB)
  expect(
    Math.max(
      ...String(bytes)
        .split('\n')
        .map(line => line.length)
    )
  ).toBeLessThan(MIB)
  expect(await requests()).toBe(2 * ROWS)
  expect(await verifyStore(path)).toMatchObject({ problems: [], notes: [], segments: [{ batches: 1, rows: 1 }] })
  const again = await openEmbeddedWriter(path, { retention: null })
  expect([again.streams.length, again.streams.at(-1), again.engine]).toEqual([
    STREAMS,
    stream(`stream-${STREAMS - 1}`, STREAMS - 1),
    { n: 1 }
  ])
  await again.close()
  await sealAll(path)
  expect(await requests()).toBe(2 * ROWS)
})

test('totals of a batch without its commit line do not count', async () => {
  await write(batch({ totals: [totals({ minuteMs: NOON, requests: 5 })] }))
  const file = await segmentPath()
  const before = readFileSync(file).length
  await write(manyTotals(2_000))
  const bytes = readFileSync(file)
  // As a reader sees a batch that is being written.
  truncateSync(file, bytes.lastIndexOf('{"kind":"commit"'))
  expect(String(readFileSync(file).subarray(before))).toContain('\n{"kind":"totals"')
  expect(await requests()).toBe(5)
  appendFileSync(file, bytes.subarray(bytes.lastIndexOf('{"kind":"commit"')))
  expect(await requests()).toBe(5 + 2 * 2_000)
})

test('cut at any of its lines a long batch counts whole or not at all', async () => {
  const disk = new MemoryDisk()
  const writer = await openMemoryWriter(disk)
  await writer.write(batch({ totals: [totals({ minuteMs: NOON, requests: 5 })], streams: [stream('stream-0', 7)] }))
  const [{ name }] = segmentsOf(disk.names().map(file => ({ name: file }))) as [{ name: string }]
  const before = disk.contents(name).length
  await writer.write(manyTotals(2_000))
  const whole = Buffer.from(disk.contents(name))
  const ends: number[] = []
  for (let at = before; at < whole.length; at = ends.at(-1)!) ends.push(whole.indexOf('\n', at) + 1)
  expect(ends.length).toBeGreaterThan(5)
  for (const end of ends) {
    const torn = new MemoryDisk()
    torn.put(name, whole.subarray(0, end))
    const again = await openMemoryWriter(torn)
    const isWhole = end === whole.length
    expect([again.streams.length, torn.contents(name).length]).toEqual(isWhole ? [STREAMS, end] : [1, before])
    const sum = (await readMemory(torn)).totals.reduce((all, row) => all + row.requests, 0)
    expect(sum).toBe(isWhole ? 5 + 2 * 2_000 : 5)
  }
})

test('check --store tells of a line that no reader takes', async () => {
  await write(batch({ failures: [failure({ id: 'a', message: 'x'.repeat(LINE_BYTES_MAX) })] }))
  const { problems } = await verifyStore(path)
  expect(problems.map(({ what }) => what)).toEqual([
    expect.stringMatching(/a line of batch 1 has \d+ bytes, more than/)
  ])
})

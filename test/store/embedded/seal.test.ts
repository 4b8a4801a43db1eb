import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { NodeDisk } from '../../../src/store/embedded/disk.ts'
import { Lock } from '../../../src/store/embedded/lock.ts'
import { type EmbeddedOptions, openEmbeddedWriter } from '../../../src/store/embedded/open.ts'
import { openEmbeddedReader } from '../../../src/store/embedded/reader.ts'
import { sealSegments } from '../../../src/store/embedded/seal.ts'
import { sealInChild } from '../../../src/store/embedded/sealChild.ts'
import { verifyStore } from '../../../src/store/embedded/verify.ts'
import type { Batch } from '../../../src/store/store.ts'
import { Folder, PROGRAM } from '../../support/program.ts'
import { all, batch, controller, DAY_MS, EVERYTHING, failure, MINUTE_MS, NOON, reject, totals } from '../failures.ts'
import { sealAll, sealHere, segmentNames } from './sealing.ts'

const later: NonNullable<EmbeddedOptions['seal']> = () => Promise.reject(new Error('later'))
let folder: Folder
let path: string
beforeEach(() => {
  folder = new Folder()
  path = join(folder.path, 'store')
})
afterEach(() => folder.remove())

async function write(batches: Partial<Batch>[], options: Partial<EmbeddedOptions> = {}): Promise<void> {
  const writer = await openEmbeddedWriter(path, { retention: null, seal: later, closedMax: 1, ...options })
  for (const given of batches) await writer.write(batch(given))
  await writer.close()
}

/** All that a reader says. */
async function contents(): Promise<Record<string, unknown>> {
  const reader = await openEmbeddedReader(path)
  try {
    return {
      failures: (await all(reader.scan(EVERYTHING))).sort((a, b) => (a.id < b.id ? -1 : 1)),
      documents: (await reader.search(EVERYTHING, { limit: 1_000, order: 'oldest', after: null })).rows,
      totals: await reader.totals(EVERYTHING, MINUTE_MS),
      controllers: await all(reader.controllers(EVERYTHING)),
      gaps: await reader.gaps(EVERYTHING),
      rejects: await reader.rejects(EVERYTHING),
      span: await reader.span()
    }
  } finally {
    await reader.close()
  }
}

const gap = { name: '/var/log/x', atMs: NOON, bytes: 5, reason: 'truncated' as const, text: 'gone' }
const FIRST: Partial<Batch>[] = [
  {
    failures: [failure({ id: 'a' }), failure({ id: 'b', timeMs: NOON + DAY_MS })],
    totals: [totals({ minuteMs: NOON })],
    gaps: [gap]
  },
  { failures: [failure({ id: 'a', version: 9, cause: 'read_timeout' })], rejects: [reject('r', NOON, 'bad_time')] }
]
const SECOND: Partial<Batch>[] = [
  {
    failures: [
      failure({ id: 'a', version: 8 }),
      failure({ id: 'b', timeMs: NOON + DAY_MS, version: 12, cause: 'no_endpoints' }),
      failure({ id: 'c' })
    ]
  },
  {
    totals: [totals({ minuteMs: NOON }), totals({ minuteMs: NOON + DAY_MS })],
    controllers: [controller('k', NOON)],
    gaps: [gap]
  }
]

test('a sealing that dies at any step loses nothing and doubles nothing', { timeout: 120_000 }, async () => {
  await write(FIRST)
  await sealAll(path)
  await write(SECOND)
  // A segment with positions alone behind it, so that the others may go.
  await write([{}], { segmentAgeMsMax: 0 })
  const want = await contents()
  expect(want).toMatchObject({ rejects: new Map([['bad_time', 1]]), gaps: [gap, gap] })
  const segments = (await segmentNames(path)).slice(0, -1)
  let steps = 0
  for (let isDone = false; !isDone; steps++) {
    let left = steps
    try {
      await sealSegments({ folder: path, segments, fromDay: '' }, () => {
        if (left-- === 0) throw new Error('killed')
      })
      isDone = true
    } catch (error) {
      expect((error as Error).message).toBe('killed')
    }
    expect(await contents(), `killed at step ${steps}`).toEqual(want)
  }
  expect((await verifyStore(path)).problems).toEqual([])
  // Two days of failures, totals; one of gaps, controllers: four steps each.
  expect(steps).toBe(6 * 4 + 1)
  // The next start takes up where it was: the segments are sealed once more, then removed.
  const writer = await openEmbeddedWriter(path, { retention: null, seal: sealHere(path) })
  await vi.waitFor(async () => expect(await segmentNames(path)).toHaveLength(1), 5_000)
  await writer.close()
  expect(await contents()).toEqual(want)
  expect(readdirSync(path).filter(name => name.startsWith('tmp-'))).toEqual([])
})

test('readers beside a writer that seals all the time never see less', { timeout: 120_000 }, async () => {
  const writer = await openEmbeddedWriter(path, {
    retention: null,
    segmentBytesMax: 3_000,
    closedMax: 1,
    seal: sealHere(path)
  })
  const reader = await openEmbeddedReader(path)
  let isDone = false
  const writing = (async () => {
    for (let i = 0; i < 25; i++)
      await writer.write(
        batch({
          failures: [failure({ id: `id-${i}`, timeMs: NOON + i })],
          totals: [totals({ minuteMs: NOON, requests: 1 })]
        })
      )
    await vi.waitFor(async () => expect(await segmentNames(path)).toHaveLength(1), 10_000)
    isDone = true
  })()
  let before = 0
  while (!isDone) {
    const ids = (await all(reader.scan(EVERYTHING))).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.length).toBeGreaterThanOrEqual(before)
    before = ids.length
    const [sum] = await reader.totals(EVERYTHING, MINUTE_MS)
    expect(sum?.requests ?? 0).toBeGreaterThanOrEqual(before - 1)
    expect(sum?.requests ?? 0).toBeLessThanOrEqual(25)
    const page = await reader.search(EVERYTHING, { limit: 100, order: 'oldest', after: null })
    expect(page.rows.length).toBeGreaterThanOrEqual(before)
  }
  await writing
  expect(await all(reader.scan(EVERYTHING))).toHaveLength(25)
  await reader.close()
  await writer.close()
})

test('the child process seals, and leaves nothing', async () => {
  await write(FIRST)
  const want = await contents()
  const said: string[] = []
  const writer = await openEmbeddedWriter(path, {
    closedMax: 1,
    retention: null,
    program: PROGRAM,
    segmentAgeMsMax: 0,
    notify: text => said.push(text)
  })
  await writer.write(batch({}))
  await vi.waitFor(() => expect(existsSync(join(path, 'failures-20261121.parquet')), said.join()).toBe(true), 15_000)
  await vi.waitFor(async () => expect(await segmentNames(path)).toHaveLength(1), 15_000)
  await writer.close()
  expect(said).toEqual([])
  expect(await contents()).toEqual(want)
  expect(readdirSync(path).sort()).toEqual(
    [
      ...['failures', 'gaps', 'rejects', 'totals'].map(kind => `${kind}-20261121.parquet`),
      'failures-20261122.parquet',
      'failures-none.parquet',
      'rejects',
      'store.json',
      ...(await segmentNames(path))
    ].sort()
  )
})

test('days that are too old go, whole, and so do their rows when they are sealed', async () => {
  const days = [40, 31, 30, 1, 0].map(ago => Math.floor(Date.now() / DAY_MS) * DAY_MS - ago * DAY_MS + DAY_MS / 2)
  const given = days.map((timeMs, i) => failure({ id: `day-${i}`, timeMs }))
  await write([{ failures: given, totals: days.map(minuteMs => totals({ minuteMs })) }])
  // Unsealed they stay.
  await write([], { retention: '30d' })
  expect((await contents()).failures).toHaveLength(5)
  await sealAll(path)
  expect((await contents()).failures).toHaveLength(5)
  await write([], { retention: '30d' })
  expect(await contents()).toMatchObject({
    failures: [{ id: 'day-2' }, { id: 'day-3' }, { id: 'day-4' }],
    totals: [{}, {}, {}]
  })
  await write([{ failures: [failure({ id: 'old', timeMs: days[0]! }), failure({ id: 'new', timeMs: days[4]! })] }])
  const writer = await openEmbeddedWriter(path, {
    retention: '30d',
    segmentAgeMsMax: 0,
    closedMax: 1,
    seal: sealHere(path)
  })
  await writer.write(batch({}))
  await vi.waitFor(async () => expect(await segmentNames(path)).toHaveLength(1), 5_000)
  await writer.close()
  expect((await contents()).failures).toMatchObject([{ id: 'day-2' }, { id: 'day-3' }, { id: 'day-4' }, { id: 'new' }])
})

test('what stops the child is one sentence in the log', async () => {
  await write(FIRST)
  writeFileSync(join(path, 'failures-20261121.parquet'), 'nothing')
  const said: string[] = []
  const notify = (text: string): void => void said.push(text)
  const writer = await openEmbeddedWriter(path, { retention: null, program: PROGRAM, segmentAgeMsMax: 0, notify })
  await vi.waitFor(() => expect(said).not.toEqual([]), 15_000)
  await writer.close()
  expect(said[0]).toMatch(/sealing failed: .*failures-20261121\.parquet/)
  expect(said[0]).not.toMatch(/\n|\.js:/)
})

test('a child that finds another one at work ends', async () => {
  await write(FIRST)
  const other = await Lock.take(path, 'sealing')
  const job = { folder: path, segments: await segmentNames(path), fromDay: '' }
  await expect(sealInChild(PROGRAM, job, new AbortController().signal)).rejects.toMatchObject({ code: 'WHY5XX_STORE' })
  await other.release()
})

test('a segment that is sealed while it is checked is no problem', async () => {
  await write(FIRST)
  await write([{ failures: [failure({ id: 'x' })] }], { segmentAgeMsMax: 0 })
  const before = await segmentNames(path)
  const disk = new NodeDisk(path)
  const read = disk.read.bind(disk)
  const spy = vi.spyOn(NodeDisk.prototype, 'read').mockImplementation(async function* (name) {
    if (name === before[0] && existsSync(join(path, name))) {
      await sealSegments({ folder: path, segments: [name], fromDay: '' })
      rmSync(join(path, name))
    }
    yield* read(name)
  })
  try {
    expect(await verifyStore(path)).toMatchObject({
      problems: [],
      notes: [`${before[0]} was sealed meanwhile: its rows are in the files of their days`],
      failures: { sealed: 2, unsealed: 1 }
    })
  } finally {
    spy.mockRestore()
  }
})

test('a clock that is years ahead empties no store', async () => {
  const given = [0, 1].map(day => failure({ id: `day-${day}`, timeMs: NOON + day * DAY_MS }))
  await write([{ failures: given }])
  await sealAll(path)
  await write([{ failures: [failure({ id: 'unsealed' })] }])
  const said: string[] = []
  vi.useFakeTimers({ toFake: ['Date'], now: NOON + 5_000 * DAY_MS })
  try {
    const options = { retention: '30d', segmentAgeMsMax: 0, notify: (text: string) => said.push(text) }
    await write([{}], { ...options, seal: sealHere(path) })
    expect(said).toEqual([expect.stringMatching(/every day is older than 30d; nothing is removed.*it says 2040-/)])
    expect((await contents()).failures).toMatchObject([{ id: 'day-0' }, { id: 'day-1' }, { id: 'unsealed' }])
    // Something is as new as the clock: it is right.
    await write([{ failures: [failure({ id: 'new', timeMs: Date.now() })] }])
    await sealAll(path)
    await write([], options)
    expect((await contents()).failures).toMatchObject([{ id: 'new' }])
  } finally {
    vi.useRealTimers()
  }
})

test('a day of the first century is found, sealed or not', async () => {
  const timeMs = Date.parse('0050-06-01T10:00:00Z')
  await write([{ failures: [failure({ id: 'old', timeMs })] }])
  expect((await contents()).documents).toMatchObject([{ id: 'old', timeMs }])
  await sealAll(path)
  expect((await contents()).documents).toMatchObject([{ id: 'old', timeMs }])
})

test('a store that is too large loses its oldest days, never the newest', async () => {
  await write([{ failures: [0, 1, 2, 3].map(day => failure({ id: `day-${day}`, timeMs: NOON + day * DAY_MS })) }])
  await sealAll(path)
  const { bytes, days } = await verifyStore(path)
  const said: string[] = []
  await write([], { retentionBytes: bytes - days[0]!.bytes - 1, notify: text => said.push(text) })
  expect((await contents()).failures).toMatchObject([{ id: 'day-2' }, { id: 'day-3' }])
  expect(said.join()).toContain('retention removed 20261121, 20261122')
  await write([], { retentionBytes: 1 })
  expect((await contents()).failures).toMatchObject([{ id: 'day-3' }])
})

test('check --store finds what is wrong', async () => {
  await write([...FIRST, ...SECOND])
  await sealAll(path)
  await write([{ failures: [failure({ id: 'x' })] }])
  await write([{ failures: [failure({ id: 'y' })] }])
  const good = await verifyStore(path)
  expect(good).toMatchObject({ format: 1, writer: null, problems: [], notes: [], failures: { sealed: 3, unsealed: 2 } })
  expect(good.bytesPerFailure.sealed).toBeGreaterThan(100)

  const segment = join(path, (await segmentNames(path))[0]!)
  const bytes = readFileSync(segment)
  writeFileSync(segment, Buffer.concat([bytes, Buffer.from('{"kind":"fail')]))
  expect(await verifyStore(path)).toMatchObject({
    problems: [],
    notes: [expect.stringContaining('a torn line behind byte')]
  })
  const second = join(path, 'failures-20261121T10-99.ndjson')
  writeFileSync(second, bytes)
  writeFileSync(join(path, 'failures-20261125.parquet'), readFileSync(join(path, 'failures-20261121.parquet')))
  writeFileSync(join(path, 'failures-20261126.parquet'), 'nothing')
  writeFileSync(join(path, 'tmp-failures-20261126.parquet'), 'nothing')
  const { problems, notes } = await verifyStore(path)
  expect(problems.map(({ what }) => what)).toEqual([
    expect.stringContaining('a torn line behind byte'),
    expect.stringMatching(/99\.ndjson: batch \d+ follows batch \d+/),
    expect.stringContaining('failures-20261125.parquet: 2 rows are of another day'),
    expect.stringContaining('failures-20261126.parquet cannot be read')
  ])
  expect(notes).toEqual([expect.stringContaining('tmp-failures-20261126.parquet was left by a crash')])
})

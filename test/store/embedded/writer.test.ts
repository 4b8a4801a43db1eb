import { expect, test } from 'vitest'
import { Random } from '../../../bench/random.ts'
import { segmentsOf } from '../../../src/store/embedded/segment.ts'
import { StreamStates } from '../../../src/store/embedded/streamStates.ts'
import { MemoryDisk } from '../../support/memoryDisk.ts'
import { openMemoryWriter, readMemory, sealInMemory } from '../../support/memoryStore.ts'
import { batch, failure, MINUTE_MS, NOON, reject, stream, totals } from '../failures.ts'

function ids(rows: { id?: string }[]): string[] {
  return rows.map(({ id }) => String(id)).sort()
}

function numbered(n: number): ReturnType<typeof batch> {
  return batch({
    failures: [failure({ id: `id-${n}`, message: 'Grüße 😀' })],
    totals: [totals({ minuteMs: NOON, requests: 1 })],
    streams: [stream('a', n)],
    engine: { n }
  })
}

test('whatever is left of the last batch, all of it counts or nothing', async () => {
  const disk = new MemoryDisk()
  const writer = await openMemoryWriter(disk)
  await writer.write(numbered(1))
  const [name] = disk.names() as [string]
  const before = disk.contents(name).length
  await writer.write(numbered(2))
  const whole = Buffer.from(disk.contents(name))
  expect(whole.length).toBeGreaterThan(before + 500)
  for (let length = before; length <= whole.length; length++) {
    const torn = new MemoryDisk()
    torn.put(name, whole.subarray(0, length))
    const said: string[] = []
    const again = await openMemoryWriter(torn, { notify: text => said.push(text) })
    const last = length === whole.length ? 2 : 1
    expect([again.streams, again.engine]).toEqual([[stream('a', last)], { n: last }])
    expect(torn.contents(name).length).toBe(last === 2 ? whole.length : before)
    expect(said.length).toBe(length > before && last === 1 ? 1 : 0)
    // It goes on as if nothing had happened: the batch is read again and written again.
    if (length % 50 === 0) {
      expect(await again.write(numbered(2))).toEqual(last === 2 ? { written: 0, known: 1 } : { written: 1, known: 0 })
      expect((await readMemory(torn)).rows).toHaveLength(2)
    }
  }
})

test('bytes that were never synced may be anything: a commit line over other bytes does not count', async () => {
  const disk = new MemoryDisk()
  const writer = await openMemoryWriter(disk)
  await writer.write(numbered(1))
  const [name] = disk.names() as [string]
  const before = disk.contents(name).length
  await writer.write(numbered(2))
  const bytes = Buffer.from(disk.contents(name))
  // A disk that wrote the block of the commit line before the block of the document.
  bytes.fill(0, before + 20, before + 60)
  disk.put(name, bytes)
  const again = await openMemoryWriter(disk)
  expect(again.engine).toEqual({ n: 1 })
  expect(disk.contents(name).length).toBe(before)
})

test('a damaged segment that others follow stops the start', async () => {
  const disk = new MemoryDisk()
  const writer = await openMemoryWriter(disk, { segmentBytesMax: 1, seal: () => Promise.reject(new Error('later')) })
  await writer.write(numbered(1))
  await writer.write(numbered(2))
  await writer.close()
  const names = segmentsOf(disk.names().map(name => ({ name })))
  expect(names).toHaveLength(2)
  const bytes = Buffer.from(disk.contents(names[0]!.name))
  disk.put(names[0]!.name, bytes.subarray(0, bytes.length - 3))
  await expect(openMemoryWriter(disk)).rejects.toMatchObject({ code: 'WHY5XX_STORE' })
  expect(disk.contents(names[0]!.name).length).toBe(bytes.length - 3)
})

test('batches that wait are written with one sync', async () => {
  const disk = new MemoryDisk()
  const writer = await openMemoryWriter(disk)
  await writer.write(numbered(0))
  let syncs = 0
  const sync = disk.sync.bind(disk)
  disk.sync = name => {
    syncs++
    return sync(name)
  }
  const order: number[] = []
  await Promise.all(Array.from({ length: 50 }, (_, i) => writer.write(numbered(i + 1)).then(() => order.push(i))))
  expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i))
  expect(syncs).toBe(1)
  expect(await readMemory(disk)).toMatchObject({ commits: 51, engine: { n: 50 } })
})

test('the first commit line of a segment carries everything', async () => {
  const disk = new MemoryDisk()
  const parts = { segmentBytesMax: 1, seal: (segments: readonly string[]) => sealInMemory(disk, segments) }
  const writer = await openMemoryWriter(disk, parts)
  await writer.write(batch({ streams: [stream('a', 1), stream('b', 2)], engine: { first: true } }))
  await writer.write(numbered(3))
  await writer.write(batch({ failures: [failure({ id: 'x' })] }))
  await writer.idle()
  expect(segmentsOf(disk.names().map(name => ({ name })))).toHaveLength(1)
  await writer.close()
  const again = await openMemoryWriter(disk, parts)
  expect(new Map(again.streams.map(state => [state.stream, state.read.readTo]))).toEqual(
    new Map([
      ['a', 3],
      ['b', 2]
    ])
  )
  expect(again.engine).toEqual({ n: 3 })
  const { rows, totals: sums } = await readMemory(disk)
  expect([ids(rows), sums.map(({ requests }) => requests)]).toEqual([['id-3', 'x'], [1]])
})

test('streams that are gone are remembered: their files may still lie there', async () => {
  const disk = new MemoryDisk()
  const writer = await openMemoryWriter(disk)
  await writer.write(batch({ streams: [stream('live', 1)] }))
  for (let i = 0; i < 12; i++)
    await writer.write(batch({ streams: Array.from({ length: 100 }, (_, j) => stream(`done-${i}-${j}`, 1, true)) }))
  await writer.close()
  const names = (await openMemoryWriter(disk)).streams.map(state => state.stream)
  expect(names).toHaveLength(1_201)
})

test('of more than that the newest are remembered, and every one that is not gone', () => {
  const states = new StreamStates(10)
  states.apply([stream('live', 1)])
  for (let i = 0; i < 30; i++) states.apply([stream(`done-${i}`, 1, true)])
  const names = states.all().map(state => state.stream)
  expect(names).toEqual(['live', ...Array.from({ length: 10 }, (_, i) => `done-${20 + i}`)])
})

test('a full disk pauses, and all goes on when there is room', async () => {
  const disk = new MemoryDisk()
  const said: string[] = []
  const waits: number[] = []
  let isFull = true
  const append = disk.append.bind(disk)
  disk.append = async (name, bytes) => {
    if (!isFull) return append(name, bytes)
    // As a real one: what fits is written.
    await append(name, bytes.subarray(0, 100))
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
  }
  const writer = await openMemoryWriter(disk, {
    notify: text => said.push(text),
    async wait(ms) {
      waits.push(ms)
      expect(writer.pausedBecause).toBe('no space left on /memory: waiting')
      expect(disk.contents(disk.names()[0]!).length).toBe(0)
      if (waits.length === 7) isFull = false
    }
  })
  const results = await Promise.all([writer.write(numbered(1)), writer.write(numbered(2)), writer.write(numbered(1))])
  expect(results).toEqual([
    { written: 1, known: 0 },
    { written: 1, known: 0 },
    { written: 0, known: 1 }
  ])
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  expect(said).toEqual(['/memory: no space left, waiting', '/memory: writing again'])
  expect(writer.pausedBecause).toBeNull()
  expect(ids((await readMemory(disk)).rows)).toEqual(['id-1', 'id-2'])
})

test('who closes while the disk is full is told what was not written', async () => {
  const disk = new MemoryDisk(() => 0.5, { appendFull: 1 })
  const closing: Promise<void>[] = []
  const writer = await openMemoryWriter(disk, {
    async wait() {
      if (closing.length === 0) closing.push(writer.close())
    }
  })
  await expect(writer.write(numbered(1))).rejects.toMatchObject({ code: 'WHY5XX_STORE' })
  await Promise.all(closing)
  await expect(writer.write(numbered(2))).rejects.toMatchObject({ code: 'WHY5XX_STORE' })
})

test('a disk that fails for good rejects what waits, and what comes', async () => {
  const disk = new MemoryDisk()
  const writer = await openMemoryWriter(disk)
  await writer.write(numbered(1))
  disk.append = () => Promise.reject(Object.assign(new Error('EBADF'), { code: 'EBADF' }))
  const results = await Promise.allSettled([writer.write(numbered(2)), writer.write(numbered(3))])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await expect(writer.write(numbered(4))).rejects.toMatchObject({ code: 'WHY5XX_STORE' })
  expect((await readMemory(disk)).engine).toEqual({ n: 1 })
})

test('behind a batch that cannot be encoded nothing is written', async () => {
  const disk = new MemoryDisk()
  const writer = await openMemoryWriter(disk)
  const bad = batch({ failures: [failure({ id: 'good' }), failure({ id: 'bad', timeMs: NOON })] })
  Object.assign(bad.failures[1]!, { timeMs: Number.NaN })
  const results = await Promise.allSettled([writer.write(numbered(1)), writer.write(bad), writer.write(numbered(2))])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
  expect(results[2]).toEqual(results[1])
  await expect(writer.write(numbered(3))).rejects.toMatchObject({ code: 'WHY5XX_STORE' })
  await writer.close()
  expect(await readMemory(disk)).toMatchObject({ engine: { n: 1 }, rows: [{ id: 'id-1' }] })
})

test('a sealing that fails leaves the segments, and is tried again', async () => {
  const disk = new MemoryDisk()
  let fails = 2
  const said: string[] = []
  const writer = await openMemoryWriter(disk, {
    segmentBytesMax: 1,
    notify: text => said.push(text),
    seal: segments => (fails-- > 0 ? Promise.reject(new Error('no space left')) : sealInMemory(disk, segments))
  })
  for (let n = 1; n <= 3; n++) await writer.write(numbered(n))
  await writer.idle()
  const before = await readMemory(disk)
  while (fails > 0) {
    writer.tend()
    await writer.idle()
  }
  writer.tend()
  await writer.idle()
  expect(said).toContain('/memory: sealing failed: no space left')
  expect(disk.names().filter(name => name.startsWith('failures-'))).toHaveLength(1)
  const after = await readMemory(disk)
  expect([ids(after.rows), after.totals]).toEqual([ids(before.rows), before.totals])
})

test('an old segment is closed although nothing comes, and an empty one is not', async () => {
  const disk = new MemoryDisk()
  let now = NOON
  const writer = await openMemoryWriter(disk, { now: () => now, segmentAgeMsMax: 60 * MINUTE_MS })
  await writer.write(numbered(1))
  now += 59 * MINUTE_MS
  writer.tend()
  await writer.idle()
  expect(disk.names()).toEqual(['failures-20261121T10-1.ndjson'])
  now += 2 * MINUTE_MS
  writer.tend()
  await writer.idle()
  expect(disk.names()).toEqual(['failures-20261121T11-2.ndjson', 'sealed.ndjson'])
  now += 120 * MINUTE_MS
  writer.tend()
  await writer.idle()
  expect(disk.names()).toEqual(['failures-20261121T11-2.ndjson', 'sealed.ndjson'])
  expect(ids((await readMemory(disk)).rows)).toEqual(['id-1'])
})

test('the original bytes of rejects have a place of their own, bounded', async () => {
  const disk = new MemoryDisk()
  let now = NOON
  const writer = await openMemoryWriter(disk, { now: () => now, rejectBytesMax: 400 })
  for (let day = 0; day < 3; day++) {
    await writer.write(
      batch({ rejects: [reject(`r${day}`, NOON, 'bad_time', `line ${day} \xff\n${'x'.repeat(100)}`)] })
    )
    now += 24 * 60 * MINUTE_MS
  }
  const logs = disk.names().filter(name => name.startsWith('rejects/'))
  expect(logs).toEqual(['rejects/20261122.log', 'rejects/20261123.log'])
  expect(JSON.parse(disk.contents(logs[0]!).toString())).toEqual({
    id: 'r1',
    latin1: `line 1 \xff\n${'x'.repeat(100)}`
  })
  const segment = disk.contents(disk.names()[0]!).toString()
  expect(segment).toContain('"code":"bad_time"')
  expect(segment).not.toContain('xxxx')
})

test('crash anywhere, as often as you like: what was promised is there, once', async () => {
  let crashes = 0
  for (let seed = 1; seed <= 60; seed++) {
    const numbers = new Random(seed)
    const random = (): number => numbers.share()
    const faults = Object.fromEntries(
      [
        'crashBeforeAppend',
        'crashInAppend',
        'crashAfterAppend',
        'crashBeforeSync',
        'crashAfterSync',
        'crashBeforeTruncate',
        'crashAfterTruncate',
        'crashBeforeRename',
        'crashAfterRename',
        'crashBeforeRemove',
        'crashAfterRemove',
        'truncateError'
      ].map(name => [name, 0.02])
    )
    let disk = new MemoryDisk(random, { ...faults, appendFull: 0.05, syncError: 0.05 })
    let promised = 0
    for (let n = 1, starts = 0; n <= 40 && starts < 500; starts++) {
      try {
        const at = disk
        const writer = await openMemoryWriter(at, {
          segmentBytesMax: 6_000,
          seal: segments => sealInMemory(at, segments)
        })
        n = ((writer.engine?.n as number | undefined) ?? 0) + 1
        expect(n, `seed ${seed}: a promise was broken`).toBeGreaterThan(promised)
        while (n <= 40) {
          const group = Array.from({ length: Math.min(1 + Math.floor(random() * 3), 41 - n) }, (_, i) => n + i)
          await Promise.all(group.map(number => writer.write(numbered(number))))
          n += group.length
          promised = n - 1
        }
        await writer.idle()
        await writer.close()
      } catch (error) {
        if (!disk.isDead) throw error
        crashes++
        disk = disk.restart()
      }
    }
    const { rows, totals: sums, engine } = await readMemory(disk.restart({}))
    expect([rows.length, sums.map(({ requests }) => requests), engine], `seed ${seed}`).toEqual([40, [40], { n: 40 }])
  }
  expect(crashes).toBeGreaterThan(100)
})

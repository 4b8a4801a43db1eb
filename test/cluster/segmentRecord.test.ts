/** The record in a folder: what a crash leaves, who reads while somebody writes, and what goes when. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import type { ClusterEvent } from '../../src/cluster/event.ts'
import type { ClusterRecordWriter } from '../../src/cluster/record.ts'
import { segmentRecord } from '../../src/cluster/segmentRecordReader.ts'
import { openSegmentRecord, type SegmentRecordOptions } from '../../src/cluster/segmentRecordWriter.ts'
import { NodeDisk } from '../../src/store/embedded/disk.ts'
import { HeardRecord } from '../support/heardRecord.ts'
import { Folder } from '../support/program.ts'
import { heartbeat, list, mark, PODS, pod, told } from '../support/recordedEvents.ts'

const HOUR = 3_600_000
const T = Date.UTC(2026, 10, 21, 10)
const folder = new Folder()
afterAll(() => folder.remove())

let beds = 0
class Bed {
  readonly path = join(folder.path, `bed-${++beds}`, 'cluster')
  readonly said: string[] = []
  readonly overflows: number[] = []
  readonly open: { close(): Promise<void> }[] = []

  async writer(id = 'a', options: Partial<SegmentRecordOptions> = {}): Promise<ClusterRecordWriter> {
    const writer = await openSegmentRecord({
      folder: this.path,
      writer: id,
      retentionMs: 1_000 * HOUR,
      bytesMax: null,
      nowMs: () => T,
      waitMsMin: 1,
      say: text => void this.said.push(text),
      onOverflow: () => void this.overflows.push(1),
      ...options
    })
    this.open.push(writer)
    return writer
  }

  reader(fromMs: number, limitMs?: number): HeardRecord {
    const record = segmentRecord({ folder: this.path, pollMs: 5, say: text => void this.said.push(text) })
    const heard = new HeardRecord(record, fromMs, limitMs)
    this.open.push(heard.reader)
    return heard
  }

  get files(): string[] {
    return readdirSync(this.path)
      .filter(name => name.startsWith('record-'))
      .sort()
  }
}

let bed = new Bed()
afterEach(async () => {
  for (const open of bed.open) await open.close()
  bed = new Bed()
})

/** Three hours: a list each, a change and a heartbeat between. */
function hours(count: number): ClusterEvent[] {
  return Array.from({ length: count }, (_, hour) => {
    const at = T + hour * HOUR
    return [...list(at, pod('x', hour + 1)), told(at + 1_000, 'MODIFIED', pod('x', hour + 1.5)), heartbeat(at + 2_000)]
  }).flat()
}

test('a list is a segment; closed ones are packed, and all are read in order', async () => {
  const writer = await bed.writer()
  await writer.append(hours(3))
  const names = [
    'record-20261121T100000-1.ndjson.gz',
    'record-20261121T110000-2.ndjson.gz',
    'record-20261121T120000-3.ndjson'
  ]
  await vi.waitFor(() => expect(bed.files).toEqual(names))
  const first = gunzipSync(readFileSync(join(bed.path, names[0]!)))
    .toString()
    .split('\n')
  expect(JSON.parse(first[0]!)).toEqual({ ...mark(T, 'LIST_START'), writer: 'a', number: 1 })
  const heard = bed.reader(T)
  await vi.waitFor(() => expect(heard.caught).toBeGreaterThan(0))
  expect(heard.heard.map(({ writer: _writer, number: _number, ...event }) => event)).toEqual(hours(3))
  expect(Object.fromEntries(writer.facts.events)).toEqual({
    LIST_START: 3,
    ADDED: 3,
    LIST_END: 3,
    MODIFIED: 3,
    HEARTBEAT: 3
  })
  expect(writer.facts).toMatchObject({
    dropped: 0,
    cut: 0,
    listedMs: T + 2 * HOUR,
    heartbeatMs: T + 2 * HOUR + 2_000
  })
})

test('a list of some kinds is no beginning', async () => {
  const writer = await bed.writer()
  const some = { kinds: PODS, unreadable: {}, namespaces: null, isPartial: true } as const
  const at = T + HOUR
  await writer.append([...hours(1), { at, type: 'LIST_START', ...some }, { at, type: 'LIST_END', ...some }])
  expect(bed.files).toHaveLength(1)
  expect(writer.facts.listedMs).toBe(T)
  const heard = bed.reader(at)
  await vi.waitFor(() => expect(heard.caught).toBeGreaterThan(0))
  expect(heard.begun).toEqual([T])
})

describe('a reader begins', () => {
  test.each<[string, number, number]>([
    ['at the last list before the moment', T + 2 * HOUR - 1, 1],
    ['at the list of that very moment', T + 2 * HOUR, 2],
    ['at the oldest, when none is as old', T - 5 * HOUR, 0],
    ['at the newest, for a moment to come', T + 99 * HOUR, 2]
  ])('%s', async (_name, fromMs, hour) => {
    const writer = await bed.writer()
    await writer.append(hours(3))
    const heard = bed.reader(fromMs)
    await vi.waitFor(() => expect(heard.caught).toBeGreaterThan(0))
    expect(heard.begun).toEqual([T + hour * HOUR])
    expect(heard.ats[0]).toBe(T + hour * HOUR)
    expect(heard.heard).toHaveLength(15 - 5 * hour)
  })

  test('before a list that has no end', async () => {
    const writer = await bed.writer()
    await writer.append([...hours(2), mark(T + 2 * HOUR, 'LIST_START'), told(T + 2 * HOUR, 'ADDED', pod('x', 9))])
    const heard = bed.reader(T + 3 * HOUR)
    await vi.waitFor(() => expect(heard.caught).toBeGreaterThan(0))
    expect(heard.begun).toEqual([T + HOUR])
    expect(heard.heard).toHaveLength(7)
  })

  test('when there is a folder, and a whole list in it', async () => {
    const heard = bed.reader(T)
    await vi.waitFor(() => expect(heard.missed).toBeGreaterThan(0))
    const writer = await bed.writer()
    await writer.append([mark(T, 'LIST_START')])
    await vi.waitFor(() => expect(heard.caught).toBeGreaterThan(0))
    expect(heard.begun).toEqual([])
    await writer.append([mark(T, 'LIST_END')])
    await vi.waitFor(() => expect(heard.told).toEqual([`${T} LIST_START`, `${T} LIST_END`]))
  })
})

test('two readers follow while it is written, packed and begun anew', async () => {
  const writer = await bed.writer()
  const events = hours(4)
  await writer.append(events.slice(0, 2))
  const readers = [bed.reader(T), bed.reader(T)]
  for (let i = 2; i < events.length; i += 3) await writer.append(events.slice(i, i + 3))
  for (const heard of readers) await vi.waitFor(() => expect(heard.heard).toHaveLength(20))
  for (const heard of readers) {
    expect(heard.heard.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    expect(heard.state.names).toEqual(['x@4.5'])
  }
})

test('a reader stands still behind its limit until that is raised', async () => {
  const writer = await bed.writer()
  await writer.append(hours(4))
  const heard = bed.reader(T, T + HOUR)
  await vi.waitFor(() => expect(heard.ats.at(-1)).toBe(T + HOUR + 1_000))
  expect(heard.caught).toBe(0)
  heard.reader.readTo(Number.POSITIVE_INFINITY)
  await vi.waitFor(() => expect(heard.caught).toBeGreaterThan(0))
  expect(heard.heard).toHaveLength(20)
})

describe('a crash', () => {
  test('leaves a torn line, which readers do not see and the next start cuts off', async () => {
    const writer = await bed.writer('a')
    await writer.append(hours(1))
    await writer.close()
    const file = join(bed.path, bed.files.at(-1)!)
    const whole = readFileSync(file)
    appendFileSync(file, '{"writer":"a","number":6,"at":17')
    const heard = bed.reader(T)
    await vi.waitFor(() => expect(heard.caught).toBeGreaterThan(0))
    expect(heard.heard).toHaveLength(5)
    const next = await bed.writer('b')
    await vi.waitFor(() => expect(bed.files).toEqual(['record-20261121T100000-1.ndjson.gz']))
    expect(gunzipSync(readFileSync(`${file}.gz`))).toEqual(whole)
    await next.append(list(T + HOUR, pod('y', 1)))
    await vi.waitFor(() => expect(heard.state.names).toEqual(['y@1']))
    expect(heard.heard.slice(5).map(event => event.writer)).toEqual(['b', 'b', 'b'])
  })

  test('in the midst of packing leaves a draft and the segment', async () => {
    mkdirSync(bed.path, { recursive: true })
    writeFileSync(join(bed.path, 'tmp-record-20261121T100000-1.ndjson.gz'), 'half')
    const lines = hours(1).map((event, i) => JSON.stringify({ writer: 'z', number: i + 1, ...event }))
    writeFileSync(join(bed.path, 'record-20261121T100000-1.ndjson'), `${lines.join('\n')}\n`)
    const writer = await bed.writer()
    await writer.append(list(T + HOUR))
    await vi.waitFor(() =>
      expect(readdirSync(bed.path).sort()).toEqual([
        'lock',
        'record-20261121T100000-1.ndjson.gz',
        'record-20261121T110000-2.ndjson'
      ])
    )
  })

  test('damaged bytes end a segment, and are said', async () => {
    const writer = await bed.writer()
    await writer.append(hours(2))
    await vi.waitFor(() => expect(bed.files[0]).toMatch(/gz$/))
    const packed = join(bed.path, bed.files[0]!)
    writeFileSync(packed, readFileSync(packed).subarray(0, 60))
    appendFileSync(join(bed.path, bed.files[1]!), 'no JSON\n{"at":"x"}\n')
    const heard = bed.reader(T)
    await vi.waitFor(() => expect(heard.caught).toBeGreaterThan(0))
    expect(heard.begun).toEqual([T + HOUR])
    expect(heard.heard).toHaveLength(5)
    expect(bed.said.join()).toContain("the cluster's state cannot be read")
  })
})

test('one process records; another one is told', async () => {
  await bed.writer()
  await expect(bed.writer('b')).rejects.toMatchObject({ code: 'WHY5XX_STORE_IN_USE' })
})

describe('what is old goes', () => {
  test('by age, when something newer is there', async () => {
    const writer = await bed.writer('a', { retentionMs: 2 * HOUR, nowMs: () => T + 5 * HOUR })
    await writer.append(hours(6))
    await vi.waitFor(() => expect(bed.files.map(name => name.slice(16, 18))).toEqual(['12', '13', '14', '15']))
    await writer.close()
    const after = await bed.writer('b', { retentionMs: 2 * HOUR, nowMs: () => T + 99_999 * HOUR })
    await vi.waitFor(() => expect(bed.files.at(-1)).toMatch(/gz$/))
    expect(bed.files).toHaveLength(4)
    await after.append(list(T + 99_999 * HOUR))
    await vi.waitFor(() => expect(bed.files).toHaveLength(2))
  })

  test('by size, but never the newest whole list', async () => {
    const writer = await bed.writer('a', { bytesMax: 1 })
    await writer.append(hours(5))
    await vi.waitFor(() => expect(bed.files.map(name => name.slice(16, 18))).toEqual(['13', '14']))
  })

  test('and a reader that was behind goes on at what is left', async () => {
    const writer = await bed.writer()
    await writer.append(hours(5))
    const heard = bed.reader(T, T)
    await vi.waitFor(() => expect(heard.heard.length).toBeGreaterThan(0))
    await vi.waitFor(() => expect(bed.files.filter(name => name.endsWith('gz'))).toHaveLength(4))
    for (const name of bed.files.slice(0, 3)) rmSync(join(bed.path, name))
    heard.reader.readTo(Number.POSITIVE_INFINITY)
    await vi.waitFor(() => expect(heard.caught).toBeGreaterThan(0))
    expect(heard.told.slice(-10, -9)).toEqual([`${T + 3 * HOUR} LIST_START`])
  })
})

/** Has no room while `isFull`, and then leaves half of what it was given. */
class TightDisk extends NodeDisk {
  isFull = false

  override async append(name: string, bytes: Uint8Array): Promise<void> {
    if (!this.isFull) return super.append(name, bytes)
    await super.append(name, bytes.subarray(0, bytes.length >> 1))
    throw Object.assign(new Error('no room'), { code: 'ENOSPC' })
  }
}

describe('a full disk', () => {
  test('is waited for, and nothing is torn or missing behind it', async () => {
    const disk = new TightDisk(bed.path)
    const writer = await bed.writer('a', { disk })
    await writer.append(hours(1))
    disk.isFull = true
    const written = writer.append(hours(3).slice(5))
    await vi.waitFor(() => expect(writer.facts.pausedBecause).toContain('no space left on the disk (ENOSPC)'))
    disk.isFull = false
    await written
    expect(writer.facts.pausedBecause).toBe(null)
    const heard = bed.reader(T)
    await vi.waitFor(() => expect(heard.heard).toHaveLength(15))
    expect(heard.heard.map(({ number }) => number)).toEqual(Array.from({ length: 15 }, (_, i) => i + 1))
  })

  test('that lasts: what does not fit is a gap, and a list is asked for', async () => {
    const disk = new TightDisk(bed.path)
    const writer = await bed.writer('a', { disk, waitingBytesMax: 1_000 })
    await writer.append(list(T, pod('x', 1)))
    disk.isFull = true
    const changes = Array.from({ length: 20 }, (_, i) => told(T + i, 'MODIFIED', pod('x', i + 2)))
    const written = writer.append([...changes, mark(T + 20, 'LIST_START'), told(T + 20, 'ADDED', pod('x', 30))])
    expect(writer.facts.dropped).toBeGreaterThan(10)
    disk.isFull = false
    await written
    // The end of a list that was given up is none.
    await vi.waitFor(() => expect(bed.overflows).toEqual([1]))
    await writer.append([mark(T + 21, 'LIST_END'), ...list(T + 30, pod('x', 40))])
    const heard = bed.reader(T)
    await vi.waitFor(() => expect(heard.state.names).toEqual(['x@40']))
    const kinds = heard.heard.map(({ type }) => type).filter(type => type !== 'MODIFIED')
    const aList = ['LIST_START', 'ADDED', 'LIST_END']
    expect(kinds).toEqual([...aList, 'GAP_START', 'GAP_END', ...aList])
    const [start, end] = heard.heard.filter(({ type }) => type.startsWith('GAP'))
    expect(end!.at).toBe(T + 20)
    expect(start!.at).toBeLessThan(T + 10)
    expect(writer.facts.dropped + heard.heard.length).toBe(20 + 3 + 2 + 2 + 3)
  })

  test('that never ends: closing says what was not written', async () => {
    const disk = new TightDisk(bed.path)
    const writer = await bed.writer('a', { disk, closingMs: 1 })
    disk.isFull = true
    const written = writer.append(list(T)).catch((error: unknown) => error)
    await writer.close()
    expect(await written).toMatchObject({ code: 'WHY5XX_STORE' })
    expect(existsSync(join(bed.path, 'lock'))).toBe(false)
  })
})

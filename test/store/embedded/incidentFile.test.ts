/** `incidents.ndjson`: what survives crashes, full disks, old age and other hands. */
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Random } from '../../../bench/random.ts'
import type { Incident } from '../../../src/alert/incident.ts'
import { NodeDisk } from '../../../src/store/embedded/disk.ts'
import {
  INCIDENTS_FILE,
  IncidentFile,
  type IncidentFileParts,
  incidentLines
} from '../../../src/store/embedded/incidentFile.ts'
import { Lock } from '../../../src/store/embedded/lock.ts'
import { openEmbeddedWriter } from '../../../src/store/embedded/open.ts'
import { openEmbeddedIncidents } from '../../../src/store/embedded/openIncidents.ts'
import { openEmbeddedReader } from '../../../src/store/embedded/reader.ts'
import { applyRetention } from '../../../src/store/embedded/retention.ts'
import { verifyStore } from '../../../src/store/embedded/verify.ts'
import { incidentOfLine } from '../../../src/store/incidentRecord.ts'
import type { IncidentWriter } from '../../../src/store/store.ts'
import { BEGIN, EVERY_INCIDENT, incident, MINUTE_MS } from '../../support/incidents.ts'
import { DiskCrash, type DiskFaults, MemoryDisk } from '../../support/memoryDisk.ts'
import { Folder } from '../../support/program.ts'
import { batch, failure } from '../failures.ts'
import { sealHere } from './sealing.ts'

const DAY_MS = 86_400_000

function parts(disk: MemoryDisk, given: Partial<IncidentFileParts> = {}): IncidentFileParts {
  return {
    disk,
    path: '/memory',
    retentionMs: null,
    nowMs: () => BEGIN,
    assertOwned: () => Promise.resolve(),
    notify() {},
    ...given
  }
}

async function linesOf(disk: MemoryDisk): Promise<Incident[]> {
  const found: Incident[] = []
  for await (const { line, isWhole } of incidentLines(disk)) if (isWhole) found.push(incidentOfLine(line.toString())!)
  return found
}

/** The newest of each id, by id. */
async function newest(disk: MemoryDisk): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for (const { id, updatedMs } of await linesOf(disk)) found.set(id, Math.max(found.get(id) ?? 0, updatedMs))
  return found
}

const FAULTS: Partial<DiskFaults> = {
  appendFull: 0.05,
  syncError: 0.05,
  truncateError: 0.05,
  crashBeforeAppend: 0.01,
  crashInAppend: 0.03,
  crashAfterAppend: 0.02,
  crashBeforeSync: 0.02,
  crashAfterSync: 0.02,
  crashBeforeTruncate: 0.02,
  crashAfterTruncate: 0.02,
  crashBeforeRename: 0.05,
  crashAfterRename: 0.05,
  crashBeforeRemove: 0.02,
  crashAfterRemove: 0.02
}

test.each(Array.from({ length: 40 }, (_, seed) => seed))('what was promised survives crashes: seed %i', async seed => {
  const numbers = new Random(seed)
  const random = (): number => numbers.share()
  let disk = new MemoryDisk(random, FAULTS)
  let file: IncidentFile | null = null
  const promised = new Map<string, number>()
  const written = new Map<string, number>()
  let crashes = 0
  for (let step = 0; step < 120; step++) {
    try {
      file ??= await IncidentFile.open(parts(disk, { bytesMax: 12_000 }))
      const id = `inc-${Math.floor(random() * 4)}`
      const updatedMs = BEGIN + step
      written.set(id, updatedMs)
      await file.put([incident({ id, updatedMs })])
      promised.set(id, updatedMs)
    } catch (error) {
      // A full disk: the same file is tried again.
      if (!disk.isDead) continue
      expect(error instanceof DiskCrash || (error as Error).cause instanceof DiskCrash).toBe(true)
      crashes++
      disk = disk.restart()
      file = null
    }
  }
  disk = disk.restart({})
  await IncidentFile.open(parts(disk))
  const found = await newest(disk)
  for (const [id, updatedMs] of promised) expect(found.get(id), id).toBeGreaterThanOrEqual(updatedMs)
  for (const [id, updatedMs] of found) expect(updatedMs, id).toBeLessThanOrEqual(written.get(id)!)
  expect(crashes).toBeGreaterThan(0)
  expect(disk.names()).toEqual([INCIDENTS_FILE])
})

describe('rewriting', () => {
  test('a torn last line is cut off, and older versions go', async () => {
    const disk = new MemoryDisk()
    const file = await IncidentFile.open(parts(disk))
    await file.put([incident({ updatedMs: 1 })])
    await file.put([incident({ id: 'b', updatedMs: 3 }), incident({ updatedMs: 2 })])
    const whole = disk.contents(INCIDENTS_FILE)
    disk.put(INCIDENTS_FILE, Buffer.concat([whole, whole.subarray(0, 100)]))
    await IncidentFile.open(parts(disk))
    expect((await linesOf(disk)).map(({ id, updatedMs }) => [id, updatedMs])).toEqual([
      ['b', 3],
      [incident().id, 2]
    ])
  })

  test('it stays bounded, however often one incident changes', async () => {
    const disk = new MemoryDisk()
    const file = await IncidentFile.open(parts(disk, { bytesMax: 50_000 }))
    for (let i = 0; i < 300; i++) await file.put([incident({ updatedMs: BEGIN + i })])
    expect(disk.contents(INCIDENTS_FILE).length).toBeLessThan(55_000)
    expect(await newest(disk)).toEqual(new Map([[incident().id, BEGIN + 299]]))
  })

  test('what ended before the retention goes, by the clock only while something is younger', async () => {
    const disk = new MemoryDisk()
    const old = incident({ id: 'old', endMs: BEGIN + MINUTE_MS })
    const forgotten = incident({ id: 'forgotten', updatedMs: BEGIN + MINUTE_MS })
    const young = incident({ id: 'young', updatedMs: BEGIN + 40 * DAY_MS })
    const given = { retentionMs: 30 * DAY_MS, nowMs: () => BEGIN + 40 * DAY_MS }
    await (await IncidentFile.open(parts(disk))).put([old, forgotten])
    const file = await IncidentFile.open(parts(disk, given))
    expect([...(await newest(disk)).keys()]).toEqual(['old', 'forgotten'])
    await file.put([young])
    await IncidentFile.open(parts(disk, given))
    expect([...(await newest(disk)).keys()]).toEqual(['young'])
  })

  test('also of a process that runs on, once a day', async () => {
    const disk = new MemoryDisk()
    let nowMs = BEGIN
    const file = await IncidentFile.open(parts(disk, { retentionMs: DAY_MS, nowMs: () => nowMs }))
    await file.put([incident({ id: 'old', endMs: BEGIN })])
    nowMs += 3 * DAY_MS
    await file.put([incident({ id: 'new', updatedMs: nowMs })])
    expect([...(await newest(disk)).keys()]).toEqual(['new'])
  })

  test('lines of a newer version stay, damaged ones are said and dropped', async () => {
    const disk = new MemoryDisk()
    const later = `${JSON.stringify({ schema: 2, incident: { id: 'x', updatedMs: 1, shape: 'other' } })}\n`
    disk.put(INCIDENTS_FILE, Buffer.from(`no JSON\n${later}{"schema":1}\n`))
    const said: string[] = []
    await IncidentFile.open(parts(disk, { notify: text => void said.push(text) }))
    expect(disk.contents(INCIDENTS_FILE).toString()).toBe(later)
    expect(said).toEqual(['/memory/incidents.ndjson: 2 damaged lines dropped'])
  })

  test('only so many are kept: the ones that ended first go', async () => {
    const disk = new MemoryDisk()
    const many = [3, 1, 2].map(i => incident({ id: `inc-${i}`, endMs: BEGIN + i }))
    await (await IncidentFile.open(parts(disk))).put(many)
    await IncidentFile.open(parts(disk, { incidentsMax: 2 }))
    expect([...(await newest(disk)).keys()]).toEqual(['inc-3', 'inc-2'])
  })
})

test('a full disk is an error, and the next try is whole', async () => {
  const numbers = new Random(5)
  const disk = new MemoryDisk(() => numbers.share(), { appendFull: 0.5 })
  const file = await IncidentFile.open(parts(disk))
  let failures = 0
  for (let i = 0; i < 50; i++)
    await file.put([incident({ id: `inc-${i}` })]).catch((error: Error) => {
      failures++
      expect(error.message).toBe(
        '/memory/incidents.ndjson: incidents cannot be written: no space left on the disk (ENOSPC)'
      )
    })
  expect(failures).toBeGreaterThan(5)
  const ids = (await linesOf(disk)).map(({ id }) => id)
  expect(ids.length).toBeGreaterThanOrEqual(50 - failures)
  expect(new Set(ids).size).toBe(ids.length)
})

describe('in a folder', () => {
  let folder: Folder
  let path: string
  let open: { close(): Promise<void> }[]
  beforeEach(() => {
    folder = new Folder()
    path = join(folder.path, 'store')
    open = []
  })
  afterEach(async () => {
    for (const one of open.reverse()) await one.close()
    folder.remove()
  })

  const incidents = async (): Promise<IncidentWriter> => {
    const writer = await openEmbeddedIncidents(path, { retention: '30d', notify: () => {} })
    open.push(writer)
    return writer
  }
  const ids = async (): Promise<string[]> => {
    const reader = await openEmbeddedReader(path)
    const found = await reader.incidents(EVERY_INCIDENT)
    await reader.close()
    return found.map(({ id }) => id)
  }

  test('beside the writer of the same process, read by anybody meanwhile', async () => {
    const store = await openEmbeddedWriter(path, { retention: null, seal: sealHere(path) })
    open.push(store)
    const writer = await incidents()
    await writer.put([incident({ id: 'a' })])
    await store.write(batch({ failures: [failure({ id: 'f' })] }))
    appendFileSync(join(path, INCIDENTS_FILE), '{"schema":1,"incident":{"id":"half')
    expect(await ids()).toEqual(['a'])
    const check = await verifyStore(path)
    expect([check.problems, check.notes]).toEqual([[], []])
    expect(check.bytes).toBeGreaterThan(statSync(join(path, INCIDENTS_FILE)).size)
  })

  test('retention by size counts it, and never takes it', async () => {
    const writer = await incidents()
    await writer.put([incident()])
    const bytes = statSync(join(path, INCIDENTS_FILE)).size
    for (const day of ['20261119', '20261120', '20261121'])
      writeFileSync(join(path, `failures-${day}.parquet`), 'x'.repeat(100))
    const disk = new NodeDisk(path)
    const rest = (await disk.list()).reduce((sum, file) => sum + file.bytes, 0) - bytes - 300
    const { gone } = await applyRetention(disk, { ageMs: null, bytes: rest + bytes + 200 }, BEGIN)
    expect(gone).toEqual(['20261119'])
    expect((await applyRetention(disk, { ageMs: null, bytes: 1 }, BEGIN)).gone).toEqual(['20261120'])
    expect(await ids()).toEqual([incident().id])
  })

  test('of another process nothing is touched', async () => {
    const lock = await Lock.take(folder.path)
    const owner = JSON.parse(readFileSync(join(folder.path, 'lock'), 'utf8')) as object
    await lock.release()
    await (await openEmbeddedWriter(path, { retention: null })).close()
    // As in another container: it lives while it touches the file.
    writeFileSync(join(path, 'lock'), JSON.stringify({ ...owner, pid: 1, pidNamespace: 'pid:[1]' }))
    await expect(openEmbeddedIncidents(path, { retention: null, notify: () => {} })).rejects.toMatchObject({
      code: 'WHY5XX_STORE_IN_USE'
    })
    expect(existsSync(join(path, INCIDENTS_FILE))).toBe(false)
  })

  test('a lock that is lost ends the writing', async () => {
    const store = await openEmbeddedWriter(path, { retention: null })
    const writer = await incidents()
    await store.close()
    await expect(writer.put([incident()])).rejects.toThrow(/the store is closed; no incident is written to it/)
    const other = await openEmbeddedWriter(path, { retention: null })
    open.push(other)
    await expect(writer.put([incident()])).rejects.toMatchObject({ code: 'WHY5XX_STORE_IN_USE' })
    expect(await ids()).toEqual([])
  })

  test('where nobody has the folder it is taken, and given back', async () => {
    const writer = await incidents()
    await expect(openEmbeddedWriter(path, { retention: null })).rejects.toMatchObject({ code: 'WHY5XX_STORE_IN_USE' })
    await writer.put([incident({ id: 'a' })])
    await writer.close()
    open = []
    expect(readdirSync(path).sort()).toEqual([INCIDENTS_FILE, 'store.json'])
    await (await openEmbeddedWriter(path, { retention: null })).close()
    expect(await ids()).toEqual(['a'])
  })
})

import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSegmentRecord } from '../../../src/cluster/segmentRecordWriter.ts'
import { EMPTY_DAY, EMPTY_DAY_NAME } from '../../../src/store/embedded/emptyDay.ts'
import { openEmbeddedWriter } from '../../../src/store/embedded/open.ts'
import { openEmbeddedReader } from '../../../src/store/embedded/reader.ts'
import { verifyStore } from '../../../src/store/embedded/verify.ts'
import { Folder, PROGRAM } from '../../support/program.ts'
import { all, batch, EVERYTHING, failure, NOON, reject } from '../failures.ts'
import { sealHere } from './sealing.ts'

let folder: Folder
let path: string
beforeEach(() => {
  folder = new Folder()
  path = join(folder.path, 'deep/store')
})
afterEach(() => folder.remove())

function open(at = path): ReturnType<typeof openEmbeddedWriter> {
  return openEmbeddedWriter(at, { retention: '30d', seal: sealHere(at) })
}

/** Everything in a folder, with contents. */
function tree(at: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(at, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name), 'latin1')])
  )
}

test('a store is made where there is none', async () => {
  const writer = await open()
  await writer.write(batch({ failures: [failure({ id: 'a' })], rejects: [reject('r', NOON, 'bad_time')] }))
  await writer.close()
  expect(JSON.parse(readFileSync(join(path, 'store.json'), 'utf8'))).toMatchObject({ format: 1 })
  const [log] = readdirSync(join(path, 'rejects'))
  expect(statSync(join(path, 'rejects')).mode & 0o777).toBe(0o700)
  expect(statSync(join(path, 'rejects', log!)).mode & 0o777).toBe(0o600)
  expect(JSON.parse(readFileSync(join(path, 'rejects', log!), 'utf8'))).toEqual({
    id: 'r',
    latin1: 'bytes \xff\n of it'
  })
})

test('the record of the cluster lies in it, whoever comes first', async () => {
  const record = { folder: join(path, 'cluster'), writer: 'a', retentionMs: 1, bytesMax: null }
  const watch = await openSegmentRecord({ ...record, onOverflow: () => {}, say: () => {} })
  const writer = await open()
  await writer.write(batch({ failures: [failure({ id: 'a' })] }))
  await watch.append([{ at: NOON, type: 'HEARTBEAT' }])
  await writer.close()
  await watch.close()
  expect(readdirSync(path)).toContain('cluster')
  expect(await verifyStore(path)).toMatchObject({ failures: { unsealed: 1 }, problems: [], notes: [] })
})

test('a start that was killed leaves the file without rows empty: the next one makes it whole', async () => {
  await (await open()).close()
  const file = join(path, EMPTY_DAY_NAME)
  writeFileSync(file, '')
  await (await open()).close()
  expect(readFileSync(file)).toEqual(EMPTY_DAY)
})

test.each([
  [
    'a folder of something else',
    () => folder.write('deep/store/notes.txt', 'mine'),
    /is not a store of why5xx.*Nothing was touched/
  ],
  ['a file', () => writeFileSync(path, 'a file'), /is a file: a store is a folder/],
  [
    'a newer format',
    () => folder.write('deep/store/store.json', '{"format":2}'),
    /newer why5xx: format 2.*Update why5xx/
  ],
  ['a mark that says nothing', () => folder.write('deep/store/store.json', '{}'), /does not say which format/],
  ['a torn mark', () => folder.write('deep/store/store.json', '{"for'), /store\.json cannot be read/]
])('%s is refused and not touched', async (_name, make, message) => {
  mkdirSync(_name === 'a file' ? join(folder.path, 'deep') : path, { recursive: true })
  make()
  const before = tree(folder.path)
  await expect(open()).rejects.toMatchObject({
    code: 'WHY5XX_STORE',
    message: expect.stringMatching(message) as string
  })
  await expect(openEmbeddedReader(path)).rejects.toMatchObject({ code: 'WHY5XX_STORE' })
  expect(tree(folder.path)).toEqual(before)
})

test('reading makes nothing', async () => {
  await expect(openEmbeddedReader(path)).rejects.toMatchObject({
    code: 'WHY5XX_STORE',
    message: expect.stringMatching(/does not exist: there is no store/) as string
  })
  expect(readdirSync(folder.path)).toEqual([])
})

test('a store has one writer, and readers need no lock', async () => {
  const writer = await open()
  await writer.write(batch({ failures: [failure({ id: 'a' })] }))
  const before = tree(path)
  await expect(open()).rejects.toMatchObject({ code: 'WHY5XX_STORE_IN_USE' })
  expect(tree(path)).toEqual(before)
  const reader = await openEmbeddedReader(path)
  expect(await all(reader.scan(EVERYTHING))).toHaveLength(1)
  await reader.close()
  await writer.close()
  await (await open()).close()
})

test('a start that was killed before the mark is no obstacle', async () => {
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'tmp-store.json'), '{"for')
  writeFileSync(join(path, 'lock.1234'), '')
  await (await open()).close()
  expect(readdirSync(path)).toContain('store.json')
  expect(readdirSync(path)).not.toContain('tmp-store.json')
})

test.runIf(existsSync('/proc'))('a file system that takes no folders', async () => {
  await expect(openEmbeddedWriter('/proc/why5xx/store', { retention: null })).rejects.toMatchObject({
    code: 'WHY5XX_STORE',
    message: expect.stringMatching(/cannot be made/)
  })
})

test('folders above it are made', async () => {
  const deep = join(path, 'a/b/store')
  await (await openEmbeddedWriter(deep, { retention: null })).close()
  expect(readdirSync(deep)).toContain('store.json')
})

test('retention that is no duration is wrong configuration', async () => {
  for (const retention of ['30', 'd', '-1d', '0d', '1y', ''])
    await expect(openEmbeddedWriter(path, { retention })).rejects.toMatchObject({ code: 'WHY5XX_CONFIG' })
  expect(readdirSync(folder.path)).toEqual([])
})

test.runIf(process.getuid?.() === 0)('without permission it says whose right is missing', async () => {
  await (await open()).close()
  chmodSync(folder.path, 0o755)
  chmodSync(path, 0o700)
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, 'check', '--store', path], {
    uid: 65_534,
    gid: 65_534,
    cwd: '/',
    encoding: 'utf8'
  })
  expect(stderr).toMatch(/cannot be read: permission denied \(EACCES\)\. Give the user that runs why5xx the right/)
  expect(status).toBe(1)
})

import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FileSource, type FileSourceOptions } from '../../src/source/files.ts'
import type { StreamState } from '../../src/source/source.ts'
import { Folder } from '../support/program.ts'
import { FakeTicker, ReadingRun } from './reading.ts'

let folder: Folder
let runs: ReadingRun[]
let log: string

beforeEach(() => {
  folder = new Folder()
  runs = []
  log = join(folder.path, 'access.log')
})

afterEach(async () => {
  for (const run of runs) await run.crash()
  folder.remove()
})

function follow(paths: string[] | string = log, known: StreamState[] = [], options: Partial<FileSourceOptions> = {}) {
  const source = new FileSource({ paths: [paths].flat(), follow: true, ...options }, known, new FakeTicker())
  const run = new ReadingRun(source, known)
  runs.push(run)
  return run
}

/** Lines of about 100 bytes that tell where they belong. */
function lines(name: string, count: number, from = 0): string {
  return Array.from({ length: count }, (_, i) => `${name} ${from + i} ${'x'.repeat(90)}\n`).join('')
}

function numbers(run: ReadingRun): string[] {
  return run.lines.map(line => line.split(' ').slice(0, 2).join(' '))
}

function names(name: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `${name} ${from + i}`)
}

describe('a file that grows', () => {
  test('is read from its beginning and followed', async () => {
    writeFileSync(log, lines('a', 30))
    const run = follow()
    await run.settle()
    appendFileSync(log, lines('a', 30, 30))
    await run.settle()
    expect(numbers(run)).toEqual(names('a', 60))
    expect(run.streams.size).toBe(1)
  })

  test('that comes later is found', async () => {
    const run = follow(join(folder.path, '*.log'))
    await run.settle()
    expect(run.streams.size).toBe(0)
    writeFileSync(log, lines('a', 3))
    await run.settle()
    expect(numbers(run)).toEqual(names('a', 3))
  })

  test('keeps as its head what was there first, over a restart too', async () => {
    writeFileSync(log, lines('a', 3))
    const run = follow()
    await run.settle()
    appendFileSync(log, lines('a', 30, 3))
    await run.settle()
    const head = Buffer.from([...run.streams.values()][0]!.stream.head).toString()
    expect(head).toBe(lines('a', 3))
    const again = follow(log, run.states())
    appendFileSync(log, 'more\n')
    await again.settle()
    expect(Buffer.from([...again.streams.values()][0]!.stream.head).toString()).toBe(head)
  })
})

describe('rotation by rename', () => {
  test('reads the old file to its end, as long as it is written to, then the new one', async () => {
    writeFileSync(log, lines('a', 20))
    const run = follow()
    await run.settle()
    appendFileSync(log, lines('a', 1, 20))
    renameSync(log, `${log}.1`)
    appendFileSync(`${log}.1`, lines('a', 1, 21))
    writeFileSync(log, lines('b', 5))
    await run.settle(2_000)
    appendFileSync(`${log}.1`, lines('a', 1, 22))
    await run.settle(3_000)
    expect([...run.streams.values()].map(stream => stream.isEnded)).toEqual([false, false])
    await run.settle(9_000)
    expect([...run.streams.values()].map(stream => stream.isEnded)).toEqual([true, false])
    expect(run.texts()).toEqual([lines('a', 23), lines('b', 5)])
    expect(run.gaps).toEqual([])
  })

  test('waits for a writer that was not signalled, as long as nothing comes in the new file', async () => {
    writeFileSync(log, lines('a', 20))
    const run = follow()
    await run.settle()
    renameSync(log, `${log}.1`)
    writeFileSync(log, '')
    await run.settle(60_000)
    appendFileSync(`${log}.1`, lines('a', 5, 20))
    await run.settle(60_000)
    expect(run.texts()).toEqual([lines('a', 25)])
    appendFileSync(log, lines('b', 1))
    await run.settle()
    expect([...run.streams.values()].map(stream => stream.isEnded)).toEqual([true, false])
  })

  test('a generation that came and went between two looks is read in its place', async () => {
    writeFileSync(log, lines('a', 20))
    const run = follow()
    await run.settle()
    renameSync(log, `${log}.1`)
    writeFileSync(log, lines('b', 20))
    renameSync(`${log}.1`, `${log}.2`)
    renameSync(log, `${log}.1`)
    writeFileSync(log, lines('c', 20))
    await run.settle()
    expect(run.texts()).toEqual([lines('a', 20), lines('b', 20), lines('c', 20)])
  })

  test('a renamed file that still matches is not new, nor is it when it was compressed', async () => {
    writeFileSync(log, lines('a', 20))
    const run = follow(`${log}*`)
    await run.settle()
    renameSync(log, `${log}.1`)
    writeFileSync(log, lines('b', 20))
    await run.settle(9_000)
    expect([...run.streams.values()].map(stream => stream.isEnded)).toEqual([true, false])
    writeFileSync(`${log}.1.gz`, gzipSync(lines('a', 20)))
    unlinkSync(`${log}.1`)
    await run.settle()
    expect(run.texts()).toEqual([lines('a', 20), lines('b', 20)])
  })

  test('late bytes in a file that had ended are a gap, and read after a restart', async () => {
    writeFileSync(log, lines('a', 20))
    const run = follow()
    await run.settle()
    renameSync(log, `${log}.1`)
    writeFileSync(log, lines('b', 20))
    await run.settle(9_000)
    appendFileSync(`${log}.1`, lines('a', 1, 20))
    await run.settle()
    expect(run.gaps).toMatchObject([{ name: log, bytes: lines('a', 1, 20).length, reason: 'rotated_away' }])
    const again = follow(log, run.states())
    await again.settle()
    expect(numbers(again)).toEqual(['a 20'])
  })
})

test('a deleted file is read to its end; the same path is then a new stream', async () => {
  writeFileSync(log, lines('a', 20))
  const run = follow()
  await run.settle()
  appendFileSync(log, lines('a', 5, 20))
  unlinkSync(log)
  await run.settle(9_000)
  expect([...run.streams.values()].map(stream => stream.isEnded)).toEqual([true])
  writeFileSync(log, lines('b', 5))
  await run.settle()
  expect(run.texts()).toEqual([lines('a', 25), lines('b', 5)])
  expect(run.gaps).toEqual([])
})

describe("kubelet's symlinks", () => {
  let pod: string
  let link: string

  beforeEach(() => {
    pod = join(folder.path, 'pods', 'ingress-nginx_controller-7d_0b1c2d3e-1111-2222-3333-444455556666', 'controller')
    mkdirSync(pod, { recursive: true })
    mkdirSync(join(folder.path, 'containers'))
    link = join(folder.path, 'containers', `controller-7d_ingress-nginx_controller-${'a'.repeat(64)}.log`)
    writeFileSync(join(pod, '0.log'), lines('a', 20))
    // Of a symlink, as with docker.
    symlinkSync(join(pod, '0.log'), join(folder.path, 'middle.log'))
    symlinkSync(join(folder.path, 'middle.log'), link)
  })

  test('are followed to the new target when the container starts anew; the name tells the pod', async () => {
    const run = follow(join(folder.path, 'containers', '*.log'))
    await run.settle()
    renameSync(join(pod, '0.log'), join(pod, '0.log.20261121-101010'))
    writeFileSync(join(pod, '0.log'), lines('b', 20))
    await run.settle()
    writeFileSync(join(pod, '1.log'), lines('c', 20))
    unlinkSync(join(folder.path, 'middle.log'))
    symlinkSync(join(pod, '1.log'), join(folder.path, 'middle.log'))
    await run.settle()
    expect(run.texts()).toEqual([lines('a', 20), lines('b', 20), lines('c', 20)])
    expect([...run.streams.values()].map(({ stream }) => [stream.name, stream.group])).toEqual([
      [link, null],
      [link, null],
      [link, null]
    ])
    expect(run.gaps).toEqual([])
  })

  test('what was rotated and compressed while we were down lies in the folder of the target', async () => {
    const first = follow(link)
    await first.settle()
    const known = first.states()
    await first.stop()
    appendFileSync(join(pod, '0.log'), lines('a', 5, 20))
    writeFileSync(join(pod, '0.log.20261121-101010.gz'), gzipSync(lines('a', 25)))
    unlinkSync(join(pod, '0.log'))
    writeFileSync(join(pod, '0.log.20261121-101110.gz'), gzipSync(lines('b', 20)))
    writeFileSync(join(pod, '0.log.20261121-101210'), lines('c', 20))
    writeFileSync(join(pod, '0.log'), lines('d', 20))
    writeFileSync(join(pod, '1.log'), lines('e', 20))
    writeFileSync(join(pod, '2.log'), lines('f', 20))
    unlinkSync(link)
    symlinkSync(join(pod, '2.log'), link)
    const run = follow(link, known)
    await run.settle(9_000)
    expect(run.texts()).toEqual([
      lines('a', 5, 20),
      lines('b', 20),
      lines('c', 20),
      lines('d', 20),
      lines('e', 20),
      lines('f', 20)
    ])
    expect([...run.streams.values()].map(stream => stream.isEnded)).toEqual([true, true, true, true, true, false])
    expect([...run.streams.values()][0]!.stream.id).toBe(known[0]!.stream)
    expect(run.gaps).toEqual([])
  })
})

describe('copytruncate', () => {
  test.each([
    ['nothing unread', 0, 0],
    ['the unread rest stands in the copy', 5, 0],
    ['the file has grown past the offset again', 5, 40],
    ['the file has grown to exactly the offset again', 5, 20]
  ])('%s', async (_name, unread, after) => {
    writeFileSync(log, lines('a', 20))
    const run = follow(`${log}*`)
    await run.settle()
    appendFileSync(log, lines('a', unread, 20))
    copyFileSync(log, `${log}.1`)
    truncateSync(log, 0)
    appendFileSync(log, lines('b', after))
    await run.settle(9_000)
    appendFileSync(log, lines('b', 1, after))
    await run.settle()
    expect(run.texts()).toEqual([lines('a', 20 + unread), lines('b', after + 1)])
    expect([...run.streams.values()].map(stream => stream.isEnded)).toEqual([true, false])
    expect(run.gaps).toEqual([])
  })

  test('the copy was compressed already', async () => {
    writeFileSync(log, lines('a', 20))
    const run = follow()
    await run.settle()
    appendFileSync(log, lines('a', 5, 20))
    writeFileSync(`${log}.1.gz`, gzipSync(lines('a', 25)))
    writeFileSync(log, lines('b', 3))
    await run.settle()
    expect(run.texts()).toEqual([lines('a', 25), lines('b', 3)])
    expect(run.streams.size).toBe(2)
  })

  test('a young file and its copy, both matching', async () => {
    writeFileSync(log, 'banner\na 1\n')
    const run = follow(`${log}*`)
    await run.settle()
    appendFileSync(log, 'a 2\n')
    copyFileSync(log, `${log}.1`)
    truncateSync(log, 0)
    appendFileSync(log, 'banner\nb 1\n')
    await run.settle()
    expect(run.texts()).toEqual(['banner\na 1\na 2\n', 'banner\nb 1\n'])
  })

  test('without a copy, what was seen and not read is a gap', async () => {
    writeFileSync(log, lines('a', 10_000))
    const run = follow()
    // The first chunk only.
    while ((await run.next())?.kind !== 'chunk');
    writeFileSync(log, lines('b', 3))
    await run.settle()
    const [first, second] = run.texts()
    expect(second).toBe(lines('b', 3))
    expect(run.gaps).toMatchObject([
      { name: log, reason: 'truncated', bytes: lines('a', 10_000).length - first!.length }
    ])
    expect([...run.streams.values()].map(stream => stream.isEnded)).toEqual([true, false])
  })

  test('while we were down, twice', async () => {
    writeFileSync(log, lines('a', 20))
    const first = follow()
    await first.settle()
    await first.stop()
    writeFileSync(`${log}.2.gz`, gzipSync(lines('a', 25)))
    writeFileSync(`${log}.1`, lines('b', 20))
    writeFileSync(log, lines('c', 20))
    const run = follow(log, first.states())
    await run.settle()
    expect(run.texts()).toEqual([lines('a', 5, 20), lines('b', 20), lines('c', 20)])
    expect(run.gaps).toEqual([])
  })
})

describe('after a restart', () => {
  async function readOnce(path: string[] | string = log): Promise<StreamState[]> {
    const run = follow(path)
    await run.settle()
    await run.stop()
    return run.states()
  }

  test('reading goes on behind the last whole line', async () => {
    writeFileSync(log, `${lines('a', 20)}half`)
    const known = await readOnce()
    appendFileSync(log, ' a line\n')
    const run = follow(log, known)
    await run.settle()
    expect(run.texts()).toEqual(['half a line\n'])
    expect([...run.streams.keys()]).toEqual(known.map(state => state.stream))
  })

  test('a renamed file is finished first', async () => {
    writeFileSync(log, lines('a', 20))
    const known = await readOnce()
    appendFileSync(log, lines('a', 5, 20))
    renameSync(log, `${log}-20261121`)
    writeFileSync(log, lines('b', 5))
    const run = follow(log, known)
    await run.settle(9_000)
    expect(run.texts()).toEqual([lines('a', 5, 20), lines('b', 5)])
    expect([...run.streams.values()].map(stream => stream.isEnded)).toEqual([true, false])
  })

  test('an inode in other hands is another file', async () => {
    writeFileSync(log, lines('a', 20))
    const known = await readOnce()
    // The same inode, as after deletion and creation on many file systems.
    writeFileSync(log, lines('b', 30))
    const run = follow(log, known)
    await run.settle()
    expect(run.texts()).toEqual(['', lines('b', 30)])
    expect(run.gaps).toMatchObject([{ name: log, bytes: null, reason: 'rotated_away' }])
    expect(run.states().filter(state => !state.isDone)).toHaveLength(1)
  })

  test('what is gone is told once', async () => {
    writeFileSync(log, lines('a', 20))
    const known = await readOnce()
    unlinkSync(log)
    const run = follow(log, known)
    await run.settle()
    expect(run.gaps).toHaveLength(1)
    expect(run.events.map(event => event.kind).slice(0, 2)).toEqual(['gap', 'end'])
    await run.stop()
    const again = follow(log, run.states())
    await again.settle()
    expect(again.gaps).toEqual([])
  })

  test('young files with one banner are told apart', async () => {
    const other = join(folder.path, 'error.log')
    writeFileSync(log, 'banner\n')
    writeFileSync(other, 'banner\n')
    const known = await readOnce([log, other])
    renameSync(log, `${log}.1`)
    writeFileSync(log, 'banner\nb\n')
    appendFileSync(`${log}.1`, 'a\n')
    appendFileSync(other, 'e\n')
    const run = follow([`${log}*`, other], known)
    await run.settle()
    expect(run.texts().sort()).toEqual(['a\n', 'banner\nb\n', 'e\n'])
    expect(run.gaps).toEqual([])
  })

  test('what was read to its end is never read again under another name', async () => {
    writeFileSync(log, lines('a', 20))
    const first = follow(`${log}*`)
    await first.settle()
    renameSync(log, `${log}.1`)
    writeFileSync(log, lines('b', 20))
    await first.settle(9_000)
    await first.stop()
    writeFileSync(`${log}.2.gz`, gzipSync(lines('a', 20)))
    renameSync(log, `${log}.1`)
    writeFileSync(log, lines('c', 20))
    const run = follow(`${log}*`, first.states())
    await run.settle()
    expect(numbers(run)).toEqual(names('c', 20))
    expect(run.gaps).toEqual([])
  })
})

test('the first start reads only what matches, rotations oldest first, compressed ones too', async () => {
  const writes: [string, string][] = [
    ['.10.gz', 'a'],
    ['.2', 'b'],
    ['.1', 'c'],
    ['', 'd']
  ]
  for (const [suffix, name] of writes)
    writeFileSync(log + suffix, suffix === '.10.gz' ? gzipSync(lines(name, 20)) : lines(name, 20))
  const run = follow(`${log}*`)
  await run.settle()
  expect(run.texts()).toEqual(['a', 'b', 'c', 'd'].map(name => lines(name, 20)))
  const alone = follow(log)
  await alone.settle()
  expect(alone.texts()).toEqual([lines('d', 20)])
})

describe('what cannot be read', () => {
  test('a directory is told once and the rest is read', async () => {
    mkdirSync(join(folder.path, 'old.log'))
    writeFileSync(log, lines('a', 3))
    const run = follow(join(folder.path, '*.log'))
    await run.settle(9_000)
    expect(run.gaps).toMatchObject([{ name: join(folder.path, 'old.log'), reason: 'unreadable' }])
    expect(run.gaps[0]!.text).toBe(`${join(folder.path, 'old.log')} cannot be read: it is a directory.`)
    rmSync(join(folder.path, 'old.log'), { recursive: true })
    writeFileSync(join(folder.path, 'old.log'), 'now a file\n')
    await run.settle()
    expect(run.lines).toContain('now a file')
  })

  test('a damaged gzip file is told and ends; what came before counts', async () => {
    const packed = gzipSync(lines('a', 2_000))
    writeFileSync(`${log}.1.gz`, packed.subarray(0, packed.length - 20))
    const run = follow(`${log}*`, [], { follow: false })
    await run.settle()
    expect(run.isOver).toBe(true)
    expect(run.gaps).toMatchObject([{ reason: 'unreadable' }])
    expect([...run.streams.values()].map(stream => stream.isEnded)).toEqual([true])
  })
})

describe('without following', () => {
  test('every file is read to its end, then reading ends', async () => {
    writeFileSync(`${log}.1.gz`, gzipSync(lines('a', 20)))
    writeFileSync(log, `${lines('b', 5)}no line feed`)
    const run = follow(`${log}*`, [], { follow: false })
    await run.settle()
    expect(run.isOver).toBe(true)
    expect(run.texts()).toEqual([lines('a', 20), `${lines('b', 5)}no line feed`])
    expect([...run.streams.values()].every(stream => stream.isEnded)).toBe(true)
  })

  test('a second time only what was appended is read', async () => {
    writeFileSync(log, lines('a', 20))
    const first = follow(log, [], { follow: false })
    await first.settle()
    appendFileSync(log, lines('a', 5, 20))
    const run = follow(log, first.states(), { follow: false })
    await run.settle()
    expect(numbers(run)).toEqual(names('a', 5, 20))
    expect([...run.streams.keys()]).toEqual([...first.streams.keys()])
  })

  test('a pattern that matches nothing is an error that names it', async () => {
    const pattern = join(folder.path, '*.log')
    const run = follow(pattern, [], { follow: false })
    await expect(run.settle()).rejects.toMatchObject({
      code: 'WHY5XX_INPUT_UNREADABLE',
      message: expect.stringContaining(pattern) as string
    })
  })
})

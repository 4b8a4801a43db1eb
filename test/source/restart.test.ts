/** What a start makes of the files that are there, and of what the store remembers. */
import { appendFileSync, mkdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { StreamState } from '../../src/source/source.ts'
import { folder, follow, lines, log, names, numbers, useLogFolder } from './logFolder.ts'

useLogFolder()

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

  test('files beyond those that can be open at once are read when there is room', async () => {
    // Some are empty, some are read before; what grows meanwhile is for the next run.
    for (let i = 0; i < 20; i++) writeFileSync(join(folder.path, `${i}.log`), i % 4 === 0 ? '' : lines(`f${i}`, 3))
    const before = follow(join(folder.path, '1*.log'), [], { follow: false })
    await before.settle()
    const run = follow(join(folder.path, '*.log'), before.states(), { follow: false, openMax: 3 })
    while (!run.isOver && run.events.at(-1)?.kind !== 'end') await run.next()
    appendFileSync(join(folder.path, '2.log'), lines('late', 1))
    await run.settle()
    expect(run.isOver).toBe(true)
    const unread = [2, 3, 5, 6, 7, 9]
    expect(
      numbers(run)
        .filter(line => !line.startsWith('late'))
        .sort()
    ).toEqual(unread.flatMap(i => names(`f${i}`, 3)))
    expect(run.gaps).toEqual([])
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

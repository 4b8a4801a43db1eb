/** Files that are followed, through everything that happens to them. */
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeEach, describe, expect, test } from 'vitest'
import { folder, follow, lines, log, names, numbers, useLogFolder } from './logFolder.ts'

useLogFolder()

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

  test('has as its head what was read of its first KiB, over a restart too', async () => {
    writeFileSync(log, lines('a', 3))
    const run = follow()
    await run.settle()
    appendFileSync(log, lines('a', 30, 3))
    await run.settle()
    const head = Buffer.from([...run.streams.values()][0]!.stream.head).toString()
    expect(head).toBe(lines('a', 33).slice(0, 1_024))
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

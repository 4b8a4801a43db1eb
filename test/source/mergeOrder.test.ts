import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expandGlob } from '../../src/source/glob.ts'
import { GROUP, groupTimeMs, lastAccessTime, pickNext } from '../../src/source/mergeOrder.ts'
import { folder, follow, log, useLogFolder } from './logFolder.ts'
import type { ReadingRun } from './reading.ts'

useLogFolder()

function access(second: number): string {
  return `203.0.113.50 - - [21/Nov/2026:10:00:${String(second).padStart(2, '0')} +0000] "GET / HTTP/1.1" 502 150 "-" "-"\n`
}

function error(second: number): string {
  return `2026/11/21 10:00:${String(second).padStart(2, '0')} [error] 7#7: *1 connect() failed (111: Connection refused)\n`
}

test.each([
  [
    'the slowest with something to read',
    [
      [false, 5],
      [false, 3],
      [true, 1]
    ],
    3
  ],
  [
    'all at their end: the newest',
    [
      [true, 5],
      [true, 7]
    ],
    7
  ],
  [
    'one of which nothing was read yet',
    [
      [false, Number.NEGATIVE_INFINITY],
      [true, 7]
    ],
    Number.NEGATIVE_INFINITY
  ],
  ['none', [], Number.NEGATIVE_INFINITY]
] as [string, [boolean, number][], number][])('the time of a group: %s', (_name, streams, want) => {
  expect(groupTimeMs(streams.map(([isAtEnd, newestMs]) => ({ isAtEnd, newestMs })))).toBe(want)
})

test('files of error lines are read past the end of the access lines that come next', () => {
  const accessFile = { content: 'access' as const, newestMs: 10 }
  const errorFile = { content: 'errors' as const, newestMs: 15 }
  expect(pickNext([accessFile, errorFile], () => 20)).toBe(errorFile)
  expect(pickNext([accessFile, errorFile], () => 14)).toBe(accessFile)
})

test.each([
  ['the default', access(7), 7],
  ['JSON, ISO 8601', '{"time": "2026-11-21T10:00:01+00:00"}\n{"time":"2026-11-21T10:00:07+00:00","uri":"/"}\n', 7],
  ['JSON, the local time', '{"host":"a","time_local":"21/Nov/2026:11:00:07 +0100"}\n', 7],
  ['JSON, seconds with milliseconds', `{"msec":"${Date.UTC(2026, 10, 21, 10, 0, 7) / 1_000}.000"}\n`, 7],
  ['JSON, the same as a number', `{"msec":${Date.UTC(2026, 10, 21, 10, 0, 7) / 1_000}.000,"a":1}\n`, 7],
  ['JSON that is cut', '{"time":"2026-11-21T10:00:07Z","uri":"/"}\n{"time":"2026-11-21T10:0', 7],
  ['JSON, a client that sends a time', '{"t":"2026-11-21T10:00:07Z","agent":"2036-11-21T10:00:07Z"}', 7],
  ['no time', '{"uri":"/"}\n', NaN]
])('the time of the last access line: %s', (_name, text, second) => {
  expect(lastAccessTime(Buffer.from(text))).toBe(Date.UTC(2026, 10, 21, 10) + second * 1_000)
})

describe('groups', () => {
  function groups(run: ReadingRun): Record<string, string | null> {
    return Object.fromEntries([...run.streams.values()].map(({ stream }) => [stream.name, stream.group]))
  }

  test('access and error logs share one, a mixed file has none, also over a restart', async () => {
    const errors = join(folder.path, 'error.log')
    const mixed = join(folder.path, 'mixed.log')
    writeFileSync(log, access(1))
    writeFileSync(errors, error(1))
    writeFileSync(mixed, error(1) + access(1))
    const run = follow(join(folder.path, '*.log'))
    await run.settle()
    expect(groups(run)).toEqual({ [log]: GROUP, [errors]: GROUP, [mixed]: null })
    // One line alone would make it an access log.
    appendFileSync(mixed, access(2))
    const again = follow(join(folder.path, '*.log'), run.states())
    await again.settle()
    expect(groups(again)).toEqual({ [mixed]: null })
  })

  test('error lines come before the access lines of their time', async () => {
    writeFileSync(log, Array.from({ length: 30 }, (_, i) => access(i)).join(''))
    writeFileSync(join(folder.path, 'error.log'), error(5) + error(20))
    const run = follow(join(folder.path, '*.log'))
    await run.settle()
    const order = run.events.flatMap(event => (event.kind === 'chunk' ? [event.stream.name] : []))
    expect(order).toEqual([join(folder.path, 'error.log'), log])
  })
})

test('a large file does not keep others waiting until it is read', async () => {
  writeFileSync(log, 'x'.repeat(99).concat('\n').repeat(50_000))
  writeFileSync(join(folder.path, 'small.log'), 'small\n')
  const run = follow(join(folder.path, '*.log'))
  await run.settle()
  const names = run.events.flatMap(event => (event.kind === 'chunk' ? [event.stream.name] : []))
  expect(names.length).toBeGreaterThan(10)
  expect(names.indexOf(join(folder.path, 'small.log'))).toBeLessThan(5)
})

test.each([
  ['*.log', ['a.log', 'b1.log']],
  ['?.log', ['a.log']],
  ['{a,c}*', ['a.log', 'c.txt']],
  ['b[0-9].log', ['b1.log']],
  ['[!b]*.log', ['a.log']],
  ['*/*.log', ['in/d.log']],
  ['a.log', ['a.log']],
  ['[z-a]*', ['[z-a]*']],
  ['none/*', []]
])('the pattern %s', (pattern, want) => {
  for (const name of ['a.log', 'b1.log', 'c.txt', '.hidden.log', '[z-a]*']) writeFileSync(join(folder.path, name), '')
  mkdirSync(join(folder.path, 'in'))
  writeFileSync(join(folder.path, 'in', 'd.log'), '')
  const found = expandGlob(join(folder.path, pattern), () => {})
  expect(found.map(path => path.slice(folder.path.length + 1))).toEqual(want)
})

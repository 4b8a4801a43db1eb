/** How far record time has come, over streams that lag, fall silent, or lie. */
import { describe, expect, test } from 'vitest'
import { GRACE_MS, type Pace, recordClock } from '../src/alertClock.ts'
import { Engine } from '../src/engine.ts'
import { Intake } from '../src/intake.ts'
import { defaultConfig } from '../src/optionTable.ts'
import { ReadTime } from '../src/readTime.ts'
import type { SourceStream } from '../src/source/source.ts'
import { accessLine, at, cri } from './support/lines.ts'

const T = at('10:00:00')
const HOUR_MS = 3_600_000

describe('the clock', () => {
  test.each([
    // name                                   read to            wall   pace      want
    ['every stream at its end: wall time', Number.POSITIVE_INFINITY, T, 'live', T - GRACE_MS],
    ['one lags: as far as it was read', T - 300_000, T, 'live', T - 300_000 - GRACE_MS],
    ['lines from the future: wall time', T + HOUR_MS, T, 'live', T - GRACE_MS],
    ['nothing was read of a stream', Number.NEGATIVE_INFINITY, T, 'live', null],
    ['a saved log in a pipe', T - HOUR_MS, T, 'recent', null],
    ['a pipe that has come to the present', T - 60_000, T, 'recent', T - 60_000 - GRACE_MS],
    ['a pipe that is silent', Number.POSITIVE_INFINITY, T, 'recent', T - GRACE_MS],
    ['what has an end is judged then', Number.POSITIVE_INFINITY, T, 'end', null]
  ] satisfies [string, number, number, Pace, number | null][])('%s', (_name, readToMs, nowMs, pace, want) => {
    expect(recordClock(readToMs, nowMs, pace)).toBe(want)
  })
})

describe('the time of a stream', () => {
  test('is that of its newest line: one that comes late does not set it back', () => {
    const time = new ReadTime()
    expect(time.atMs(T)).toBe(Number.NEGATIVE_INFINITY)
    time.read(T - 5_000)
    expect(time.atMs(T)).toBe(T - 5_000)
    time.read(T - 60_000)
    expect(time.atMs(T)).toBe(T - 5_000)
  })

  test('a line from the future says nothing; the next one that makes sense does', () => {
    const time = new ReadTime()
    time.read(T - 600_000)
    time.atMs(T)
    time.read(T + HOUR_MS)
    expect(time.atMs(T)).toBe(T - 600_000)
    time.read(T - 599_000)
    expect(time.atMs(T)).toBe(T - 599_000)
  })

  test('when all lines are from the future they hold nobody back', () => {
    const time = new ReadTime()
    time.read(T)
    time.atMs(T)
    for (let second = 1; second <= 10; second++) {
      time.read(T + HOUR_MS + second * 1_000)
      time.atMs(T + second * 1_000)
    }
    expect(time.atMs(T + 11_000)).toBe(Number.POSITIVE_INFINITY)
    // A process that looks and finds nothing new learns nothing new.
    expect(time.atMs(T + 12_000)).toBe(Number.POSITIVE_INFINITY)
    time.read(T + 12_000)
    expect(time.atMs(T + 12_000)).toBe(T + 12_000)
  })

  test('lines without a time hold nobody back', () => {
    const time = new ReadTime()
    time.read(Number.NEGATIVE_INFINITY)
    expect(time.atMs(T)).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('all streams', () => {
  function stream(pod: string): SourceStream & { isAtEnd: boolean } {
    return {
      id: pod,
      name: `/var/log/containers/${pod}_ingress-nginx_controller-${'0123456789abcdef'.repeat(4)}.log`,
      group: null,
      modifiedMs: null,
      head: Buffer.alloc(0),
      resume: null,
      isAtEnd: false,
      newestMs: Number.NEGATIVE_INFINITY,
      place: () => ({})
    }
  }
  const line = (ms: number): Buffer =>
    Buffer.from(`${cri(ms, 'stdout', accessLine({ timeMs: ms, status: 200, up: '10.0.0.7:80|5|0.001|200' }))}\n`)
  function intake(): Intake {
    const everything = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY, isWantedName: null }
    const engine = new Engine(
      { join: defaultConfig().join, timeZone: 'UTC', logFormat: null, ...everything, withMinutes: true },
      { failure() {}, alone() {}, controller() {}, stream() {}, reject() {} }
    )
    return new Intake(engine)
  }

  test('are as far as the slowest that has more to read; an idle one and an ended one hold nobody back', () => {
    const way = intake()
    const [slow, quick, ended] = [stream('slow'), stream('quick'), stream('ended')]
    expect(way.readToMs(T)).toBe(Number.POSITIVE_INFINITY)
    way.push(quick, line(T - 1_000))
    way.push(slow, line(T - 300_000))
    way.push(ended, line(T - 900_000))
    way.end(ended)
    expect(way.readToMs(T)).toBe(T - 300_000)
    slow.isAtEnd = true
    expect(way.readToMs(T)).toBe(T - 1_000)
    quick.isAtEnd = true
    expect(way.readToMs(T)).toBe(Number.POSITIVE_INFINITY)
  })

  test('a line an hour ahead, the last of its chunk or not, does not hide that its stream lags', () => {
    const way = intake()
    const slow = stream('slow')
    way.push(slow, line(T - 300_000))
    expect(way.readToMs(T)).toBe(T - 300_000)
    way.push(slow, Buffer.concat([line(T + HOUR_MS), line(T - 299_000)]))
    expect(way.readToMs(T)).toBe(T - 299_000)
    way.push(slow, line(T + HOUR_MS))
    expect(way.readToMs(T)).toBe(T - 299_000)
  })
})

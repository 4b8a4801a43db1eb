import { describe, expect, test } from 'vitest'
import { type ShippedLine, ShipperRuns } from '../../src/source/shipperRuns.ts'

const PATH = '/var/log/containers/a_ingress-nginx_controller-1.log'
const START_MS = Date.UTC(2026, 10, 21, 10)
const MINUTE_MS = 60_000

/** A line of 100 bytes that begins at `offset`, `ms` after the start. */
function line(offset: number, ms: number, change: Partial<ShippedLine> = {}): ShippedLine {
  return { path: PATH, offset, timeMs: START_MS + ms, bytes: 100, ...change }
}

/** What the runs say to each line, in order. */
function tell(runs: ShipperRuns, ...lines: ShippedLine[]): boolean[] {
  return lines.map(each => runs.isResend(each))
}

function restarted(runs: ShipperRuns): ShipperRuns {
  return new ShipperRuns(JSON.parse(JSON.stringify(runs)))
}

/** Moves the record time of the partition on, by a line of another file. */
function later(runs: ShipperRuns, ms: number): ShipperRuns {
  runs.isResend(line(0, ms, { path: '/var/log/later.log' }))
  return runs
}

function bytesOf(runs: ShipperRuns): (number | null)[] {
  return runs.takeGaps(0).map(gap => gap.bytes)
}

describe('resends', () => {
  test('lines in order are new, all of them again are resends, what follows is new', () => {
    const runs = new ShipperRuns(null)
    expect(tell(runs, line(0, 0), line(100, 1), line(200, 1))).toEqual([false, false, false])
    expect(tell(runs, line(0, 0), line(100, 1), line(200, 1), line(300, 2))).toEqual([true, true, true, false])
    expect(runs.resends).toBe(3)
  })

  test('a file that is met in its middle', () => {
    const runs = new ShipperRuns(null)
    tell(runs, line(5_000, 0), line(5_100, 1))
    expect(tell(runs, line(4_900, -1), line(5_000, 0), line(5_100, 1))).toEqual([false, true, true])
  })

  test('the same offset at a later time is another generation, and both are known', () => {
    const runs = new ShipperRuns(null)
    tell(runs, line(0, 0), line(100, 10), line(200, 20))
    expect(tell(runs, line(0, 1_000), line(100, 1_010), line(200, 1_020))).toEqual([false, false, false])
    expect(tell(runs, line(100, 10), line(100, 1_010), line(100, 500))).toEqual([true, true, false])
  })

  test('the first line of a run at a time within the run is another generation', () => {
    const runs = new ShipperRuns(null)
    tell(runs, line(0, 0), line(100, 50), line(200, 99), line(300, 150))
    expect(tell(runs, line(0, 120))).toEqual([false])
  })

  test('the last line of a run at another time within the run is another line', () => {
    const runs = new ShipperRuns(null)
    tell(runs, line(0, 0), line(100, 10), line(200, 20))
    expect(tell(runs, line(200, 15), line(200, 20))).toEqual([false, true])
  })

  test('a late chunk that fills a hole is new, and known from then on', () => {
    const runs = new ShipperRuns(null)
    tell(runs, line(0, 0), line(300, 30), line(400, 40))
    expect(tell(runs, line(100, 10), line(200, 20))).toEqual([false, false])
    const all = [line(0, 0), line(100, 10), line(200, 20), line(300, 30), line(400, 40)]
    expect(tell(runs, ...all)).toEqual(all.map(() => true))
  })

  test('several holes stay open, and are filled in any order', () => {
    const runs = new ShipperRuns(null)
    const starts = [0, 600, 300, 900, 100, 700, 200, 800, 500, 400]
    for (const start of starts) expect(tell(runs, line(start, start / 10)), `${start}`).toEqual([false])
    for (const start of starts) expect(tell(runs, line(start, start / 10)), `${start}`).toEqual([true])
    expect(runs.toJSON()).toMatchObject({ files: [[expect.any(String), [0, 900, 1_000, START_MS, START_MS + 90]]] })
  })

  test('what lies behind a line of unknown length is never taken for known', () => {
    const runs = new ShipperRuns(null)
    // 100 is put together from pieces, and the chunk with 40,000 and 40,100 comes late.
    tell(runs, line(0, 0), line(100, 1, { bytes: null }), line(40_200, 4))
    expect(tell(runs, line(40_000, 2), line(40_100, 3))).toEqual([false, false])
    expect(tell(runs, line(100, 1), line(40_000, 2), line(40_200, 4))).toEqual([true, true, true])
  })

  test('a length that replaced bytes made too long hides no line', () => {
    const runs = new ShipperRuns(null)
    // In the file it has 80 bytes, and 80 and 160 are late.
    tell(runs, line(0, 0, { bytes: 100 }), line(240, 3))
    expect(tell(runs, line(80, 1, { bytes: 80 }), line(160, 2, { bytes: 80 }))).toEqual([false, false])
    expect(tell(runs, line(80, 1), line(160, 2))).toEqual([true, true])
  })

  test('a dropped carriage return breaks no run', () => {
    const runs = new ShipperRuns(null)
    tell(runs, ...[0, 1, 2, 3].map(i => line(i * 101, i)))
    expect(JSON.stringify(runs).match(/\[\d+,/g)).toHaveLength(1)
  })

  test('the next generation goes on at the very offset where the last one ended, its beginning is late', () => {
    const runs = new ShipperRuns(null)
    tell(runs, line(100, 100), line(200, 200), line(300, 1_000), line(400, 1_100))
    expect(tell(runs, line(200, 900), line(100, 800), line(0, 700))).toEqual([false, false, false])
    expect(tell(runs, line(200, 200), line(200, 900), line(300, 1_000))).toEqual([true, true, true])
  })

  test('pauses of a quiet file do not use up its memory', () => {
    const runs = new ShipperRuns(null)
    const lines = Array.from({ length: 1_000 }, (_, i) => line(i * 100, i * 10_000))
    expect(tell(runs, ...lines)).toEqual(lines.map(() => false))
    expect(tell(runs, ...lines)).toEqual(lines.map(() => true))
  })

  test('of five places where runs touch after a silence, they are joined at the shortest', () => {
    const runs = new ShipperRuns(null)
    tell(runs, ...[0, 1_000, 1_500, 3_000, 4_500, 6_000].map((ms, i) => line(i === 0 ? 0 : (i + 1) * 100, ms)))
    // It continues the first run, and touches the second.
    tell(runs, line(100, 10))
    const starts = (runs.toJSON() as { files: [string, ...number[][]][] }).files[0]!.slice(1).map(run =>
      run.slice(0, 2)
    )
    expect(starts).toEqual([
      [0, 100],
      [200, 300],
      [400, 400],
      [500, 500],
      [600, 600]
    ])
  })

  test('two streams whose stamps swapped places are one run', () => {
    const runs = new ShipperRuns(null)
    tell(runs, line(0, 0), line(100, 2), line(200, 1.5), line(300, 3))
    expect(tell(runs, line(0, 0), line(100, 2), line(200, 1.5), line(300, 3))).toEqual([true, true, true, true])
  })

  test('files are kept apart', () => {
    const runs = new ShipperRuns(null)
    expect(tell(runs, line(0, 0), line(0, 0, { path: '/b' }), line(0, 0, { path: '/b' }))).toEqual([false, false, true])
  })

  test.each([
    ['no time', line(0, NaN)],
    ['a time that no calendar has', line(0, 1e17)],
    ['no offset', line(NaN, 0)],
    ['a negative offset', line(-1, 0)],
    ['half an offset', line(0.5, 0)]
  ])('%s: never a resend, and nothing is kept', (_, odd) => {
    const runs = new ShipperRuns(null)
    expect(tell(runs, odd, odd)).toEqual([false, false])
    expect(runs.toJSON()).toEqual({ v: 1, files: [] })
  })

  test.each([0, -5, NaN])('a length of %s is an unknown one', bytes => {
    const runs = new ShipperRuns(null)
    expect(tell(runs, line(0, 0, { bytes }), line(0, 0), line(100, 1))).toEqual([false, true, false])
    expect(restarted(runs).isResend(line(100, 1))).toBe(true)
  })
})

describe('gaps', () => {
  test('a hole is told once, when it is ten minutes old, also over a restart', () => {
    const runs = new ShipperRuns(null)
    tell(runs, line(0, 0), line(1_300, 5_000))
    expect(later(runs, 10 * MINUTE_MS).takeGaps(0)).toEqual([])
    expect(later(runs, 11 * MINUTE_MS).takeGaps(1_234)).toEqual([
      {
        name: PATH,
        atMs: 1_234,
        bytes: 1_200,
        reason: 'shipper',
        text: `1,200 bytes of ${PATH}, written between 2026-11-21T10:00:00.000Z and 2026-11-21T10:00:05.000Z, have not come from the shipper`
      }
    ])
    expect(runs.takeGaps(0)).toEqual([])
    expect(later(restarted(runs), 60 * MINUTE_MS).takeGaps(0)).toEqual([])
  })

  test('what was told and comes in part after all is not told again', () => {
    const runs = new ShipperRuns(null)
    tell(runs, line(0, 0), line(1_000, 5_000))
    expect(bytesOf(later(runs, 11 * MINUTE_MS))).toEqual([900])
    expect(tell(runs, line(500, 2_000))).toEqual([false])
    expect(bytesOf(later(runs, 22 * MINUTE_MS))).toEqual([])
  })

  test('a hole that is filled in time is none', () => {
    const runs = new ShipperRuns(null)
    tell(runs, line(0, 0), line(300, 30), line(100, 10), line(200, 20))
    expect(bytesOf(later(runs, 11 * MINUTE_MS))).toEqual([])
  })

  test.each([
    ['behind a line of unknown length', [line(0, 0, { bytes: null }), line(1_000, 10)], []],
    ['too small for a line', [line(0, 0), line(130, 10)], []],
    ['as small as a line', [line(0, 0), line(131, 10)], [31]],
    ['before the first line that is known', [line(1_000, 0)], []],
    ['at the beginning of the next generation', [line(1_000, 0), line(400, 5_000)], [400]],
    ['none: the next generation from its beginning', [line(1_000, 0), line(0, 5_000)], []],
    ['none: stamps that went back a little', [line(1_000, 0), line(400, 5)], []],
    ['two', [line(0, 0), line(200, 10), line(400, 20)], [100, 100]]
  ])('%s', (_, lines, want) => {
    const runs = new ShipperRuns(null)
    tell(runs, ...lines)
    expect(bytesOf(later(runs, 11 * MINUTE_MS))).toEqual(want)
  })

  test('a hole in a file of an earlier process waits for its name, and then for no more', () => {
    const runs = new ShipperRuns(null)
    tell(runs, line(0, 0), line(1_000, 10))
    const named = later(restarted(runs), 11 * MINUTE_MS)
    expect(named.takeGaps(0)).toEqual([])
    named.isResend(line(1_100, 11 * MINUTE_MS))
    expect(named.takeGaps(0)).toMatchObject([{ name: PATH, bytes: 900 }])
    expect(later(restarted(runs), 21 * MINUTE_MS).takeGaps(0)).toMatchObject([{ name: 'a log file', bytes: 900 }])
  })

  test('names of files are harmless in the text', () => {
    const runs = new ShipperRuns(null)
    tell(runs, line(0, 0, { path: '/a\u001b[2J' }), line(1_000, 10, { path: '/a\u001b[2J' }))
    expect(later(runs, 11 * MINUTE_MS).takeGaps(0)[0]!.text).toContain('/a\\x1B[2J')
  })
})

describe('state', () => {
  test('is known to the next process', () => {
    const runs = new ShipperRuns(null)
    const lines = [line(0, 0.123), line(100, 1.456), line(400, 4.001, { bytes: null }), line(700, 7)]
    tell(runs, ...lines)
    const next = restarted(runs)
    expect(JSON.stringify(next)).toBe(JSON.stringify(runs))
    expect(tell(next, ...lines, line(800, 8))).toEqual([true, true, true, true, false])
    expect(next.resends).toBe(4)
  })

  test('tells the paths to nobody', () => {
    const runs = new ShipperRuns(null)
    tell(runs, line(0, 0))
    expect(JSON.stringify(runs)).not.toContain('controller')
  })

  const good = [0, 100, 200, START_MS, START_MS]
  test.each([
    ['nothing', null],
    ['text', 'x'],
    ['another version', { v: 2, files: [['a', good]] }],
    ['no files', { v: 1 }],
    ['files that are none', { v: 1, files: [1] }],
    ['a hash that is none', { v: 1, files: [[1, good]] }],
    ['runs that are none', { v: 1, files: [['a', good, 7]] }],
    ['a run cut short', { v: 1, files: [['a', good, [0, 100]]] }],
    ['a run that ends before it begins', { v: 1, files: [['a', [200, 100, 300, 0, 0]]] }],
    ['an expected end within', { v: 1, files: [['a', [0, 100, 100, 0, 0]]] }],
    ['a negative offset', { v: 1, files: [['a', [-1, 100, 200, 0, 0]]] }],
    ['a time that is none', { v: 1, files: [['a', [0, 100, 200, '0', 0]]] }]
  ])('%s is as good as none', (_, state) => {
    expect(new ShipperRuns(state).toJSON()).toEqual({ v: 1, files: [] })
  })

  test('stays below 64 KB; what was used last is known', () => {
    const runs = new ShipperRuns(null)
    const at = (file: number, i: number) => line(200_000_000 + i * 1_000, i * 250.123, { path: `/${file}` })
    for (let i = 0; i < 70; i++) for (let file = 0; file < 600; file++) runs.isResend(at(file, i))
    const state = JSON.stringify(runs)
    expect(state.length).toBeLessThan(64 * 1_024)
    expect(state.length).toBeGreaterThan(40 * 1_024)
    expect(tell(restarted(runs), at(599, 69), at(88, 69), at(87, 69))).toEqual([true, true, false])
  })

  test('a file full of holes forgets its oldest run first, and tells the hole behind it', () => {
    const runs = new ShipperRuns(null)
    const lines = Array.from({ length: 70 }, (_, i) => line(i * 1_000, i))
    tell(runs, ...lines)
    expect(bytesOf(runs)).toEqual(Array.from({ length: 6 }, () => 900))
    expect(tell(restarted(runs), lines[6]!, lines[69]!, lines[5]!)).toEqual([true, true, false])
  })

  test('a file that is forgotten tells its holes', () => {
    const runs = new ShipperRuns(null)
    tell(runs, line(0, 0), line(1_000, 10))
    for (let i = 0; i < 512; i++) runs.isResend(line(0, 20, { path: `/${i}` }))
    expect(runs.takeGaps(0)).toMatchObject([{ name: PATH, bytes: 900 }])
  })
})

test('stamps of two pipes that cross: all of it again are resends, also after a restart, and there is no hole', () => {
  const lines = [line(0, 2), line(100, 1), line(200, 3), line(300, 2.5), line(400, 2.6)]
  const runs = new ShipperRuns(null)
  expect(tell(runs, ...lines)).toEqual([false, false, false, false, false])
  expect(tell(runs, ...lines)).toEqual([true, true, true, true, true])
  expect(tell(restarted(runs), ...lines)).toEqual([true, true, true, true, true])
  expect(bytesOf(later(runs, 30 * MINUTE_MS))).toEqual([])
})

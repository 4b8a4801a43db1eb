/** The line at the bottom of the terminal: what it says, that it fits, and that log lines stay whole. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { causeTable } from '../../parsers/causes.ts'
import { StatusLine, statusText, type Terminal } from '../../src/cli/statusLine.ts'
import { Counters } from '../../src/counters.ts'
import { filledCounters } from '../support/filledCounters.ts'

const CLEAR = '\r\u001b[K'

class Screen implements Terminal {
  isTTY = true
  columns = 200
  readonly writes: string[] = []
  write(text: string): void {
    this.writes.push(text)
  }
  /** What stands on the terminal: whole lines, and the last one without its end. */
  get shown(): string[] {
    const lines = this.writes.join('').split('\n')
    return lines.map(line => line.split(CLEAR).at(-1)!)
  }
}

function busy(): Counters {
  const counters = new Counters(0)
  counters.streams = 3
  counters.countRequests('shop-cart-80', 5_400)
  const { category, slo } = causeTable.connection_refused
  const refused = { cause: 'connection_refused', category, slo } as const
  for (let i = 0; i < 31; i++) counters.countFailure({ upstream: 'shop-cart-80', ...refused, status: '502' })
  for (let i = 0; i < 7; i++) counters.countFailure({ upstream: 'pay-api-80', ...refused, status: '502' })
  counters.linesHeld = 4
  counters.written.documents = 1_204
  counters.newestMs = 1_000
  return counters
}

describe('the text', () => {
  test('of a run that works', () => {
    expect(statusText(busy(), 'files', 12_345, 1_400)).toBe(
      '3 files  12,345 lines/s  lag 0 s  failed 38 (0.70 %)  connection_refused shop-cart-80 31  held 4  stored 1,204'
    )
  })

  test('of one that has just started, from a pipe', () => {
    expect(statusText(new Counters(0), 'stdin', 0, 0)).toBe('stdin  0 lines/s  lag 0 s  failed 0  held 0  stored 0')
  })

  test('of one that is in trouble: that comes first', () => {
    const counters = busy()
    counters.pausedBecause = 'no space left \u001b[31m(ENOSPC)'
    counters.gaps = 1
    counters.lines.reject = 2
    expect(statusText(counters, 'files', 0, 3_601_000)).toMatch(
      /^PAUSED: no space left \\x1B\[31m\(ENOSPC\) {2}3 files {2}0 lines\/s {2}lag 60 min .* stored 1,204 {2}1 gap {2}2 rejects$/
    )
  })

  test('shows no character of a name that moves the cursor or is not one column wide', () => {
    const counters = new Counters(0)
    const { category, slo } = causeTable.read_timeout
    counters.countFailure({ upstream: '\u001b[2J\u6f22\u202e\n', cause: 'read_timeout', category, slo, status: '504' })
    expect(statusText(counters, 'files', 0, 0)).toContain('read_timeout \\x1B[2J?\\u{202E}\\x0A 1')
    expect(statusText(filledCounters(0), 'files', 0, 0)).toMatch(/^[ -~]+$/)
  })
})

describe('on a terminal', () => {
  let nowMs = 0
  beforeEach(() => {
    nowMs = 0
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const pass = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 50) {
      nowMs += 50
      vi.advanceTimersByTime(50)
    }
  }

  test('four times a second, cut to the width, which may change', () => {
    const screen = new Screen()
    screen.columns = 40
    const line = new StatusLine(busy(), { kind: 'files', terminal: screen, nowMs: () => nowMs })
    line.start()
    pass(1_000)
    expect(screen.writes).toHaveLength(5)
    expect(screen.shown).toEqual([expect.stringMatching(/^3 files {2}0 lines\/s.+…$/)])
    expect(screen.shown[0]).toHaveLength(39)
    screen.columns = 20
    pass(250)
    expect(screen.shown[0]).toHaveLength(19)
    line.stop()
    expect(screen.shown).toEqual([''])
    pass(1_000)
    expect(screen.shown).toEqual([''])
  })

  test('the speed is that of the last two seconds', () => {
    const screen = new Screen()
    const counters = busy()
    const line = new StatusLine(counters, { kind: 'files', terminal: screen, nowMs: () => nowMs })
    line.start()
    for (let i = 0; i < 20; i++) {
      counters.lines.access += 250
      pass(250)
    }
    expect(screen.shown[0]).toContain('  1,000 lines/s  ')
    pass(3_000)
    expect(screen.shown[0]).toContain('  0 lines/s  ')
    line.stop()
  })

  test('log lines stand whole above it', () => {
    const screen = new Screen()
    const line = new StatusLine(busy(), { kind: 'files', terminal: screen, nowMs: () => nowMs })
    line.write('before it is shown\n')
    line.start()
    line.write('[10:00] INFO: one\n')
    pass(250)
    line.write('[10:01] ERROR: two\n    at a\n    at b\n')
    expect(screen.shown.slice(0, -1)).toEqual([
      'before it is shown',
      '[10:00] INFO: one',
      '[10:01] ERROR: two',
      '    at a',
      '    at b'
    ])
    expect(screen.shown.at(-1)).toMatch(/^3 files /)
    line.stop()
    line.write('after\n')
    expect(screen.shown.slice(-2)).toEqual(['after', ''])
  })

  test('no terminal: log lines alone', () => {
    const screen = new Screen()
    screen.isTTY = false
    const line = new StatusLine(busy(), { kind: 'files', terminal: screen, nowMs: () => nowMs })
    line.start()
    pass(1_000)
    line.write('{"msg":"x"}\n')
    line.stop()
    expect(screen.writes).toEqual(['{"msg":"x"}\n'])
  })
})

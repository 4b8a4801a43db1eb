import { describe, expect, test } from 'vitest'
import { Baseline } from '../../src/alert/baseline.ts'
import { MinuteRing } from '../../src/alert/minuteRing.ts'
import { Windows } from '../../src/alert/windows.ts'
import { Watched } from './watched.ts'

/** Windows of minutes that are all alike. */
function alike(requests: number, failures: number): Windows {
  const windows = new Windows()
  ;[1, 5, 15].forEach((minutes, i) => {
    windows.minutes[i] = minutes
    windows.requests[i] = minutes * requests
    windows.failures[i] = minutes * failures
  })
  return windows
}

function fed(...parts: [minutes: number, requests: number, failures: number][]): Baseline {
  const baseline = new Baseline()
  for (const [minutes, requests, failures] of parts)
    for (let i = 0; i < minutes; i += 1) baseline.feed(alike(requests, failures))
  return baseline
}

describe('rate', () => {
  test.each([
    // What is left of a day before, by half-lives of 3 h and 24 h, and of the three hours behind it.
    ['failures that ceased count for a day', 10, 0, 24],
    ['failures that began count for three hours', 0, 10, 3]
  ])('%s', (_name, before, lately, halfLifeHours) => {
    const baseline = fed([1440, 1000, before], [180, 1000, lately])
    const kept = 2 ** (-1 / (halfLifeHours * 60))
    let failures = 0
    let requests = 0
    for (let minute = 0; minute < 1620; minute += 1) {
      // The cap lets five of the ten pass at first, which a series of zeros has to learn.
      failures = failures * kept + (minute < 1440 ? before : lately)
      requests = requests * kept + 1000
    }
    const rate = (failures + 1) / (requests + 1000)
    const expected = baseline.expected(alike(1000, 0), 0)
    if (before > 0) expect(expected).toBeCloseTo(rate * 1000, 9)
    else expect(expected / (rate * 1000)).toBeGreaterThan(0.8)
    expect(baseline.expected(alike(1000, 0), 2)).toBeCloseTo(15 * expected, 9)
  })

  test('of nothing it is one in a thousand', () => {
    expect(new Baseline().expected(alike(500, 0), 0)).toBeCloseTo(0.5, 12)
  })
})

describe('idle', () => {
  test('many silent minutes at once are the same as one by one', () => {
    const parts: [number, number, number][] = [
      [300, 100, 2],
      [30, 100, 7]
    ]
    const atOnce = fed(...parts)
    atOnce.idle(5000)
    const each = fed(...parts, [5000, 0, 0])
    expect(atOnce.fed).toBe(each.fed)
    for (const i of [0, 1, 2]) {
      expect(atOnce.expected(alike(100, 0), i)).toBeCloseTo(each.expected(alike(100, 0), i), 9)
      expect(atOnce.spread(i)).toBeCloseTo(each.spread(i), 9)
    }
  })
})

describe('windows', () => {
  test('end with a minute and do not reach back past the first', () => {
    const failures = new MinuteRing(64)
    const requests = new MinuteRing(64)
    for (let minute = 100; minute < 120; minute += 1) {
      failures.add(minute, minute - 99)
      requests.add(minute, 10)
    }
    const windows = new Windows()
    windows.fill(failures, requests, 112, 119)
    expect([...windows.failures]).toEqual([20, 20 + 19 + 18 + 17 + 16, (8 * (13 + 20)) / 2])
    expect([...windows.requests]).toEqual([10, 50, 80])
    expect([...windows.minutes]).toEqual([1, 5, 8])
  })

  test('of the spread leave out what was an incident', () => {
    const watched = new Watched().pass(300, 1000, 1).pass(15, 1000, 60).pass(60, 1000, 1).pass(1, 1000, 60)
    expect(watched.last.kind).toBe('fired')
    // Steady before and after: nothing is spread.
    expect(watched.last.windows.map(({ spread }) => Number(spread.toFixed(2)))).toEqual([1, 1, 1])
  })
})

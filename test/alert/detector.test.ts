import { describe, expect, test } from 'vitest'
import { SpikeDetector } from '../../src/alert/detector.ts'
import { CAUSE, SERVICE, Watched } from './watched.ts'

describe('what fires', () => {
  test('a burst of a cause that was never seen, in the minute it comes, and its windows say how improbable it is', () => {
    const watched = new Watched().pass(200, 100, 0).pass(1, 100, 12)
    expect(watched.told).toEqual(['fired 1200'])
    const [window] = watched.last.windows
    expect(window).toMatchObject({ minutes: 1, failures: 12, requests: 100, spread: 1 })
    expect(window!.pValue).toBeLessThan(1e-20)
    expect(watched.last).toMatchObject({ startMinute: 1200, failures: 12, requests: 100, because: null })
  })

  test('four failures of a service that never had one do not, five do', () => {
    expect(new Watched().pass(200, 10, 0).pass(1, 10, 4).pass(20, 10, 0).told).toEqual([])
    expect(new Watched().pass(200, 10, 0).pass(1, 10, 6).told).toEqual(['fired 1200'])
  })

  test('a slow rise, by the longer windows; it started with the first failure in the window', () => {
    const watched = new Watched().pass(300, 50, 0).pass(5, 50, 1).pass(20, 50, 1)
    expect(watched.told[0]).toBe('fired 1305')
    expect(watched.findings[0]!.startMinute).toBe(1300)
  })

  test('less than twice what is expected does not, however improbable', () => {
    expect(new Watched().pass(400, 10_000, 1000).pass(30, 10_000, 1900).told).toEqual([])
    expect(new Watched().pass(400, 10_000, 1000).pass(30, 10_000, 2100).told[0]).toBe('fired 1400')
  })

  test('the sensitive profile is content with less', () => {
    const course = (profile: 'normal' | 'sensitive') =>
      new Watched(1000, { profile }).pass(300, 100, 2).pass(1, 100, 11).told
    expect([course('normal'), course('sensitive')]).toEqual([[], ['fired 1300']])
  })

  test('ten times the traffic with ten times the failures does not', () => {
    expect(new Watched().pass(300, 200, 3).pass(60, 2000, 30).pass(60, 200, 3).told).toEqual([])
  })
})

describe('spread', () => {
  /** A restless series: nothing for two minutes, then three times the mean. */
  const restless = (watched: Watched, minutes: number, requests: number, mean: number) => {
    for (let i = 0; i < minutes; i += 3) watched.pass(2, requests, 0).pass(1, requests, 3 * mean)
    return watched
  }
  const first = (watched: Watched) => watched.last.windows.find(({ minutes }) => minutes === 1)!

  test('a restless series needs more to fire than a steady one', () => {
    const steady = new Watched().pass(300, 1000, 20).pass(1, 1000, 70)
    expect(steady.told).toEqual(['fired 1300'])
    expect(first(steady).spread).toBe(1)
    const watched = restless(new Watched(), 300, 1000, 20).pass(1, 1000, 70)
    expect(watched.told).toEqual([])
    expect(first(watched.pass(1, 1000, 900)).spread).toBeGreaterThan(20)
  })

  test('it grows with the traffic: a surge of a restless series does not fire', () => {
    expect(restless(restless(new Watched(), 300, 1000, 20), 60, 8000, 160).told).toEqual([])
  })
})

describe('warm-up', () => {
  test('no alarm before sixty minutes were fed, fifteen minutes late', () => {
    expect(new Watched().pass(73, 100, 0).pass(1, 100, 50).told).toEqual([])
    expect(new Watched().pass(74, 100, 0).pass(1, 100, 50).told).toEqual(['fired 1074'])
  })

  test('what is there from the beginning is normal', () => {
    expect(new Watched().pass(600, 1000, 100).told).toEqual([])
  })
})

describe('the end', () => {
  test('after five quiet minutes: the window of five minutes must be quiet in each of them', () => {
    const watched = new Watched().pass(200, 100, 0).pass(10, 100, 20).pass(40, 100, 0)
    // The last failures leave the window in minute 1214, which is the first quiet one.
    expect(watched.told).toEqual(['fired 1200', 'resolved 1218'])
    expect(watched.last).toMatchObject({ because: 'quiet', startMinute: 1200 })
  })

  test('there is one finding for every minute from the first to the last', () => {
    const { findings } = new Watched().pass(200, 100, 0).pass(10, 100, 20).pass(40, 100, 0)
    expect(findings.map(({ minute }) => minute)).toEqual(Array.from({ length: 19 }, (_, i) => 1200 + i))
    expect(findings.slice(1, -1).every(({ kind }) => kind === 'firing')).toBe(true)
  })

  test('windows do not reach back past it: few failures after a large incident fire nothing', () => {
    const watched = new Watched().pass(200, 100, 0).pass(10, 100, 20).pass(9, 100, 0).pass(20, 100, 0)
    expect(watched.told).toEqual(['fired 1200', 'resolved 1218'])
    const again = new Watched().pass(200, 100, 0).pass(10, 100, 20).pass(9, 100, 0).pass(1, 100, 9)
    expect(again.told.at(-1)).toBe('fired 1219')
    expect(again.last.windows.map(({ minutes, failures }) => [minutes, failures])).toEqual([
      [1, 9],
      [5, 9],
      [15, 9]
    ])
  })

  test('after twelve hours the level is what is normal: it fires no more, and three times as much does', () => {
    const watched = new Watched().pass(200, 1000, 0).pass(1000, 1000, 100)
    expect(watched.told).toEqual(['fired 1200', 'resolved 1919'])
    expect(watched.last.because).toBe('new_level')
    expect(watched.pass(1, 1000, 300).told.at(-1)).toBe('fired 2200')
  })
})

describe('what is normal', () => {
  test('an incident is not learned: the same again is as improbable', () => {
    const watched = new Watched().pass(300, 1000, 1).pass(120, 1000, 60).pass(60, 1000, 1).pass(1, 1000, 60)
    const fired = watched.findings.filter(({ kind }) => kind === 'fired')
    expect(fired).toHaveLength(2)
    const expected = fired.map(({ windows }) => windows.find(({ minutes }) => minutes === 1)!.expected)
    expect(expected[1]! / expected[0]!).toBeCloseTo(1, 1)
  })

  test('what is too little to fire is learned up to a cap', () => {
    const after = (burst: number) => {
      const watched = new Watched().pass(300, 1000, 10).pass(1, 1000, burst).pass(30, 1000, 10)
      return watched.pass(1, 1000, 100).last.windows.find(({ minutes }) => minutes === 1)!.expected
    }
    // expected + 3 * sqrt(expected) is 19.5.
    expect(after(19)).toBeGreaterThan(after(10) + 0.01)
    expect(after(20)).toBe(after(22))
  })

  test('minutes before the first request do not count, those without a failure do', () => {
    const early = new Watched().pass(300, 0, 0, CAUSE, 'other').pass(73, 100, 0).pass(1, 100, 50)
    expect(early.told).toEqual([])
    expect(early.pass(1, 100, 0).told).toEqual(['fired 1374'])
  })
})

describe('late counts', () => {
  test('up to fifteen minutes they belong to the windows, later they are counted as late', () => {
    const watched = new Watched().pass(200, 100, 0)
    watched.detector.addFailures(SERVICE, CAUSE, watched.minute - 10, 20)
    expect(watched.pass(1, 100, 0).told).toEqual(['fired 1200'])
    expect(watched.last.startMinute).toBe(1190)
    expect(watched.detector.facts.late).toBe(0)
    watched.detector.addFailures(SERVICE, CAUSE, watched.minute - 16, 3)
    watched.detector.addRequests(SERVICE, Number.NaN, 2)
    expect(watched.detector.facts.late).toBe(5)
  })
})

describe('failures without requests', () => {
  test('a steady noise fires nothing once it is known, a burst does', () => {
    const watched = new Watched().pass(900, 0, 4, 'client_tls_failure', '')
    expect(watched.told).toEqual([])
    expect(watched.pass(1, 0, 60, 'client_tls_failure', '').told).toEqual(['fired client_tls_failure 1900'])
  })

  test('nor where a few requests come beside it', () => {
    const watched = new Watched()
    for (let i = 0; i < 900; i += 1) {
      watched.detector.addRequests('', watched.minute, i % 7 === 0 ? 1 : 0)
      watched.detector.addFailures('', 'client_tls_failure', watched.minute, 3 + (i % 3))
      watched.step()
    }
    expect(watched.told).toEqual([])
  })

  test('a noise that begins is told once, and is normal after twelve hours', () => {
    const watched = new Watched().pass(300, 0, 1, 'client_tls_failure', '').pass(2000, 0, 20, 'client_tls_failure', '')
    expect(watched.told).toEqual(['fired client_tls_failure 1300', 'resolved client_tls_failure 2019'])
  })
})

describe('limits', () => {
  test('series beyond the limit are refused and counted', () => {
    const watched = new Watched(1000, { seriesMax: 2 }).pass(1, 10, 1).pass(1, 10, 1, CAUSE, 'second')
    watched.pass(1, 10, 1, 'read_timeout').pass(1, 10, 1, CAUSE, 'third')
    expect(watched.detector.facts).toEqual({ services: 2, series: 2, dropped: 12, late: 0 })
  })

  test('series that say nothing any more are given up, services that nobody asks are forgotten', () => {
    const watched = new Watched().pass(2, 10, 1).pass(16_000, 10, 0)
    expect(watched.detector.facts).toMatchObject({ services: 1, series: 0 })
    expect(watched.step(9 * 1440).detector.facts).toMatchObject({ services: 0, series: 0 })
  })

  test('a jump of fifty years takes no time', () => {
    const watched = new Watched().pass(200, 100, 1).step(26_000_000)
    expect(watched.minute).toBe(26_001_200)
    expect(watched.told).toEqual([])
  })

  test('a minute that is none is refused', () => {
    expect(() => new SpikeDetector({ profile: 'normal' }).advance(Number.NaN)).toThrow(RangeError)
  })
})

import { describe, expect, test } from 'vitest'
import { CAUSE, SERVICE, Watched } from './watched.ts'

describe('an incident of an earlier process', () => {
  test('goes on without its history, and ends when its failures do', () => {
    const watched = new Watched()
    watched.detector.adopt(SERVICE, CAUSE, 900)
    watched.pass(3, 100, 50)
    expect(watched.findings.map(({ kind, startMinute }) => [kind, startMinute])).toEqual([
      ['firing', 900],
      ['firing', 900],
      ['firing', 900]
    ])
    expect(watched.pass(20, 100, 0).told).toEqual(['resolved 1011'])
  })

  test('ends although nothing comes any more', () => {
    const watched = new Watched()
    watched.detector.adopt(SERVICE, CAUSE, 990)
    watched.step().step(20)
    expect(watched.told).toEqual(['resolved 1005'])
  })

  test('waits for its minute where the history is read first, which is learned until then', () => {
    const watched = new Watched()
    watched.detector.adopt(SERVICE, CAUSE, 1300)
    watched.pass(300, 1000, 10).pass(60, 1000, 100)
    expect(watched.told).toEqual([])
    expect(watched.findings[0]).toMatchObject({ kind: 'firing', minute: 1300, startMinute: 1300 })
    expect(watched.last.windows[0]!.expected).toBeCloseTo(10, 0)
    expect(watched.pass(30, 1000, 10).told).toEqual(['resolved 1368'])
  })

  test('is the one that was found again from the history', () => {
    const watched = new Watched().pass(300, 1000, 10).pass(20, 1000, 100)
    watched.detector.adopt(SERVICE, CAUSE, 1298)
    watched.pass(1, 1000, 100)
    expect(watched.told).toEqual(['fired 1300'])
    expect(watched.last).toMatchObject({ kind: 'firing', startMinute: 1298 })
  })

  test('of silence, too', () => {
    const watched = new Watched()
    watched.detector.adopt(SERVICE, 'no_requests', 990)
    watched.step().step(5).pass(3, 100, 0)
    expect(watched.told).toEqual(['resolved no_requests 1008'])
  })
})

describe('no requests', () => {
  test('fires after ten minutes, says how many were to come, and ends with the third minute that has some', () => {
    const watched = new Watched().pass(400, 20, 0).pass(30, 0, 0).pass(5, 20, 0)
    expect(watched.told).toEqual(['fired no_requests 1409', 'resolved no_requests 1432'])
    expect(watched.findings[0]).toMatchObject({
      startMinute: 1400,
      failures: 0,
      requests: 0,
      windows: [],
      requestsExpected: 200
    })
  })

  test.each([
    ['less than six hours', 350, 20, 30],
    ['less than five requests a minute', 600, 4, 30],
    ['nine minutes', 600, 20, 9]
  ])('does not after %s', (_name, minutes, requests, silent) => {
    expect(new Watched().pass(minutes, requests, 0).pass(silent, 0, 0).pass(20, requests, 0).told).toEqual([])
  })

  test('does not when a minute within six hours was empty: a night comes step by step', () => {
    const watched = new Watched().pass(600, 20, 0).pass(1, 0, 0).pass(100, 20, 0).pass(200, 0, 0)
    expect(watched.told).toEqual([])
  })

  test('does not when the requests only come late', () => {
    const watched = new Watched().pass(500, 20, 0).pass(8, 0, 0)
    watched.detector.addRequests(SERVICE, watched.minute - 4, 20)
    expect(watched.pass(5, 0, 0).told).toEqual([])
  })

  test('is what is normal after twelve hours', () => {
    const watched = new Watched().pass(400, 20, 0).pass(2000, 0, 0)
    expect(watched.told).toEqual(['fired no_requests 1409', 'resolved no_requests 2119'])
    expect(watched.last.because).toBe('new_level')
  })
})

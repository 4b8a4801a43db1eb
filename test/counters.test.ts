/** What a run counts is bounded in series and loses nothing. */
import { expect, test } from 'vitest'
import { Counters } from '../src/counters.ts'

const refused = { cause: 'connection_refused', category: 'connect', status: '502', slo: true } as const

test('one series for each upstream, cause and status', () => {
  const counters = new Counters(0)
  counters.countFailure({ upstream: 'a', ...refused })
  counters.countFailure({ upstream: 'a', ...refused })
  counters.countFailure({ upstream: 'a', ...refused, status: '504' })
  expect([...counters.failures.values()].map(({ status, count }) => [status, count])).toEqual([
    ['502', 2],
    ['504', 1]
  ])
})

test('names beyond the limit share series, and every request and failure is counted', () => {
  const counters = new Counters(0)
  for (let i = 0; i < 6_000; i++) {
    counters.countRequests(`upstream-${i}`, 2)
    counters.countFailure({ upstream: `upstream-${i}`, ...refused, status: i % 2 === 0 ? '502' : '504' })
  }
  expect(counters.requests.size).toBe(5_001)
  expect(counters.requests.get('(other upstreams)')).toBe(2_000)
  expect(counters.failures.size).toBe(5_002)
  const counts = [...counters.failures.values()]
  expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(6_000)
  expect(counts.filter(({ upstream }) => upstream === '(other upstreams)').map(({ count }) => count)).toEqual([
    500, 500
  ])
  counters.countRequests('upstream-0', 1)
  expect(counters.requests.get('upstream-0')).toBe(3)
})

test('lag is how far the newest line lies behind, and nothing at the end', () => {
  const counters = new Counters(0)
  expect(counters.lagSeconds(50_000)).toBe(0)
  counters.newestMs = 20_000
  expect(counters.lagSeconds(50_000)).toBe(30)
  expect(counters.lagSeconds(10_000)).toBe(0)
  counters.isAtEnd = true
  expect(counters.lagSeconds(50_000)).toBe(0)
})

/** What is kept is bounded, and the same in whatever order it comes. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addCounts, BoundedMap, FoldedCounts } from '../../src/timeline/bounded.ts'
import { foldClient, foldRoute, routeOf } from '../../src/timeline/route.ts'
import { Series } from '../../src/timeline/series.ts'
import '../support/seed.ts'

const MINUTE_MS = 60_000

/** An order of `items`, and another one. */
function twoOrders<T>(items: fc.Arbitrary<T>): fc.Arbitrary<[T[], T[]]> {
  return fc
    .array(items, { maxLength: 80 })
    .chain(list => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })))
}

describe('Series', () => {
  test('a cell is a minute, then five, then fifteen', () => {
    const series = new Series(3)
    for (const minute of [0, 1, 2]) series.add(minute * MINUTE_MS, [1])
    expect(series.stepMs).toBe(MINUTE_MS)
    series.add(7 * MINUTE_MS, [1])
    expect(series.stepMs).toBe(5 * MINUTE_MS)
    expect(series.cells()).toEqual([
      { startMs: 0, firstMs: 0, lastMs: 2 * MINUTE_MS, values: [3] },
      { startMs: 5 * MINUTE_MS, firstMs: 7 * MINUTE_MS, lastMs: 7 * MINUTE_MS, values: [1] }
    ])
    for (const minute of [12, 17]) series.add(minute * MINUTE_MS, [1])
    expect(series.stepMs).toBe(15 * MINUTE_MS)
  })

  test('in any order, also in parts that are merged: the same cells, never too many, nothing lost', () => {
    fc.assert(
      fc.property(twoOrders(fc.integer({ min: 0, max: 40 * 24 * 60 * MINUTE_MS })), fc.nat(80), ([a, b], at) => {
        const whole = new Series(10)
        for (const ms of a) whole.add(ms, [1])
        const [left, right] = [new Series(10), new Series(10)]
        for (const [i, ms] of b.entries()) (i < at ? left : right).add(ms, [1])
        left.merge(right)
        expect(left.cells()).toEqual(whole.cells())
        expect(whole.cells().length).toBeLessThanOrEqual(10)
        expect(whole.cells().reduce((sum, cell) => sum + cell.values[0]!, 0)).toBe(a.length)
      })
    )
  })
})

test('BoundedMap: the same keys in any order, and the sum of all', () => {
  fc.assert(
    fc.property(twoOrders(fc.integer({ min: 0, max: 60 })), ([a, b]) => {
      const fill = (keys: number[]): BoundedMap<number[]> => {
        const map = new BoundedMap<number[]>(4, () => [0], addCounts)
        for (const key of keys) map.of(`key ${key}`)[0]!++
        return map
      }
      const [one, other] = [fill(a), fill(b)]
      expect(other.entries()).toEqual(one.entries())
      expect(other.rest).toEqual(one.rest)
      expect(one.entries().length).toBeLessThanOrEqual(4)
      const kept = one.entries().reduce((sum, [, [count = 0]]) => sum + count, 0)
      expect(kept + (one.rest?.[0] ?? 0)).toBe(a.length)
    })
  )
})

describe('FoldedCounts', () => {
  const segment = fc.constantFrom('a', 'b', 'cart', 'items', '17', '…')
  const path = fc.array(segment, { maxLength: 12 }).map(parts => `/${parts.join('/')}`)
  const client = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('unix:'))

  test.each([
    ['routes', path.map(text => routeOf('GET', text)), foldRoute],
    ['clients', client, foldClient]
  ])('%s: the same in any order', (_name, keys, fold) => {
    fc.assert(
      fc.property(twoOrders(keys), ([a, b]) => {
        const fill = (list: string[]): FoldedCounts => {
          const counts = new FoldedCounts(5, fold)
          for (const key of list) counts.add(key, [1])
          return counts
        }
        const [one, other] = [fill(a), fill(b)]
        expect(other.top(9)).toEqual(one.top(9))
        expect(one.size).toBeLessThanOrEqual(5)
        expect(one.top(9).reduce((sum, [, [count = 0]]) => sum + count, 0)).toBe(a.length)
      })
    )
  })

  test('a scanner’s thousand paths are cut from their end', () => {
    const counts = new FoldedCounts(5, foldRoute)
    for (let i = 0; i < 1_000; i++) counts.add(routeOf('GET', `/shop/wp-${'x'.repeat(i % 40)}/a/b`), [1])
    expect(counts.top(1)).toEqual([['GET /shop/…', [1_000]]])
  })
})

test.each([
  ['GET', '/cart/78435/items', 'GET /cart/:id/items'],
  ['POST', '/u/0d9f1c9e-4b3a-4c59-9a57-0a1b2c3d4e5f', 'POST /u/:id'],
  ['GET', '/blob/9f86d081884c7d659a2f', 'GET /blob/:id'],
  ['GET', '/t/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpX', 'GET /t/:id'],
  ['GET', '/facade/deadbeef', 'GET /facade/deadbeef'],
  ['GET', '/api/v2/items', 'GET /api/v2/items'],
  ['GET', '/', 'GET /'],
  ['OPTIONS', '*', 'OPTIONS *'],
  ['GET', '/1/2/3/4/5/6/7/8/9/10', 'GET /:id/:id/:id/:id/:id/:id/:id/:id/…'],
  [null, '/a', '/a'],
  ['GET', null, 'GET'],
  [null, null, '(no request line)']
])('routeOf(%s, %s)', (method, path, route) => {
  expect(routeOf(method, path)).toBe(route)
})

test('clients of one network', () => {
  expect([1, 2, 3].map(level => foldClient('203.0.113.9', level))).toEqual([
    '203.0.113.0/24',
    '203.0.0.0/16',
    '(all clients)'
  ])
  expect([1, 2].map(level => foldClient('2001:db8:1:2::9', level))).toEqual(['2001:db8:1::/48', '2001:db8::/32'])
})

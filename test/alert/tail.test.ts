import { expect, test } from 'vitest'
import { P_MIN, tail } from '../../src/alert/tail.ts'

// By mpmath with 60 digits: gammainc(count, 0, mean) and betainc(count, mean / (spread - 1), 0, 1 - 1 / spread), regularized.
test.each([
  [41, 1.2, 1.8, 1.99410096914405e-14],
  [5, 0.1, 1, 7.667801686189311e-8],
  [10, 5, 1, 0.03182805730620481],
  [100_000, 40_000, 5000, 0.0007784821360022261],
  [20, 5, 1.000001, 3.452209775464836e-7],
  [3, 0.001, 1, 1.665417166527808e-10],
  [3103, 536.87, 43.86, 1.440756620379288e-18],
  [120, 1.5, 1, 4.565963347982262e-179],
  [60, 0.4, 1.2, 1.043506486664466e-45],
  [1000, 400, 2, 4.605116896215469e-60],
  [7, 0.07, 1.24, 9.352636407422764e-7],
  [1_000_000, 999_000, 30, 0.4268849643524909],
  [8, 0.25, 9, 0.008565496339725212]
])('%d where %d were expected, spread %d', (count, mean, spread, probability) => {
  expect(Math.abs(tail(count, mean, spread) / probability - 1)).toBeLessThan(1e-9)
})

test('a tail and the terms below it make one', () => {
  const mean = 3.7
  for (const spread of [1, 1.5, 4]) {
    const size = spread === 1 ? Number.POSITIVE_INFINITY : mean / (spread - 1)
    // P(0), and each term from the one before it.
    let term = spread === 1 ? Math.exp(-mean) : spread ** -size
    let below = 0
    for (let count = 0; count < 30; count += 1) {
      if (count > mean) expect(tail(count, mean, spread)).toBeCloseTo(1 - below, 12)
      below += term
      term *= spread === 1 ? mean / (count + 1) : ((size + count) / (count + 1)) * (1 - 1 / spread)
    }
  }
})

test('a spread of almost 1 is Poisson', () => {
  for (const spread of [1 + 1e-15, 1 + 1e-12, 1 + 1e-9]) expect(tail(30, 4, spread) / tail(30, 4, 1)).toBeCloseTo(1, 6)
})

test('what is not above the mean is nothing out of the ordinary, and nothing is impossible', () => {
  expect(tail(0, 0, 1)).toBe(1)
  expect(tail(4, 4, 2)).toBe(1)
  expect(tail(5, 0, 1)).toBe(P_MIN)
  expect(tail(1_000_000, 0.001, 1)).toBe(P_MIN)
})

import { expect, test } from 'vitest'
import { BackendFacts } from '../../src/classify/backendFacts.ts'

const at = (timeMs: number) => ({ timeMs, position: { topic: 'lines', partition: 0, offset: timeMs }, text: 'none' })

/** Facts of one service without endpoints at these times. */
function facts(...timesMs: number[]): BackendFacts {
  const known = new BackendFacts()
  for (const timeMs of timesMs) known.addNoEndpoints('shop/cart', at(timeMs))
  known.takeChanges()
  return known
}

const MINUTE_MS = 60_000

test.each([
  // name, what is known, what another process knew, first and last, is it news
  ['nothing was known', [], [5 * MINUTE_MS], [5 * MINUTE_MS, 5 * MINUTE_MS], true],
  ['the same', [5 * MINUTE_MS], [5 * MINUTE_MS], [5 * MINUTE_MS, 5 * MINUTE_MS], false],
  ['an older one', [60 * MINUTE_MS], [5 * MINUTE_MS], [60 * MINUTE_MS, 60 * MINUTE_MS], false],
  ['a newer one', [5 * MINUTE_MS], [60 * MINUTE_MS], [60 * MINUTE_MS, 60 * MINUTE_MS], true],
  ['how it began', [7 * MINUTE_MS], [5 * MINUTE_MS, 6 * MINUTE_MS], [5 * MINUTE_MS, 7 * MINUTE_MS], true],
  ['how it went on', [5 * MINUTE_MS], [6 * MINUTE_MS, 7 * MINUTE_MS], [5 * MINUTE_MS, 7 * MINUTE_MS], true]
] as const)('restored: %s', (_name, known, other, [firstMs, lastMs], isNews) => {
  const own = facts(...known)
  own.restore(facts(...other).toJSON())
  expect(own.toJSON()).toEqual([['shop-cart-', { first: at(firstMs), lastMs }]])
  expect(own.takeChanges()).toBe(isNews)
})

/** Per-minute totals: what a ledger counts, and that taking them loses and doubles nothing. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NameTable } from '../parsers/nameTable.ts'
import { CLIENT_CLOSED, countsFrom, MASKED, MinuteTotals } from '../src/totals.ts'
import './support/seed.ts'

const MINUTE_MS = 60_000
const CART = 'shop-cart-80'

test('statuses go where they belong', () => {
  const names = new NameTable()
  const totals = new MinuteTotals(names, false)
  const ledger = totals.ledger('ingress/pod/controller', 's1')
  const id = names.of(CART)
  for (const status of [200, 404, 499, 500, 502, 502, 503, 504, 599, 0, 9, -1])
    ledger.count(MINUTE_MS + 5, id, status, 10, 0)
  ledger.mark(MINUTE_MS + 5, id, CLIENT_CLOSED, 0)
  ledger.mark(MINUTE_MS + 5, id, MASKED, 0)
  expect(totals.take()).toEqual([
    {
      minuteMs: MINUTE_MS,
      upstream: CART,
      container: 'ingress/pod/controller',
      stream: 's1',
      requests: 12,
      failures: 8,
      masked: 1,
      clientClosed: 1,
      status500: 1,
      status502: 2,
      status503: 1,
      status504: 1,
      durationMsSum: 120
    }
  ])
  expect(totals.take()).toEqual([])
})

test('a stream that is forgotten keeps what was not taken of others', () => {
  const names = new NameTable()
  const totals = new MinuteTotals(names, false)
  totals.ledger('a', 's1').count(0, names.of(CART), 200, 1, 0)
  totals.ledger('b', 's2').count(0, names.of(CART), 200, 1, 0)
  totals.forget('s1')
  expect(totals.take().map(row => row.stream)).toEqual(['s2'])
})

test('what waits to be taken is known without looking at it', () => {
  const names = new NameTable()
  const totals = new MinuteTotals(names, false)
  const ledger = totals.ledger('ingress/pod/controller', 's1')
  for (let i = 0; i < 1_000; i++) ledger.count(Math.floor(i / 5) * MINUTE_MS, names.of(CART), 200, 1, 0)
  const { bytes } = totals
  const written = JSON.stringify(totals.take()).length
  expect(bytes).toBeGreaterThan(written)
  expect(bytes).toBeLessThan(2 * written)
  expect(totals.bytes).toBe(0)
})

test('taken whenever: the rows add up to what was counted', () => {
  const request = fc.record({
    minute: fc.nat(4),
    name: fc.constantFrom('', 'shop-cart-80', 'pay-api-http'),
    status: fc.constantFrom(200, 499, 502, 504),
    container: fc.constantFrom('a', 'b'),
    isTaken: fc.boolean()
  })
  fc.assert(
    fc.property(fc.array(request, { maxLength: 60 }), requests => {
      const names = new NameTable()
      const totals = new MinuteTotals(names, false)
      const sums = new Map<string, [requests: number, failures: number]>()
      const wanted = new Map<string, [requests: number, failures: number]>()
      const add = (map: typeof sums, key: string, count: number, failures: number): void => {
        const [a, b] = map.get(key) ?? [0, 0]
        map.set(key, [a + count, b + failures])
      }
      const take = (): void => {
        for (const row of totals.take())
          add(sums, `${row.minuteMs} ${row.upstream} ${row.container}`, row.requests, row.failures)
      }
      for (const { minute, name, status, container, isTaken } of requests) {
        totals.ledger(container, 's').count(minute * MINUTE_MS + 59_999, names.of(name), status, 3, 0)
        add(wanted, `${minute * MINUTE_MS} ${name} ${container}`, 1, status >= 500 ? 1 : 0)
        if (isTaken) take()
      }
      take()
      expect(sums).toEqual(wanted)
    })
  )
})

test('line by line, the lines from any position on add up to what was counted there', () => {
  const statuses = fc.constantFrom(200, 404, 499, 500, 502, 503, 504, 599, 0, 9, -1)
  const request = fc.record({ status: statuses, mark: fc.constantFrom(null, MASKED, CLIENT_CLOSED) } as const)
  fc.assert(
    fc.property(fc.array(request, { minLength: 1 }), fc.nat(60), (requests, from) => {
      const names = new NameTable()
      const whole = new MinuteTotals(names, true)
      const rest = new MinuteTotals(names, false)
      for (const [i, { status, mark }] of requests.entries()) {
        for (const totals of i < from ? [whole] : [whole, rest]) {
          const ledger = totals.ledger('ingress/pod/controller', 's1')
          ledger.count(MINUTE_MS, names.of(CART), status, i, i)
          if (mark !== null) ledger.mark(MINUTE_MS, names.of(CART), mark, i)
        }
      }
      const [row] = whole.take()
      const [expected] = rest.take()
      const counts = countsFrom(row!.lines!, from)
      if (expected === undefined) expect(new Set(Object.values(counts))).toEqual(new Set([0]))
      else expect(expected).toMatchObject(counts)
    })
  )
})

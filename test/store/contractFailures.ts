/** What a store does with documents: versions, counts, filters, pages. */
import { expect, test } from 'vitest'
import { failureRow, type SearchOptions, type StoreReader } from '../../src/store/store.ts'
import type { Contract } from './contract.ts'
import { documentsOf, EXAMPLES } from './examples.ts'
import { all, batch, controller, DAY_MS, EVERYTHING, failure, MINUTE_MS, NOON, reject, totals } from './failures.ts'

export async function pagesOf(
  reader: StoreReader,
  options: Omit<SearchOptions, 'after'>,
  filter = EVERYTHING
): Promise<string[]> {
  const ids: string[] = []
  for (let after: string | null = null, pages = 0; pages < 100; pages++) {
    const page = await reader.search(filter, { ...options, after })
    expect(page.rows.length).toBeLessThanOrEqual(options.limit)
    ids.push(...page.rows.map(({ id }) => id))
    if (page.next === null) return ids
    after = page.next
  }
  throw new Error('paging does not end')
}

export function testFailures({ write, open, openWriter }: Contract): void {
  test('nothing is there at first', async () => {
    await write(async () => {})
    const reader = await open()
    expect(await reader.counts(EVERYTHING, MINUTE_MS)).toEqual([])
    expect(await reader.search(EVERYTHING, { limit: 5, order: 'oldest', after: null })).toEqual({
      rows: [],
      next: null
    })
    expect(await all(reader.scan(EVERYTHING))).toEqual([])
    expect(await reader.totals(EVERYTHING, MINUTE_MS)).toEqual([])
    expect(await reader.documents(['x'], EVERYTHING)).toEqual([])
    expect(await all(reader.controllers(EVERYTHING))).toEqual([])
    expect(await reader.gaps(EVERYTHING)).toEqual([])
    expect(await reader.rejects(EVERYTHING)).toEqual(new Map())
    expect(await reader.span()).toBeNull()
    const narrow = { fromMs: NOON, toMs: NOON + 1, services: ['a/b'], causes: ['x'], pods: ['y'], statuses: [500] }
    expect(await reader.counts(narrow, MINUTE_MS)).toEqual([])
    expect(await reader.totals(narrow, MINUTE_MS)).toEqual([])
    expect(await all(reader.scan(narrow))).toEqual([])
  })

  test('real documents come back as they were, with their columns', async () => {
    const stored = Object.values(EXAMPLES).flatMap(lines => documentsOf(lines))
    expect(stored.length).toBeGreaterThanOrEqual(10)
    await write(writer => writer.write(batch({ failures: stored })))
    const reader = await open()
    const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1)
    const want = [...new Map(stored.map(one => [one.id, one])).values()].sort(byId)
    expect((await all(reader.scan(EVERYTHING))).sort(byId)).toEqual(want.map(failureRow))
    const { rows } = await reader.search(EVERYTHING, { limit: 100, order: 'newest', after: null })
    expect(rows.sort(byId)).toEqual(want.map(one => ({ ...failureRow(one), document: one.document })))
    const found = await reader.documents(want.map(({ id }) => id).concat('unknown'), EVERYTHING)
    expect(found).toHaveLength(want.length)
    expect(found).toEqual(expect.arrayContaining(want.map(({ document }) => document)))
  })

  test('the highest version of a document stays, of equal ones the first', async () => {
    const one = (version: number, message: string) =>
      failure({ id: 'a', version, message, cause: version > 8 ? 'read_timeout' : 'connection_refused' })
    await write(
      writer => writer.write(batch({ failures: [one(8, 'first'), failure({ id: 'b', timeMs: NOON + 1 })] })),
      writer => writer.write(batch({ failures: [one(8, 'the same again')] })),
      writer => writer.write(batch({ failures: [one(9, 'better')] })),
      writer => writer.write(batch({ failures: [one(8, 'poorer'), one(9, 'as good')] }))
    )
    const reader = await open()
    const { rows } = await reader.search(EVERYTHING, { limit: 9, order: 'oldest', after: null })
    expect(rows.map(({ id, version, cause, document }) => [id, version, cause, document.message])).toEqual([
      ['a', 9, 'read_timeout', 'better'],
      ['b', 8, 'connection_refused', 'it failed']
    ])
    expect(await reader.documents(['a'], EVERYTHING)).toEqual([one(9, 'better').document])
    // What the older version said is nowhere.
    expect(await all(reader.scan({ ...EVERYTHING, causes: ['connection_refused'] }))).toHaveLength(1)
    expect(await reader.counts(EVERYTHING, Number.POSITIVE_INFINITY)).toEqual([
      {
        timeMs: EVERYTHING.fromMs,
        upstream: 'shop-cart-80',
        cause: 'connection_refused',
        failed: 1,
        masked: 0,
        other: 0
      },
      { timeMs: EVERYTHING.fromMs, upstream: 'shop-cart-80', cause: 'read_timeout', failed: 1, masked: 0, other: 0 }
    ])
  })

  test('a batch that is written again is known', async () => {
    const given = batch({
      failures: [failure({ id: 'a' }), failure({ id: 'b' })],
      controllers: [controller('a', NOON)],
      rejects: [reject('a', NOON, 'bad_time')]
    })
    const writer = await openWriter()
    const results = await Promise.all([
      writer.write(given),
      writer.write(given),
      writer.write(batch({ failures: [failure({ id: 'a', version: 9 }), failure({ id: 'b', version: 7 })] }))
    ])
    await writer.close()
    expect(results).toEqual([
      { written: 4, known: 0 },
      { written: 0, known: 4 },
      { written: 1, known: 1 }
    ])
    const reader = await open()
    expect(await all(reader.scan(EVERYTHING))).toHaveLength(2)
    expect(await all(reader.controllers(EVERYTHING))).toHaveLength(1)
    expect(await reader.rejects(EVERYTHING)).toEqual(new Map([['bad_time', 1]]))
  })

  test('counts by minute, upstream and cause tell failed, masked and other', async () => {
    await write(
      writer =>
        writer.write(
          batch({
            failures: [
              failure({ id: '1', timeMs: NOON }),
              failure({ id: '2', timeMs: NOON + MINUTE_MS - 1 }),
              failure({ id: '3', timeMs: NOON + MINUTE_MS }),
              failure({ id: '4', timeMs: NOON, upstream: 'shop-api-80' })
            ]
          })
        ),
      writer =>
        writer.write(
          batch({
            failures: [
              failure({ id: '5', timeMs: NOON, status: 200, masked: true }),
              failure({ id: '6', timeMs: NOON, status: 499, cause: 'client_closed' }),
              failure({ id: '7', timeMs: NOON + 5 * MINUTE_MS, status: 0 })
            ]
          })
        )
    )
    const reader = await open()
    const rows = (await reader.counts(EVERYTHING, MINUTE_MS)).map(row => [
      (row.timeMs - NOON) / MINUTE_MS,
      row.upstream,
      row.cause,
      row.failed,
      row.masked,
      row.other
    ])
    expect(rows).toEqual([
      [0, 'shop-api-80', 'connection_refused', 1, 0, 0],
      [0, 'shop-cart-80', 'client_closed', 0, 0, 1],
      [0, 'shop-cart-80', 'connection_refused', 2, 1, 0],
      [1, 'shop-cart-80', 'connection_refused', 1, 0, 0],
      [5, 'shop-cart-80', 'connection_refused', 1, 0, 0]
    ])
    const byHour = await reader.counts(
      { ...EVERYTHING, services: ['shop-cart-80'], causes: ['connection_refused'] },
      60 * MINUTE_MS
    )
    expect(byHour).toEqual([
      { timeMs: NOON, upstream: 'shop-cart-80', cause: 'connection_refused', failed: 4, masked: 1, other: 0 }
    ])
  })

  test('filters narrow what is found', async () => {
    const given = [
      failure({ id: 'cart', upstream: 'shop-cart-80', service: 'shop/cart', pod: 'cart-1', timeMs: NOON }),
      failure({ id: 'cart-http', upstream: 'shop-cart-http', status: 503, cause: 'no_endpoints', timeMs: NOON + 1 }),
      failure({ id: 'cart-canary', upstream: 'shop-cart-canary-80', address: '10.9.9.9:80', timeMs: NOON + 2 }),
      failure({
        id: 'api',
        upstream: 'shop-api-80',
        service: 'shop/api',
        pod: 'api-1',
        status: 504,
        cause: 'read_timeout',
        timeMs: NOON + 3
      })
    ]
    await write(
      writer => writer.write(batch({ failures: given.slice(0, 2) })),
      writer => writer.write(batch({ failures: given.slice(2) }))
    )
    const reader = await open()
    const found = async (filter: Partial<typeof EVERYTHING>): Promise<string[]> => {
      const ids = (await all(reader.scan({ ...EVERYTHING, ...filter }))).map(({ id }) => id).sort()
      expect(
        await pagesOf(reader, { limit: 2, order: 'oldest' }, { ...EVERYTHING, ...filter }).then(paged => paged.sort())
      ).toEqual(ids)
      return ids
    }
    expect(await found({ fromMs: NOON + 1, toMs: NOON + 3 })).toEqual(['cart-canary', 'cart-http'])
    expect(await found({ services: ['shop-cart-80'] })).toEqual(['cart'])
    expect(await found({ services: ['shop/cart'] })).toEqual(['cart', 'cart-http'])
    expect(await found({ services: ['shop/api', 'shop-cart-canary-80'] })).toEqual(['api', 'cart-canary'])
    expect(await found({ services: ['cart', 'shop/ca'] })).toEqual([])
    expect(await found({ causes: ['no_endpoints', 'read_timeout'] })).toEqual(['api', 'cart-http'])
    expect(await found({ pods: ['cart-1'] })).toEqual(['cart'])
    expect(await found({ pods: ['10.9.9.9:80', 'api-1'] })).toEqual(['api', 'cart-canary'])
    expect(await found({ pods: ['10.9.9.9'] })).toEqual(['cart-canary'])
    expect(await found({ statuses: [503, 504] })).toEqual(['api', 'cart-http'])
    expect(await found({ statuses: [504], services: ['shop/cart'] })).toEqual([])
  })

  test('names that mean something to patterns stand for themselves', async () => {
    const services: [upstream: string, wanted: string][] = [
      ['a*b-c?d-80', 'a*b/c?d'],
      ['x.y-[z]-http', 'x.y/[z]'],
      ['back\\slash-#@&<>~"-80', 'back\\slash/#@&<>~"']
    ]
    const lookalikes = ['aXb-cYd-80', 'xXy-z-http', 'backslash-#@&<>~"-80', 'a*b-c?d-canary-80', 'a*b-c?d']
    const addresses = ['[2001:db8::7]:8080', '10.9.9.9:80', 'unix:/run/a.b(c)|d.sock:80', '10.9.9.9:http']
    const given = [...services.map(([upstream]) => upstream), ...lookalikes].map((upstream, i) =>
      failure({ id: upstream, upstream, service: 'other', address: addresses[i] ?? '10a9b9c9:80' })
    )
    await write(writer =>
      writer.write(batch({ failures: given, totals: given.map(({ id }) => totals({ minuteMs: NOON, upstream: id })) }))
    )
    const reader = await open()
    const idsOf = async (filter: Partial<typeof EVERYTHING>): Promise<string[]> =>
      (await all(reader.scan({ ...EVERYTHING, ...filter }))).map(({ id }) => id).sort()
    for (const [upstream, wanted] of services) {
      expect(await idsOf({ services: [wanted] })).toEqual([upstream])
      const sums = await reader.totals({ ...EVERYTHING, services: [wanted] }, MINUTE_MS)
      expect(sums.map(row => row.upstream)).toEqual([upstream])
    }
    const withAddress = (address: string): string[] => [given[addresses.indexOf(address)]!.id]
    expect(await idsOf({ pods: ['[2001:db8::7]'] })).toEqual(withAddress('[2001:db8::7]:8080'))
    expect(await idsOf({ pods: ['10.9.9.9'] })).toEqual(withAddress('10.9.9.9:80'))
    expect(await idsOf({ pods: ['unix:/run/a.b(c)|d.sock'] })).toEqual(withAddress('unix:/run/a.b(c)|d.sock:80'))
    expect(await idsOf({ pods: ['10.9.9.9:http'] })).toEqual(withAddress('10.9.9.9:http'))
    expect(await idsOf({ pods: ['.*', '10.9.9.9:', ''] })).toEqual([])
  })

  test.each([1_100, 9_000, 40_000])('a name of %i characters is counted, found and told apart', async length => {
    const name = (end: string): string => `shop-${'x'.repeat(length)}${end}-80`
    const given = ['a', 'b'].map(end =>
      failure({
        id: end,
        upstream: name(end),
        service: `shop/${'x'.repeat(length)}${end}`,
        pod: name(end),
        address: `${name(end)}:80`
      })
    )
    const short = failure({ id: 'short', pod: 'cart-1' })
    await write(writer =>
      writer.write(
        batch({
          failures: [...given, short],
          totals: ['a', 'b'].map(end => totals({ minuteMs: NOON, upstream: name(end) }))
        })
      )
    )
    const reader = await open()
    const counted = (upstream: string) => ({
      timeMs: NOON,
      upstream,
      cause: 'connection_refused',
      failed: 1,
      masked: 0,
      other: 0
    })
    const counts = await reader.counts(EVERYTHING, MINUTE_MS)
    expect(counts).toEqual(['shop-cart-80', name('a'), name('b')].map(counted))
    for (const services of [[name('b')], [`shop/${'x'.repeat(length)}b`]]) {
      const filter = { ...EVERYTHING, services }
      expect(await reader.counts(filter, MINUTE_MS)).toEqual([counted(name('b'))])
      expect(await pagesOf(reader, { limit: 1, order: 'newest' }, filter)).toEqual(['b'])
      expect((await reader.totals(filter, MINUTE_MS)).map(row => [row.upstream, row.requests])).toEqual([
        [name('b'), 100]
      ])
    }
    for (const pods of [[name('b')], [`${name('b')}:80`]]) {
      const rows = await all(reader.scan({ ...EVERYTHING, pods }))
      expect(rows).toEqual([failureRow(given[1]!)])
      expect(await reader.counts({ ...EVERYTHING, pods }, MINUTE_MS)).toEqual([counted(name('b'))])
    }
    expect((await all(reader.scan({ ...EVERYTHING, pods: ['cart-1'] }))).map(({ id }) => id)).toEqual(['short'])
    expect((await reader.totals(EVERYTHING, MINUTE_MS)).map(row => row.upstream)).toEqual([name('a'), name('b')])
  })

  test.each(['oldest', 'newest'] as const)('pages, %s first, lose and repeat nothing', async order => {
    // Many of one millisecond, over three days.
    const given = Array.from({ length: 53 }, (_, i) =>
      failure({ id: `id-${(i * 7) % 53}`, timeMs: NOON + Math.floor(i / 9) * (DAY_MS / 2) })
    )
    await write(
      writer => writer.write(batch({ failures: given.slice(0, 30) })),
      writer => writer.write(batch({ failures: given.slice(25) }))
    )
    const reader = await open()
    const sorted = given.toSorted((a, b) => a.timeMs - b.timeMs || (a.id < b.id ? -1 : 1)).map(({ id }) => id)
    const want = order === 'oldest' ? sorted : sorted.reverse()
    expect(await pagesOf(reader, { limit: 7, order })).toEqual(want)
    expect(await pagesOf(reader, { limit: 53, order })).toEqual(want)
    expect(await pagesOf(reader, { limit: 1, order }, { ...EVERYTHING, toMs: NOON + 1 })).toEqual(
      want.filter(id => given.find(one => one.id === id)!.timeMs === NOON)
    )
  })

  test('a cursor that no page gave is refused', async () => {
    await write(writer => writer.write(batch({ failures: [failure({ id: 'a' })] })))
    const reader = await open()
    for (const after of ['', 'nonsense', Buffer.from('{"a":1}').toString('base64url')])
      await expect(reader.search(EVERYTHING, { limit: 1, order: 'oldest', after })).rejects.toMatchObject({
        code: 'WHY5XX_USAGE'
      })
  })
}

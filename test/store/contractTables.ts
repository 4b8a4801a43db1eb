/** What every store must do with tables: the same rows for the same documents, whatever groups and counts them. */
import { describe, expect, test } from 'vitest'
import type { StoredDocument } from '../../src/store/document.ts'
import type { Condition, CountedTable, TableRow, TableWindow } from '../../src/store/table.ts'
import type { Contract } from './contract.ts'
import { batch, DAY_MS, type Given, MINUTE_MS, NOON } from './failures.ts'
import { asking, counted, failureWith, iso, listed, writeInTwo } from './tableQuestions.ts'

export function testTables(contract: Contract): void {
  const { write } = contract

  describe('tables', () => {
    const rowsOf = asking(contract)

    test('an empty store has no groups, and one row without groupings', async () => {
      const measures: CountedTable['measures'] = [
        { as: 'n', count: true },
        { as: 'some', count: true, where: [{ field: 'why5xx.cause', is: ['unclassified'] }] },
        { as: 'mean', avg: 'why5xx.upstream.response_ms' },
        { as: 'first', min: 'why5xx.cause' },
        { as: 'share', percent: ['some', 'n'] }
      ]
      await write(
        writer => writer.write(batch({})),
        writer => writer.write(batch({}))
      )
      expect(await rowsOf(counted('failure', { by: [{ as: 'cause', field: 'why5xx.cause' }], measures }))).toEqual([])
      expect(await rowsOf(counted('failure', { measures }))).toEqual([
        { n: 0, some: 0, mean: null, first: null, share: null }
      ])
      expect(await rowsOf(listed('incident', [{ as: 'id', field: 'why5xx.incident.id' }]))).toEqual([])
    })

    test('groups of several fields with every measure; of an id the newest version', async () => {
      const timed = (id: string, ms: number | null, given: Partial<Given> = {}): StoredDocument =>
        failureWith(
          { id, ...given },
          { why5xx: { upstream: { name: 'shop-cart-80', ...(ms !== null && { response_ms: ms }) } } }
        )
      await write(
        writer =>
          writer.write(
            batch({
              failures: [
                timed('a', 100, { timeMs: NOON }),
                timed('b', 50, { timeMs: NOON + 1_500 }),
                timed('c', null, { timeMs: NOON + MINUTE_MS, cause: 'read_timeout', status: 504 }),
                timed('d', 7, { timeMs: NOON - 1, cause: 'unclassified' })
              ]
            })
          ),
        writer =>
          writer.write(
            batch({
              failures: [
                timed('d', 40, { timeMs: NOON - 1, version: 9, cause: 'read_timeout', status: 504 }),
                timed('e', 1_000, { timeMs: NOON - DAY_MS, cause: 'read_timeout', status: 504, masked: true })
              ]
            })
          )
      )
      const query = counted('failure', {
        by: [
          { as: 'cause', field: 'why5xx.cause' },
          { as: 'status', field: 'http.response.status_code' }
        ],
        measures: [
          { as: 'n', count: true },
          { as: 'saved', count: true, where: [{ field: 'why5xx.masked', is: [true] }] },
          { as: 'total', sum: 'why5xx.upstream.response_ms' },
          { as: 'mean', avg: 'why5xx.upstream.response_ms' },
          { as: 'least', min: 'why5xx.upstream.response_ms' },
          { as: 'most', max: 'why5xx.upstream.response_ms' },
          { as: 'first_id', min: 'event.id' },
          { as: 'last_id', max: 'event.id' },
          { as: 'began', min: '@timestamp' },
          { as: 'ended', max: '@timestamp' },
          { as: 'seconds', secondsBetween: ['began', 'ended'] },
          { as: 'share', percent: ['saved', 'n'] },
          { as: 'none', percent: ['n', 'saved'] }
        ],
        sort: [{ by: 'n', order: 'descending' }]
      })
      const rows = await rowsOf(query)
      expect(rows).toEqual([
        {
          cause: 'read_timeout',
          status: 504,
          n: 3,
          saved: 1,
          total: 1_040,
          mean: 520,
          least: 40,
          most: 1_000,
          first_id: 'c',
          last_id: 'e',
          began: iso(NOON - DAY_MS),
          ended: iso(NOON + MINUTE_MS),
          seconds: 86_460,
          share: expect.closeTo(100 / 3, 9),
          none: 300
        },
        {
          cause: 'connection_refused',
          status: 502,
          n: 2,
          saved: 0,
          total: 150,
          mean: 75,
          least: 50,
          most: 100,
          first_id: 'a',
          last_id: 'b',
          began: iso(NOON),
          ended: iso(NOON + 1_500),
          seconds: 1.5,
          share: 0,
          none: null
        }
      ])
      expect(Object.keys(rows[0]!)).toEqual([...query.by, ...query.measures].map(({ as }) => as))
      expect(await rowsOf({ ...query, limit: 1 })).toEqual(rows.slice(0, 1))
      // The end of the window is no part of it.
      expect(await rowsOf({ ...query, by: [], measures: [{ as: 'n', count: true }] }, { toMs: NOON })).toEqual([
        { n: 2 }
      ])
    })

    test('buckets begin at multiples of the step', async () => {
      const at = (id: string, timeMs: number): StoredDocument => failureWith({ id, timeMs })
      await writeInTwo(contract, [at('a', NOON), at('b', NOON + 299_999), at('c', NOON + 300_000), at('d', NOON - 1)])
      const query = counted('failure', {
        by: [{ as: 'time', bucketOf: '@timestamp' }],
        measures: [{ as: 'n', count: true }],
        sort: [{ by: 'time', order: 'ascending' }]
      })
      expect(await rowsOf(query)).toEqual([
        { time: iso(NOON - 300_000), n: 1 },
        { time: iso(NOON), n: 2 },
        { time: iso(NOON + 300_000), n: 1 }
      ])
      expect(await rowsOf(query, { stepMs: 7_000 })).toEqual(
        [NOON - 1, NOON, NOON + 299_999, NOON + 300_000]
          .map(ms => Math.floor(ms / 7_000) * 7_000)
          .reduce<TableRow[]>((rows, ms) => {
            const last = rows.at(-1)
            if (last?.time === iso(ms)) last.n = Number(last.n) + 1
            else rows.push({ time: iso(ms), n: 1 })
            return rows
          }, [])
      )
    })

    test('no value is null, a group of its own, and last in either direction', async () => {
      const on = (id: string, pod: string | undefined, node?: string): StoredDocument =>
        failureWith({ id }, { kubernetes: { ...(pod !== undefined && { pod: { name: pod } }), node: { name: node } } })
      await writeInTwo(contract, [
        on('a', 'cart-2', 'n1'),
        on('b', 'cart-1'),
        on('c', undefined, 'n2'),
        on('d', 'cart-1')
      ])
      const query = (order: 'ascending' | 'descending'): CountedTable =>
        counted('failure', {
          by: [{ as: 'pod', field: 'kubernetes.pod.name' }],
          measures: [
            { as: 'node', max: 'kubernetes.node.name' },
            { as: 'n', count: true }
          ],
          sort: [{ by: 'node', order }]
        })
      const [n1, n2, none] = [
        { pod: 'cart-2', node: 'n1', n: 1 },
        { pod: null, node: 'n2', n: 1 },
        { pod: 'cart-1', node: null, n: 2 }
      ]
      expect(await rowsOf(query('ascending'))).toEqual([n1, n2, none])
      expect(await rowsOf(query('descending'))).toEqual([n2, n1, none])
      const columns = [
        { as: 'pod', field: 'kubernetes.pod.name' },
        { as: 'id', field: 'event.id' }
      ]
      const ids = async (order: 'ascending' | 'descending'): Promise<unknown[]> =>
        (await rowsOf(listed('failure', columns, { sort: [{ by: 'pod', order }] }))).map(({ id }) => id)
      expect(await ids('ascending')).toEqual(['b', 'd', 'a', 'c'])
      expect(await ids('descending')).toEqual(['a', 'b', 'd', 'c'])
    })

    test('conditions', async () => {
      const of = (id: string, pod: string | null, status: number, ms: number | null): StoredDocument =>
        failureWith(
          { id, status },
          {
            ...(pod !== null && { kubernetes: { pod: { name: pod } } }),
            why5xx: { confidence: status / 1_000, upstream: { name: 'u', ...(ms !== null && { response_ms: ms }) } }
          }
        )
      await writeInTwo(contract, [
        of('a', 'x', 500, 10),
        of('b', 'y', 502, null),
        of('c', null, 503, 20),
        of('d', `'"$1\\`, 504, -1)
      ])
      const ids = async (where: Condition[], params: TableWindow['params'] = {}): Promise<string> =>
        (await rowsOf(listed('failure', [{ as: 'id', field: 'event.id' }], { where }), { params }))
          .map(({ id }) => id)
          .join('')
      const pod = 'kubernetes.pod.name'
      expect(await ids([])).toBe('abcd')
      expect(await ids([{ field: pod, is: ['x', 'z', 'y'] }])).toBe('ab')
      expect(await ids([{ field: pod, is: [`'"$1\\`] }])).toBe('d')
      expect(await ids([{ field: pod, is: [] }])).toBe('')
      expect(await ids([{ field: pod, isNot: ['x'] }])).toBe('bcd')
      expect(await ids([{ field: pod, isNot: [] }])).toBe('abcd')
      expect(await ids([{ field: pod, exists: true }])).toBe('abd')
      expect(await ids([{ field: pod, exists: false }])).toBe('c')
      expect(await ids([{ field: 'message', exists: false }])).toBe('')
      expect(await ids([{ field: 'http.response.status_code', is: [502, 504] }])).toBe('bd')
      expect(await ids([{ field: 'http.response.status_code', isNot: [502] }])).toBe('acd')
      expect(await ids([{ field: 'why5xx.upstream.response_ms', atLeast: 10 }])).toBe('ac')
      expect(await ids([{ field: 'why5xx.upstream.response_ms', atLeast: -5 }])).toBe('acd')
      expect(await ids([{ field: 'why5xx.confidence', atLeast: 0.503 }])).toBe('cd')
      expect(await ids([{ field: 'why5xx.masked', is: [true] }])).toBe('')
      expect(await ids([{ field: pod, isParam: 'pod' }])).toBe('abcd')
      expect(await ids([{ field: pod, isParam: 'pod' }], { pod: '*' })).toBe('abcd')
      expect(await ids([{ field: pod, isParam: 'pod' }], { pod: 'y' })).toBe('b')
      expect(await ids([{ field: pod, isParam: 'pod' }], { pod: ['y', 'x', 'z'] })).toBe('ab')
      expect(await ids([{ field: pod, isParam: 'pod' }], { pod: [] })).toBe('')
      expect(await ids([{ field: pod, isParam: 'pod' }], { pod: `' OR 1=1` })).toBe('')
      expect(
        await ids([
          { field: pod, isNot: ['y'] },
          { field: 'http.response.status_code', is: [502, 503] }
        ])
      ).toBe('c')
    })

    test('equal rows are ordered by their other columns, also by text, and the limit cuts behind that', async () => {
      const failures = Array.from({ length: 40 }, (_, i) =>
        failureWith({ id: `f${String(i).padStart(2, '0')}`, status: 500 + (i % 2), message: `m${(i * 7) % 40}` })
      )
      await writeInTwo(contract, failures)
      const byMessage = listed(
        'failure',
        [
          { as: 'message', field: 'message' },
          { as: 'status', field: 'http.response.status_code' }
        ],
        { sort: [{ by: 'status', order: 'descending' }], limit: 3 }
      )
      expect(await rowsOf(byMessage)).toEqual([
        { message: 'm1', status: 501 },
        { message: 'm11', status: 501 },
        { message: 'm13', status: 501 }
      ])
      expect(await rowsOf({ ...byMessage, sort: [{ by: 'message', order: 'descending' }], limit: 2 })).toEqual([
        { message: 'm9', status: 501 },
        { message: 'm8', status: 500 }
      ])
      const grouped = counted('failure', {
        by: [{ as: 'id', field: 'event.id' }],
        measures: [{ as: 'n', count: true }],
        sort: [{ by: 'n', order: 'descending' }],
        limit: 2
      })
      expect(await rowsOf(grouped)).toEqual([
        { id: 'f00', n: 1 },
        { id: 'f01', n: 1 }
      ])
    })

    test('texts are data, ordered by their bytes; too long ones are none', async () => {
      const longest = ['x'.repeat(1_024), '😀'.repeat(512)]
      const paths = [`'; DROP TABLE x --`, 'Grüße 😀', '\uffee', '*?[a]{b}', '<script>', '__proto__', ...longest]
      const failures = [...paths, `${longest[0]}x`, `${longest[1]}x`].map((path, i) =>
        failureWith({ id: `f${i}`, path })
      )
      await writeInTwo(contract, failures)
      const query = counted('failure', {
        by: [{ as: 'path', field: 'url.path' }],
        measures: [{ as: 'n', count: true }],
        sort: [{ by: 'path', order: 'ascending' }]
      })
      const ordered = [...paths].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      expect(await rowsOf(query)).toEqual([...ordered.map(path => ({ path, n: 1 })), { path: null, n: 2 }])
      expect(await rowsOf(listed('failure', [{ as: 'path', field: 'url.path' }]))).toEqual(
        [...ordered, null, null].map(path => ({ path }))
      )
      const [ends] = await rowsOf(
        counted('failure', {
          measures: [
            { as: 'first', min: 'url.path' },
            { as: 'last', max: 'url.path' }
          ]
        })
      )
      expect(ends).toEqual({ first: ordered[0], last: ordered.at(-1) })
    })
  })
}

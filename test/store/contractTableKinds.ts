/** Tables of every kind of document: what a store keeps in another form must be the same fields. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StoredDocument } from '../../src/store/document.ts'
import { tableOfDocuments } from '../../src/store/documentTable.ts'
import type { TableQuery, TableRow, TableWindow } from '../../src/store/table.ts'
import { incident } from '../support/incidents.ts'
import { runs } from '../support/seed.ts'
import type { Contract } from './contract.ts'
import { batch, controller, DAY_MS, MINUTE_MS, NOON, reject, totals } from './failures.ts'
import { anyFailures, anyTable, anyWindow } from './randomTables.ts'
import { asking, counted, failureWith, iso, listed, writeInTwo } from './tableQuestions.ts'

const WINDOWS = runs(5).numRuns
const TABLES = runs(10).numRuns

/** Another failure of the same id and time, and better. */
function withId({ id, timeMs }: StoredDocument): StoredDocument {
  return failureWith({ id, timeMs, version: 9, cause: 'read_timeout', status: 504, masked: true })
}

/** Sums in another order differ in the last of 16 digits. */
function digits(row: TableRow): TableRow {
  const entries = Object.entries(row).map(([name, value]) => [
    name,
    typeof value === 'number' ? Number(value.toPrecision(10)) : value
  ])
  return Object.fromEntries(entries) as TableRow
}

export function testTableKinds(contract: Contract): void {
  const { write, putIncidents } = contract

  describe('tables of every kind', () => {
    const rowsOf = asking(contract)

    test('another date than that of the document', async () => {
      const of = (id: string, timeMs: number, startMs: number | null): StoredDocument =>
        failureWith({ id, timeMs }, { event: startMs === null ? {} : { start: iso(startMs) } })
      await writeInTwo(contract, [
        of('a', NOON, NOON - 3 * DAY_MS),
        of('b', NOON + 5 * DAY_MS, NOON),
        of('c', NOON, null),
        of('d', NOON, NOON)
      ])
      const query = counted('failure', {
        timeField: 'event.start',
        by: [
          { as: 'day', bucketOf: '@timestamp' },
          { as: 'start', field: 'event.start' }
        ],
        measures: [{ as: 'id', min: 'event.id' }]
      })
      expect(await rowsOf(query, { stepMs: DAY_MS })).toEqual([
        { day: iso(Math.floor(NOON / DAY_MS) * DAY_MS), start: iso(NOON), id: 'd' },
        { day: iso(Math.floor(NOON / DAY_MS) * DAY_MS + 5 * DAY_MS), start: iso(NOON), id: 'b' }
      ])
    })

    test('totals, one document for each stream, minute and upstream name', async () => {
      await write(
        writer =>
          writer.write(
            batch({
              totals: [
                totals({
                  minuteMs: NOON,
                  lines: [1, 502, 10],
                  requests: 1,
                  failures: 1,
                  masked: 0,
                  clientClosed: 0,
                  status502: 1,
                  status503: 0,
                  durationMsSum: 10
                }),
                totals({ minuteMs: NOON, upstream: '' })
              ]
            })
          ),
        writer =>
          writer.write(batch({ totals: [totals({ minuteMs: NOON + MINUTE_MS, stream: 'stream-2', requests: 7 })] }))
      )
      const query = counted('rollup', {
        by: [{ as: 'service', field: 'why5xx.upstream.name' }],
        measures: [
          { as: 'documents', count: true },
          { as: 'requests', sum: 'why5xx.rollup.requests' },
          { as: 'failures', sum: 'why5xx.rollup.failures' },
          { as: 'rate', percent: ['failures', 'requests'] },
          { as: 'dataset', max: 'event.dataset' },
          { as: 'interval', max: 'why5xx.rollup.interval_s' },
          { as: 'busiest', max: 'why5xx.rollup.stream' },
          { as: 'ms', sum: 'why5xx.rollup.duration_ms_sum' }
        ]
      })
      const beside = { dataset: 'why5xx.rollup', interval: 60 }
      expect(await rowsOf(query)).toEqual([
        { service: '', documents: 1, requests: 100, failures: 3, rate: 3, ...beside, busiest: 'stream-1', ms: 1_234.5 },
        {
          service: 'shop-cart-80',
          documents: 2,
          requests: 8,
          failures: 4,
          rate: 50,
          ...beside,
          busiest: 'stream-2',
          ms: 1_244.5
        }
      ])
    })

    test('controller lines with gaps beside them, and rejects', async () => {
      const gap = { name: 'log', atMs: NOON, bytes: 7, reason: 'rotated_away' as const, text: 'it is gone' }
      await write(
        writer =>
          writer.write(
            batch({
              controllers: [controller('a', NOON), controller('b', NOON + 1)],
              gaps: [gap],
              rejects: [reject('r', NOON, 'no_shape')]
            })
          ),
        writer =>
          writer.write(batch({ gaps: [gap], rejects: [reject('r', NOON, 'no_shape'), reject('s', NOON, 'no_time')] }))
      )
      const events = counted('controller', {
        by: [
          { as: 'event', field: 'event.action' },
          { as: 'dataset', field: 'event.dataset' }
        ],
        measures: [
          { as: 'n', count: true },
          { as: 'bytes', sum: 'why5xx.gap.bytes' },
          { as: 'level', max: 'log.level' }
        ]
      })
      expect(await rowsOf(events)).toEqual([
        { event: 'reload', dataset: null, n: 2, bytes: null, level: 'info' },
        { event: 'rotated_away', dataset: 'why5xx.gap', n: 1, bytes: 7, level: null }
      ])
      const codes = counted('reject', {
        by: [{ as: 'code', field: 'error.code' }],
        measures: [{ as: 'n', count: true }],
        sort: [{ by: 'code', order: 'descending' }]
      })
      expect(await rowsOf(codes)).toEqual([
        { code: 'no_time', n: 1 },
        { code: 'no_shape', n: 1 }
      ])
    })

    test('incidents, by when they were told last or by when they began', async () => {
      const at = (id: string, startMs: number, endMs: number | null, failures: number): ReturnType<typeof incident> =>
        incident({
          id,
          startMs,
          endMs,
          updatedMs: endMs ?? NOON,
          failures,
          state: endMs === null ? 'open' : 'resolved'
        })
      await putIncidents(
        [at('a', NOON - 10 * MINUTE_MS, null, 5), at('b', NOON - 2 * DAY_MS, NOON - MINUTE_MS, 7)],
        [{ ...at('a', NOON - 10 * MINUTE_MS, null, 50), updatedMs: NOON + MINUTE_MS }]
      )
      const query = listed(
        'incident',
        [
          { as: 'id', field: 'why5xx.incident.id' },
          { as: 'failures', field: 'why5xx.incident.failures' },
          { as: 'ended', field: 'event.end' }
        ],
        { sort: [{ by: 'failures', order: 'descending' }] }
      )
      expect(await rowsOf(query)).toEqual([
        { id: 'a', failures: 50, ended: null },
        { id: 'b', failures: 7, ended: iso(NOON - MINUTE_MS) }
      ])
      expect((await rowsOf({ ...query, timeField: 'event.start' })).map(({ id }) => id)).toEqual(['a'])
      const states = counted('incident', {
        by: [{ as: 'state', field: 'why5xx.incident.state' }],
        measures: [{ as: 'failures', sum: 'why5xx.incident.failures' }],
        where: [{ field: 'why5xx.incident.id', isParam: 'incident' }]
      })
      expect(await rowsOf(states, { params: { incident: 'b' } })).toEqual([{ state: 'resolved', failures: 7 }])
    })

    test('what cannot be asked is an error', async () => {
      await write(
        writer => writer.write(batch({})),
        writer => writer.write(batch({}))
      )
      const refused = (query: TableQuery, window: Partial<TableWindow> = {}) =>
        expect(rowsOf(query, window)).rejects.toMatchObject({ code: 'WHY5XX_USAGE' })
      const n = [{ as: 'n', count: true as const }]
      await refused(counted('failure', { by: [{ as: 'x', field: 'why5xx.nothing' }], measures: n }))
      await refused(counted('failure', { measures: n }), { toMs: Number.POSITIVE_INFINITY })
      await refused(counted('failure', { measures: n }), { stepMs: 1_500 })
    })
  })
}

export function testRandomTables(contract: Contract): void {
  const { write } = contract

  test('random tables are those that plain code makes of the documents', async () => {
    const [failures] = fc.sample(anyFailures, 1)
    const better = failures!.slice(0, 5).map(withId)
    await write(
      writer => writer.write(batch({ failures: failures! })),
      writer => writer.write(batch({ failures: better }))
    )
    const documents = [...better, ...failures!.slice(5)].map(({ document }) => document)
    const reader = await contract.open()
    let rows = 0
    // Together, as a dashboard asks.
    for (const window of fc.sample(anyWindow, WINDOWS)) {
      const queries = fc.sample(anyTable, TABLES)
      const tables = await reader.tables(queries, window)
      for (const [i, query] of queries.entries()) {
        const expected = tableOfDocuments(query, window, documents)
        rows += expected.length
        expect(tables[i]!.map(digits), JSON.stringify({ query, window })).toEqual(expected.map(digits))
      }
    }
    expect(rows).toBeGreaterThanOrEqual(WINDOWS * TABLES)
  })
}

import { expect, test } from 'vitest'
import { besideTotals, esqlText, indexPattern } from '../../src/store/esql.ts'
import type { CountedTable, TableQuery } from '../../src/store/table.ts'

const FAILURES: CountedTable = {
  from: 'failure',
  where: [],
  timeField: '@timestamp',
  by: [],
  measures: [{ as: 'n', count: true }],
  sort: [],
  limit: 10
}

function text(query: Partial<CountedTable>): string {
  return esqlText({ ...FAILURES, ...query }, { pattern: 'why5xx-failure-*' })
}

test('groups, every measure, and what is made of them', () => {
  expect(
    text({
      where: [{ field: 'http.response.status_code', is: [502, 504] }],
      by: [
        { as: 'time', bucketOf: '@timestamp' },
        { as: 'why5xx.cause', field: 'why5xx.cause' },
        { as: 'where', field: 'service.name' }
      ],
      measures: [
        { as: 'n', count: true },
        {
          as: 'saved',
          count: true,
          where: [
            { field: 'why5xx.masked', is: [true] },
            { field: 'why5xx.root_cause.kind', exists: true }
          ]
        },
        { as: 'ms', avg: 'why5xx.upstream.response_ms' },
        { as: 'sure', max: 'why5xx.confidence' },
        { as: 'first', min: '@timestamp' },
        { as: 'last seen', max: '@timestamp' },
        { as: 'seconds', secondsBetween: ['first', 'last seen'] },
        { as: 'share', percent: ['saved', 'n'] }
      ],
      sort: [{ by: 'share', order: 'descending' }]
    })
  ).toBe(`FROM why5xx-failure-*
| WHERE @timestamp >= ?_tstart AND @timestamp < ?_tend AND http.response.status_code IN (502, 504)
| STATS n = COUNT(*), saved = COUNT(*) WHERE why5xx.masked == true AND why5xx.root_cause.kind IS NOT NULL, ms = AVG(why5xx.upstream.response_ms), sure = ROUND(MAX(why5xx.confidence), 3), \`first\` = MIN(@timestamp), \`last seen\` = MAX(@timestamp) BY time = BUCKET(@timestamp, 75, ?_tstart, ?_tend), why5xx.cause, \`where\` = service.name
| EVAL seconds = (TO_LONG(\`last seen\`) - TO_LONG(\`first\`)) / 1000.0, share = CASE(n != 0, 100.0 * saved / n)
| SORT share DESC NULLS LAST, time ASC NULLS LAST, why5xx.cause ASC NULLS LAST, \`where\` ASC NULLS LAST, n ASC NULLS LAST, saved ASC NULLS LAST, ms ASC NULLS LAST, sure ASC NULLS LAST, \`first\` ASC NULLS LAST, \`last seen\` ASC NULLS LAST, seconds ASC NULLS LAST
| LIMIT 10
| KEEP time, why5xx.cause, \`where\`, n, saved, ms, sure, \`first\`, \`last seen\`, seconds, share`)
})

test('columns of documents', () => {
  const query: TableQuery = {
    from: 'incident',
    where: [],
    timeField: 'event.start',
    columns: [
      { as: 'started', field: 'event.start' },
      { as: 'message', field: 'message' }
    ],
    sort: [{ by: 'started', order: 'descending' }],
    limit: 5
  }
  expect(esqlText(query, { pattern: indexPattern('incident', 'prod') })).toBe(`FROM why5xx-incident-prod
| WHERE event.start >= ?_tstart AND event.start < ?_tend
| EVAL started = event.start
| SORT started DESC NULLS LAST, message ASC NULLS LAST
| LIMIT 5
| KEEP started, message`)
})

test.each([
  ['one value', { field: 'url.path', is: ['/a'] }, 'url.path == "/a"'],
  ['no value at all', { field: 'url.path', is: [] }, 'false'],
  ['quotes and lines', { field: 'url.path', is: ['"\\\n\r\t|`x'] }, 'url.path == "\\"\\\\\\n\\r\\t|`x"'],
  ['not one', { field: 'url.path', isNot: ['/a'] }, '(url.path IS NULL OR url.path != "/a")'],
  ['none of several', { field: 'url.port', isNot: [80, 443] }, '(url.port IS NULL OR url.port NOT IN (80, 443))'],
  ['everything', { field: 'url.path', isNot: [] }, 'true'],
  ['at least', { field: 'http.request.bytes', atLeast: -1.5 }, 'http.request.bytes >= -1.5'],
  ['of half a float', { field: 'why5xx.confidence', atLeast: 0.9 }, 'ROUND(why5xx.confidence, 3) >= 0.9'],
  ['not there', { field: 'event.start', exists: false }, 'event.start IS NULL'],
  ['a parameter', { field: 'service.name', isParam: 'service' }, '(?service == "*" OR service.name == ?service)']
] as const)('condition: %s', (_name, condition, expected) => {
  expect(text({ where: [condition] }).split('\n')[1]).toBe(
    `| WHERE @timestamp >= ?_tstart AND @timestamp < ?_tend AND ${expected}`
  )
})

test('indices of a kind', () => {
  expect(indexPattern('failure')).toBe('why5xx-failure-*')
  expect(indexPattern('failure', 'prod')).toBe('why5xx-failure-prod-*')
  expect(indexPattern('incident')).toBe('why5xx-incident-*')
})

test('beside totals, whose indices are there before any other', () => {
  expect(
    esqlText({ ...FAILURES, from: 'reject' }, besideTotals('reject'))
      .split('\n')
      .slice(0, 2)
  ).toEqual([
    'FROM why5xx-reject-*,why5xx-rollup-*',
    '| WHERE @timestamp >= ?_tstart AND @timestamp < ?_tend AND event.dataset != "why5xx.rollup"'
  ])
  expect(besideTotals('rollup')).toEqual({ pattern: 'why5xx-rollup-*', only: [] })
})

test('values in the place of parameters', () => {
  const where = [{ field: 'service.name', isParam: 'service' }]
  const query: CountedTable = { ...FAILURES, where, measures: [{ as: 'n', count: true, where }] }
  const given = (params: Record<string, string>): string[] => esqlText(query, { pattern: 'x', params }).split('\n')
  expect(given({ service: 'shop/cart' }).slice(1, 3)).toEqual([
    '| WHERE @timestamp >= ?_tstart AND @timestamp < ?_tend AND service.name == "shop/cart"',
    '| STATS n = COUNT(*) WHERE service.name == "shop/cart"'
  ])
  expect(given({}).slice(1, 3)).toEqual([
    '| WHERE @timestamp >= ?_tstart AND @timestamp < ?_tend',
    '| STATS n = COUNT(*)'
  ])
})

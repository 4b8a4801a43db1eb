import { describe, expect, test } from 'vitest'
import type { Condition, CountedTable, Grouping, ListedTable, Measure } from '../../src/store/table.ts'
import { checkWindow, columnsOf } from '../../src/store/tableCheck.ts'
import { counted, listed, WINDOW } from './tableQuestions.ts'

const N: Measure = { as: 'n', count: true }
const by = (...groupings: Grouping[]): CountedTable => counted('failure', { by: groupings, measures: [N] })
const measured = (...measures: Measure[]): CountedTable => counted('failure', { measures: [N, ...measures] })
const where = (condition: Condition): CountedTable => counted('failure', { where: [condition], measures: [N] })
const columns = (as: string, field: string): ListedTable => listed('failure', [{ as, field }])

test('columns in their order, with what they hold', () => {
  const query = counted('failure', {
    by: [
      { as: 'time', bucketOf: 'event.start' },
      { as: 'saved', field: 'why5xx.masked' }
    ],
    measures: [N, { as: 'first', min: '@timestamp' }, { as: 'pod', max: 'kubernetes.pod.name' }]
  })
  expect(columnsOf(query).map(({ as, type }) => [as, type])).toEqual([
    ['time', 'date'],
    ['saved', 'boolean'],
    ['n', 'number'],
    ['first', 'date'],
    ['pod', 'text']
  ])
  expect(columnsOf(columns('event.id', 'event.id')).map(({ as }) => as)).toEqual(['event.id'])
})

describe('is refused', () => {
  test.each([
    [
      'a field of another kind',
      by({ as: 'x', field: 'why5xx.incident.id' }),
      /"why5xx.incident.id", which is no field/
    ],
    ['a field of several values', by({ as: 'x', field: 'why5xx.attempts.statuses' }), /no field of one value/],
    ['what is only kept', columns('x', 'why5xx.evidence'), /no field/],
    ['a name of every object', columns('x', 'constructor'), /no field/],
    ['groups of text', by({ as: 'x', field: 'message' }), /cannot be grouped by message \(text\)/],
    ['groups of what is never quite equal', by({ as: 'x', field: 'why5xx.confidence' }), /cannot be grouped/],
    ['buckets of no date', by({ as: 'x', bucketOf: 'why5xx.cause' }), /which is no date/],
    ['a sum of texts', measured({ as: 'x', sum: 'why5xx.cause' }), /which is no number/],
    ['the least of booleans', measured({ as: 'x', min: 'why5xx.masked' }), /no least or greatest/],
    [
      'a share of a later column',
      measured({ as: 'x', percent: ['n', 'y'] }, { as: 'y', count: true }),
      /before there is one/
    ],
    ['a share of itself', measured({ as: 'x', percent: ['n', 'x'] }), /before there is one/],
    ['seconds between numbers', measured({ as: 'x', secondsBetween: ['n', 'n'] }), /for a date/],
    ['two columns of a name', measured({ as: 'n', count: true }), /two columns n/],
    ['a column that hides a field', by({ as: 'message', field: 'why5xx.cause' }), /not the field of this name/],
    ['a name that is no column', columns('1; DROP', 'why5xx.cause'), /cannot have a column/],
    ['a name of nothing', columns('a..b', 'why5xx.cause'), /cannot have a column/],
    ['no columns', listed('failure', []), /has no columns/],
    ['an order by no column', { ...by(), sort: [{ by: 'm', order: 'ascending' as const }] }, /sorted by m/],
    ['no rows', { ...by(), limit: 0 }, /limit of 0/],
    ['more rows than ES|QL gives', { ...by(), limit: 10_001 }, /limit of 10001/],
    [
      'a date that it has not',
      { ...counted('rollup', { measures: [N] }), timeField: 'event.start' as const },
      /event.start/
    ],
    ['a number for a text', where({ field: 'why5xx.cause', is: [502] }), /compares why5xx.cause \(keyword\) with 502/],
    ['a text for a number', where({ field: 'http.response.status_code', isNot: ['502'] }), /with "502"/],
    ['part of a number', where({ field: 'http.response.status_code', is: [502.5] }), /with 502.5/],
    ['a text at least', where({ field: 'why5xx.cause', atLeast: 1 }), /cannot compare/],
    ['at least nothing', where({ field: 'event.duration', atLeast: Number.NaN }), /cannot compare/],
    ['a text that is searched by words', where({ field: 'message', is: ['it'] }), /cannot ask whether/],
    ['a parameter that is a number', where({ field: 'event.duration', isParam: 'x' }), /only text for a parameter/],
    ['a name of a parameter', where({ field: 'why5xx.cause', isParam: 'x y' }), /cannot have a parameter "x y"/],
    [
      'whether an unindexed text is there',
      { ...counted('reject', { measures: [N] }), where: [{ field: 'event.original', exists: true }] },
      /cannot know/
    ],
    [
      'the same in a measure',
      measured({ as: 'x', count: true, where: [{ field: 'nothing', exists: true }] }),
      /"nothing"/
    ]
  ])('%s', (_name, query, message) => {
    expect(() => columnsOf(query)).toThrow(message)
  })

  test.each([
    [{ fromMs: Number.NEGATIVE_INFINITY }, /two ends/],
    [{ toMs: 9e15 }, /two ends/],
    [{ stepMs: 0 }, /multiple of a second/],
    [{ stepMs: Number.NaN }, /multiple of a second/],
    [{ stepMs: 1_001 }, /multiple of a second/]
  ])('window %j', (given, message) => {
    expect(() => checkWindow({ ...WINDOW, ...given })).toThrow(message)
  })
})

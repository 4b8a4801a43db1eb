/** Failures and questions about them, at random, with values that meet each other often. */
import fc from 'fast-check'
import type { StoredDocument } from '../../src/store/document.ts'
import type { Condition, Grouping, Measure, Order, TableQuery, TableWindow } from '../../src/store/table.ts'
import { DAY_MS, NOON } from './failures.ts'
import { failureWith, iso, WINDOW } from './tableQuestions.ts'

const PODS = ['cart-1', 'Cart-1', 'Ä 😀', '\uffee', '__proto__', '']
const CAUSES = ['connection_refused', 'read_timeout', 'unclassified'] as const

const anyTime = fc.integer({ min: -2 * DAY_MS, max: 2 * DAY_MS }).map(ms => NOON + ms)
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined })

/** Of one id the second is the better one, where there are two. */
export const anyFailures: fc.Arbitrary<StoredDocument[]> = fc
  .array(
    fc.record({
      timeMs: fc.oneof(anyTime, fc.constantFrom(NOON, NOON + 1, NOON - DAY_MS)),
      cause: fc.constantFrom(...CAUSES),
      status: fc.constantFrom(500, 502, 504),
      masked: fc.boolean(),
      pod: maybe(fc.constantFrom(...PODS)),
      responseMs: maybe(fc.integer({ min: -3, max: 3 })),
      requestTime: maybe(fc.double({ min: 0, max: 60, noNaN: true })),
      confidence: fc.integer({ min: 0, max: 1_000 }).map(thousandths => thousandths / 1_000),
      startMs: maybe(anyTime),
      message: fc.constantFrom('it failed', 'It failed', 'again')
    }),
    { minLength: 20, maxLength: 40 }
  )
  .map(given =>
    given.map(({ pod, responseMs, requestTime, confidence, startMs, ...rest }, i) =>
      failureWith(
        { id: `f${i}`, ...rest },
        {
          event: { start: startMs === undefined ? undefined : iso(startMs) },
          ...(pod !== undefined && { kubernetes: { pod: { name: pod } } }),
          nginx_ingress_controller: { access: { http: { request: { time: requestTime } } } },
          why5xx: { confidence, upstream: { name: 'shop-cart-80', response_ms: responseMs } }
        }
      )
    )
  )

const POD = 'kubernetes.pod.name'
const RESPONSE = 'why5xx.upstream.response_ms'
const REQUEST_TIME = 'nginx_ingress_controller.access.http.request.time'

const anyCondition: fc.Arbitrary<Condition> = fc.oneof(
  fc.subarray(PODS).map((is): Condition => ({ field: POD, is })),
  fc.subarray(PODS).map((isNot): Condition => ({ field: POD, isNot })),
  fc.subarray([500, 502, 504]).map((isNot): Condition => ({ field: 'http.response.status_code', isNot })),
  fc.boolean().map((masked): Condition => ({ field: 'why5xx.masked', is: [masked] })),
  fc.constantFrom(-1, 0, 0.5, 2).map((atLeast): Condition => ({ field: RESPONSE, atLeast })),
  fc.integer({ min: 0, max: 1_000 }).map((n): Condition => ({ field: 'why5xx.confidence', atLeast: n / 1_000 })),
  fc
    .tuple(fc.constantFrom(POD, RESPONSE, 'event.start', 'message'), fc.boolean())
    .map(([field, exists]): Condition => ({ field, exists })),
  fc.constant<Condition>({ field: POD, isParam: 'pod' })
)

const GROUPINGS: readonly Grouping[] = [
  { as: 'time', bucketOf: '@timestamp' },
  { as: 'began', bucketOf: 'event.start' },
  { as: 'cause', field: 'why5xx.cause' },
  { as: 'status', field: 'http.response.status_code' },
  { as: 'saved', field: 'why5xx.masked' },
  { as: 'pod', field: POD },
  { as: 'ms', field: RESPONSE },
  { as: 'start', field: 'event.start' }
]

const MEASURES: readonly Measure[] = [
  { as: 'total', sum: RESPONSE },
  { as: 'mean', avg: REQUEST_TIME },
  { as: 'least_pod', min: POD },
  { as: 'last_id', max: 'event.id' },
  { as: 'surest', max: 'why5xx.confidence' },
  { as: 'least_ms', min: RESPONSE },
  { as: 'longest', max: REQUEST_TIME },
  { as: 'last_start', max: 'event.start' }
]

const DERIVED: readonly Measure[] = [
  { as: 'share', percent: ['some', 'n'] },
  { as: 'inverse', percent: ['n', 'some'] },
  { as: 'seconds', secondsBetween: ['first', 'last'] }
]

const COLUMNS = [
  ...GROUPINGS.flatMap(grouping => ('field' in grouping ? [grouping] : [])),
  { as: 'confidence', field: 'why5xx.confidence' },
  { as: 'message', field: 'message' },
  { as: 'took', field: REQUEST_TIME }
]

const anyDirection = fc.constantFrom<Order['order']>('ascending', 'descending')

function sorted(query: TableQuery, names: readonly string[]): fc.Arbitrary<TableQuery> {
  return fc
    .tuple(fc.shuffledSubarray([...names], { maxLength: Math.min(2, names.length) }), anyDirection, anyDirection)
    .map(([by, ...orders]) => ({ ...query, sort: by.map((name, i) => ({ by: name, order: orders[i]! })) }))
}

export const anyTable: fc.Arbitrary<TableQuery> = fc
  .record({
    isListed: fc.boolean(),
    timeField: fc.constantFrom('@timestamp' as const, '@timestamp' as const, 'event.start' as const),
    // Two conditions leave little.
    where: fc.oneof(
      fc.constant([]),
      fc.array(anyCondition, { maxLength: 1 }),
      fc.array(anyCondition, { maxLength: 2 })
    ),
    of: fc.array(anyCondition, { minLength: 1, maxLength: 2 }),
    by: fc.shuffledSubarray([...GROUPINGS], { maxLength: 3 }),
    measures: fc.shuffledSubarray([...MEASURES], { maxLength: 4 }),
    columns: fc.shuffledSubarray(COLUMNS, { minLength: 1 }),
    limit: fc.constantFrom(1, 3, 50, 50)
  })
  .chain(({ isListed, timeField, where, of, by, measures, columns, limit }) => {
    const shared = { from: 'failure' as const, timeField, where, sort: [], limit }
    if (isListed) {
      const names = columns.map(({ as }) => as)
      return sorted({ ...shared, columns }, names)
    }
    const counts: Measure[] = [
      { as: 'n', count: true },
      { as: 'some', count: true, where: of },
      { as: 'first', min: '@timestamp' },
      { as: 'last', max: '@timestamp' }
    ]
    const all = [...counts, ...measures, ...DERIVED]
    return sorted(
      { ...shared, by, measures: all },
      [...by, ...all].map(({ as }) => as)
    )
  })

export const anyWindow: fc.Arbitrary<TableWindow> = fc
  .record({
    fromMs: fc.constantFrom(WINDOW.fromMs, NOON, NOON + 1),
    toMs: fc.constantFrom(WINDOW.toMs, NOON + 3 * DAY_MS),
    stepMs: fc.constantFrom(60_000, 7_000, DAY_MS),
    pod: maybe(fc.constantFrom('cart-1', '*', 'none'))
  })
  .map(({ pod, ...window }) => ({ ...window, params: pod === undefined ? {} : { pod } }))

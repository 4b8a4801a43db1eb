/** Onset, peak, recovery, causes that come and go, and what is said where little or nothing is there. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FailureDocument } from '../../src/store/document.ts'
import type { FailureRow } from '../../src/store/store.ts'
import { TimelineBuilder } from '../../src/timeline/timeline.ts'
import { at } from '../support/lines.ts'
import { failed, failedAt, HOUR, requests, saved, timelineOf, times, traffic } from './rows.ts'
import '../support/seed.ts'

const iso = (time: string): string => `2026-11-21T${time}.000Z`
const NOTHING = { span: null, upstreams: [] }

/** 40 failures in the minute, `count` of them. */
const burst = (minute: string, count: number, more: Partial<FailureRow> = {}): FailureRow[] =>
  times(count, i => failed(`${minute}:${String(i % 60).padStart(2, '0')}`, more))

describe('the course', () => {
  test('a wave: onset and recovery leave the odd failure before and behind it aside', () => {
    const {
      course,
      documents,
      requests: all
    } = timelineOf([
      failed('10:02:30'),
      ...burst('10:10', 15),
      ...burst('10:11', 40),
      ...burst('10:12', 4),
      failed('10:40:10')
    ])
    expect(course).toMatchObject({
      basis: 'failed',
      onset: iso('10:10:00'),
      peak: { at: iso('10:11:00'), minutes: 1, count: 40, requests: 100 },
      recovery: iso('10:13:00'),
      first: { at: iso('10:02:30') },
      last: { at: iso('10:40:10') },
      warning: null
    })
    expect(documents).toEqual({ failed: 61, masked: 0, other: 0 })
    expect(all).toBe(6_000)
  })

  test('one failure is its own onset, peak and recovery', () => {
    expect(timelineOf([failed('10:20:17')]).course).toMatchObject({
      onset: iso('10:20:00'),
      peak: { count: 1 },
      recovery: iso('10:21:00')
    })
  })

  test.each([
    ['goes on at the end', '10:59', null],
    ['four minutes before the end', '10:55', null],
    ['five minutes before the end', '10:54', iso('10:55:00')]
  ])('a failure that %s', (_name, minute, recovery) => {
    expect(timelineOf(burst(minute, 3)).course.recovery).toBe(recovery)
  })

  test('without data behind it nothing has recovered, however long the window', () => {
    const builder = new TimelineBuilder(HOUR)
    builder.totals(requests('10:10:00', 50, 20))
    for (const row of burst('10:10', 20)) builder.failure(row, null)
    const { course, data } = builder.finish([], NOTHING)
    expect(course.recovery).toBeNull()
    expect(data).toEqual({ from: iso('10:10:00'), to: iso('10:11:00') })
  })

  test('only saved requests: they are what is told', () => {
    const { course, documents } = timelineOf([saved('10:10:05'), saved('10:10:06')])
    expect(course).toMatchObject({ basis: 'masked', onset: iso('10:10:00'), peak: { count: 2 } })
    expect(documents).toEqual({ failed: 0, masked: 2, other: 0 })
  })

  test('a saved request before the first failure is its warning', () => {
    const rows = [saved('10:09:00', { id: 'warning' }), failed('10:10:00', { id: 'first' }), saved('10:11:00')]
    expect(timelineOf(rows).course).toMatchObject({ warning: { id: 'warning' }, first: { id: 'first' } })
    expect(timelineOf(rows.slice(1)).course.warning).toBeNull()
  })

  test('no failure at all', () => {
    const timeline = timelineOf([])
    expect(timeline.course).toEqual({
      basis: null,
      first: null,
      last: null,
      warning: null,
      onset: null,
      peak: null,
      recovery: null
    })
    expect(timeline).toMatchObject({
      requests: 6_000,
      failed: 0,
      share: 0,
      instead: null,
      causes: { shown: [], more: 0 }
    })
  })
})

describe('causes', () => {
  test('gone after five quiet minutes, and back', () => {
    const [cause] = timelineOf([failed('10:10:00'), failed('10:15:00'), failed('10:20:01'), saved('10:30:00')]).causes
      .shown
    expect(cause!.episodes).toEqual({
      shown: [
        { from: iso('10:10:00'), to: iso('10:15:00'), failed: 2, masked: 0, other: 0 },
        { from: iso('10:20:01'), to: iso('10:20:01'), failed: 1, masked: 0, other: 0 },
        { from: iso('10:30:00'), to: iso('10:30:00'), failed: 0, masked: 1, other: 0 }
      ],
      more: 0
    })
  })

  test('who is blamed, what clients saw, how sure', () => {
    const [cause] = timelineOf([
      failed('10:10:00'),
      failed('10:10:01', { address: '10.0.0.8:80', pod: 'cart-1', status: 503, confidence: 0.75, hasErrorLine: false }),
      failed('10:10:02', { address: '10.0.0.8:80', pod: 'cart-1' }),
      saved('10:10:03', { address: null })
    ]).causes.shown
    expect(cause).toMatchObject({
      failed: 3,
      masked: 1,
      addresses: {
        shown: [
          { address: '10.0.0.8:80', pod: 'cart-1', documents: 2 },
          { address: '10.0.0.7:80', pod: null, documents: 1 }
        ]
      },
      statuses: [
        { status: 502, count: 2 },
        { status: 503, count: 1 }
      ],
      toldByErrorLine: 0.75,
      confidence: 0.915
    })
  })

  test('thousands of upstreams: the worst are shown, the rest is counted', () => {
    const rows = times(3_000, i => failed('10:10:00', { upstream: `upstream-${i}` }))
    const { causes, documents } = timelineOf([...rows, ...burst('10:11', 5, { upstream: 'worst' })])
    expect(causes.shown[0]).toMatchObject({ upstream: 'worst', failed: 5 })
    expect(causes.shown).toHaveLength(20)
    expect(causes.more).toBe(2_981)
    expect(causes.rest.failed).toBe(2_981)
    expect(documents.failed).toBe(3_005)
  })

  const documentOf = (id: string): FailureDocument => ({
    '@timestamp': iso('10:10:00'),
    event: { id },
    message: `message of ${id}`,
    why5xx: {
      evidence: times(3, i => ({
        kind: 'error_line',
        at: iso('10:10:00'),
        ref: `a.log:${i + 1}`,
        text: 'connect() failed'
      }))
    }
  })

  test('evidence is of the first and last document that an error line decided; equal lines are told once', () => {
    const builder = new TimelineBuilder(HOUR)
    const rows = [
      failed('10:10:00', { id: 'a', hasErrorLine: false }),
      failed('10:10:01', { id: 'b' }),
      failed('10:10:02', { id: 'c' }),
      failed('10:10:03', { id: 'd' }),
      saved('10:10:04', { id: 'e' })
    ]
    for (const row of rows) builder.failure(row, null)
    expect(builder.exampleIds()).toEqual(['b', 'd'])
    const { causes } = builder.finish([documentOf('d'), documentOf('b')], NOTHING)
    expect(causes.shown[0]!.examples.map(example => example.id)).toEqual(['b', 'd'])
    expect(causes.shown[0]!.examples[0]!.evidence).toEqual([
      { kind: 'error_line', at: iso('10:10:00'), ref: 'a.log:1', text: 'connect() failed', count: 3 }
    ])
  })

  test('documents given at once or later: the same', () => {
    const rows = times(5, i => failed(`10:10:0${i}`, { id: `id-${i}` }))
    const [early, late] = [new TimelineBuilder(HOUR), new TimelineBuilder(HOUR)]
    for (const row of rows) {
      early.failure(row, { document: documentOf(row.id) })
      late.failure(row, null)
    }
    const wanted = late.exampleIds().map(documentOf)
    expect(early.finish([], NOTHING)).toEqual(late.finish(wanted, NOTHING))
  })
})

describe('filters', () => {
  test('what lies outside of the window, or is of others, is not there', () => {
    const rows = [
      failedAt(HOUR.fromMs - 1),
      failedAt(HOUR.fromMs),
      failedAt(HOUR.toMs - 1, { cause: 'read_timeout' }),
      failedAt(HOUR.toMs),
      failed('10:10:00', { upstream: 'pay-api-80', service: 'pay-api-80' })
    ]
    expect(timelineOf(rows).documents.failed).toBe(3)
    expect(timelineOf(rows, { services: ['shop/cart'] }).documents.failed).toBe(2)
    expect(timelineOf(rows, { services: ['shop-cart-80'], causes: ['read_timeout'] }).documents.failed).toBe(1)
    // Requests are of any cause.
    expect(timelineOf(rows, { causes: ['read_timeout'] }).requests).toBe(6_000)
  })

  test('an open window is as wide as the data', () => {
    const open = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }
    expect(timelineOf([failed('11:30:30')], open).window).toEqual({
      from: iso('10:00:00'),
      to: iso('11:31:00'),
      minutes: 91
    })
  })

  test('controller lines of other services are left out', () => {
    const builder = new TimelineBuilder({ ...HOUR, services: ['shop-cart-80'] })
    const line = {
      timeMs: at('10:10:00'),
      kind: 'endpoints',
      level: 'W',
      pod: 'c-1',
      cause: null,
      message: 'no endpoints'
    }
    for (const [i, service] of ['shop/cart', 'pay/api', null].entries())
      builder.controller({ ...line, id: `${i}`, service })
    expect(builder.finish([], NOTHING).controller.shown.map(event => event.service)).toEqual(['shop/cart', null])
  })
})

describe('what is not there', () => {
  test('minutes without requests between minutes with some', () => {
    const builder = new TimelineBuilder(HOUR)
    for (const minute of ['10:01', '10:02', '10:05', '10:20']) builder.totals(requests(`${minute}:00`, 5))
    expect(builder.finish([], NOTHING).silences).toEqual({
      shown: [
        { from: iso('10:03:00'), to: iso('10:05:00'), minutes: 2 },
        { from: iso('10:06:00'), to: iso('10:20:00'), minutes: 14 }
      ],
      more: 0,
      minutes: 16
    })
  })

  test('nothing: what there is instead, and the name that was meant', () => {
    const builder = new TimelineBuilder({ ...HOUR, services: ['shop/crat', 'xyz'] })
    const known = { span: { fromMs: at('08:00:00'), toMs: at('09:00:00') }, upstreams: ['shop-cart-80', 'pay-api-80'] }
    const timeline = builder.finish([], known)
    expect(timeline.instead).toEqual({
      span: { from: iso('08:00:00'), to: iso('09:00:00') },
      upstreams: { shown: ['pay-api-80', 'shop-cart-80'], more: 0 },
      nearest: [
        { service: 'shop/crat', upstream: 'shop-cart-80' },
        { service: 'xyz', upstream: null }
      ]
    })
    expect(timeline).toMatchObject({ requests: 0, share: null, data: null })
  })

  test('gaps and rejects', () => {
    const builder = new TimelineBuilder(HOUR)
    const gap = { name: 'a.log', bytes: null, reason: 'truncated' as const, text: 'cut' }
    builder.gap({ ...gap, atMs: at('10:20:00') })
    builder.gap({ ...gap, atMs: at('10:10:00') })
    builder.gap({ ...gap, atMs: at('11:10:00') })
    builder.rejects('unrecognized', 2)
    builder.rejects('unrecognized', 1)
    const timeline = builder.finish([], NOTHING)
    expect(timeline.gaps.shown.map(({ at: time }) => time)).toEqual([iso('10:10:00'), iso('10:20:00')])
    expect(timeline.rejects).toEqual([{ code: 'unrecognized', count: 3 }])
  })
})

test('controller lines: equal ones close in time are one event', () => {
  const builder = new TimelineBuilder(HOUR)
  const reload = { kind: 'reload', service: null, level: 'I', cause: null, message: 'Backend successfully reloaded' }
  for (const [i, time] of ['10:01:00', '10:01:01', '10:30:00'].entries())
    builder.controller({ ...reload, id: `${i}`, timeMs: at(time), pod: `c-${i % 2}` })
  expect(builder.finish([], NOTHING).controller.shown).toMatchObject([
    { kind: 'reload', from: iso('10:01:00'), to: iso('10:01:01'), count: 2, pods: 2 },
    { from: iso('10:30:00'), count: 1 }
  ])
})

test('thirty days: as many buckets as can be drawn, and every request in one', () => {
  const fromMs = at('00:00:00')
  const toMs = fromMs + 30 * 86_400_000
  const builder = new TimelineBuilder({ fromMs, toMs, services: [], causes: [] })
  const counts = {
    masked: 0,
    clientClosed: 0,
    status500: 0,
    status502: 0,
    status503: 0,
    status504: 0,
    durationMsSum: 0
  }
  for (let ms = fromMs; ms < toMs; ms += 60_000)
    builder.totals({ timeMs: ms, upstream: 'a', requests: 10, failures: 1, ...counts })
  for (let ms = fromMs; ms < toMs; ms += 600_000) builder.failure(failedAt(ms), null)
  const { series, requests: all, causes } = builder.finish([], NOTHING)
  expect(series.stepMinutes).toBe(180)
  expect(series.requests).toHaveLength(240)
  expect(series.requests.reduce((sum, count) => sum + count, 0)).toBe(all)
  expect(all).toBe(432_000)
  expect(series.byCause[0]!.counts.reduce((sum, count) => sum + count, 0)).toBe(4_320)
  // Quiet is told as far as it is known.
  expect(causes.shown[0]!.quietMinutes).toBeGreaterThan(5)
})

const MINUTES = times(60, i => String(i).padStart(2, '0'))
const anyRow = fc
  .record({
    minute: fc.constantFrom(...MINUTES),
    kind: fc.constantFrom('failed', 'saved', 'other'),
    cause: fc.constantFrom('connection_refused', 'read_timeout', 'no_endpoints'),
    upstream: fc.constantFrom('a-80', 'b-80', ''),
    path: fc.constantFrom('/a/1', '/a/2', '/b', null),
    client: fc.constantFrom('203.0.113.9', '203.0.113.10', null),
    confidence: fc.constantFrom(0.1, 0.2, 0.7, 0.97)
  })
  .map(({ minute, kind, ...more }) => {
    const row = { ...more, cause: more.cause as FailureRow['cause'] }
    if (kind === 'other') return failed(`10:${minute}:00`, { ...row, status: 499, counted: false })
    return kind === 'failed' ? failed(`10:${minute}:00`, row) : saved(`10:${minute}:00`, row)
  })

test('in any order the same timeline, and counts add up', () => {
  const orders = fc
    .array(anyRow, { maxLength: 60 })
    .chain(rows => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })))
  fc.assert(
    fc.property(orders, ([a, b]) => {
      const one = timelineOf(a)
      const builder = new TimelineBuilder(HOUR)
      for (const row of b) builder.failure(row, null)
      traffic(builder)
      expect(builder.finish([], NOTHING)).toEqual(one)
      for (const kind of ['failed', 'masked', 'other'] as const) {
        const sum = one.documents[kind]
        const causes = one.causes.shown.reduce((total, cause) => total + cause[kind], one.causes.rest[kind])
        const episodes = one.causes.shown.flatMap(cause => cause.episodes.shown)
        expect(causes).toBe(sum)
        expect(episodes.reduce((total, episode) => total + episode[kind], 0)).toBe(sum)
        expect(one.routes.shown.reduce((total, route) => total + route[kind], 0)).toBe(sum)
      }
      const { basis } = one.course
      const drawn = one.series.byCause.reduce((total, { counts }) => total + counts.reduce((s, n) => s + n, 0), 0)
      expect(drawn).toBe(basis === null ? 0 : one.documents[basis])
    }),
    { numRuns: 60 }
  )
})

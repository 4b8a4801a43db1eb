import { expect, test } from 'vitest'
import { backoffMs, judgeItem, judgeRequest } from '../../../src/store/elasticsearch/bulkAnswer.ts'
import { Refusals } from '../../../src/store/elasticsearch/refusals.ts'

test.each([
  // status, error type, verdict
  [200, null, 'written'],
  [201, null, 'written'],
  [409, 'version_conflict_engine_exception', 'known'],
  [429, 'es_rejected_execution_exception', 'retry'],
  [429, 'cluster_block_exception', 'blocked'],
  [403, 'cluster_block_exception', 'blocked'],
  [404, 'index_not_found_exception', 'blocked'],
  [400, 'index_closed_exception', 'blocked'],
  [503, 'unavailable_shards_exception', 'blocked'],
  [401, 'security_exception', 'denied'],
  [403, 'security_exception', 'denied'],
  [500, 'null_pointer_exception', 'retry'],
  [502, 'x', 'retry'],
  [503, 'x', 'retry'],
  [504, 'x', 'retry'],
  [0, null, 'retry'],
  [302, null, 'retry'],
  [400, 'document_parsing_exception', 'refused'],
  [404, 'document_missing_exception', 'refused'],
  [413, 'x', 'refused'],
  [422, 'x', 'refused']
])('an item with %i %s is %s', (status, type, kind) => {
  const answer = { status, ...(type !== null && { error: { type, reason: 'so' } }) }
  expect(judgeItem(answer, 'why5xx-failure-a-2026.11.21').kind).toBe(kind)
})

test('what a person has to mend is named', () => {
  const because = (status: number, type: string): unknown =>
    judgeItem({ status, error: { type, reason: 'disk full' } }, 'an-index')
  expect(because(404, 'index_not_found_exception')).toMatchObject({
    because: expect.stringContaining('action.auto_create_index')
  })
  expect(because(429, 'cluster_block_exception')).toMatchObject({ because: 'an-index takes no documents: disk full' })
  expect(because(400, 'document_parsing_exception')).toEqual({
    kind: 'refused',
    status: 400,
    type: 'document_parsing_exception',
    reason: 'disk full'
  })
})

test.each([
  [null, 'retry'],
  [408, 'retry'],
  [429, 'retry'],
  [500, 'retry'],
  [503, 'retry'],
  [413, 'too_large'],
  [400, 'denied'],
  [401, 'denied'],
  [403, 'denied'],
  [404, 'denied'],
  [405, 'denied']
])('a request with %s is %s', (status, kind) => {
  expect(judgeRequest(status, 'says so')).toEqual({ kind, because: 'Elasticsearch says so' })
})

test('waits double from 200 ms to 30 s, with full jitter', () => {
  expect([1, 2, 3, 8, 9, 1_000].map(attempt => backoffMs(attempt, 0.999_999))).toEqual([
    199, 399, 799, 25_599, 29_999, 29_999
  ])
  expect(backoffMs(20, 0)).toBe(0)
})

test.each([
  // requests as [items, refused], decision
  [
    'one of many',
    [
      [1_500, 0],
      [1_500, 1]
    ],
    'data'
  ],
  ['all, but only one request', [[1_500, 1_500]], 'undecided'],
  [
    'all of few',
    [
      [49, 49],
      [50, 50]
    ],
    'undecided'
  ],
  [
    'all of enough',
    [
      [50, 50],
      [50, 50]
    ],
    'cluster'
  ],
  [
    'exactly half',
    [
      [50, 25],
      [50, 25]
    ],
    'cluster'
  ],
  [
    'a little less than half',
    [
      [50, 24],
      [50, 25]
    ],
    'data'
  ],
  [
    'good until now',
    [
      [1_500, 0],
      [1_500, 0],
      [100, 100],
      [100, 100]
    ],
    'cluster'
  ],
  [
    'bad until lately',
    [
      [1_500, 1_500],
      [1_500, 0],
      [1_500, 0]
    ],
    'data'
  ],
  ['one now and then', [...Array.from({ length: 120 }, () => [1, 0]), [1, 1]], 'data'],
  [
    'requests without items',
    [
      [0, 0],
      [0, 0]
    ],
    'undecided'
  ]
] as [string, [number, number][], string][])('%s: %j', (_name, requests, decision) => {
  const refusals = new Refusals()
  for (const [items, refused] of requests) refusals.add(items, refused)
  expect(refusals.decision).toBe(decision)
})

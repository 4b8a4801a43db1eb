/** What the reader makes of answers that no real node gives on demand. The contract runs on a real one. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ElasticsearchConfig } from '../../../src/clusterOptions.ts'
import { defaultConfig } from '../../../src/optionTable.ts'
import { openElasticsearchReader } from '../../../src/store/elasticsearch/openReader.ts'
import type { StoreReader } from '../../../src/store/store.ts'
import { type Answer, AnsweringServer, type Asked } from '../../support/answeringServer.ts'
import { all, DAY_MS, EVERYTHING, MINUTE_MS, NOON } from '../failures.ts'

let server: AnsweringServer
let reader: StoreReader
const settings: ElasticsearchConfig = defaultConfig().sink.elasticsearch

beforeAll(async () => {
  server = await AnsweringServer.start()
})
afterAll(() => server.stop())
beforeEach(() => {
  server.asked.length = 0
  reader = openElasticsearchReader({ ...settings, nodes: [server.url] })
})

const SHARDS = { total: 1, successful: 1, skipped: 0, failed: 0 }
const error = (type: string, reason: string): object => ({
  error: {
    type: 'search_phase_execution_exception',
    reason: 'all shards failed',
    root_cause: [{ type, reason }],
    failed_shards: [{ reason: { type, reason } }]
  }
})
const found = (documents: number, buckets: object[]): object => ({
  timed_out: false,
  _shards: SHARDS,
  hits: { total: { value: documents, relation: 'eq' }, hits: [] },
  aggregations: { buckets: { buckets } }
})
/** Answers searches so, and everything else as if it were done. */
function searches(answer: (asked: Asked) => Answer): void {
  server.answer = asked => (asked.path.endsWith('/_search') ? answer(asked) : [200, { _shards: SHARDS }])
}

test.each<[string, Answer, RegExp]>([
  [
    'cut',
    null,
    /^Elasticsearch at http:\/\/127\.0\.0\.1:\d+ cannot be reached: .*is sink\.elasticsearch\.nodes right\?$/
  ],
  ['401', [401, error('security_exception', 'missing')], /does not accept our credentials \(401\)/],
  [
    '403',
    [403, error('security_exception', 'action [indices:data/read/search] is unauthorized')],
    /does not let our user read why5xx-failure-default-\*: give it the privilege read on them \(security_exception: action/
  ],
  [
    '429',
    [429, error('circuit_breaking_exception', 'Data too large')],
    /has too much to do: .* \(circuit_breaking_exception: Data too large\)/
  ],
  [
    '503',
    [503, error('no_shard_available_action_exception', 'no shard')],
    /cannot answer: 503 \(no_shard_available_action_exception: no shard\)$/
  ],
  [
    'an older server',
    [400, { error: { type: 'media_type_header_exception', reason: 'Invalid media-type' } }],
    /is too old: why5xx needs 9\.0 or later$/
  ],
  ['some shards', [200, { ...found(1, []), _shards: { ...SHARDS, total: 3, failed: 1 } }], /a part .*1 of 3 shards/],
  ['a search that was ended', [200, { ...found(1, []), timed_out: true }], /gave a part of the answer only/],
  ['counts that leave something out', [200, found(7, [])], /counts 0 of 7 documents: .* update it to 9\.4\.7/]
])('%s is said in a sentence', async (_name, answer, sentence) => {
  searches(() => answer)
  await expect(reader.counts(EVERYTHING, MINUTE_MS)).rejects.toMatchObject({
    code: 'WHY5XX_STORE',
    message: expect.stringMatching(sentence) as string
  })
})

test('what logs in stands in no sentence', async () => {
  searches(() => [401, error('security_exception', 'unable to authenticate user [me]')])
  reader = openElasticsearchReader({ ...settings, nodes: [server.url], username: 'me', password: 'correct-horse' })
  const failed = await reader.span().catch((reason: unknown) => reason)
  expect((failed as Error).message).toContain('does not accept our credentials')
  expect(JSON.stringify(failed, Object.getOwnPropertyNames(failed)) + String((failed as Error).stack)).not.toMatch(
    /correct-horse|bWU6Y29ycmVjdC1ob3JzZQ/
  )
})

describe('indices we may not see look like none', () => {
  const nothing: object = {
    timed_out: false,
    _shards: { ...SHARDS, total: 0 },
    hits: { total: { value: 0 }, hits: [] }
  }
  const withRights =
    (rights: Answer) =>
    (asked: Asked): Answer =>
      asked.path.includes('_has_privileges') ? rights : [200, nothing]

  test('then it is an error', async () => {
    server.answer = withRights([200, { username: 'me', has_all_requested: false, index: {} }])
    await expect(all(reader.scan(EVERYTHING))).rejects.toMatchObject({
      message: expect.stringContaining('does not let our user read why5xx-failure-default-*') as string
    })
  })

  test.each<[string, Answer]>([
    ['we may see them', [200, { username: 'me', has_all_requested: true, index: {} }]],
    ['a cluster without security', [400, { error: 'no handler found' }]]
  ])('%s: the store is empty, and this is asked once', async (_name, rights) => {
    server.answer = withRights(rights)
    expect(await all(reader.scan(EVERYTHING))).toEqual([])
    expect(await reader.counts(EVERYTHING, MINUTE_MS)).toEqual([])
    expect(server.asked.filter(({ path }) => path.includes('_has_privileges'))).toHaveLength(1)
  })
})

test('a search by when failures were written asks the index for no others', async () => {
  searches(() => [200, found(0, [])])
  const ingested = { fromMs: NOON, toMs: NOON + MINUTE_MS }
  await reader.search({ ...EVERYTHING, ingested }, { limit: 1, order: 'oldest', after: null })
  const asked = server.asked.find(({ path }) => path.endsWith('/_search'))!
  expect((asked.body as { query: { bool: { filter: object[] } } }).query.bool.filter).toContainEqual({
    range: { 'event.ingested': { gte: NOON, lte: NOON + MINUTE_MS, format: 'epoch_millis' } }
  })
})

test('who may not refresh reads all the same, and asks no more', async () => {
  server.answer = ({ path }) =>
    path.endsWith('/_refresh') ? [403, error('security_exception', 'maintenance')] : [200, found(0, [])]
  expect(await reader.counts(EVERYTHING, MINUTE_MS)).toEqual([])
  expect(await reader.totals(EVERYTHING, MINUTE_MS)).toEqual([])
  expect(server.asked.filter(({ path }) => path.endsWith('/_refresh'))).toHaveLength(1)
})

test.each<[string, number, number, string]>([
  ['an hour', NOON, NOON + 3_600_000, '2026.11.21'],
  ['up to midnight', NOON, Date.UTC(2026, 10, 22), '2026.11.21'],
  ['over midnight', NOON, Date.UTC(2026, 10, 22) + 1, '2026.11.21,2026.11.22'],
  ['a moment', NOON, NOON + 1, '2026.11.21'],
  ['from some time on', NOON, Number.POSITIVE_INFINITY, '*'],
  ['a year', NOON, NOON + 365 * DAY_MS, '*'],
  ['before there was time', -1e15, -1e15 + MINUTE_MS, '1970.01.01']
])('days that can hold it are asked: %s', async (_name, fromMs, toMs, days) => {
  server.answer = ({ path }) => [200, path.endsWith('/_refresh') ? { _shards: SHARDS } : found(0, [])]
  await reader.counts({ ...EVERYTHING, fromMs, toMs }, MINUTE_MS)
  const indices = days.split(',').map(day => `/why5xx-failure-default-${day}`)
  expect(server.asked[0]!.path).toBe(`${indices.join(',').replaceAll(',/', ',')}/_refresh`)
  expect(server.asked.every(({ parameters }) => parameters.get('ignore_unavailable') === 'true')).toBe(true)
})

test('a window without time is empty, and nothing is asked', async () => {
  const never = { ...EVERYTHING, fromMs: Date.UTC(2026, 10, 22), toMs: Date.UTC(2026, 10, 22) }
  expect(await reader.counts(never, MINUTE_MS)).toEqual([])
  expect(await all(reader.scan(never))).toEqual([])
  expect(server.asked).toEqual([])
})

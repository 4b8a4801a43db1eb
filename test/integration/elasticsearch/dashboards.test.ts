/**
 * Every panel of every dashboard, asked of a real node and of the folder of the embedded store, after both have replayed the same
 * incident with the state of its cluster. Kibana and ES|QL have no part in it: these are the twins of what they would run.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DASHBOARDS } from '../../../src/dashboards/dashboards.ts'
import { openElasticsearchReader } from '../../../src/store/elasticsearch/openReader.ts'
import { setUp } from '../../../src/store/elasticsearch/setup.ts'
import { openEmbeddedReader } from '../../../src/store/embedded/reader.ts'
import type { StoreReader } from '../../../src/store/store.ts'
import type { TableRow, TableWindow } from '../../../src/store/table.ts'
import { why5xxHere } from '../../support/program.ts'
import { nodeUrl, TestNamespace } from './node.ts'

const SAMPLE = join(import.meta.dirname, '../../../samples/incidents/oom-during-load')
const MINUTE_MS = 60_000
const WINDOW: TableWindow = {
  fromMs: Date.parse('2026-11-21T10:00:00Z'),
  toMs: Date.parse('2026-11-21T10:20:00Z'),
  stepMs: MINUTE_MS,
  params: {}
}
const SERVICE = 'shop-cart-80'
const OTHER = 'media-img-80'

interface Truth {
  requests: number
  failures: number
  masked: number
  byStatus: Record<string, number>
  byCause: Record<string, number>
  byUpstream: Record<string, { requests: number; failures: number }>
}

const truth = JSON.parse(readFileSync(join(SAMPLE, 'expected.json'), 'utf8')) as Truth

describe.skipIf(nodeUrl() === null)('on a real node', () => {
  let namespace: TestNamespace
  let folder: string
  let node: StoreReader
  let embedded: StoreReader

  beforeAll(async () => {
    namespace = new TestNamespace()
    await setUp(namespace.client, { lifecycle: null, isDryRun: false })
    folder = mkdtempSync(join(tmpdir(), 'why5xx-test-'))
    const store = join(folder, 'store')
    const set = (options: Record<string, string>): string[] =>
      Object.entries({ ...options, 'kubernetes.snapshots': join(SAMPLE, 'cluster.ndjson') }).flatMap(
        ([path, value]) => ['--set', `${path}=${value}`]
      )
    const replay = ['replay', join(SAMPLE, 'controller.log')]
    const cluster = {
      'sink.kind': 'elasticsearch',
      'sink.elasticsearch.nodes': nodeUrl()!,
      'sink.elasticsearch.namespace': namespace.names.namespace
    }
    expect(await why5xxHere([...replay, ...set(cluster)])).toMatchObject({ code: 0 })
    expect(
      await why5xxHere([...replay, '--store', store, ...set({ 'sink.embedded.retention': '3650d' })])
    ).toMatchObject({ code: 0 })
    await namespace.client.indices.refresh({ index: `why5xx-*-${namespace.names.namespace}*` })
    node = openElasticsearchReader(namespace.config)
    embedded = await openEmbeddedReader(store)
  }, 120_000)

  afterAll(async () => {
    await embedded?.close()
    await node?.close()
    await namespace?.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  const panelOf = (dashboard: string, id: string) =>
    DASHBOARDS.find(({ name }) => name === dashboard)!.panels.find(panel => panel.id === id)!
  const rowsOf = (dashboard: string, id: string, window: Partial<TableWindow> = {}): Promise<TableRow[]> =>
    node.table(panelOf(dashboard, id).query, { ...WINDOW, ...window })
  const sum = (rows: readonly TableRow[], column: string): number =>
    rows.reduce((total, row) => total + Number(row[column]), 0)

  /** Each replay reads a stream of its own. */
  const shared = ({ stream: _stream, ...row }: TableRow): TableRow => row
  /** Asked of the wall clock, which differs between the two; and what this incident has nothing of. */
  const BY_THE_CLOCK = ['health/processing-lag']
  const EMPTY = ['health/rejects-by-code', 'health/rejects-over-time', 'health/unclassified', 'health/gaps']

  test.each(DASHBOARDS.flatMap(({ name, panels }) => panels.map(panel => [`${name}/${panel.id}`, panel] as const)))(
    '%s gives the same rows in both stores',
    async (name, { query }) => {
      if (BY_THE_CLOCK.includes(name)) return expect(query.timeField).toBe('event.ingested')
      for (const params of [{}, { service: SERVICE, cause: 'connection_refused' }, { service: [SERVICE, OTHER] }]) {
        const rows = await node.table(query, { ...WINDOW, params })
        const same = await embedded.table(query, { ...WINDOW, params })
        expect(rows.map(shared)).toEqual(same.map(shared))
        expect(rows.length > 0, name).toBe(!EMPTY.includes(name))
      }
    }
  )

  test('the overview counts what happened', async () => {
    expect(await rowsOf('overview', 'error-rate')).toEqual([
      { failures: truth.failures, requests: truth.requests, error_rate: (100 * truth.failures) / truth.requests }
    ])
    expect(await rowsOf('overview', 'masked')).toMatchObject([{ masked: truth.masked, requests: truth.requests }])
    expect(await rowsOf('overview', 'unclassified')).toMatchObject([
      {
        unclassified: 0,
        failures: sum(
          Object.values(truth.byCause).map(count => ({ count })),
          'count'
        ),
        share: 0
      }
    ])
    const bars = await rowsOf('overview', 'causes-over-time')
    expect(new Set(bars.map(({ cause }) => cause))).toEqual(new Set(Object.keys(truth.byCause)))
    const rates = await rowsOf('overview', 'error-rate-by-service')
    for (const [upstream, { requests, failures }] of Object.entries(truth.byUpstream)) {
      const own = rates.filter(row => row.upstream === upstream)
      expect({ requests: sum(own, 'requests'), failures: sum(own, 'failures') }).toEqual({ requests, failures })
    }
  })

  test('causes, pods and the incident say what it was', async () => {
    const causes = await rowsOf('overview', 'causes')
    expect(sum(causes, 'failures')).toBe(sum(await rowsOf('overview', 'causes-over-time'), 'failures'))
    expect(causes[0]).toMatchObject({ service: 'shop/cart', cause: 'connection_refused', root_cause: 'oom_killed' })
    expect(causes[0]!.points_at).toMatch(/shop\/cart/)
    const pods = await rowsOf('overview', 'pods')
    expect(pods[0]).toMatchObject({ namespace: 'shop', root_cause: 'oom_killed' })
    expect(pods[0]!.pod).toMatch(/^cart-/)
    const incidents = await rowsOf('overview', 'incidents')
    expect(incidents).toContainEqual(
      expect.objectContaining({ state: 'resolved', upstream: SERVICE, cause: 'connection_refused' })
    )
    const { incident } = incidents.find(row => row.cause === 'connection_refused')!
    const [chosen, ...others] = await rowsOf('incident', 'incidents', { params: { incident: String(incident) } })
    expect([chosen, others]).toEqual([incidents.find(row => row.incident === incident), []])
  })

  test('one service and one cause are all that is counted when they are chosen', async () => {
    const service = { params: { service: SERVICE } }
    const { requests, failures } = truth.byUpstream[SERVICE]!
    expect(await rowsOf('service', 'error-rate', service)).toMatchObject([{ failures, requests }])
    const statuses = await rowsOf('service', 'statuses-over-time', service)
    expect(
      sum(
        statuses.filter(row => row.status === 502),
        'failures'
      )
    ).toBe(truth.byStatus['502'])
    const latest = await rowsOf('service', 'latest', service)
    expect(latest).toHaveLength(50)
    const times = latest.map(({ time }) => Date.parse(String(time)))
    expect(times).toEqual(times.toSorted((a, b) => b - a))
    const none = await rowsOf('service', 'causes', { params: { service: OTHER } })
    expect(none).toEqual([])
    const refused = await rowsOf('incident', 'causes-over-time', {
      params: { service: SERVICE, cause: 'connection_refused' }
    })
    expect(new Set(refused.map(({ cause }) => cause))).toEqual(new Set(['connection_refused']))
  })

  test('lag is from the oldest failure of a bucket to when it was written', async () => {
    const nowMs = Date.now()
    const rows = await rowsOf('health', 'processing-lag', { fromMs: nowMs - 10 * MINUTE_MS, toMs: nowMs + MINUTE_MS })
    expect(rows.length).toBeGreaterThan(0)
    for (const { oldest, newest_written, lag_s } of rows)
      expect(lag_s).toBeCloseTo((Date.parse(String(newest_written)) - Date.parse(String(oldest))) / 1_000, 3)
  })
})

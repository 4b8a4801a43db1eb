/** What /metrics says of given counters, read back from its text. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { Counters } from '../src/counters.ts'
import { Metrics } from '../src/metrics.ts'
import { VERSION } from '../src/version.ts'
import { type Exposition, readExposition } from './support/exposition.ts'
import { filledCounters, HOSTILE_NAMES } from './support/filledCounters.ts'

const NOW_MS = 1_795_255_200_000

let counters: Counters
let metrics: Metrics
let exposition: Exposition
beforeAll(async () => {
  counters = filledCounters(NOW_MS)
  metrics = new Metrics(counters, { clusterName: 'prod', nowMs: () => NOW_MS })
  exposition = readExposition(await metrics.text())
})

test('the version is that of package.json', () => {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string
  }
  expect(VERSION).toBe(manifest.version)
})

describe('values', () => {
  test.each<[string, Record<string, string>, number]>([
    ['why5xx_requests_total', { cluster: 'prod', upstream: 'shop-cart-80' }, 1_000],
    ['why5xx_requests_total', { cluster: 'prod', upstream: '' }, 7],
    [
      'why5xx_failures_total',
      {
        cluster: 'prod',
        upstream: 'shop-cart-80',
        cause: 'connection_refused',
        category: 'connect',
        status: '502',
        slo: 'true'
      },
      2
    ],
    [
      'why5xx_failures_total',
      {
        cluster: 'prod',
        upstream: 'shop-cart-80',
        cause: 'client_closed',
        category: 'client',
        status: '499',
        slo: 'false'
      },
      1
    ],
    ['why5xx_lines_total', { kind: 'access' }, 5_000],
    ['why5xx_lines_total', { kind: 'stream_access' }, 0],
    ['why5xx_rejects_total', { stage: 'parse', code: 'unrecognized' }, 3],
    ['why5xx_join_total', { state: 'joined' }, 2],
    ['why5xx_join_total', { state: 'ambiguous' }, 0],
    [
      'why5xx_upstream_info',
      { cluster: 'prod', upstream: 'shop-cart-80', namespace: 'shop', service: 'cart', ingress: 'shop' },
      1
    ],
    ['why5xx_processing_lag_seconds', {}, 90],
    ['why5xx_source_gaps_total', {}, 2],
    ['why5xx_source_gap_bytes_total', {}, 4_096],
    ['why5xx_source_streams', {}, 3],
    ['why5xx_join_held_lines', {}, 4],
    ['why5xx_sink_in_flight_bytes', {}, 65_536],
    ['why5xx_sink_batches_total', {}, 12],
    ['why5xx_sink_documents_total', {}, 1_204],
    ['why5xx_sink_documents_known_total', {}, 5],
    ['why5xx_sink_paused', {}, 1],
    ['why5xx_build_info', { version: VERSION, node: process.versions.node }, 1]
  ])('%s %j', (name, labels, value) => {
    expect(exposition.value(name, labels)).toBe(value)
  })

  test('of the process', () => {
    expect(exposition.value('process_resident_memory_bytes', {})).toBeGreaterThan(10_000_000)
    expect(exposition.type('process_cpu_seconds_total')).toBe('counter')
    expect(exposition.value('nodejs_eventloop_lag_p99_seconds', {})).toBeGreaterThanOrEqual(0)
  })
})

test('what ends in _total is a counter and nothing else is; every help is a sentence', () => {
  const own = exposition.families.filter(({ name }) => name.startsWith('why5xx_'))
  expect(own).toHaveLength(19)
  for (const { name, type } of exposition.families)
    expect(type === 'counter', `${name} is a ${type}`).toBe(name.endsWith('_total'))
  for (const { name, help } of own) expect(help, name).toMatch(/^[A-Z1].{20,}\.$/)
})

test('no two samples have the same name and labels', () => {
  const keys = exposition.samples.map(({ name, labels }) => JSON.stringify([name, labels]))
  expect(new Set(keys).size).toBe(keys.length)
})

describe('hostile names', () => {
  test('are labels, whole lines of their own never', async () => {
    const text = await metrics.text()
    expect(text).not.toMatch(/^forged/m)
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
    const upstreams = exposition.samples
      .filter(({ name }) => name === 'why5xx_requests_total')
      .map(({ labels }) => labels.upstream!)
    expect(upstreams).toContain('a"} 1\\x0Aforged_total{b="')
    expect(upstreams).toContain('back\\slash')
    expect(Math.max(...upstreams.map(upstream => upstream.length))).toBe(200)
  })

  test('that look alike once they are cut share a series, and nothing is lost', () => {
    const sum = exposition.samples
      .filter(({ name }) => name === 'why5xx_requests_total')
      .reduce((total, { value }) => total + value, 0)
    expect(sum).toBe(1_007 + HOSTILE_NAMES.length)
    // One of requests, one of failures.
    const long = exposition.samples.filter(({ labels }) => labels.upstream?.startsWith('xxxx'))
    expect(long.map(({ value }) => value)).toEqual([2, 2])
  })
})

test('a scrape reads what the counters say then, and scraping changes nothing', async () => {
  const own = new Counters(NOW_MS)
  const page = new Metrics(own, { clusterName: 'prod', nowMs: () => NOW_MS })
  const requests = async (): Promise<number | undefined> =>
    readExposition(await page.text()).value('why5xx_requests_total', { cluster: 'prod', upstream: 'a' })
  expect(await requests()).toBeUndefined()
  own.countRequests('a', 3)
  expect(await requests()).toBe(3)
  expect(await requests()).toBe(3)
  own.countRequests('a', 4)
  own.pausedBecause = null
  own.isAtEnd = true
  expect(await requests()).toBe(7)
  const after = readExposition(await page.text())
  expect(after.value('why5xx_sink_paused', {})).toBe(0)
  expect(after.value('why5xx_processing_lag_seconds', {})).toBe(0)
})

test('the content type is that of the text format', () => {
  expect(metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
})

test('two of them do not share what they say', async () => {
  const other = new Metrics(new Counters(NOW_MS), { clusterName: 'staging' })
  expect(readExposition(await other.text()).value('why5xx_lines_total', { kind: 'access' })).toBe(0)
  expect(exposition.value('why5xx_lines_total', { kind: 'access' })).toBe(5_000)
})

test('a Kafka source and bulk requests are told of, and only where there are any', async () => {
  const partition = { lagOffsets: 7, committedLagOffsets: 12, isPaused: true }
  const kafka = {
    partitions: [
      { ...partition, partition: 3 },
      { ...partition, partition: 11, isPaused: false }
    ],
    resends: 5,
    offsetResets: 1,
    rebalances: 2,
    aliveMs: NOW_MS,
    hasJoined: true,
    isWhole: true
  }
  const bulk = {
    items: new Map([
      ['written', 40],
      ['rejected', 2]
    ]),
    retries: 3,
    takeSeconds: () => [0.02, 3],
    rejects: new Map([['document_parsing_exception', 2]])
  }
  const text = await new Metrics(counters, { clusterName: 'prod', kafka: () => kafka, bulk }).text()
  for (const line of [
    'why5xx_lag_offsets{partition="3"} 7',
    'why5xx_committed_lag_offsets{partition="11"} 12',
    'why5xx_partitions_paused 1',
    'why5xx_resends_total 5',
    'why5xx_offset_resets_total 1',
    'why5xx_rebalances_total 2',
    'why5xx_bulk_items_total{outcome="rejected"} 2',
    'why5xx_bulk_retries_total 3',
    'why5xx_bulk_seconds_bucket{le="0.025"} 1',
    'why5xx_bulk_seconds_count 2',
    'why5xx_rejects_total{stage="sink",code="document_parsing_exception"} 2'
  ])
    expect(text.split('\n')).toContain(line)
  expect(await metrics.text()).not.toMatch(/why5xx_(?:lag_offsets|bulk)/)
})

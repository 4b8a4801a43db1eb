/** The writer on a real node: its faults, versions, and totals under replay. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { openClient } from '../../../src/store/elasticsearch/connection.ts'
import { lifecycleOf } from '../../../src/store/elasticsearch/open.ts'
import type { Timing } from '../../../src/store/elasticsearch/patience.ts'
import { applyRetention } from '../../../src/store/elasticsearch/retention.ts'
import { setUp } from '../../../src/store/elasticsearch/setup.ts'
import { ElasticsearchWriter } from '../../../src/store/elasticsearch/writer.ts'
import type { KeptReject } from '../../../src/store/keptReject.ts'
import type { Batch } from '../../../src/store/store.ts'
import { countsFrom } from '../../../src/totals.ts'
import { batch, failure, NOON, stream, totals } from '../../store/failures.ts'
import { nodeUrl, TestNamespace } from './node.ts'

/** Tries again sooner than in life. */
const IMPATIENT: Timing = {
  now: Date.now,
  random: Math.random,
  wait: (ms, signal) => delay(Math.min(ms, 300), undefined, { signal }).catch(() => {})
}

const WAIT = { timeout: 20_000, interval: 50 }

describe.skipIf(nodeUrl() === null)('the writer on a real node', () => {
  let node: TestNamespace
  let writers: ElasticsearchWriter[]
  let kept: KeptReject[]

  beforeAll(async () => {
    const first = new TestNamespace()
    await setUp(first.client, { lifecycle: lifecycleOf(first.config), isDryRun: false })
    await first.remove()
  })

  beforeEach(() => {
    node = new TestNamespace()
    writers = []
    kept = []
  })

  afterEach(async () => {
    for (const writer of writers) await writer.close()
    await node.remove()
  })

  async function open(instance = 'a', run = '1'): Promise<ElasticsearchWriter> {
    const writer = await ElasticsearchWriter.open({
      client: openClient(node.config),
      names: node.names,
      clusterName: 'prod',
      instance,
      claim: `${instance}-${run}`,
      keepRejects: async rejects => {
        kept.push(...rejects)
        return 0
      },
      timing: IMPATIENT,
      notify: () => {},
      rollupKeysMax: 1_000
    })
    writers.push(writer)
    return writer
  }

  const failures = (count: number, prefix = 'f'): Batch =>
    batch({ failures: Array.from({ length: count }, (_, i) => failure({ id: `${prefix}${i}` })) })
  const index = (): string => node.names.daily('failure', NOON)
  const stored = async (): Promise<string[]> => [...(await node.documents(node.names.pattern('failure'))).keys()].sort()

  test.each([
    ['a disk that is full', 'index.blocks.read_only_allow_delete'],
    ['an index closed for writing', 'index.blocks.write']
  ])('%s: waits with a sentence, goes on by itself, rejects nothing', async (_name, block) => {
    const writer = await open()
    await writer.write(failures(1, 'before'))
    await node.client.indices.putSettings({ index: index(), settings: { [block]: true } })
    const writing = writer.write(failures(3))
    await vi.waitFor(() => expect(writer.pausedBecause).toContain(`${index()} takes no documents`), WAIT)
    await node.client.indices.putSettings({ index: index(), settings: { [block]: null } })
    expect(await writing).toEqual({ written: 3, known: 0 })
    expect(writer.pausedBecause).toBeNull()
    expect(await stored()).toEqual(['before0', 'f0', 'f1', 'f2'])
    expect(kept).toEqual([])
  })

  test('where indices may not be made it waits, and says which setting forbids it', async () => {
    const writer = await open()
    const forbid = (value: string | null): Promise<unknown> =>
      node.client.cluster.putSettings({ persistent: { 'action.auto_create_index': value } })
    await forbid(`-why5xx-failure-${node.names.namespace}-*,+*`)
    try {
      const writing = writer.write(failures(3))
      await vi.waitFor(() => expect(writer.pausedBecause).toContain('action.auto_create_index'), WAIT)
      await forbid(null)
      expect(await writing).toEqual({ written: 3, known: 0 })
    } finally {
      await forbid(null)
    }
  })

  test('one of 1,500 that does not fit is rejected, the others are there', async () => {
    const writer = await open()
    await writer.write(failures(100, 'before'))
    const given = failures(1_500)
    given.failures[700] = { ...failure({ id: 'bad' }), document: { ...failure({ id: 'bad' }).document, http: 'text' } }
    expect(await writer.write(given)).toEqual({ written: 1_499, known: 0 })
    expect(await stored()).toHaveLength(1_599)
    const rejects = await node.documents(node.names.pattern('reject'))
    expect(rejects.get('bad')?.source).toMatchObject({
      error: { type: 'sink', code: 'document_parsing_exception' },
      why5xx: { reject: { stage: 'sink', status: 400, attempts: 1, index: index() } }
    })
    expect(kept.map(({ headers, value }) => [headers['why5xx.stage'], JSON.parse(value.toString()).http])).toEqual([
      ['sink', 'text']
    ])
  })

  test('an index that refuses everything stops the writer instead of rejecting everything', async () => {
    const writer = await open()
    await node.client.indices.create({ index: index(), mappings: { properties: { http: { type: 'keyword' } } } })
    const writing = [writer.write(failures(100, 'a'))]
    await vi.waitFor(() => expect(writer.facts.takeSeconds()).toHaveLength(1), WAIT)
    writing.push(writer.write(failures(100, 'b')), writer.write(failures(100, 'c')))
    await vi.waitFor(() => expect(writer.pausedBecause).toContain('refuses most failure documents'), WAIT)
    expect([writer.facts.items.get('rejected'), kept]).toEqual([0, []])
    await node.client.indices.delete({ index: index() })
    expect(await Promise.all(writing)).toEqual(writing.map(() => ({ written: 100, known: 0 })))
    expect(writer.pausedBecause).toBeNull()
    expect(await stored()).toHaveLength(300)
  })

  test('a document no request can hold is rejected, its neighbours are not', async () => {
    const writer = await open()
    const huge = failure({ id: 'huge', message: 'x'.repeat(101 << 20) })
    expect(await writer.write(batch({ failures: [failure({ id: 'a' }), huge, failure({ id: 'b' })] }))).toEqual({
      written: 2,
      known: 0
    })
    expect(await stored()).toEqual(['a', 'b'])
    expect(kept.map(({ headers }) => headers['why5xx.code'])).toEqual(['request_too_large'])
  })

  test('of one document the higher version stays, whoever writes it, and when', async () => {
    const [one, other] = [await open('a'), await open('b')]
    const version = (number: number): Batch =>
      batch({ failures: [failure({ id: 'x', version: number, message: `version ${number}` })] })
    expect(await one.write(version(9))).toEqual({ written: 1, known: 0 })
    expect(await other.write(version(9))).toEqual({ written: 0, known: 1 })
    expect(await other.write(version(8))).toEqual({ written: 0, known: 1 })
    expect(await other.write(version(12))).toEqual({ written: 1, known: 0 })
    expect((await node.documents(node.names.pattern('failure'))).get('x')).toMatchObject({
      version: 12,
      source: { message: 'version 12' }
    })
  })

  /** Requests at `from` to `to`, one a position, over two minutes and two upstream names. */
  function read(from: number, to: number): Batch {
    const rows = new Map<string, { minuteMs: number; upstream: string; lines: number[] }>()
    for (let position = from; position < to; position++) {
      const minuteMs = NOON + (position % 2) * 60_000
      const upstream = position % 3 === 0 ? 'shop-api-80' : 'shop-cart-80'
      const key = `${minuteMs}${upstream}`
      const row = rows.get(key) ?? { minuteMs, upstream, lines: [] }
      rows.set(key, row)
      row.lines.push(position, position % 5 === 0 ? 502 : 200, 1)
    }
    return batch({
      totals: [...rows.values()].map(row => totals({ ...row, stream: 's', ...countsFrom(row.lines, 0) })),
      streams: [stream('s', to)]
    })
  }

  async function sums(): Promise<{ requests: number; failures: number }> {
    const rows = [...(await node.documents(node.names.pattern('rollup'))).values()].map(
      ({ source }) => (source.why5xx as { rollup: { requests: number; failures: number } }).rollup
    )
    const sum = (name: 'requests' | 'failures'): number => rows.reduce((all, row) => all + row[name], 0)
    return { requests: sum('requests'), failures: sum('failures') }
  }

  test('totals are exact under replay, with other batches, and by another process', async () => {
    const one = await open('a')
    await Promise.all([one.write(read(0, 300)), one.write(read(300, 500)), one.write(read(500, 1_000))])
    expect(await sums()).toEqual({ requests: 1_000, failures: 200 })
    // As if the last two positions had not become durable: they are read again, in other pieces.
    const next = await open('b')
    const { streams } = await next.claim(['s'])
    expect(streams).toEqual([stream('s', 1_000)])
    await Promise.all([next.write(read(300, 700)), next.write(read(700, 1_100)), next.write(read(1_100, 1_200))])
    expect(await sums()).toEqual({ requests: 1_200, failures: 240 })
  })

  test('a writer that was frozen while its stream was claimed changes nothing when it wakes up', async () => {
    const frozen = await open('a')
    await frozen.claim(['s'])
    await frozen.write(read(0, 100))
    const next = await open('b')
    expect((await next.claim(['s'])).streams).toEqual([stream('s', 100)])
    await next.write(read(100, 400))
    const before = await node.documents(`why5xx-*-${node.names.namespace}*`)
    expect(await frozen.write(read(100, 300))).toMatchObject({ lost: ['s'] })
    expect(await frozen.write(read(300, 500))).toMatchObject({ lost: ['s'] })
    expect(await node.documents(`why5xx-*-${node.names.namespace}*`)).toEqual(before)
    await next.write(read(400, 500))
    expect(await sums()).toEqual({ requests: 500, failures: 100 })
  })

  test('a state of any size is kept', async () => {
    const writer = await open()
    const large = { ...stream('s', 5), place: { text: 'x'.repeat(300_000) } }
    await writer.write(batch({ streams: [large] }))
    await writer.close()
    expect((await open('a', '2')).streams).toEqual([large])
  })

  test('own retention deletes whole days of the namespace, totals later', async () => {
    const writer = await open()
    const days = [0, 20, 40, 100].map(ago => NOON - ago * 86_400_000)
    await writer.write(
      batch({
        failures: days.map((timeMs, i) => failure({ id: `f${i}`, timeMs })),
        totals: days.map(minuteMs => totals({ minuteMs }))
      })
    )
    const notify = vi.fn()
    await applyRetention({ client: node.client, names: node.names, lifecycle: lifecycleOf(node.config), notify }, NOON)
    expect((await node.indices()).filter(name => !name.includes('state'))).toEqual(
      [
        ...days.slice(0, 2).map(timeMs => node.names.daily('failure', timeMs)),
        ...days.slice(0, 3).map(timeMs => node.names.daily('rollup', timeMs))
      ].sort()
    )
    expect(notify).toHaveBeenCalledTimes(1)
  })
})

/** The writer against a server whose answers a test decides. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openClient } from '../../../src/store/elasticsearch/connection.ts'
import { IndexNames, stateId } from '../../../src/store/elasticsearch/names.ts'
import { ElasticsearchWriter } from '../../../src/store/elasticsearch/writer.ts'
import type { KeepRejects, KeptReject } from '../../../src/store/keptReject.ts'
import type { Batch, StoreWriter } from '../../../src/store/store.ts'
import { countsFrom } from '../../../src/totals.ts'
import { ScriptedElasticsearch } from '../../support/scriptedElasticsearch.ts'
import { batch, controller, failure, NOON, reject, stream, totals } from '../failures.ts'
import { configOf } from './config.ts'
import { unmappedPaths } from './mapped.ts'
import { ManualTiming } from './timing.ts'

const DAY = '2026.11.21'
let server: ScriptedElasticsearch
let timing: ManualTiming
let writers: StoreWriter[] = []
let told: string[] = []

beforeEach(async () => {
  server = await ScriptedElasticsearch.start()
  timing = new ManualTiming()
  told = []
})

afterEach(async () => {
  await Promise.all(writers.map(writer => writer.close()))
  writers = []
  await server.stop()
})

async function open(
  instance: string,
  keepRejects: KeepRejects | null = null,
  run = '1',
  doneStreamsMax?: number
): Promise<ElasticsearchWriter> {
  const writer = await ElasticsearchWriter.open({
    client: openClient(configOf(server.url)),
    names: new IndexNames('test'),
    clusterName: 'prod',
    instance,
    claim: `${instance}-${run}`,
    keepRejects,
    timing,
    notify: text => told.push(text),
    rollupKeysMax: 1_000,
    ...(doneStreamsMax !== undefined && { doneStreamsMax })
  })
  writers.push(writer)
  return writer
}

/** Requests of one minute and upstream at these positions, and where the stream stands behind them. */
function read(positions: number[], readTo: number, name = 's'): Batch {
  const lines = positions.flatMap(position => [position, 502, 1])
  return batch({
    totals: [totals({ minuteMs: NOON, stream: name, ...countsFrom(lines, 0), lines })],
    streams: [stream(name, readTo)]
  })
}

function requests(): unknown[] {
  return server
    .sources('why5xx-rollup-test')
    .map(source => (source as { why5xx: { rollup: { requests: number } } }).why5xx.rollup.requests)
}

/** Names of what each bulk request held, in order. */
function bulkIndices(): string[][] {
  return server.bulks.map(({ items }) => [
    ...new Set(items.map(({ action }) => (Object.values(action)[0] as { _index: string })._index.split('-')[1]!))
  ])
}

test('a batch whose totals are known costs one request, and one for the positions behind it', async () => {
  const writer = await open('a')
  await writer.write(read([1], 2))
  const before = server.requests.length
  const more = { ...read([2, 3], 4), failures: [failure({ id: 'x' })] }
  expect(await writer.write(more)).toEqual({ written: 1, known: 0 })
  expect(server.requests.slice(before).map(({ path }) => path)).toEqual(['/_bulk', '/_bulk'])
  expect(bulkIndices().slice(-2)).toEqual([['failure', 'rollup'], ['state']])
  expect(requests()).toEqual([3])
})

test('batches resolve in order, and positions follow what they speak of', async () => {
  const writer = await open('a')
  let answerFirst = (): void => {}
  const isHeld = new Promise<null>(resolve => (answerFirst = () => resolve(null)))
  server.script = request => (request.body.includes('"slow"') ? isHeld : null)
  const done: string[] = []
  const first = writer
    .write(batch({ failures: [failure({ id: 'slow' })], streams: [stream('s', 1)] }))
    .then(() => done.push('first'))
  await expect.poll(() => server.bulks.length).toBe(1)
  const second = writer
    .write(batch({ failures: [failure({ id: 'fast' })], streams: [stream('s', 2)] }))
    .then(() => done.push('second'))
  await new Promise(resolve => setImmediate(resolve))
  timing.advance(1_000)
  await expect.poll(() => server.documents.has(`why5xx-failure-test-${DAY}/fast`)).toBe(true)
  expect([done, server.sources('why5xx-state-test')]).toEqual([[], []])
  answerFirst()
  await Promise.all([first, second])
  expect(done).toEqual(['first', 'second'])
  expect(writer.streams).toEqual([stream('s', 2)])
})

test.each(['cut', 'lost'] as const)(
  'an answer that is %s: everything is there once, and the stream is still ours',
  async fault => {
    const writer = await open('a')
    await writer.write(read([1], 2))
    const faulty = new Set<string>()
    server.script = ({ path, body }) => {
      const kind = body.includes('why5xx-state') ? 'state' : 'documents'
      if (path !== '/_bulk' || faulty.has(kind)) return null
      faulty.add(kind)
      return fault
    }
    const result = timing.until(writer.write({ ...read([2], 3), failures: [failure({ id: 'x' })] }), 50)
    expect(await result).toEqual(fault === 'cut' ? { written: 1, known: 0 } : { written: 0, known: 1 })
    expect(faulty.size).toBe(2)
    expect(requests()).toEqual([2])
    expect(writer.streams).toEqual([stream('s', 3)])
    // The next write needs the version that the lost answer told.
    server.script = () => null
    expect(await writer.write(read([3], 4))).toEqual({ written: 0, known: 0 })
  }
)

test('every document that is sent is mapped', async () => {
  const writer = await open('a')
  server.itemScript = (index, id) =>
    index.startsWith('why5xx-failure') && id === 'bad'
      ? { status: 400, error: { type: 'document_parsing_exception', reason: 'failed to parse field' } }
      : null
  const many = Array.from({ length: 150 }, (_, i) => failure({ id: `f${i}` }))
  await writer.write(batch({ failures: many }))
  await writer.write(
    batch({
      failures: [failure({ id: 'bad' })],
      controllers: [controller('c', NOON)],
      rejects: [reject('r', NOON, 'bad_time')],
      gaps: [{ name: 'log', atMs: NOON, bytes: null, reason: 'shipper', text: 'gone' }],
      totals: [totals({ minuteMs: NOON })],
      streams: [stream('s', 1)],
      engine: { backends: {} }
    })
  )
  await writer.claim(['other'])
  const unmapped: string[] = []
  for (const kind of ['failure', 'controller', 'reject', 'rollup', 'state'] as const) {
    const sources = server.sources(`why5xx-${kind}-test`)
    expect(sources.length, kind).toBeGreaterThan(0)
    for (const source of sources) unmapped.push(...unmappedPaths(kind, source))
  }
  expect(unmapped).toEqual([])
})

describe('what Elasticsearch refuses for good', () => {
  const REFUSED = { status: 400, error: { type: 'document_parsing_exception', reason: 'failed to parse field [x]' } }

  test('leaves a reject document, and its bytes are kept before the batch is durable', async () => {
    const kept: KeptReject[][] = []
    let fails = 2
    const writer = await open('a', async rejects => {
      if (fails-- > 0) throw new Error('no leader for partition')
      expect(server.sources('why5xx-state-test')).toEqual([])
      kept.push(rejects)
      return 1
    })
    server.itemScript = (index, id) => (index.startsWith('why5xx-failure') && id === 'f7' ? REFUSED : null)
    const failures = Array.from({ length: 100 }, (_, i) => failure({ id: `f${i}` }))
    await writer.write(batch({ failures: failures.slice(50) }))
    const result = writer.write(
      batch({
        failures: failures.slice(0, 50),
        rejects: [reject('r', NOON, 'bad_time', 'a\xff')],
        streams: [stream('s', 1)]
      })
    )
    expect(await timing.until(result, 50)).toEqual({ written: 50, known: 0 })
    expect(told).toContain('Elasticsearch refused for good: 1 × failure document (400, document_parsing_exception)')
    expect(
      kept
        .flat()
        .map(({ value, headers }) => [value.toString('latin1'), headers['why5xx.stage'], headers['why5xx.code']])
    ).toEqual(
      expect.arrayContaining([
        ['a\xff', 'parse', 'bad_time'],
        [JSON.stringify(failure({ id: 'f7' }).document), 'sink', 'document_parsing_exception']
      ])
    )
    expect(server.documents.get(`why5xx-reject-test-${DAY}/f7`)?.source).toMatchObject({
      error: { type: 'sink', code: 'document_parsing_exception', message: 'failed to parse field [x]' },
      why5xx: { reject: { stage: 'sink', status: 400, attempts: 1, index: `why5xx-failure-test-${DAY}` } }
    })
    const wanted = [
      ['document_parsing_exception', 1],
      // The two that were to be kept say each that one is not.
      ['not_kept', 2]
    ] as const
    expect(writer.facts.rejects).toEqual(new Map(wanted))
  })
})

describe('claims', () => {
  test('of streams that are done the newest are known, the others deleted, here and by the next run', async () => {
    const known = () =>
      server
        .sources('why5xx-state-test')
        .map(source => (source as { why5xx: { state: { stream: string } } }).why5xx.state.stream)
    const done = (name: string) => batch({ streams: [{ ...stream(name, 1), isDone: true }] })
    const first = await open('a', null, '1', 2)
    await first.write(batch({ streams: [stream('open', 1)] }))
    for (const name of ['d1', 'd2', 'd3', 'd4']) {
      timing.nowMs += 1_000
      await first.write(done(name))
    }
    // Behind the deletion that goes on when a write has been told.
    await first.claim([])
    expect(known()).toEqual(['open', 'd3', 'd4'])
    await first.close()
    const second = await open('a', null, '2', 1)
    expect(second.streams.map(({ stream }) => stream)).toEqual(['open', 'd4'])
    expect(known()).toEqual(['open', 'd4'])
  })

  test('what we may not delete is told', async () => {
    const writer = await open('a', null, '1', 0)
    await writer.write(batch({ streams: [stream('s', 1)] }))
    server.script = ({ items }) =>
      'delete' in (items[0]?.action ?? {}) ? { status: 200, body: { items: [{ delete: { status: 403 } }] } } : null
    await writer.write(batch({ streams: [{ ...stream('s', 2), isDone: true }] }))
    await writer.claim([])
    expect(told).toEqual([
      '1 position of old files cannot be deleted: our user needs the privilege delete on why5xx-state-test'
    ])
  })

  test('what others have claimed since is not deleted', async () => {
    const first = await open('a', null, '1', 0)
    await first.write(batch({ streams: [stream('s', 1)] }))
    const other = await open('b')
    await other.claim(['s'])
    await first.write(batch({ streams: [{ ...stream('s', 2), isDone: true }] }))
    await first.claim([])
    expect(server.documents.get(`why5xx-state-test/${stateId('s')}`)?.source).toMatchObject({
      why5xx: { state: { instance: 'b' } }
    })
  })

  test('whoever claims a stream gets its state and the engine; what the owner before writes of it is refused', async () => {
    const old = await open('old')
    await old.write({ ...read([1, 2], 3), engine: { backends: 1 } })
    const next = await open('next')
    expect(next.streams).toEqual([])
    expect(await next.claim(['s', 'new'])).toEqual({ streams: [stream('s', 3)], engines: [{ backends: 1 }] })
    // It does not know yet: its totals are exact all the same, its position is refused.
    expect(await old.write(read([3, 4], 5))).toEqual({ written: 0, known: 0, lost: ['s'] })
    expect(old.streams).toEqual([stream('s', 3)])
    expect(await next.write(read([3], 4))).toEqual({ written: 0, known: 0 })
    const before = server.bulks.length
    expect(await old.write(read([5], 6))).toEqual({ written: 0, known: 0, lost: ['s'] })
    expect(server.bulks.length).toBe(before)
    await next.write(read([4, 5], 6))
    expect(requests()).toEqual([5])
    expect(await old.claim(['s'])).toEqual({ streams: [stream('s', 6)], engines: [] })
    await old.write(read([5, 6], 7))
    expect(requests()).toEqual([6])
    expect(await next.write(read([6], 7))).toMatchObject({ lost: ['s'] })
  })

  test('a frozen writer that wakes up after its stream was claimed elsewhere changes nothing', async () => {
    const frozen = await open('frozen')
    await frozen.claim(['s'])
    await frozen.write(read([1], 2))
    let wake = (): void => {}
    const sleeping = new Promise<null>(resolve => (wake = () => resolve(null)))
    const isFirst = new Set<string>()
    server.script = ({ path, body }) => {
      if (path !== '/_bulk' || isFirst.size > 0) return null
      isFirst.add(body)
      return sleeping
    }
    const late = frozen.write({ ...read([2, 3], 4), failures: [failure({ id: 'x', message: 'late' })] })
    await expect.poll(() => isFirst.size).toBe(1)
    const next = await open('next')
    expect((await next.claim(['s'])).streams).toEqual([stream('s', 2)])
    await next.write({ ...read([2, 3, 4], 5), failures: [failure({ id: 'x', message: 'in time', version: 9 })] })
    const before = [...server.documents]
    wake()
    expect(await late).toEqual({ written: 0, known: 1, lost: ['s'] })
    expect([...server.documents]).toEqual(before)
    expect(requests()).toEqual([4])
  })

  test('two that claim a new stream at once: one is first, and both know the state', async () => {
    const [one, other] = [await open('one'), await open('other')]
    await Promise.all([one.claim(['s']), other.claim(['s'])])
    const results = [await one.write(read([1], 2)), await other.write(read([1], 2))]
    expect(results.filter(({ lost }) => lost === undefined)).toHaveLength(1)
    expect(requests()).toEqual([1])
  })

  test('a state that was deleted under the owner is written anew', async () => {
    const writer = await open('a')
    await writer.write(read([1], 2))
    server.documents.delete(`why5xx-state-test/${stateId('s')}`)
    expect(await writer.write(read([2], 3))).toEqual({ written: 0, known: 0 })
    expect(server.sources('why5xx-state-test')).toHaveLength(1)
  })

  test('a writer that opens again knows its own streams, and no others', async () => {
    const before = await open('a')
    await before.write(batch({ streams: [stream('s', 5), stream('t', 6, true)], engine: { backends: 2 } }))
    await (await open('b')).write(batch({ streams: [stream('u', 7)], engine: { backends: 3 } }))
    await before.close()
    const again = await open('a', null, '2')
    expect([...again.streams].sort((x, y) => (x.stream < y.stream ? -1 : 1))).toEqual([
      stream('s', 5),
      stream('t', 6, true)
    ])
    expect(again.engine).toEqual({ backends: 2 })
    expect(await again.write(read([5], 6))).toEqual({ written: 0, known: 0 })
    expect(again.streams).toContainEqual(stream('s', 6))
  })
})

test('a replay after a crash between totals and positions counts nothing twice', async () => {
  const writer = await open('a')
  await writer.write(read([1, 2], 3))
  server.script = ({ path, body }) =>
    path === '/_bulk' && body.includes('why5xx-state')
      ? { status: 503, body: { error: { type: 'x', reason: 'away' } } }
      : null
  const lost = writer.write(read([3, 4, 5], 6))
  await expect.poll(requests).toEqual([5])
  const closing = writer.close()
  await expect(lost).rejects.toMatchObject({ code: 'WHY5XX_STORE' })
  await closing
  server.script = () => null
  const again = await open('a', null, '2')
  expect(again.streams).toEqual([stream('s', 3)])
  // Other batches than before, and a line more.
  await again.write(read([3], 4))
  await again.write(read([4, 5, 6], 7))
  expect(requests()).toEqual([6])
})

test('a cluster that is away pauses with a sentence; close gives up, and what comes then is refused', async () => {
  const writer = await open('a')
  await server.stop()
  const first = writer.write(read([1], 2))
  const second = writer.write(read([2], 3))
  await expect.poll(() => timing.sleepers).toBeGreaterThan(0)
  timing.advance(1_000)
  await expect.poll(() => writer.pausedBecause).toMatch(/^Elasticsearch cannot be reached: .*: waiting$/)
  const closing = writer.close()
  for (const write of [first, second]) await expect(write).rejects.toMatchObject({ code: 'WHY5XX_STORE' })
  await closing
  await expect(writer.write(read([3], 4))).rejects.toMatchObject({ code: 'WHY5XX_STORE' })
  await expect(writer.claim(['s'])).rejects.toMatchObject({ code: 'WHY5XX_STORE' })
})

test('a server that holds its answers back does not hold up the end', async () => {
  const writer = await open('a')
  server.script = () => new Promise(() => {})
  const first = writer.write(read([1], 2))
  await expect.poll(() => server.requests.length).toBeGreaterThan(2)
  const closing = writer.close()
  await expect.poll(() => timing.sleepers).toBe(1)
  timing.advance(4_000)
  await expect(first).rejects.toMatchObject({ code: 'WHY5XX_STORE' })
  await closing
})

test('totals that were put aside come back from the store', async () => {
  const writer = await open('a')
  const minutes = Array.from({ length: 1_500 }, (_, i) => NOON + i * 60_000)
  const linesOf = (at: number): Batch => {
    const rows = minutes.map((minuteMs, i) => {
      const lines = [at * minutes.length + i, 502, 1]
      return totals({ minuteMs, stream: 's', ...countsFrom(lines, 0), lines })
    })
    return batch({ totals: rows, streams: [stream('s', (at + 1) * minutes.length)] })
  }
  for (const at of [0, 1, 2]) await timing.until(writer.write(linesOf(at)), 100)
  expect(new Set(requests())).toEqual(new Set([3]))
  expect(server.requests.filter(({ path }) => path === '/_mget').length).toBeGreaterThan(3)
})

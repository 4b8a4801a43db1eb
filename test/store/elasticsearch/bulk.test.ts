import { errors } from '@elastic/elasticsearch'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { BulkQueue, type ItemResult, type SendBulk } from '../../../src/store/elasticsearch/bulk.ts'
import type { BulkItem, ItemAnswer } from '../../../src/store/elasticsearch/bulkAnswer.ts'
import type { Kind } from '../../../src/store/elasticsearch/names.ts'
import { Patience } from '../../../src/store/elasticsearch/patience.ts'
import { ManualTiming } from './timing.ts'
import '../../support/seed.ts'

interface Sent {
  ids: string[]
  atMs: number
  bytes: number
}

let patience: Patience

afterEach(() => patience.close())

function item(id: string, kind: Kind = 'failure', bytes = 10): BulkItem {
  return { kind, id, index: `why5xx-${kind}-a-2026.11.21`, action: id, document: 'x'.repeat(bytes) }
}

function items(count: number, prefix = 'i'): BulkItem[] {
  return Array.from({ length: count }, (_, i) => item(`${prefix}${i}`))
}

/** `answer` gives the answers of a request, or throws. */
function queueWith(
  answer: (ids: string[], count: number) => ItemAnswer[] | Promise<ItemAnswer[]>,
  settings: { holdsRefused?: boolean } = {}
): {
  queue: BulkQueue
  timing: ManualTiming
  sent: Sent[]
  told: string[]
} {
  const timing = new ManualTiming()
  const told: string[] = []
  const sent: Sent[] = []
  patience = new Patience(timing, text => told.push(text))
  const send: SendBulk = async lines => {
    const ids = lines.filter((_, i) => i % 2 === 0)
    sent.push({ ids, atMs: timing.nowMs, bytes: lines.join('\n').length })
    return answer(ids, sent.length)
  }
  return { queue: new BulkQueue(send, patience, settings), timing, sent, told }
}

const ok = (ids: string[]): ItemAnswer[] => ids.map(_id => ({ _id, status: 201 }))
const refusedItem = (_id: string): ItemAnswer => ({
  _id,
  status: 400,
  error: { type: 'document_parsing_exception', reason: 'no' }
})

function httpError(statusCode: number, type = 'x'): Error {
  return new errors.ResponseError({
    statusCode,
    body: { error: { type, reason: 'so' } },
    warnings: null,
    meta: {}
  } as never)
}

const kinds = (results: ItemResult[]): string[] => results.map(({ kind }) => kind)

test('what comes in one tick goes in one request, at once when nothing is under way', async () => {
  const { queue, timing, sent } = queueWith(ok)
  const results = await Promise.all([queue.add(items(2, 'a')), queue.add(items(3, 'b'))])
  expect(results.map(kinds)).toEqual([
    ['written', 'written'],
    ['written', 'written', 'written']
  ])
  expect(sent.map(({ ids }) => ids.length)).toEqual([5])
  expect(timing.waits).toEqual([])
})

test('no request holds more than 1,500 items or 5 MB', async () => {
  const { queue, sent } = queueWith(ok)
  await queue.add([...items(3_100), ...Array.from({ length: 8 }, (_, i) => item(`big${i}`, 'failure', 1_500_000))])
  expect(Math.max(...sent.map(({ ids }) => ids.length))).toBe(1_500)
  expect(Math.max(...sent.map(({ bytes }) => bytes))).toBeLessThanOrEqual(5 << 20)
  expect(sent.flatMap(({ ids }) => ids)).toHaveLength(3_108)
})

test('beside a slow request a full one is sent at once, a small one a second after its oldest item came', async () => {
  const open: ((answer: ItemAnswer[]) => void)[] = []
  const { queue, timing, sent } = queueWith(() => new Promise(resolve => open.push(resolve)))
  const first = queue.add(items(1, 'a'))
  await timing.until(Promise.resolve(), 0)
  const turn = (): Promise<void> => new Promise(resolve => setImmediate(() => setImmediate(resolve)))
  await turn()
  expect(sent).toHaveLength(1)
  const second = queue.add(items(2, 'b'))
  await turn()
  timing.advance(600)
  const third = queue.add(items(2, 'c'))
  await turn()
  expect(sent).toHaveLength(1)
  timing.advance(400)
  await turn()
  expect(sent.map(({ ids }) => ids.length)).toEqual([1, 4])
  // Both slots are taken: even a full request waits.
  const fourth = queue.add(items(1_500, 'd'))
  await turn()
  expect(sent).toHaveLength(2)
  for (const [i, resolve] of open.splice(0).entries()) resolve(ok(sent[i]!.ids))
  await turn()
  expect(sent.map(({ ids }) => ids.length)).toEqual([1, 4, 1_500])
  open[0]!(ok(sent[2]!.ids))
  expect((await Promise.all([first, second, third, fourth])).flatMap(kinds).every(kind => kind === 'written')).toBe(
    true
  )
})

test('only the items that were not taken are sent again, and later each time', async () => {
  const { queue, timing, sent } = queueWith((ids, count) =>
    ids.map(_id =>
      _id === 'i1' && count < 4
        ? { _id, status: 429, error: { type: 'es_rejected_execution_exception' } }
        : { _id, status: 201 }
    )
  )
  expect(kinds(await timing.until(queue.add(items(3)), 50))).toEqual(['written', 'written', 'written'])
  expect(sent.map(({ ids }) => ids)).toEqual([['i0', 'i1', 'i2'], ['i1'], ['i1'], ['i1']])
  expect(timing.waits).toEqual([100, 200, 400])
  expect([queue.facts.retries, Object.fromEntries(queue.facts.items)]).toEqual([
    3,
    { written: 3, known: 0, rejected: 0, retried: 3 }
  ])
})

test.each([
  ['a socket that ends', () => new errors.ConnectionError('socket hang up')],
  ['a timeout', () => new errors.TimeoutError('too slow')],
  ['an answer that is no JSON', () => new errors.DeserializationError('bad', '{')],
  ['429', () => httpError(429)],
  ['503', () => httpError(503)]
])('after %s the whole request is sent again', async (_name, error) => {
  const { queue, timing, sent } = queueWith((ids, count) => {
    if (count < 3) throw error()
    return ok(ids)
  })
  expect(kinds(await timing.until(queue.add(items(2)), 50))).toEqual(['written', 'written'])
  expect(sent).toHaveLength(3)
  expect(queue.facts.items.get('rejected')).toBe(0)
})

test.each([
  ['fewer items', (ids: string[]) => ok(ids.slice(1))],
  ['none', () => []],
  ['those of another request', (ids: string[]) => ok(ids.map(id => `${id}x`))]
])('an answer with %s is none', async (_name, wrong) => {
  const { queue, timing, sent } = queueWith((ids, count) => (count === 1 ? wrong(ids) : ok(ids)))
  expect(kinds(await timing.until(queue.add(items(3)), 50))).toEqual(['written', 'written', 'written'])
  expect(sent).toHaveLength(2)
})

test.each([401, 403])('%i pauses, is told, and is tried every 30 s; nothing is rejected', async status => {
  const { queue, timing, sent, told } = queueWith((ids, count) => {
    if (count < 3) throw httpError(status)
    return ok(ids)
  })
  const added = queue.add(items(1))
  await timing.until(Promise.resolve(), 0)
  const settled = timing.until(added, 1_000)
  expect(kinds(await settled)).toEqual(['written'])
  expect(sent.map(({ atMs }) => atMs - sent[0]!.atMs)).toEqual([0, 30_000, 60_000])
  expect(told).toEqual([expect.stringContaining(`(${status})`), 'Elasticsearch: writing again'])
  expect(patience.pausedBecause).toBeNull()
})

test('an index that is closed for writing pauses from the first answer', async () => {
  let isBlocked = true
  const { queue, timing } = queueWith(ids =>
    ids.map(_id =>
      isBlocked
        ? { _id, status: 429, error: { type: 'cluster_block_exception', reason: 'flood stage' } }
        : { _id, status: 201 }
    )
  )
  const added = queue.add(items(1))
  await expect
    .poll(() => patience.pausedBecause)
    .toBe('why5xx-failure-a-2026.11.21 takes no documents: flood stage: waiting')
  isBlocked = false
  expect(kinds(await timing.until(added))).toEqual(['written'])
})

test('413 halves until it fits, stays below that from then on, and rejects only what is too large alone', async () => {
  const { queue, timing, sent } = queueWith(ids => {
    if (ids.length > 2 || ids.includes('huge')) throw httpError(413)
    return ok(ids)
  })
  const results = await timing.until(queue.add([...items(7), item('huge')]))
  expect(kinds(results)).toEqual([...Array.from({ length: 7 }, () => 'written'), 'refused'])
  expect(results[7]).toMatchObject({ status: 413, attempts: expect.any(Number) })
  expect(sent.filter(({ ids }) => ids.includes('huge') && ids.length === 1)).toHaveLength(1)

  const large = queueWith((ids, count) => {
    if (count === 1) throw httpError(413)
    return ok(ids)
  })
  const big = Array.from({ length: 16 }, (_, i) => item(`b${i}`, 'failure', 100_000))
  await large.timing.until(large.queue.add(big))
  await large.timing.until(large.queue.add(big))
  expect(Math.max(...large.sent.slice(1).map(({ bytes }) => bytes))).toBeLessThanOrEqual(large.sent[0]!.bytes / 2 + 1)
})

test('one document of many that is refused is rejected at once', async () => {
  const { queue, timing } = queueWith(ids => ids.map(_id => (_id === 'i700' ? refusedItem(_id) : { _id, status: 201 })))
  await queue.add(items(100, 'before'))
  const results = await timing.until(queue.add(items(1_500)), 0)
  expect(results.filter(({ kind }) => kind === 'refused')).toHaveLength(1)
  expect(results[700]).toEqual({
    kind: 'refused',
    status: 400,
    type: 'document_parsing_exception',
    reason: 'no',
    attempts: 1
  })
  expect(queue.facts.rejects).toEqual(new Map([['document_parsing_exception', 1]]))
})

test('while too little was seen what is refused is held, sent once more, and rejected after a minute', async () => {
  const { queue, timing, sent } = queueWith(ids =>
    ids.map(_id => (_id === 'i0' ? refusedItem(_id) : { _id, status: 201 }))
  )
  let isSettled = false
  const added = queue.add(items(3)).then(results => {
    isSettled = true
    return results
  })
  await expect.poll(() => timing.sleepers).toBe(1)
  timing.advance(30_000)
  await expect.poll(() => [sent.length, timing.sleepers]).toEqual([2, 1])
  timing.advance(29_000)
  await new Promise(resolve => setImmediate(resolve))
  expect([isSettled, sent[1]!.ids]).toEqual([false, ['i0']])
  timing.advance(1_000)
  expect(kinds(await added)).toEqual(['refused', 'written', 'written'])
})

test('what is kept elsewhere is rejected at once, even where everything is refused', async () => {
  const { queue, timing, sent } = queueWith(ids => ids.map(refusedItem), { holdsRefused: false })
  for (const count of [1, 1_500]) {
    const results = await queue.add(items(count))
    expect(new Set(kinds(results))).toEqual(new Set(['refused']))
  }
  expect(sent.map(({ ids }) => ids.length)).toEqual([1, 1_500])
  expect(timing.waits).toEqual([])
  expect(patience.pausedBecause).toBeNull()
})

test('one large request that is refused whole is sent again before anything is rejected, and then pauses', async () => {
  const { queue, timing, sent } = queueWith((ids, count) => (count < 4 ? ids.map(refusedItem) : ok(ids)))
  const added = queue.add(items(300))
  await expect.poll(() => timing.sleepers).toBe(1)
  timing.advance(30_000)
  await expect.poll(() => patience.pausedBecause).toContain('refuses most failure documents')
  expect(kinds(await timing.until(added)).every(kind => kind === 'written')).toBe(true)
  expect(sent.map(({ ids }) => ids.length)).toEqual([300, 300, 300, 300])
})

test('when everything is refused nothing is rejected; every 30 s it is tried, until the cluster takes it', async () => {
  let isWrong = true
  const { queue, timing, sent } = queueWith(ids => ids.map(_id => (isWrong ? refusedItem(_id) : { _id, status: 201 })))
  const first = queue.add(items(60, 'a'))
  await expect.poll(() => timing.sleepers).toBe(1)
  const second = queue.add(items(60, 'b'))
  await expect.poll(() => patience.pausedBecause).toContain('why5xx setup')
  for (let tries = 0; tries < 5; tries++) {
    const before = sent.length
    timing.advance(30_000)
    await expect.poll(() => sent.length).toBe(before + 1)
  }
  expect(queue.facts.items.get('rejected')).toBe(0)
  isWrong = false
  const results = await timing.until(Promise.all([first, second]), 30_000)
  expect(results.flat().every(({ kind }) => kind === 'written')).toBe(true)
  expect(patience.pausedBecause).toBeNull()
})

test('totals that still wait give way to newer ones of the same key, and both are told', async () => {
  const open: ((answer: ItemAnswer[]) => void)[] = []
  const { queue, timing, sent } = queueWith(() => new Promise(resolve => open.push(resolve)))
  const total = (id: string, action: string): BulkItem => ({ ...item(id, 'rollup'), action })
  const adds = [queue.add([total('a', 'a')])]
  await expect.poll(() => sent.length).toBe(1)
  // What is on its way stays: only what waits is replaced.
  adds.push(
    queue.add([total('a', 'a2'), total('b', 'b2')]),
    queue.add([total('b', 'b3'), item('x')]),
    queue.add([total('a', 'a4')])
  )
  await new Promise(resolve => setImmediate(resolve))
  timing.advance(1_000)
  await expect.poll(() => sent.length).toBe(2)
  expect(sent.map(({ ids }) => ids)).toEqual([['a'], ['a4', 'b3', 'x']])
  open[0]!([{ status: 200 }])
  open[1]!([{ status: 409 }, { status: 201 }, { status: 201 }])
  expect((await Promise.all(adds)).map(kinds)).toEqual([
    ['written'],
    ['known', 'written'],
    ['written', 'written'],
    ['known']
  ])
})

test('totals are never rejected: where they are refused the templates are wrong', async () => {
  const { queue, timing } = queueWith((ids, count) => (count < 4 ? ids.map(refusedItem) : ok(ids)))
  expect(kinds(await timing.until(queue.add([item('r', 'rollup')])))).toEqual(['written'])
  expect(timing.waits).toEqual([30_000, 30_000, 30_000])
})

test('after close everything is tried once more, and then given up with a sentence', async () => {
  const { queue, timing, sent } = queueWith(() => {
    throw new errors.ConnectionError('connect ECONNREFUSED')
  })
  const added = queue.add(items(2))
  await expect.poll(() => timing.sleepers).toBe(1)
  const before = sent.length
  patience.close()
  await expect(added).rejects.toMatchObject({
    code: 'WHY5XX_STORE',
    message: expect.stringContaining('cannot be reached')
  })
  expect(sent.length).toBe(before + 1)
})

test('a mistake of ours is no trouble of the cluster: it fails at once', async () => {
  const { queue } = queueWith(() => {
    throw new TypeError('of undefined')
  })
  await expect(queue.add(items(2))).rejects.toThrow(TypeError)
})

test('whatever a server answers, each item is settled once, and none is lost', async () => {
  const answer = fc.constantFrom('ok', '409', '429', '503', 'refused', 'block', 'throw', '413', 'short', '500')
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.array(answer, { minLength: 1, maxLength: 7 }), { maxLength: 12 }),
      async (groups, script) => {
        const durable = new Set<string>()
        const { queue, timing, sent } = queueWith((ids, count) => {
          const answers = script[count - 1] ?? ['ok']
          if (answers[0] === 'throw') throw new errors.ConnectionError('gone')
          if (answers[0] === '413') throw httpError(413)
          const items = ids.map((_id, i): ItemAnswer => {
            const kind = answers[i % answers.length]
            if (kind === 'refused') return refusedItem(_id)
            if (kind === 'block') return { _id, status: 403, error: { type: 'cluster_block_exception' } }
            if (kind === '429' || kind === '503' || kind === '500')
              return { _id, status: Number(kind), error: { type: 'x' } }
            durable.add(_id)
            return { _id, status: kind === '409' ? 409 : 201 }
          })
          return answers[0] === 'short' ? items.slice(1) : items
        })
        const adds = groups.map((count, i) => queue.add(items(count, `g${i}-`)))
        const results = await timing.until(Promise.all(adds), 30_000)
        expect(results.map(({ length }) => length)).toEqual(groups)
        for (const [g, group] of results.entries())
          for (const [i, result] of group.entries())
            if (result.kind !== 'refused') expect(durable.has(`g${g}-${i}`)).toBe(true)
        expect(sent.length).toBeLessThan(2_000)
        const { items: counts } = queue.facts
        const total = groups.reduce((sum, count) => sum + count, 0)
        expect(counts.get('written')! + counts.get('known')! + counts.get('rejected')!).toBe(total)
      }
    ),
    { numRuns: 150 }
  )
})

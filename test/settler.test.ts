/** Failures that are judged a second time: which ones, when, and what a restart, a new owner and a failing store do to that. */
import { describe, expect, test } from 'vitest'
import { openClusterState } from '../src/cluster/clusterIndex.ts'
import { T } from './store/examples.ts'
import {
  SettlerBed as Bed,
  causes,
  failure,
  HOUR_MS,
  knowledgeOf,
  SETTLE_MS,
  shop,
  stateAt,
  streamState
} from './support/settlerBed.ts'

describe('one process', () => {
  test('a failure is judged once more when its time has come, and never again', async () => {
    const bed = new Bed()
    bed.settler.own([])
    await bed.put(failure())
    expect(causes(bed)).toEqual(['undetermined'])
    expect(await bed.round(T + 1_000 + SETTLE_MS - 1)).toEqual([])
    expect(bed.counters.settled).toEqual({ judged: 0, changed: 0, unjudged: 0 })
    expect(await bed.round(T + 1_000 + SETTLE_MS)).toEqual(['/cart'])
    expect(causes(bed)).toEqual(['oom_killed'])
    expect(await bed.round(T + HOUR_MS)).toEqual([])
    expect(bed.counters.settled).toEqual({ judged: 1, changed: 1, unjudged: 0 })
    expect(bed.opened).toBe(1)
    // What was judged is read no more.
    expect(bed.store.filters.map(({ ingested }) => ingested)).toEqual([
      { fromMs: T - 1, toMs: T + 999 },
      { fromMs: T + 999, toMs: T + 1_000 },
      { fromMs: T + 1_000, toMs: T + HOUR_MS - SETTLE_MS }
    ])
    await bed.settler.close()
    expect(bed.store.isClosed).toBe(true)
  })

  test('a verdict that stays is not written', async () => {
    const bed = new Bed()
    bed.settler.own([])
    await bed.put(failure({ ingestedMs: T + 30_000 }))
    expect(await bed.round(T + HOUR_MS)).toEqual([])
    expect(bed.counters.settled).toEqual({ judged: 1, changed: 0, unjudged: 0 })
    expect(bed.store.batches).toEqual([])
  })

  test('what is written in the millisecond in which it begins is settled', async () => {
    const bed = new Bed()
    bed.settler.own([])
    await bed.put(failure({ ingestedMs: T }))
    expect(await bed.round(T + HOUR_MS)).toEqual(['/cart'])
  })

  test('a pipe has no state, and is settled all the same', async () => {
    const bed = new Bed()
    bed.settler.own([])
    expect(bed.settler.mark([])).toEqual([])
    await bed.put(failure())
    expect(await bed.round(T + HOUR_MS)).toEqual(['/cart'])
  })

  test("a node's clock may be ahead or behind", async () => {
    const bed = new Bed()
    bed.settler.own([])
    await bed.put(
      failure({ path: '/ahead', timeMs: T + 4_000, ingestedMs: T + 1_000 }),
      failure({ path: '/behind', timeMs: T, ingestedMs: T + 10_000 })
    )
    // A round that ends between the two times of the first.
    await bed.round(T + 1_000 + SETTLE_MS)
    await bed.round(T + HOUR_MS)
    expect(bed.counters.settled).toEqual({ judged: 2, changed: 2, unjudged: 0 })
  })

  test('batches on their way hold it up: what they bring is settled then', async () => {
    const bed = new Bed()
    bed.settler.own([])
    bed.inFlightMs = T + 500
    await bed.put(failure({ path: '/before', ingestedMs: T + 400 }))
    expect(await bed.round(T + HOUR_MS)).toEqual(['/before'])
    await bed.put(failure({ path: '/late', ingestedMs: T + 600 }))
    expect(await bed.round(T + HOUR_MS + 1)).toEqual([])
    bed.inFlightMs = Number.POSITIVE_INFINITY
    expect(await bed.round(T + HOUR_MS + 2)).toEqual(['/late'])
  })

  test('what an index has not refreshed yet is not passed over, however small settleMs is', async () => {
    const bed = new Bed({ settleMs: 0 })
    bed.settler.own([])
    await bed.round(T + 9_999)
    await bed.put(failure({ ingestedMs: T + 1 }))
    expect(await bed.round(T + 30_000)).toEqual(['/cart'])
  })

  test('a better document that comes late is judged again', async () => {
    const bed = new Bed()
    bed.settler.own([])
    const early = failure()
    // Of its access line alone.
    await bed.put({ ...early, version: early.version - 1 })
    await bed.round(T + SETTLE_MS / 2)
    await bed.put(failure({ ingestedMs: T + SETTLE_MS }))
    await bed.round(T + SETTLE_MS + 1_000)
    expect(bed.counters.settled.judged).toBe(0)
    expect(await bed.round(T + 3 * SETTLE_MS)).toEqual([])
    expect(bed.counters.settled.judged).toBe(1)
  })

  test('more than a page', async () => {
    const bed = new Bed()
    bed.settler.own([])
    const paths = Array.from({ length: 1_001 }, (_, i) => `/${i}`)
    const one = failure()
    await bed.put(
      ...paths.map((path, i) => {
        const document = structuredClone(one.document)
        Object.assign(document.url as object, { path })
        Object.assign(document.event as object, { id: `id-${i}` })
        return { ...one, id: `id-${i}`, document }
      })
    )
    const settled = await bed.round(T + HOUR_MS)
    expect(settled.toSorted()).toEqual(paths.toSorted())
    expect(new Set(causes(bed))).toEqual(new Set(['oom_killed']))
  })

  test('a restart goes on where the store says', async () => {
    const bed = new Bed()
    bed.settler.own([])
    await bed.put(failure({ path: '/1' }), failure({ path: '/2', ingestedMs: T + 50_000 }))
    expect(await bed.round(T + 1_000 + SETTLE_MS)).toEqual(['/1'])
    await bed.mark('a')
    await bed.put(failure({ path: '/3', timeMs: T + 500, ingestedMs: T + 2_000 }))
    bed.start().own(bed.store.streams)
    expect(await bed.round(T + HOUR_MS)).toEqual(['/3'])
    expect(bed.counters.settled.judged).toBe(3)
  })

  test('a file that was done long ago does not begin it all again', async () => {
    const bed = new Bed()
    bed.settler.own([streamState('rotated', T - 20 * 24 * HOUR_MS, true), streamState('a', T - 500)])
    await bed.round(T + HOUR_MS)
    expect(bed.store.filters).toHaveLength(1)
    expect(bed.store.filters[0]!.fromMs).toBeGreaterThan(T - 25 * HOUR_MS)
    expect(bed.store.filters[0]!.partitions).toBeUndefined()
  })

  test('a log that is read hours late: by this process, and by the one before it', async () => {
    const bed = new Bed()
    bed.settler.own([])
    bed.nowMs = T + 5 * HOUR_MS
    // It knew nothing of the cluster yet.
    const late = failure({ ingestedMs: T + 5 * HOUR_MS })
    delete (late.document.why5xx as { root_cause?: object }).root_cause
    bed.settler.own([])
    await bed.round(T + 5 * HOUR_MS)
    await bed.put(late)
    bed.oldestWrittenMs = T
    expect(await bed.round(T + 6 * HOUR_MS)).toEqual(['/cart'])

    bed.store.kept.clear()
    await bed.put(late)
    bed.oldestWrittenMs = Number.POSITIVE_INFINITY
    bed.start().own([streamState('a', T + 5 * HOUR_MS - 1)])
    expect(await bed.round(T + 6 * HOUR_MS)).toEqual(['/cart'])
    // Once.
    await bed.round(T + 7 * HOUR_MS)
    const [first, second] = bed.store.filters.slice(-2)
    expect(second!.fromMs - first!.fromMs).toBeGreaterThan(20 * HOUR_MS)
  })

  test('a file that appears is settled with the others', async () => {
    const bed = new Bed()
    bed.settler.own([])
    await bed.put(failure())
    bed.nowMs = T + 60_000
    await bed.mark('new')
    expect(await bed.round(T + HOUR_MS)).toEqual(['/cart'])
    await bed.mark('new', 'newer')
    expect(bed.store.streams.map(({ settledToMs }) => settledToMs)).toEqual(Array(2).fill(T + HOUR_MS - SETTLE_MS))
  })

  test('failures of another cluster in the same store are left alone', async () => {
    const bed = new Bed()
    bed.settler.own([])
    await bed.put(failure({ clusterName: 'staging' }))
    expect(await bed.round(T + HOUR_MS)).toEqual([])
    expect(bed.counters.settled.judged).toBe(0)
  })
})

test('the state is asked for up to now: what was told late is behind the failure', async () => {
  const asked: number[][] = []
  const bed = new Bed({
    knowledge: {
      ready: async (...given) => {
        asked.push(given as number[])
        return { known: true, isCaughtUp: true, fromMs: T - HOUR_MS }
      },
      state: stateAt(T + HOUR_MS)
    }
  })
  bed.settler.own([])
  await bed.put(failure({ path: '/1' }), failure({ path: '/2', timeMs: T + 5 }))
  await bed.round(T + HOUR_MS)
  expect(asked).toEqual([[T, T + HOUR_MS - 10_000, 60_000]])
})

describe('what is not known', () => {
  test('is not recorded: the first verdict stands', async () => {
    const bed = new Bed()
    bed.settler.own([])
    await bed.put(failure())
    bed.known = false
    bed
      .start({
        knowledge: knowledgeOf(stateAt(T - 1), false)
      })
      .own([])
    const [before] = bed.store.documents
    expect(await bed.round(T + HOUR_MS)).toEqual([])
    expect(bed.store.documents).toEqual([before])
    expect(bed.counters.settled.judged).toBe(0)
    await bed.mark('a')
    expect(bed.store.streams).toMatchObject([{ settledToMs: T + HOUR_MS - SETTLE_MS }])
  })

  test('yet, is judged when the record was read', async () => {
    const bed = new Bed()
    const knowledge = { ...knowledgeOf(stateAt(T - 1), false, false) }
    bed.start({ knowledge }).own([])
    await bed.put(failure())
    expect(await bed.round(T + HOUR_MS)).toEqual([])
    await bed.mark('a')
    expect(bed.store.streams).toMatchObject([{ settledToMs: T - 1 }])
    expect(bed.counters.settled.judged).toBe(0)
    Object.assign(knowledge, knowledgeOf(stateAt(T + HOUR_MS)))
    expect(await bed.round(T + HOUR_MS)).toEqual(['/cart'])
    expect(causes(bed)).toEqual(['oom_killed'])
  })

  test('any more, does not replace what was known at once', async () => {
    const bed = new Bed()
    await bed.put(failure({ ingestedMs: T + 30_000 }))
    expect(causes(bed)).toEqual(['oom_killed'])
    // Started an hour later, without the record of then.
    const state = openClusterState()
    for (const event of shop.listed(T + HOUR_MS)) state.apply(event)
    bed.start({ knowledge: knowledgeOf(state) }).own([streamState('a', T)])
    expect(await bed.round(T + 2 * HOUR_MS)).toEqual([])
    expect(bed.counters.settled.judged).toBe(1)
    expect(causes(bed)).toEqual(['oom_killed'])
  })

  test('at once, is known by then', async () => {
    const bed = new Bed()
    bed.settler.own([])
    const unknown = failure()
    delete (unknown.document.why5xx as { root_cause?: object }).root_cause
    ;(unknown.document.why5xx as { cluster: object }).cluster = { known: false }
    await bed.put(unknown)
    expect(await bed.round(T + HOUR_MS)).toEqual(['/cart'])
    expect(bed.store.documents).toMatchObject([{ why5xx: { cluster: { known: true } } }])
  })
})

describe('partitions', () => {
  const bedOf = (): Bed => new Bed({ isOfPartitions: true })
  const stream = (partition: number): string => `kafka/raw/${partition}`

  test('only what was read in ours is settled, each from where it stands', async () => {
    const bed = bedOf()
    bed.settler.own([streamState(stream(0), T), streamState(stream(1), T + 20_000)])
    await bed.put(
      failure({ path: '/0', partition: 0 }),
      failure({ path: '/1-before', partition: 1 }),
      failure({ path: '/1', partition: 1, ingestedMs: T + 20_001, timeMs: T + 1 }),
      failure({ path: '/2', partition: 2 }),
      failure({ path: '/other-topic', partition: 0, topic: 'raw2' })
    )
    await bed.round(T + HOUR_MS)
    // 1 was judged when the termination was known.
    expect(bed.counters.settled).toEqual({ judged: 2, changed: 1, unjudged: 0 })
    expect(bed.store.filters[0]!.partitions).toEqual([0, 1])
  })

  test('nothing is asked as long as there are none', async () => {
    const bed = bedOf()
    bed.settler.own([])
    await bed.put(failure({ partition: 0 }))
    expect(await bed.round(T + HOUR_MS)).toEqual([])
    expect(bed.opened).toBe(0)
  })

  test('a new owner goes on where the one before it stood', async () => {
    const bed = bedOf()
    bed.settler.own([streamState(stream(0), T - 1)])
    await bed.put(failure({ path: '/1', partition: 0 }), failure({ path: '/2', partition: 0, ingestedMs: T + 10_000 }))
    expect(await bed.round(T + 1_000 + SETTLE_MS)).toEqual(['/1'])
    await bed.mark(stream(0))
    const other = bed.start()
    expect(await bed.round(T + HOUR_MS)).toEqual([])
    other.own(bed.store.streams)
    expect(await bed.round(T + HOUR_MS)).toEqual(['/2'])
    other.lose([stream(0)])
    await bed.put(failure({ path: '/3', partition: 0, timeMs: T + 1, ingestedMs: T + 2_000 }))
    expect(await bed.round(T + 2 * HOUR_MS)).toEqual([])
  })

  test('a partition is ours when it begins to be read, not when it is claimed', async () => {
    const bed = bedOf()
    await bed.put(failure({ path: '/0', partition: 0 }), failure({ path: '/1', partition: 1 }))
    bed.settler.claimed([streamState(stream(0), T - 1), streamState(stream(1), T - 1)])
    expect(await bed.round(T + HOUR_MS)).toEqual([])
    bed.settler.begin(stream(1))
    expect(await bed.round(T + HOUR_MS)).toEqual(['/1'])
    bed.settler.lose([stream(1)])
    bed.settler.claimed([streamState(stream(1), T + 10)])
    expect(bed.settler.mark([streamState(stream(1))])).toMatchObject([{ settledToMs: T + 10 }])
  })

  test('a partition that nobody settled begins with its first batch', async () => {
    const bed = bedOf()
    await bed.put(failure({ path: '/old', partition: 0, ingestedMs: T - 1_000, timeMs: T - 500 }))
    expect(bed.settler.mark([streamState(stream(0))])).toMatchObject([{ settledToMs: T - 1 }])
    await bed.put(failure({ path: '/new', partition: 0 }))
    expect(await bed.round(T + HOUR_MS)).toEqual(['/new'])
  })

  test('a partition that is lost and comes back, the news of which come in another order', async () => {
    const bed = bedOf()
    bed.settler.own([streamState(stream(0), T - 1)])
    await bed.put(failure({ partition: 0 }))
    bed.nowMs = T + 60_000
    bed.settler.own([streamState(stream(0), T - 1)])
    bed.settler.lose([stream(0)])
    await bed.mark(stream(0))
    expect(await bed.round(T + HOUR_MS)).toEqual(['/cart'])
  })

  test('a round that loses a partition and gets it back says nothing of it', async () => {
    const bed = bedOf()
    bed.settler.own([streamState(stream(0), T - 1)])
    await bed.put(failure({ partition: 0 }))
    bed.store.beforePage = number => {
      if (number > 0) return
      bed.settler.lose([stream(0)])
    }
    expect(await bed.round(T + HOUR_MS)).toEqual([])
    bed.settler.own([streamState(stream(0), T - 1)])
    expect(await bed.round(T + HOUR_MS)).toEqual(['/cart'])
  })
})

/** Failures on their way to the store: judged by the state of their moment, in the order of batches. */
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { openClusterState } from '../src/cluster/clusterIndex.ts'
import type { ClusterEvent } from '../src/cluster/event.ts'
import type { Readiness } from '../src/cluster/knowledge.ts'
import type { ClusterState } from '../src/cluster/state.ts'
import { Counters } from '../src/counters.ts'
import { type ClassifiedBatch, Judge, type JudgedListener, type Knowledge, REFRESH_MS } from '../src/judge.ts'
import { Metrics } from '../src/metrics.ts'
import type { FailureDocument } from '../src/store/document.ts'
import { documentsOf, rawFailure } from '../src/store/sink.ts'
import { EXAMPLES, options, T } from './store/examples.ts'
import { batch } from './store/failures.ts'
import { runEngine } from './support/engineRun.ts'
import { LISTED, ShopCluster, told } from './support/shopCluster.ts'
import { VersionedStore } from './support/versionedStore.ts'

const shop = new ShopCluster({ addresses: ['10.2.3.14', '10.2.3.15', '10.2.3.16'], nowMs: T })
const EVENTS: ClusterEvent[] = [
  ...shop.listed(T - 600_000),
  told(T + 500, 'MODIFIED', shop.oomKilled(2, T - 1_000)),
  { at: T + 60_000, type: 'HEARTBEAT' }
]

function stateOf(events: readonly ClusterEvent[]): ClusterState {
  const state = openClusterState()
  for (const event of events) state.apply(event)
  return state
}

/** Answers when the test says so. */
class ScriptedKnowledge implements Knowledge {
  state: ClusterState = stateOf(EVENTS)
  fromMs = Number.NEGATIVE_INFINITY
  readonly asked: { oldestMs: number; newestMs: number; answer: (known: boolean) => void }[] = []

  ready(oldestMs: number, newestMs: number): Promise<Readiness> {
    return new Promise(resolve =>
      this.asked.push({
        oldestMs,
        newestMs,
        answer: known => resolve({ known, isCaughtUp: true, fromMs: this.fromMs })
      })
    )
  }

  async answer(known = true): Promise<void> {
    await expect.poll(() => this.asked.length, { interval: 1 }).toBeGreaterThan(0)
    this.asked.shift()!.answer(known)
    await setImmediate()
  }
}

/** New ones each time: a judge writes into them. */
function classified(...names: (keyof typeof EXAMPLES)[]): ClassifiedBatch {
  const failures = names.flatMap(name => runEngine(EXAMPLES[name]!).failures)
  const { failures: _, ...rest } = batch({})
  return { ...rest, classified: failures.map(failure => rawFailure(failure, options())) }
}

const clock = { nowMs: T + 10_000 }
const documents = { ...options(), labels: ['app'], nowMs: () => clock.nowMs }

function bed(knowledge: Knowledge | null, isThread = false, said: string[] = []) {
  const store = new VersionedStore(isThread ? texts => documentsOf(texts, documents) : null)
  const counters = new Counters(0)
  return { store, counters, judge: new Judge(store, documents, counters, knowledge, text => void said.push(text)) }
}

async function judged(knowledge: ScriptedKnowledge, known: boolean, ...names: (keyof typeof EXAMPLES)[]) {
  const { judge, store, counters } = bed(knowledge)
  const written = judge.write(classified(...names))
  await knowledge.answer(known)
  await written
  return { documents: store.documents, versions: [...store.kept.values()].map(({ version }) => version), counters }
}

describe('what is known is in the document', () => {
  test('the pod, why it failed, and which version that is', async () => {
    const { documents: found, versions, counters } = await judged(new ScriptedKnowledge(), true, 'refused-three-times')
    const [pod] = [shop.pods[2]!.metadata]
    expect(found).toMatchObject([
      {
        kubernetes: { pod: { name: pod!.name, uid: pod!.uid, ip: '10.2.3.16' }, deployment: { name: 'cart' } },
        service: { name: 'shop/cart', version: '2.4.1' },
        labels: { app: 'cart' },
        why5xx: { cluster: { known: true, owner: 'certain' }, root_cause: { kind: 'oom_killed' } }
      }
    ])
    expect(versions).toEqual([8 + 2 + 1])
    expect([...counters.diagnoses]).toEqual([['oom_killed', 1]])
  })

  test('what is read again after a restart is judged again, and not counted', async () => {
    const knowledge = new ScriptedKnowledge()
    const { judge, store, counters } = bed(knowledge)
    const given = classified('refused-three-times')
    for (const { failure } of given.classified) (failure.access ?? failure.errors[0]!).isJudgedAgain = true
    const written = judge.write(given)
    await knowledge.answer()
    await written
    expect(store.documents).toMatchObject([{ why5xx: { root_cause: { kind: 'oom_killed' } } }])
    expect(counters.diagnoses.size).toBe(0)
  })

  test('not, when the state of the moment is not there in time', async () => {
    const knowledge = new ScriptedKnowledge()
    knowledge.state = stateOf(shop.listed(T - 600_000))
    const { documents: found, versions, counters } = await judged(knowledge, false, 'refused-three-times')
    expect(found).toMatchObject([{ why5xx: { cluster: { known: false } } }])
    expect(JSON.stringify(found)).not.toContain('root_cause')
    expect(versions).toEqual([8 + 1])
    expect([...counters.diagnoses]).toEqual([['state_unknown', 1]])
  })

  test('of a batch, for those of which the state is there', async () => {
    const knowledge = new ScriptedKnowledge()
    // Known up to the middle: one failure is before it, another behind.
    knowledge.state = stateOf([...EVENTS.slice(0, -2), { at: T + 1, type: 'HEARTBEAT' }])
    const { documents: found } = await judged(knowledge, false, 'saved-by-a-retry', 'read-timeout-without-error-line')
    const known = found.map(document => (document.why5xx as { cluster: { known: boolean } }).cluster.known)
    expect(new Set(known)).toEqual(new Set([false, true]))
  })

  test('of a batch, for those behind the begin of what is recorded', async () => {
    const knowledge = new ScriptedKnowledge()
    knowledge.fromMs = T + 1
    const { documents: found } = await judged(knowledge, false, 'saved-by-a-retry', 'read-timeout-without-error-line')
    for (const document of found)
      expect(document).toMatchObject({
        why5xx: { cluster: { known: Date.parse(document['@timestamp'] as string) > T } }
      })
    expect(new Set(found.map(document => Date.parse(document['@timestamp'] as string) > T)).size).toBe(2)
  })

  test('nobody asked: not even that nothing is known', async () => {
    const { judge, store, counters } = bed(null)
    await judge.write(classified('refused-three-times'))
    expect(JSON.stringify(store.documents)).not.toMatch(/root_cause|"cluster":\{"known/)
    expect(counters.diagnoses.size).toBe(0)
    expect(judge.oldestInFlightMs).toBe(Number.POSITIVE_INFINITY)
  })

  test.each(Object.keys(EXAMPLES))('no kind may be read: nothing is blamed, %s', async name => {
    const knowledge = new ScriptedKnowledge()
    const unreadable = Object.fromEntries(LISTED.map(kind => [kind, '403 forbidden']))
    const scope = { kinds: [], unreadable, namespaces: null }
    knowledge.state = stateOf([
      { at: T - 600_000, type: 'LIST_START', ...scope },
      { at: T - 600_000, type: 'LIST_END', ...scope },
      { at: T + 60_000, type: 'HEARTBEAT' }
    ])
    const { documents: found, counters } = await judged(knowledge, true, name)
    const { judge, store } = bed(null)
    await judge.write(classified(name))
    expect(found.map(withoutKnown)).toEqual(store.documents)
    expect([...counters.diagnoses.keys()]).toEqual(['unreadable'])
  })

  function withoutKnown(document: FailureDocument): FailureDocument {
    const { why5xx, ...rest } = document as { why5xx: { cluster: unknown } }
    const { cluster, ...ours } = why5xx
    expect(cluster).toEqual({ known: true })
    return { ...rest, why5xx: ours }
  }

  test.each(Object.keys(EXAMPLES))('a thread makes the same document of it, %s', async name => {
    const knowledge = new ScriptedKnowledge()
    const beds = [bed(knowledge), bed(knowledge, true)]
    for (const { judge } of beds) {
      const written = judge.write(classified(name))
      await knowledge.answer()
      await written
    }
    const [here, thread] = beds.map(({ store }) => [...store.kept.values()])
    expect(here!.length).toBeGreaterThan(0)
    expect(thread).toEqual(here)
    expect(beds[1]!.store.batches.map(({ built }) => built)).toEqual([[]])
  })
})

test('batches are written in their order, although the first one waits for its state', async () => {
  const knowledge = new ScriptedKnowledge()
  const { judge, store } = bed(knowledge)
  const order: string[] = []
  const writes = (['refused-three-times', 'custom-error-page'] as const).map(name =>
    judge.write(classified(name)).then(() => order.push(name))
  )
  // Without a failure it asks nobody, and waits all the same.
  writes.push(judge.write(classified()).then(() => order.push('nothing')))
  await expect.poll(() => knowledge.asked.length, { interval: 1 }).toBe(1)
  expect(store.batches).toEqual([])
  await knowledge.answer()
  await knowledge.answer(false)
  await Promise.all(writes)
  expect(order).toEqual(['refused-three-times', 'custom-error-page', 'nothing'])
  expect(store.batches.map(({ built }) => built.length)).toEqual([1, 1, 0])
})

test('a question is of the oldest and the newest failure', async () => {
  const knowledge = new ScriptedKnowledge()
  const { judge } = bed(knowledge)
  const given = classified('refused-three-times', 'read-timeout-without-error-line', 'saved-by-a-retry')
  const times = given.classified.map(({ failure }) => failure.timeMs)
  const written = judge.write(given)
  await expect.poll(() => knowledge.asked.length, { interval: 1 }).toBe(1)
  expect(knowledge.asked[0]).toMatchObject({ oldestMs: Math.min(...times), newestMs: Math.max(...times) })
  await knowledge.answer()
  await written
})

test('a batch is in flight until a reader finds it: behind the refresh of the index', async () => {
  const knowledge = new ScriptedKnowledge()
  const { judge, store } = bed(knowledge)
  expect(judge.oldestInFlightMs).toBe(Number.POSITIVE_INFINITY)
  let release = (): void => {}
  store.beforeWrite = () => new Promise(resolve => (release = resolve))
  const beganMs = clock.nowMs
  const written = judge.write(classified('refused-three-times'))
  await knowledge.answer()
  clock.nowMs += 300_000
  expect(judge.oldestInFlightMs).toBe(beganMs)
  release()
  await written
  clock.nowMs += REFRESH_MS - 1
  expect(judge.oldestInFlightMs).toBe(beganMs)
  clock.nowMs += 1
  expect(judge.oldestInFlightMs).toBe(Number.POSITIVE_INFINITY)
})

test('how old the failures are that were written since', async () => {
  const knowledge = new ScriptedKnowledge()
  const { judge } = bed(knowledge)
  expect(judge.oldestFailureMs(clock.nowMs)).toBe(Number.POSITIVE_INFINITY)
  const beganMs = clock.nowMs
  const given = classified('refused-three-times', 'read-timeout-without-error-line')
  const oldestMs = Math.min(...given.classified.map(({ failure }) => failure.timeMs))
  const written = judge.write(given)
  await knowledge.answer()
  await written
  await judge.write(classified())
  clock.nowMs += REFRESH_MS
  expect(judge.oldestFailureMs(beganMs)).toBe(oldestMs)
  expect(judge.oldestFailureMs(beganMs + 1)).toBe(Number.POSITIVE_INFINITY)
  expect(judge.oldestFailureMs(beganMs)).toBe(Number.POSITIVE_INFINITY)
})

describe('whoever looks for incidents', () => {
  class Heard implements JudgedListener {
    readonly heard: string[] = []

    judged({ classified }: ClassifiedBatch): void {
      this.heard.push(`judged ${classified.map(({ failure }) => failure.judgement?.isKnown ?? 'nobody asked').join()}`)
    }

    passed(readToMs: number): void {
      this.heard.push(`passed ${readToMs}`)
    }

    ended(): void {
      this.heard.push('ended')
    }
  }

  test('is told behind the judging, in order, and before anything is stored', async () => {
    const knowledge = new ScriptedKnowledge()
    const listener = new Heard()
    const store = new VersionedStore(null)
    store.beforeWrite = () => void listener.heard.push('stored')
    const judge = new Judge(store, documents, new Counters(0), knowledge, () => {}, listener)
    const writes = [judge.write(classified('refused-three-times'))]
    judge.passed(1, T)
    writes.push(judge.write(classified('custom-error-page')))
    judge.passed(2, T)
    const ended = judge.ended()
    expect(listener.heard).toEqual([])
    await knowledge.answer()
    await knowledge.answer()
    await Promise.all([...writes, ended])
    const order = listener.heard.filter(text => text !== 'stored')
    expect(order).toEqual(['judged true', 'passed 1', 'judged true', 'passed 2', 'ended'])
    expect(listener.heard.indexOf('judged true')).toBeLessThan(listener.heard.indexOf('stored'))
  })

  test('is told at once where nothing is known of any cluster, also while the store is away', () => {
    const listener = new Heard()
    const store = new VersionedStore(null)
    store.beforeWrite = () => new Promise(() => {})
    const judge = new Judge(store, documents, new Counters(0), null, () => {}, listener)
    void judge.write(classified('refused-three-times'))
    judge.passed(1, T)
    expect(listener.heard).toEqual(['judged nobody asked', 'passed 1'])
  })
})

test('batches that nobody asks about are remembered as one, no less careful', async () => {
  const knowledge: Knowledge = {
    state: stateOf(EVENTS),
    ready: async () => ({ known: true, isCaughtUp: true, fromMs: 0 })
  }
  const { judge } = bed(knowledge)
  const beganMs = clock.nowMs
  const given = classified('refused-three-times')
  await judge.write(given)
  for (let i = 0; i < 10_001; i++) {
    await judge.write(classified())
    if (i === 5_000) clock.nowMs += REFRESH_MS
  }
  expect(judge.flights).toBeLessThan(6_000)
  expect(judge.oldestFailureMs(beganMs)).toBe(given.classified[0]!.failure.timeMs)
  clock.nowMs += REFRESH_MS
  expect(judge.oldestInFlightMs).toBe(Number.POSITIVE_INFINITY)
})

describe('what throws', () => {
  class Broken extends ScriptedKnowledge {
    isReadable = false
    override state = new Proxy(stateOf(EVENTS), {
      get: (state, name) => {
        if (name !== 'knownToMs' && name !== 'revision' && !this.isReadable) throw new TypeError('secret of a log line')
        const value = Reflect.get(state, name) as unknown
        return typeof value === 'function' ? value.bind(state) : value
      }
    })
  }

  test('when a failure is judged: it is stored as it was classified, counted, and said once a minute', async () => {
    const knowledge = new Broken()
    const said: string[] = []
    const { judge, store, counters } = bed(knowledge, false, said)
    const write = async (): Promise<unknown> => {
      const written = judge.write(classified('refused-three-times'))
      await knowledge.answer()
      return written
    }
    expect(await write()).toEqual({ written: 1, known: 0 })
    expect(store.documents).toMatchObject([{ why5xx: { cause: expect.any(String), cluster: { known: true } } }])
    expect(JSON.stringify(store.documents)).not.toContain('root_cause')
    expect(await write()).toEqual({ written: 0, known: 1 })
    expect(counters.unjudged).toBe(2)
    expect(counters.diagnoses.size).toBe(0)
    const metrics = new Metrics(counters, { clusterName: 'prod', kafka: () => null, bulk: null })
    expect(await metrics.text()).toMatch(/why5xx_diagnoses_total\{.*root_cause="failed"\} 2/)
    expect(said).toEqual([expect.stringMatching(/could not be judged.*TypeError at /)])
    expect(said[0]).not.toContain('secret')
    clock.nowMs += 60_000
    await write()
    expect(said).toHaveLength(2)
    knowledge.isReadable = true
    await write()
    expect([...counters.diagnoses]).toEqual([['oom_killed', 1]])
  })

  test('when the state is asked for: no later batch is written either', async () => {
    const { judge, store } = bed({
      state: stateOf(EVENTS),
      ready: () => Promise.reject(new Error('no record'))
    })
    const writes = [judge.write(classified('refused-three-times')), judge.write(classified())]
    expect(await Promise.allSettled(writes)).toMatchObject([
      { reason: { message: 'no record' } },
      { reason: { message: 'no record' } }
    ])
    await expect(judge.write(classified())).rejects.toThrow('no record')
    expect(store.batches).toEqual([])
  })
})

test('a store that fails fails the batch, and the judge goes on', async () => {
  const knowledge = new ScriptedKnowledge()
  const { judge, store } = bed(knowledge)
  store.beforeWrite = () => Promise.reject(new Error('away'))
  const failed = judge.write(classified('refused-three-times'))
  const caught = expect(failed).rejects.toThrow('away')
  await knowledge.answer()
  await caught
  store.beforeWrite = () => {}
  const written = judge.write(classified('refused-three-times'))
  await knowledge.answer()
  expect(await written).toEqual({ written: 1, known: 0 })
})

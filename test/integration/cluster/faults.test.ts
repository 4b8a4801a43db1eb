/** Elasticsearch goes away, is slow, and answers nonsense: every failure once, every request counted, nothing rejected. */
import { afterAll, afterEach, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { isElasticsearchAvailable, startElasticsearch } from '../../services/elasticsearchServer.ts'
import buildDist from '../../support/buildDist.ts'
import { FaultyProxy, type ProxyFault } from '../../support/faultyProxy.ts'
import { Folder } from '../../support/program.ts'
import type { RunningProgram } from '../../support/runningProgram.ts'
import { ClusterBed, fluentBit, SESSION_TIMEOUT_MS } from './bed.ts'
import { ClusterLog } from './clusterLog.ts'

const LINES = 6_000
const PODS = 4
const PARTITIONS = 3
const SEED = 5
/** One request after the other meets one; those behind are answered as they should be. */
const FAULTS: ProxyFault[] = ['busy', 'unavailable', 'cut', 'lost', 'none', 'slow', 'lost', 'busy', 'cut', 'slow']

const folder = new Folder()
let bed: ClusterBed
let log: ClusterLog

beforeAll(async () => {
  buildDist()
  log = await ClusterLog.make(folder, { lines: LINES, pods: PODS, seed: SEED })
})

afterEach(() => bed?.remove())
afterAll(() => folder.remove())

describe.skipIf(inject('kafka') === null || !isElasticsearchAvailable())('a node that dies', () => {
  test('the worker waits, says why, keeps its partitions, and goes on when the node is back', async () => {
    const elasticsearch = await startElasticsearch()
    onTestFinished(() => elasticsearch.stop())
    bed = new ClusterBed('down', { url: elasticsearch.url })
    await bed.prepare(PARTITIONS)
    const worker = bed.start()
    const third = Math.floor(log.lines.length / 3)
    await bed.send(fluentBit(log.lines.slice(0, third)))
    await worker.until(async () => ((await bed.failures()) > 0 ? true : undefined))
    const rebalances = await worker.metric('why5xx_rebalances_total')

    await elasticsearch.kill()
    const killedMs = Date.now()
    await bed.send(fluentBit(log.lines.slice(third)))
    const { text } = await notReady(worker)
    expect(text).toMatch(/Elasticsearch.*: waiting/)
    expect((await worker.ask('/healthz')).status).toBe(200)
    expect(await bed.committedLag()).toBeGreaterThan(0)
    await elasticsearch.restart()
    await bed.allCommitted()
    // A member without heartbeats is forgotten by now.
    await worker.until(() => (Date.now() - killedMs > SESSION_TIMEOUT_MS + 500 ? true : undefined))

    expect(await worker.ask('/readyz')).toMatchObject({ status: 200 })
    expect(await worker.metric('why5xx_rebalances_total')).toBe(rebalances)
    expect(await worker.metric('why5xx_sink_paused')).toBe(0)
    expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(worker.stderr).toMatch(/writing is paused[\s\S]*writing goes on/)
    await log.expectIn(bed)
    expect(await bed.documents('reject')).toEqual([])
  })
})

describe.skipIf(inject('kafka') === null || inject('elasticsearch') === null)('a node behind a bad connection', () => {
  test('answers are late, cut, lost, 429 and 503', async () => {
    const proxy = await FaultyProxy.start(inject('elasticsearch')!.url)
    onTestFinished(() => proxy.stop())
    bed = new ClusterBed('faulty', { url: proxy.url })
    await bed.prepare(PARTITIONS)
    const worker = bed.start()
    await worker.said(/assigned 3 of 3/)
    const faults = [...FAULTS]
    // What the test itself asks is answered as it should be.
    proxy.faultOf = path => (/_bulk$|_mget$/.test(path) ? (faults.shift() ?? 'none') : 'none')
    await bed.send(fluentBit(log.lines))
    await bed.allCommitted()
    expect(faults).toEqual([])
    expect(await worker.metric('why5xx_bulk_retries_total')).toBeGreaterThan(0)
    expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    await log.expectIn(bed)
    expect(await bed.documents('reject')).toEqual([])
  })
})

function notReady(worker: RunningProgram): Promise<{ text: string }> {
  return worker.until(async () => {
    const { status, text } = await worker.ask('/readyz')
    return status === 503 ? { text } : undefined
  })
}

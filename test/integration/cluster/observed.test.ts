/** What a worker tells of itself: lag, partitions, bulk outcomes, rejects, what the shipper sent twice, and what it never sent. */
import { afterAll, beforeAll, expect } from 'vitest'
import buildDist from '../../support/buildDist.ts'
import { Folder } from '../../support/program.ts'
import { ClusterBed, clusterTest, fluentBit } from './bed.ts'
import { ClusterLog } from './clusterLog.ts'

const PODS = 3
const PARTITIONS = 3
const RESENT = 100
const LEFT_OUT = 7

const folder = new Folder()
let bed: ClusterBed
let log: ClusterLog
/** Bytes of the lines that the shipper leaves out, in their file. */
let gapBytes = 0

beforeAll(async () => {
  buildDist()
  const whole = await ClusterLog.make(folder, { lines: 3_000, pods: PODS, seed: 7, withErrors: false })
  const { path } = whole.lines[0]!
  const missing = new Set(whole.lines.filter(line => line.path === path).slice(50, 50 + LEFT_OUT))
  for (const { framed } of missing) gapBytes += framed.length + 1
  log = await ClusterLog.of(
    folder,
    whole.lines.filter(line => !missing.has(line))
  )
  bed = new ClusterBed('observed')
  await bed.prepare(PARTITIONS)
})

afterAll(async () => {
  await bed?.remove()
  folder.remove()
})

clusterTest('metrics, and the line in the log', async () => {
  const worker = bed.start()
  expect((await worker.ask('/metrics')).status, 'before the group is joined').toBe(200)
  await worker.said(/assigned 3 of 3/)
  const { lines } = log
  const behind = lines.length - PODS
  await bed.send(fluentBit(lines.slice(0, behind)))
  await bed.send(fluentBit(lines.slice(500, 500 + RESENT)))
  await bed.send(['no line of anybody', 'nor this'].map(value => ({ key: 'nowhere', value })))
  // Lines whose windows are open are read and not committed yet, and that is told.
  await worker.until(async () => ((await worker.metric('why5xx_resends_total')) >= RESENT ? true : undefined))
  await worker.until(async () => ((await worker.metric('why5xx_lag_offsets')) === 0 ? true : undefined))
  expect(await worker.metric('why5xx_committed_lag_offsets')).toBeGreaterThan(0)

  await bed.send(fluentBit(lines.slice(behind)))
  await bed.allCommitted()
  await worker.until(async () => ((await worker.metric('why5xx_committed_lag_offsets')) === 0 ? true : undefined))
  await worker.until(async () => ((await worker.metric('why5xx_processing_lag_seconds')) === 0 ? true : undefined))
  const { text } = await worker.ask('/metrics')
  expect(text.match(/^why5xx_lag_offsets\{partition="\d"\} 0$/gm)).toHaveLength(PARTITIONS)
  const requests = [...log.totals.values()].reduce((sum, [count]) => sum + count, 0)
  const failures = log.explained.size
  const expected: [name: string, value: number, labels?: Record<string, string>][] = [
    ['why5xx_requests_total', requests],
    ['why5xx_failures_total', failures],
    ['why5xx_resends_total', RESENT],
    ['why5xx_source_gaps_total', 1],
    ['why5xx_source_gap_bytes_total', gapBytes],
    ['why5xx_rejects_total', 2, { stage: 'parse', code: 'unrecognized' }],
    ['why5xx_join_total', failures, { state: 'access_only' }],
    ['why5xx_partitions_paused', 0],
    ['why5xx_join_held_lines', 0],
    ['why5xx_sink_paused', 0],
    ['why5xx_sink_documents_total', failures + 2],
    ['why5xx_bulk_retries_total', 0],
    ['why5xx_offset_resets_total', 0]
  ]
  for (const [name, value, labels] of expected) expect(await worker.metric(name, labels), name).toBe(value)
  expect(await worker.metric('why5xx_bulk_items_total', { outcome: 'written' })).toBeGreaterThan(failures)
  expect(await worker.metric('why5xx_bulk_seconds_count')).toBeGreaterThan(0)

  expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  const stopped = worker.stderr.split('\n').find(line => line.includes('"msg":"stopped"'))
  const summary = JSON.parse(stopped!) as Record<string, unknown>
  expect(summary).toMatchObject({
    requests,
    documents: failures,
    rejects: 2,
    gaps: 1,
    gapBytes,
    resends: RESENT,
    stored: failures + 2,
    linesHeld: 0,
    paused: null,
    offsetResets: 0,
    bulkRejected: 0,
    bulkRetries: 0
  })
  await log.expectIn(bed)
  const gaps = (await bed.documents('controller')).map(({ _source }) => _source)
  expect(gaps).toEqual([
    expect.objectContaining({
      message: expect.stringMatching(/bytes of \/var\/log\/containers\/.* have not come from the shipper$/) as string
    })
  ])
})

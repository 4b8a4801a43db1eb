/** Through a real topic into a real Elasticsearch, by workers that are killed: every failure once, every request counted. */
import { afterAll, beforeAll, expect } from 'vitest'
import { Random } from '../../../bench/random.ts'
import buildDist from '../../support/buildDist.ts'
import { Folder } from '../../support/program.ts'
import { ClusterBed, clusterTest, fluentBit, SESSION_TIMEOUT_MS } from './bed.ts'
import { ClusterLog, closingLines } from './clusterLog.ts'

const LINES = 50_000
const PODS = 7
const PARTITIONS = 6
const SEED = Number(process.env.WHY5XX_SEED ?? 11)

const folder = new Folder()
let bed: ClusterBed
let log: ClusterLog

beforeAll(async () => {
  buildDist()
  log = await ClusterLog.make(folder, { lines: LINES, pods: PODS, seed: SEED })
  bed = new ClusterBed('e2e')
  await bed.prepare(PARTITIONS)
})

afterAll(async () => {
  await bed?.remove()
  folder.remove()
})

clusterTest(`${LINES} lines, two workers, three kills and a rebalance, WHY5XX_SEED=${SEED}`, async () => {
  const random = new Random(SEED)
  const sending = bed.send(fluentBit(log.lines))
  let first = bed.start()
  const second = bed.start()
  await first.said(/assigned \d of 6/)
  for (let kill = 0; kill < 3; kill++) {
    const share = (kill + random.share()) / 4
    await first.until(async () => ((await bed.failures()) >= share * log.explained.size ? true : undefined))
    await first.kill('SIGKILL')
    first = bed.start()
  }
  const third = bed.start()
  await third.said(/assigned \d of 6/)
  expect(await third.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  await sending
  await bed.allCommitted()
  for (const worker of [first, second]) expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  await log.expectIn(bed)
  expect(await bed.documents('reject')).toEqual([])
})

clusterTest('a worker that is killed is replaced within the session timeout and ten seconds', async () => {
  const owner = bed.start()
  await owner.said(/assigned \d of 6/)
  const other = bed.start()
  await other.said(/assigned 3 of 6/)
  const killedMs = Date.now()
  await owner.kill('SIGKILL')
  await other.said(/assigned 6 of 6/)
  const tookMs = Date.now() - killedMs
  console.log(`partitions of a killed worker were read again after ${tookMs} ms`)
  expect(tookMs).toBeLessThan(SESSION_TIMEOUT_MS + 10_000)
  await bed.send(closingLines(PODS, 600).map(({ path, record }) => ({ key: path, value: JSON.stringify(record) })))
  await bed.allCommitted()
  expect(await other.kill('SIGTERM')).toEqual({ code: 0, signal: null })
})

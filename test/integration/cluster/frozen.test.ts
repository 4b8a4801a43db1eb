/** A worker that stands still while another takes over what it held, and then wakes up in the middle of its old work. */
import { afterAll, beforeAll, expect } from 'vitest'
import buildDist from '../../support/buildDist.ts'
import { Folder } from '../../support/program.ts'
import { ClusterBed, clusterTest, fluentBit } from './bed.ts'
import { ClusterLog } from './clusterLog.ts'

const LINES = 12_000
const PODS = 5
const PARTITIONS = 3
const SEED = 3

const folder = new Folder()
let bed: ClusterBed
let log: ClusterLog

beforeAll(async () => {
  buildDist()
  log = await ClusterLog.make(folder, { lines: LINES, pods: PODS, seed: SEED })
  bed = new ClusterBed('frozen')
  await bed.prepare(PARTITIONS)
})

afterAll(async () => {
  await bed?.remove()
  folder.remove()
})

clusterTest('what it writes when it wakes up changes nothing', async () => {
  const frozen = bed.start()
  await frozen.said(/assigned 3 of 3/)
  const sending = bed.send(fluentBit(log.lines))
  await frozen.until(async () => ((await bed.failures()) > log.explained.size / 10 ? true : undefined))
  frozen.child.kill('SIGSTOP')
  await sending
  expect(await bed.committedLag(), 'it was frozen in the middle of its work').toBeGreaterThan(0)

  const other = bed.start()
  await bed.allCommitted()
  await log.expectIn(bed)
  const committed = await bed.committed()
  const rebalances = await other.metric('why5xx_rebalances_total')

  frozen.child.kill('SIGCONT')
  // Back in the group, which deals out the partitions again, and with everything it had in hand written or given up.
  await other.until(async () => ((await other.metric('why5xx_rebalances_total')) > rebalances ? true : undefined))
  await frozen.until(async () => {
    const [inFlight, partitions] = [
      await frozen.metric('why5xx_sink_in_flight_bytes'),
      await frozen.metric('why5xx_lag_offsets')
    ]
    return inFlight === 0 && !Number.isNaN(partitions) ? true : undefined
  })
  await bed.allCommitted()
  for (const [partition, offset] of await bed.committed())
    expect(offset).toBeGreaterThanOrEqual(committed.get(partition)!)
  for (const worker of [frozen, other]) expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  for (const [partition, offset] of await bed.committed())
    expect(offset).toBeGreaterThanOrEqual(committed.get(partition)!)
  await log.expectIn(bed)
  expect(await bed.documents('reject')).toEqual([])
})

/** From the files of a node through a real shipper to a worker's documents; the shipper is killed on the way. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { CONTROLLER, ContainerLog, type OutputStream } from '../../services/containerLog.ts'
import { isShipperAvailable, type Shipper, startShipper } from '../../services/shipper.ts'
import buildDist from '../../support/buildDist.ts'
import { Folder, why5xx } from '../../support/program.ts'
import { ClusterBed, clusterTest } from './bed.ts'

const LOG = join(import.meta.dirname, '../../../samples/incidents/oom-during-load/controller.log')
const CLOSING =
  '203.0.113.1 - - [21/Nov/2026:10:40:00 +0000] "GET /closing HTTP/1.1" 200 2 "-" "curl/8.7.1" 100 0.001 [shop-cart-80] [] 10.42.1.211:8080 2 0.001 200 00000000000000000000000000000000'

interface SampleLine {
  pod: string
  stream: OutputStream
  timeNs: bigint
  content: Buffer
}

interface StoredFailure {
  event: { id: string; created: string }
  host: { name: string }
  why5xx: { controller: { pod: { name: string } } }
}

const folder = new Folder()
const root = join(folder.path, 'log')
const logs = new Map<string, ContainerLog>()
let lines: SampleLine[]
let bed: ClusterBed
let shipper: Shipper | undefined

beforeAll(async () => {
  buildDist()
  lines = sampleLines()
  for (const [index, pod] of [...new Set(lines.map(line => line.pod))].entries())
    logs.set(pod, new ContainerLog(root, { ...CONTROLLER, pod, id: String(index).repeat(64) }))
  bed = new ClusterBed('shipped')
  await bed.prepare(3)
})

afterAll(async () => {
  await shipper?.stop()
  await bed?.remove()
  for (const log of logs.values()) log.close()
  folder.remove()
})

const shipperTest = isShipperAvailable() ? clusterTest : test.skip

shipperTest('killed and restarted, nothing is missing and nothing counts twice', async () => {
  const all = [...logs.values()]
  const half = Math.floor(lines.length / 2)
  shipper = await startShipper({
    logs: root,
    brokers: bed.options['source.kafka.brokers'] as string[],
    topic: bed.topic
  })
  const worker = bed.start()
  write(lines.slice(0, half))
  await shipper.allSent(all)
  all[0]!.rotate()
  write(lines.slice(half, half + 100))
  await shipper.allSent(all)
  // In the middle of what comes now.
  write(lines.slice(half + 100, -200))
  await shipper.kill()
  write(lines.slice(-200))
  await shipper.restart()
  await shipper.allSent(all)
  const requests = lines.filter(({ stream }) => stream === 'stdout').length
  await vi.waitFor(async () => expect(await worker.metric('why5xx_requests_total')).toBe(requests), 60_000)
  expect(await worker.metric('why5xx_source_gap_bytes_total')).toBe(0)
  const resends = await worker.metric('why5xx_resends_total')
  // It writes all that is decided: behind the closing lines that is everything.
  expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null })

  const files = [...logs].map(([, log]) => folder.write(log.path.split('/').at(-1)!, Buffer.concat(log.generations())))
  const { stdout } = await why5xx(['explain', '--format', 'ndjson', ...files])
  const expected = stdout
    .trimEnd()
    .split('\n')
    .map(line => (JSON.parse(line) as StoredFailure).event)
  const stored = await bed.documents('failure')
  expect(expected.length).toBeGreaterThan(100)
  expect(stored.map(({ _id }) => _id).sort()).toEqual(expected.map(({ id }) => id).sort())

  // rsyslog sends its files again as a whole; what Fluent Bit repeats is a matter of moments.
  if (shipper.kind === 'rsyslog') expect(resends).toBeGreaterThan(half / 2)

  const createdOf = new Map(expected.map(({ id, created }) => [id, created]))
  for (const { _id, _source } of stored) {
    const { event, host, why5xx: own } = _source as unknown as StoredFailure
    expect(event.created).toBe(createdOf.get(_id))
    expect(host.name).toBe('worker-1')
    expect(logs.has(own.controller.pod.name)).toBe(true)
  }
})

test('the sample has access lines and error lines of two controllers', () => {
  expect(logs.size).toBe(2)
  expect(new Set(lines.map(({ stream }) => stream)).size).toBe(2)
})

function write(some: readonly SampleLine[]): void {
  for (const { pod, stream, content, timeNs } of some) logs.get(pod)!.write(stream, content, timeNs)
}

/** What `kubectl logs --timestamps --prefix` printed; behind it a line of each pod that closes every window. */
function sampleLines(): SampleLine[] {
  const found = readFileSync(LOG, 'latin1')
    .trimEnd()
    .split('\n')
    .map(line => {
      const [, pod, stamp, content] = /^\[pod\/([^/]+)\/controller\] (\S+) (.*)$/.exec(line) as unknown as [
        string,
        string,
        string,
        string
      ]
      const stream: OutputStream = /^(?:\d{4}\/|[IWEF]\d{4} )/.test(content) ? 'stderr' : 'stdout'
      return { pod, stream, timeNs: nanoseconds(stamp), content: Buffer.from(content, 'latin1') }
    })
  const closing = {
    stream: 'stdout' as const,
    timeNs: nanoseconds('2026-11-21T10:40:00.000000001Z'),
    content: Buffer.from(CLOSING)
  }
  return [...found, ...[...new Set(found.map(({ pod }) => pod))].map(pod => ({ pod, ...closing }))]
}

/** Unix ns of a stamp with a fraction of any length. */
function nanoseconds(stamp: string): bigint {
  const [seconds = '', fraction = ''] = stamp.replace('Z', '').split('.')
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}

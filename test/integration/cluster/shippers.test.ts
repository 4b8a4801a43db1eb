/** What each shipper makes of one log, side by side in one topic and in every compression: the failures that `explain` finds. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect } from 'vitest'
import { registerCodecs } from '../../../src/source/kafka/codecs.ts'
import buildDist from '../../support/buildDist.ts'
import { Folder, why5xx } from '../../support/program.ts'
import {
  filebeatValue,
  fluentBitValue,
  fluentdValue,
  rawValue,
  SHIPPED_FROM,
  type ShippedFrom,
  type ShippedRecord,
  shippedRecords,
  vectorValue
} from '../../support/shippedLog.ts'
import { ClusterBed, clusterTest } from './bed.ts'

const { CompressionTypes } = kafkajs
const LOG = join(import.meta.dirname, '../../../samples/incidents/oom-during-load/controller.log')
/** Requests and failure documents of the log, by upstream name. */
type Found = Map<string, { requests: number; byCause: Record<string, number> }>

const SHIPPERS: [
  pod: string,
  compression: number,
  value: (record: ShippedRecord, from: ShippedFrom) => string | Buffer
][] = [
  ['fluent-bit', CompressionTypes.None, fluentBitValue],
  ['fluent-bit-gzip', CompressionTypes.GZIP, fluentBitValue],
  ['fluentd', CompressionTypes.Snappy, fluentdValue],
  ['vector', CompressionTypes.LZ4, vectorValue],
  ['filebeat', CompressionTypes.ZSTD, filebeatValue],
  // Raw lines name no pod: their partition stands for one.
  ['raw', CompressionTypes.GZIP, rawValue]
]

const CLOSING =
  '203.0.113.1 - - [21/Nov/2026:10:40:00 +0000] "GET /closing HTTP/1.1" 200 2 "-" "curl/8.7.1" 100 0.001 [shop-cart-80] [] 10.42.1.211:8080 2 0.001 200 00000000000000000000000000000000'

const folder = new Folder()
let bed: ClusterBed
/** By pod, as kubelet has them. */
let logs: Map<string, Buffer>

beforeAll(async () => {
  buildDist()
  await registerCodecs()
  logs = criLogs()
  bed = new ClusterBed('shippers')
  await bed.prepare(SHIPPERS.length)
})

afterAll(async () => {
  await bed?.remove()
  folder.remove()
})

clusterTest('Fluent Bit, Fluentd, Vector, Filebeat and raw lines; gzip, snappy, lz4 and zstd', async () => {
  const explained = await explain([...logs].map(([pod, log]) => folder.write(logName(pod), log)))
  for (const [partition, [name, compression, toValue]] of SHIPPERS.entries())
    for (const [pod, log] of logs) {
      const from = { ...SHIPPED_FROM, pod: `${name}-${pod}`, path: `/var/log/containers/${logName(`${name}-${pod}`)}` }
      const values = shippedRecords(log).map(record => ({ key: pod, value: toValue(record, from), partition }))
      await bed.send(values, compression)
    }
  const worker = bed.start()
  await bed.allCommitted()
  const requests = [...explained.values()].reduce((sum, found) => sum + found.requests, 0)
  expect(await worker.metric('why5xx_requests_total')).toBe(requests * SHIPPERS.length)
  expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(await bed.documents('reject')).toEqual([])

  const failures = await bed.documents('failure')
  for (const [i] of SHIPPERS.entries()) {
    const found: Found = new Map()
    const of = (name: string) => {
      const known = found.get(name) ?? { requests: 0, byCause: {} }
      found.set(name, known)
      return known
    }
    for (const { _source } of await bed.documents('rollup')) {
      const { upstream, rollup } = _source.why5xx as {
        upstream: { name: string }
        rollup: { partition: number; requests: number }
      }
      if (rollup.partition === i) of(upstream.name).requests += rollup.requests
    }
    for (const { _source } of failures) {
      const { upstream, cause, origin } = _source.why5xx as {
        upstream: { name: string }
        cause: string
        origin: { access: { partition: number } | null; errors: { partition: number }[] }
      }
      if ((origin.access ?? origin.errors[0])!.partition !== i) continue
      const { byCause } = of(upstream.name)
      byCause[cause] = (byCause[cause] ?? 0) + 1
    }
    expect(found, SHIPPERS[i]![0]).toEqual(explained)
  }
})

async function explain(files: string[]): Promise<Found> {
  const { stdout } = await why5xx(['explain', '--format', 'json', ...files])
  const { byUpstream } = JSON.parse(stdout) as {
    byUpstream: Record<string, { requests: number; byCause: Record<string, number> }>
  }
  return new Map(Object.entries(byUpstream).map(([name, { requests, byCause }]) => [name, { requests, byCause }]))
}

function logName(pod: string): string {
  return `${pod}_ingress-nginx_controller-${'0f'.repeat(32)}.log`
}

/** Of what `kubectl logs --timestamps --prefix` printed; behind it a line of each pod that closes every window. */
function criLogs(): Map<string, Buffer> {
  const byPod = new Map<string, string[]>()
  for (const line of readFileSync(LOG, 'latin1').trimEnd().split('\n')) {
    const [, pod, stamp, content] = /^\[pod\/([^/]+)\/controller\] (\S+) (.*)$/.exec(line) as unknown as [
      string,
      string,
      string,
      string
    ]
    const stream = /^(?:\d{4}\/|[IWEF]\d{4} )/.test(content) ? 'stderr' : 'stdout'
    byPod.set(pod, [...(byPod.get(pod) ?? []), `${stamp} ${stream} F ${content}\n`])
  }
  return new Map(
    [...byPod].map(([pod, lines]) => [
      pod,
      Buffer.from(`${lines.join('')}2026-11-21T10:40:00.000000001Z stdout F ${CLOSING}\n`, 'latin1')
    ])
  )
}

/** What each shipper makes of one log, side by side in one topic and in every compression: the failures that `explain` finds. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
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
import { ClusterBed } from './bed.ts'

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

const folder = new Folder()
let bed: ClusterBed
let explained: Found

beforeAll(async () => {
  buildDist()
  await registerCodecs()
  const { stdout } = await why5xx(['explain', '--format', 'json', LOG])
  const { byUpstream } = JSON.parse(stdout) as {
    byUpstream: Record<string, { requests: number; byCause: Record<string, number> }>
  }
  explained = new Map(Object.entries(byUpstream).map(([name, { requests, byCause }]) => [name, { requests, byCause }]))
  bed = new ClusterBed('shippers')
  await bed.prepare(SHIPPERS.length)
})

afterAll(async () => {
  await bed?.remove()
  folder.remove()
})

test('Fluent Bit, Fluentd, Vector, Filebeat and raw lines; gzip, snappy, lz4 and zstd', async () => {
  const records = criRecords()
  for (const [i, [pod, compression, toValue]] of SHIPPERS.entries()) {
    const from = { ...SHIPPED_FROM, pod, path: SHIPPED_FROM.path.replace(SHIPPED_FROM.pod, pod) }
    await bed.send(
      records.map(record => ({ key: pod, value: toValue(record, from), partition: i })),
      compression
    )
  }
  const worker = bed.start()
  // Windows close by silence here: no later line does it.
  await worker.until(async () =>
    (await worker.metric('why5xx_requests_total')) >= requestsOf(explained) * SHIPPERS.length ? true : undefined
  )
  await bed.allCommitted()
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

/** The log is one that `kubectl logs --timestamps --prefix` printed, or a plain one: here as kubelet has it. */
function criRecords(): ShippedRecord[] {
  const lines = readFileSync(LOG, 'latin1').trimEnd().split('\n')
  return shippedRecords(Buffer.from(lines.map(line => `${line}\n`).join(''), 'latin1'))
}

function requestsOf(found: Found): number {
  return [...found.values()].reduce((sum, { requests }) => sum + requests, 0)
}

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Client } from '@elastic/elasticsearch'
import kafkajs from 'kafkajs'
import { ensureDataset } from '../dataset.ts'
import { type Finding, report } from '../finding.ts'
import { MAIN, runForMemory, runTimed } from '../measure.ts'
import { fillTopic } from './topic.ts'

/**
 * What a cluster's disks and processors pay for each request and each failure: bytes of a message in Kafka as the broker keeps
 * it, bytes of a document in Elasticsearch after a merge of all segments, CPU time and memory of a worker. Sums that
 * deploy/README.md multiplies begin here.
 *
 *   node dist/bench/cluster/sizes.js --brokers 127.0.0.1:9092 --kafka-data FOLDER --elasticsearch http://127.0.0.1:9200
 *     [--lines 1500000] [--failing 0.08]
 *
 * FOLDER is the broker's `log.dirs`: no client asks it for the size of a topic.
 */
const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '127.0.0.1:9092' },
    'kafka-data': { type: 'string' },
    elasticsearch: { type: 'string', default: 'http://127.0.0.1:9200' },
    lines: { type: 'string', default: '1500000' },
    failing: { type: 'string', default: '0.08' }
  }
})
const PARTITIONS = 6
const KINDS = ['failure', 'rollup', 'controller', 'reject']
const lines = Number(values.lines)
const failing = Number(values.failing)
const brokers = values.brokers.split(',')
const topic = `sizes-${lines}-${failing}-${PARTITIONS}`
const namespace = `sizes${process.pid}`

const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin()
await admin.connect()
const isThere = (await admin.listTopics()).includes(topic)
await admin.disconnect()
if (!isThere) await fillTopic({ brokers, topic, lines, partitions: PARTITIONS, failing })

const { truth } = ensureDataset({ lines, withErrors: true, failing })
const settings = [`sink.elasticsearch.nodes=${values.elasticsearch}`, `sink.elasticsearch.namespace=${namespace}`]
const setup = spawnSync(process.execPath, [MAIN, 'setup', ...settings.flatMap(one => ['--set', one])], {
  stdio: 'ignore'
})
if (setup.status !== 0) throw new Error('why5xx setup failed')

const worker = fileURLToPath(new URL('./worker.js', import.meta.url))
const command = [process.execPath, worker, values.brokers, topic, values.lines, values.elasticsearch]
const ran = await runTimed([...command, namespace])
const remembered = await runForMemory([...command, `${namespace}m`])
const { requests, documents } = JSON.parse(ran.stdout) as { requests: number; documents: number }
// Lines of the end that still wait for a partner are neither written nor committed when the worker is stopped.
if (requests < truth.requests * 0.999) throw new Error(`counted ${requests} requests, the generator ${truth.requests}`)

const reported = { gate: '', passes: null }
const findings: Finding[] = [
  {
    question: `${lines} messages, ${documents} documents: cpu of a worker`,
    figure: `${ran.cpuSeconds.toFixed(1)} s`,
    ...reported
  },
  { question: 'messages a second of processor time', figure: grouped(lines / ran.cpuSeconds), ...reported },
  { question: 'peak memory of a worker', figure: `${mebibytes(remembered.peakBytes ?? 0)} MiB`, ...reported }
]
if (values['kafka-data'] !== undefined) {
  const bytes = bytesOfTopic(values['kafka-data'])
  findings.push({ question: 'a message in Kafka, gzip', figure: `${(bytes / lines).toFixed(0)} B`, ...reported })
}
findings.push(...(await documentSizes()))
report(findings)

/** Segments of all partitions, without their indexes, which are as large as they may become from the start on. */
function bytesOfTopic(folder: string): number {
  if (!existsSync(folder)) throw new Error(`${folder} is not there`)
  return readdirSync(folder)
    .filter(name => name.startsWith(`${topic}-`))
    .flatMap(partition => readdirSync(join(folder, partition)).map(file => join(folder, partition, file)))
    .filter(file => file.endsWith('.log'))
    .reduce((sum, file) => sum + statSync(file).size, 0)
}

/** Of each kind, in one segment a shard: what is small and new lies there in more, and is larger. */
async function documentSizes(): Promise<Finding[]> {
  const client = new Client({ node: values.elasticsearch, requestTimeout: 600_000 })
  const sizes: Finding[] = []
  for (const kind of KINDS) {
    const index = `why5xx-${kind}-${namespace}-*`
    await client.indices.refresh({ index })
    const before = await sizeOf(client, index)
    if (before.documents === 0) continue
    await client.indices.forcemerge({ index, max_num_segments: 1 })
    await client.indices.refresh({ index })
    const after = await sizeOf(client, index)
    const [settings] = Object.values(await client.indices.getSettings({ index }))
    const mode = settings?.settings?.index?.mode ?? 'standard'
    sizes.push({
      question: `a ${kind} document in Elasticsearch (${grouped(after.documents)}, ${mode})`,
      figure: `${(before.bytes / before.documents).toFixed(0)} B, merged ${(after.bytes / after.documents).toFixed(0)} B`,
      ...reported
    })
  }
  await client.close()
  return sizes
}

async function sizeOf(client: Client, index: string): Promise<{ documents: number; bytes: number }> {
  const { _all } = await client.indices.stats({ index, metric: ['docs', 'store'] })
  return { documents: _all.primaries?.docs?.count ?? 0, bytes: _all.primaries?.store?.size_in_bytes ?? 0 }
}

function grouped(count: number): string {
  return Math.round(count).toLocaleString('en')
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}

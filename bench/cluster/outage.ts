import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import kafkajs from 'kafkajs'
import { ensureDataset } from '../dataset.ts'
import { type Finding, report } from '../finding.ts'
import { MAIN } from '../measure.ts'
import { shippedLines } from './shipped.ts'

/**
 * Elasticsearch goes away for some minutes while lines keep coming: how much memory does a worker take, does it live, and how
 * soon has it caught up? The node stays; a proxy in front of it hangs up.
 *
 *   node dist/bench/cluster/outage.js --brokers 127.0.0.1:9092 --elasticsearch http://127.0.0.1:9200 [--minutes 10] [--rate 5000]
 */
const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '127.0.0.1:9092' },
    elasticsearch: { type: 'string', default: 'http://127.0.0.1:9200' },
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '5000' }
  }
})
const OUTAGE_MS = Number(values.minutes) * 60_000
const RATE = Number(values.rate)
const SENDS_PER_SECOND = 10
const BEFORE_MS = 30_000
const BYTES_MAX = 512 * 1024 * 1024
const CAUGHT_UP_MS_MAX = 300_000
/** What is read within a few seconds. */
const LAG_OFFSETS = 5 * RATE

const { CompressionTypes, Kafka, logLevel } = kafkajs
const topic = `bench-outage-${process.pid}`
const kafka = new Kafka({ brokers: values.brokers.split(','), logLevel: logLevel.NOTHING })
const admin = kafka.admin()
await admin.connect()
await admin.createTopics({ topics: [{ topic, numPartitions: 6, replicationFactor: 1 }] })
const producer = kafka.producer()
await producer.connect()

const { hostname, port } = new URL(values.elasticsearch)
const sockets = new Set<Socket>()
let isAway = false
const proxy = createServer(client => {
  if (isAway) return client.destroy()
  const node = connect(Number(port), hostname)
  for (const [one, other] of [
    [client, node],
    [node, client]
  ] as const) {
    sockets.add(one)
    one.on('error', () => other.destroy())
    one.on('close', () => {
      sockets.delete(one)
      other.destroy()
    })
    one.pipe(other)
  }
})
await new Promise<void>(resolve => {
  proxy.listen(0, '127.0.0.1', resolve)
})
const address = proxy.address() as { port: number }

const settings = {
  'source.kind': 'kafka',
  'source.kafka.brokers': values.brokers,
  'source.kafka.topic': topic,
  'source.kafka.groupId': topic,
  'sink.kind': 'elasticsearch',
  'sink.elasticsearch.nodes': `http://127.0.0.1:${address.port}`,
  'sink.elasticsearch.namespace': topic.replaceAll('-', '_'),
  'web.listen': '127.0.0.1:0'
}
const flags = Object.entries(settings).flatMap(([path, value]) => ['--set', `${path}=${value}`])
await new Promise<void>((resolve, reject) => {
  const child = spawn(process.execPath, [MAIN, 'setup', ...flags], { stdio: 'inherit' })
  child.once('exit', code => (code === 0 ? resolve() : reject(new Error('setup failed'))))
})
const worker = spawn(process.execPath, [MAIN, 'run', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] })
let said = ''
worker.stderr.setEncoding('utf8').on('data', (text: string) => {
  said += text
})
let hasEnded = false
worker.once('exit', () => {
  hasEnded = true
})

const lines = [...shippedLines(readFileSync(ensureDataset({ lines: 300_000, withErrors: true }).file, 'latin1'), 12)]
let sent = 0
const send = async (untilMs: number): Promise<void> => {
  const startMs = performance.now()
  const before = sent
  while (performance.now() < untilMs) {
    const messages = Array.from({ length: RATE / SENDS_PER_SECOND }, () => {
      const { path, record } = lines[sent++ % lines.length]!
      // The same lines come again and again: as those of a later day they are no resends.
      const day = String(1 + Math.floor(sent / lines.length)).padStart(2, '0')
      return { key: path, value: JSON.stringify({ ...record, time: record.time.replace(/-\d\dT/, `-${day}T`) }) }
    })
    await producer.send({ topic, messages, compression: CompressionTypes.GZIP })
    const dueMs = startMs + ((sent - before) * 1_000) / RATE
    await delay(Math.max(0, dueMs - performance.now()))
  }
}

try {
  await send(performance.now() + BEFORE_MS)
  console.error(`${sent} lines sent; Elasticsearch goes away for ${OUTAGE_MS / 60_000} min`)
  isAway = true
  for (const socket of sockets) socket.destroy()
  await send(performance.now() + OUTAGE_MS)
  isAway = false
  const backMs = performance.now()
  console.error(`${sent} lines sent; it is back`)
  const sending = send(backMs + CAUGHT_UP_MS_MAX)
  let caughtUpMs = Number.POSITIVE_INFINITY
  while (performance.now() < backMs + CAUGHT_UP_MS_MAX && !hasEnded) {
    await delay(1_000)
    if ((await metric('why5xx_lag_offsets')) > LAG_OFFSETS || (await metric('why5xx_sink_paused')) > 0) continue
    caughtUpMs = performance.now() - backMs
    break
  }
  const rejects = await metric('why5xx_rejects_total')
  const peakBytes = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${worker.pid}/status`, 'utf8'))?.[1]) * 1024
  const findings: Finding[] = [
    {
      question: `Elasticsearch away for ${values.minutes} min at ${RATE} lines a second, peak memory`,
      figure: `${(peakBytes / 1024 / 1024).toFixed(0)} MiB`,
      gate: '< 512 MiB',
      passes: peakBytes < BYTES_MAX
    },
    { question: 'restarts', figure: hasEnded ? '1' : '0', gate: '0', passes: !hasEnded },
    { question: 'rejects', figure: String(rejects), gate: '0', passes: rejects === 0 },
    {
      question: 'caught up after its return, while lines go on',
      figure: `${(caughtUpMs / 1000).toFixed(0)} s`,
      gate: '<= 300 s',
      passes: caughtUpMs <= CAUGHT_UP_MS_MAX
    }
  ]
  report(findings)
  void sending.catch(() => {})
} finally {
  worker.kill('SIGKILL')
  await admin.deleteTopics({ topics: [topic] })
}
process.exit()

/** The sum of a metric's series. */
async function metric(name: string): Promise<number> {
  const listening = /"address":"([^"]+)"/.exec(said)?.[1]
  const text = await (await fetch(`${listening}/metrics`)).text()
  const series = text.split('\n').filter(line => line.startsWith(name) && !line.startsWith('#'))
  return series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import kafkajs from 'kafkajs'
import { type Finding, report } from '../finding.ts'
import { MAIN, median, type Run, runTimed } from '../measure.ts'
import { fillTopic } from './topic.ts'

/**
 * A Kafka topic as Fluent Bit fills it (about 1.2 kB a message, gzip, 2 % failing), read by a conventional worker (eachMessage,
 * JSON.parse, one regular expression, nothing stored) and by ours, in turns, on the same driver; then by ours with and without
 * Elasticsearch behind it: the price of acknowledgements and checkpoints.
 *
 *   node dist/bench/cluster/run.js --brokers 127.0.0.1:9092 --elasticsearch http://127.0.0.1:9200 [--lines 1500000] [--rounds 5]
 */
const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '127.0.0.1:9092' },
    elasticsearch: { type: 'string', default: 'http://127.0.0.1:9200' },
    lines: { type: 'string', default: '1500000' },
    rounds: { type: 'string', default: '5' }
  }
})
const RATIO_MIN = 1.4
const THROUGHPUT_MIN = 0.9
const PARTITIONS = 6
const topic = `bench-${values.lines}-${PARTITIONS}`

const admin = new kafkajs.Kafka({
  brokers: values.brokers.split(','),
  logLevel: kafkajs.logLevel.NOTHING
}).admin()
await admin.connect()
const isThere = (await admin.listTopics()).includes(topic)
await admin.disconnect()
const lines = Number(values.lines)
if (!isThere) await fillTopic({ brokers: values.brokers.split(','), topic, lines, partitions: PARTITIONS })

const program = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url))
const namespace = `bench${process.pid}`
const settings = [`sink.elasticsearch.nodes=${values.elasticsearch}`, `sink.elasticsearch.namespace=${namespace}`]
const setup = spawnSync(process.execPath, [MAIN, 'setup', ...settings.flatMap(one => ['--set', one])], {
  stdio: 'ignore'
})
if (setup.status !== 0) throw new Error('why5xx setup failed')

const given = [values.brokers, topic, values.lines]
const conventional: Run[] = []
const ours: Run[] = []
const stored: Run[] = []
for (let round = 0; round <= Number(values.rounds); round++) {
  const runs = [
    await runTimed([process.execPath, program('conventional'), ...given]),
    await runTimed([process.execPath, program('worker'), ...given]),
    await runTimed([process.execPath, program('worker'), ...given, values.elasticsearch, `${namespace}r${round}`])
  ] as const
  for (const { stdout } of runs.slice(1)) assertCounted(runs[0].stdout, stdout)
  // The first round warms the broker's page cache.
  if (round === 0) continue
  conventional.push(runs[0])
  ours.push(runs[1])
  stored.push(runs[2])
  console.error(`round ${round}: ${runs.map(text).join(', ')}`)
}

const cpu = (runs: readonly Run[]): number => median(runs.map(run => run.cpuSeconds))
const wall = (runs: readonly Run[]): number => median(runs.map(run => run.wallSeconds))
const ratio = median(conventional.map((run, i) => run.cpuSeconds / ours[i]!.cpuSeconds))
const share = median(ours.map((run, i) => run.wallSeconds / stored[i]!.wallSeconds))
const findings: Finding[] = [
  {
    question: `${lines} messages: cpu of a conventional worker / cpu of ours, median of ${values.rounds}`,
    figure: ratio.toFixed(2),
    gate: `>= ${RATIO_MIN}`,
    passes: ratio >= RATIO_MIN
  },
  { question: 'conventional, cpu', figure: `${cpu(conventional).toFixed(1)} s`, gate: '', passes: null },
  { question: 'ours, documents built, cpu', figure: `${cpu(ours).toFixed(1)} s`, gate: '', passes: null },
  {
    question: 'ours, messages a second (wall)',
    figure: Math.round(lines / wall(ours)).toLocaleString('en'),
    gate: '',
    passes: null
  },
  {
    question: 'throughput with Elasticsearch and commits / without (wall)',
    figure: share.toFixed(2),
    gate: `>= ${THROUGHPUT_MIN}`,
    passes: share >= THROUGHPUT_MIN
  }
]
report(findings)

/** A fast run that lost something is no figure. The regular expression misses some retried requests. */
function assertCounted(conventionalAnswer: string, answer: string): void {
  const theirs = (JSON.parse(conventionalAnswer) as { requests: number }).requests
  const { requests } = JSON.parse(answer) as { requests: number }
  if (requests < theirs || requests > theirs * 1.01)
    throw new Error(`counted ${requests} requests, conventional ${theirs}`)
}

function text({ cpuSeconds, wallSeconds }: Run): string {
  return `${cpuSeconds.toFixed(1)} s cpu ${wallSeconds.toFixed(1)} s wall`
}

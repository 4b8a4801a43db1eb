import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { MessageBatch } from '../parsers/messageBatch.ts'
import { Engine } from '../src/engine.ts'
import { defaultConfig } from '../src/optionTable.ts'
import { ShipperRuns } from '../src/source/shipperRuns.ts'
import { ensureDataset } from './dataset.ts'
import { type Finding, report } from './finding.ts'
import { median, runTimed } from './measure.ts'
import { batchesOf, shippedMessages } from './shipped.ts'

/**
 * What does a message of Kafka cost? The same values, as Fluent Bit writes them, through our engine (joined, classified,
 * counted by minute), through it with every JSON parsed, and as a usual consumer counts them: `JSON.parse`, one regular
 * expression, a map. Each in a process of its own, in turns.
 *
 *   node dist/bench/messages.js [--lines 200000] [--rounds 5] [--ratio-min 3]
 */
export type MessagesOptions = { lines: number; rounds: number; ratioMin: number }

const MODES = ['parsed', 'ours', 'conventional'] as const
type Mode = (typeof MODES)[number]

/** Of the file that the messages are the beginning of: some 400 lines a second of its time. */
const LINES = 1_500_000

/** Passes over the data that are measured; one before them warms up. */
const PASSES = 10

/** The pipeline writes totals when they are so large. */
const BATCH_BYTES = 1 << 20

interface Pass {
  messages: number
  bytes: number
  requests: number
  failures: number
  wallSeconds: number
  cpuSeconds: number
}

export async function benchMessages({ lines, rounds, ratioMin }: MessagesOptions): Promise<Finding[]> {
  ensureDataset({ lines: LINES, withErrors: true })
  const passes: Record<Mode, Pass[]> = { ours: [], parsed: [], conventional: [] }
  for (let round = 1; round <= rounds; round++) {
    for (const mode of MODES) {
      const self = fileURLToPath(import.meta.url)
      const { stdout } = await runTimed([process.execPath, self, '--mode', mode, '--lines', String(lines)])
      const pass = JSON.parse(stdout) as Pass
      // A fast pass that lost something is no figure; one expression misses a few odd lines.
      const truth = passes.parsed[0] ?? pass
      const isRight = pass.requests === truth.requests && pass.failures === truth.failures
      if (mode === 'conventional' ? pass.requests < 0.99 * truth.requests : !isRight)
        throw new Error(
          `${mode}: ${pass.requests} requests, ${pass.failures} failures; ${truth.requests}, ${truth.failures} parsed`
        )
      passes[mode].push(pass)
      console.error(`round ${round}: ${mode} ${perSecond(pass)} messages/s, ${pass.cpuSeconds.toFixed(3)} s cpu`)
    }
  }
  const cpu = (mode: Mode): number => median(passes[mode].map(pass => pass.cpuSeconds))
  const { messages, bytes } = passes.ours[0]!
  const reported = { gate: '', passes: null }
  const ratio = cpu('conventional') / cpu('ours')
  return [
    { question: 'bytes of a message', figure: (bytes / messages).toFixed(0), ...reported },
    ...MODES.map(mode => ({
      question: `messages a second, ${mode} (wall)`,
      figure: Math.round(median(passes[mode].map(pass => pass.messages / pass.wallSeconds))).toLocaleString('en'),
      ...reported
    })),
    ...MODES.map(mode => ({
      question: `cpu of a million messages, ${mode}`,
      figure: `${((cpu(mode) / messages) * 1e6).toFixed(2)} s`,
      ...reported
    })),
    { question: 'cpu of parsed / cpu of ours', figure: (cpu('parsed') / cpu('ours')).toFixed(2), ...reported },
    {
      question: 'cpu of conventional / cpu of ours',
      figure: ratio.toFixed(2),
      gate: `>= ${ratioMin}`,
      passes: ratio >= ratioMin
    }
  ]
}

function perSecond({ messages, wallSeconds }: Pass): string {
  return Math.round(messages / wallSeconds).toLocaleString('en')
}

/** One process: reads the data, passes over it, prints what it cost on the average. */
function measure(mode: Mode, lines: number): void {
  // The first minutes of a busy file: as dense as a partition is.
  const { file } = ensureDataset({ lines: LINES, withErrors: true })
  const log = readFileSync(file, 'latin1').split('\n', lines)
  const batches = batchesOf(shippedMessages(log))
  const count = batches.reduce((sum, batch) => sum + batch.count, 0)
  const bytes = batches.reduce((sum, batch) => sum + batch.bytes.length, 0)
  const once = (): Counted => {
    const decoded = decodedAgain(batches)
    return mode === 'conventional' ? conventional(decoded) : engine(decoded, mode === 'parsed')
  }
  let counted = once()
  const cpuBefore = process.cpuUsage()
  const startMs = performance.now()
  for (let pass = 0; pass < PASSES; pass++) counted = once()
  const wallSeconds = (performance.now() - startMs) / 1_000 / PASSES
  const { user, system } = process.cpuUsage(cpuBefore)
  const pass: Pass = { messages: count, bytes, ...counted, wallSeconds, cpuSeconds: (user + system) / 1e6 / PASSES }
  console.log(JSON.stringify(pass))
}

/** Each batch just written to the same memory, as a driver decodes what it fetched. */
function* decodedAgain(batches: readonly MessageBatch[]): Generator<MessageBatch> {
  const room = Buffer.alloc(Math.max(...batches.map(batch => batch.bytes.length)))
  for (const batch of batches) {
    batch.bytes.copy(room)
    yield { ...batch, bytes: room.subarray(0, batch.bytes.length) }
  }
}

type Counted = Pick<Pass, 'requests' | 'failures'>

function engine(batches: Iterable<MessageBatch>, parsesMessages: boolean): Counted {
  let documents = 0
  const all = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY, isWantedName: null }
  const { join } = defaultConfig()
  const listener = { failure: () => documents++, alone() {}, controller() {}, stream() {}, reject() {} }
  const counter = new Engine(
    { join, timeZone: 'UTC', logFormat: null, ...all, withMinutes: true, parsesMessages },
    listener
  )
  const partition = { topic: 'why5xx.nginx.raw', partition: 0, shipper: new ShipperRuns(null) }
  const source = counter.open({ name: 'why5xx.nginx.raw/0', modifiedMs: null, partition })
  for (const batch of batches) {
    source.pushMessages(batch)
    if (counter.minutes!.bytes > BATCH_BYTES) counter.minutes!.take()
  }
  counter.finish()
  if (documents === 0) throw new Error('no failure was told')
  return { requests: counter.totals.requests, failures: counter.totals.failures }
}

const ACCESS =
  /^(\S+) - (\S+) \[([^\]]+)\] "([^"]*)" (\d{3}) (\d+) "([^"]*)" "([^"]*)" (\d+) ([\d.]+) \[([^\]]*)\] \[([^\]]*)\] (.*) (\S+)$/

/** Counts requests and failures by minute and upstream name, as one would in an afternoon. */
function conventional(batches: Iterable<MessageBatch>): Counted {
  const counts = new Map<string, { requests: number; failures: number }>()
  for (const { bytes, count, starts, ends } of batches) {
    for (let i = 0; i < count; i++) {
      const record = JSON.parse(bytes.toString('utf8', starts[i], ends[i])) as { log: string; time: string }
      const match = ACCESS.exec(record.log)
      if (match === null) continue
      const key = `${record.time.slice(0, 16)} ${match[12] || match[11]}`
      let row = counts.get(key)
      if (row === undefined) counts.set(key, (row = { requests: 0, failures: 0 }))
      row.requests++
      const status = Number(match[5])
      if (status >= 500 || status === 0 || status === 9) row.failures++
    }
  }
  const rows = [...counts.values()]
  const sum = (of: 'requests' | 'failures'): number => rows.reduce((total, row) => total + row[of], 0)
  return { requests: sum('requests'), failures: sum('failures') }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      lines: { type: 'string', default: '200000' },
      rounds: { type: 'string', default: '5' },
      'ratio-min': { type: 'string', default: '3' },
      mode: { type: 'string' }
    }
  })
  const lines = Number(values.lines)
  if (values.mode !== undefined) measure(values.mode as Mode, lines)
  else report(await benchMessages({ lines, rounds: Number(values.rounds), ratioMin: Number(values['ratio-min']) }))
}

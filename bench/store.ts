import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { FailureDocument, StoredDocument } from '../src/store/document.ts'
import { openDuck } from '../src/store/embedded/duck.ts'
import { openEmbeddedWriter } from '../src/store/embedded/open.ts'
import { dayFileName, dayOf, fileList, quoted } from '../src/store/embedded/tables.ts'
import { knowledge } from '../src/store/identity.ts'
import type { Batch, StoreWriter } from '../src/store/store.ts'
import { ensureDataset } from './dataset.ts'
import { type Finding, report } from './finding.ts'
import { MAIN, median, runTimed } from './measure.ts'

/**
 * Is the embedded store fast enough, and how large is it? A month of failures; documents are those of `explain` on
 * generated logs. The first day is written by the real writer and sealed as always; the other days are its rows with other
 * ids and times; an hour of the last day is still in a segment.
 *
 *   node dist/bench/store.js [--failures 200000] [--days 30] [--rounds 3] [--keep]
 */
export type StoreOptions = { failures: number; days: number; rounds: number; keep: boolean }

const TIMELINE_MS_MAX = 1_000
const COUNTS_MS_MAX = 2_000
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const BATCH = 500
const FIRST_DAY_MS = Date.UTC(2026, 10, 1)
const UPSTREAMS = 20
const QUESTIONS = fileURLToPath(new URL('./storeQuestions.js', import.meta.url))
const FAILING = 0.33

export async function benchStore({ failures, days, rounds, keep }: StoreOptions): Promise<Finding[]> {
  const parent = mkdtempSync(join(tmpdir(), 'why5xx-bench-store-'))
  const path = join(parent, 'store')
  try {
    const written = await writeDay(path, failures)
    const sealSeconds = await sealDay(path)
    await copyDays(path, days)
    const sizeBytes = bytesOf(path, name => /^failures-.*parquet$/.test(name))
    const lastDayMs = FIRST_DAY_MS + (days - 1) * DAY_MS
    const liveHour = Math.round(failures / 24)
    await writeLiveHour(path, liveHour, lastDayMs + DAY_MS)
    const sealedHour = await ask('timeline', path, lastDayMs + DAY_MS / 2, 1, rounds)
    check(sealedHour.answer, {
      documents: Math.min(20, Math.ceil(failures / 24 / 400)),
      requests: 60 * UPSTREAMS * 100
    })
    const unsealedHour = await ask('timeline', path, lastDayMs + DAY_MS, 1, rounds)
    check(unsealedHour.answer, { failures: liveHour })
    const month = await ask('counts', path, FIRST_DAY_MS, (days + 1) * 24, rounds)
    check(month.answer, { failures: failures * days + liveHour })
    const gate = ({ seconds, cpuSeconds }: Asked, limitMs: number, question: string): Finding => ({
      question,
      figure: `${(seconds * 1000).toFixed(0)} ms (${(cpuSeconds * 1000).toFixed(0)} ms cpu)`,
      gate: `<= ${limitMs} ms`,
      passes: seconds * 1000 <= limitMs
    })
    const told = (question: string, figure: string): Finding => ({ question, figure, gate: '', passes: null })
    return [
      told('store, failures written a second, durable', Math.round(failures / written.seconds).toLocaleString('en')),
      told('store, bytes of a document as JSON', String(Math.round(written.documentBytes / failures))),
      told('store, bytes of a failure in a segment', String(Math.round(written.segmentBytes / failures))),
      told('store, bytes of a failure in Parquet', (sizeBytes / failures / days).toFixed(0)),
      told(`store, sealing ${failures} failures, wall`, `${sealSeconds.toFixed(1)} s`),
      gate(sealedHour, TIMELINE_MS_MAX, `store, a timeline's reads of one sealed hour of ${days} days`),
      gate(unsealedHour, TIMELINE_MS_MAX, 'store, the same of an hour in segments'),
      gate(month, COUNTS_MS_MAX, `store, counts by cause over ${days} days, ${failures} failures each`)
    ]
  } finally {
    if (!keep) rmSync(parent, { recursive: true, force: true })
    else console.error(`kept: ${path}`)
  }
}

/** Through the real writer, batches as they come from a pipeline. */
async function writeDay(
  path: string,
  failures: number
): Promise<{ seconds: number; segmentBytes: number; documentBytes: number }> {
  const writer = await openEmbeddedWriter(path, {
    retention: null,
    seal: async () => setTimeout(0).then(() => Promise.reject(new Error('later')))
  })
  let documents: StoredDocument[] = []
  let count = 0
  let documentBytes = 0
  let seconds = 0
  const flush = async (): Promise<void> => {
    const startMs = performance.now()
    await writer.write(batchOf(documents))
    seconds += (performance.now() - startMs) / 1000
    documents = []
  }
  for await (const text of documentLines(failures)) {
    if (count === failures) break
    documentBytes += text.length
    const document = JSON.parse(text) as FailureDocument
    documents.push(storedAt(document, FIRST_DAY_MS + Math.floor((count++ / failures) * DAY_MS)))
    if (documents.length === BATCH) await flush()
  }
  if (count < failures) throw new Error(`only ${count} failures came`)
  await flush()
  await writeTotals(writer, FIRST_DAY_MS, 24 * 60)
  await writer.close()
  return { seconds, documentBytes, segmentBytes: bytesOf(path, name => name.endsWith('.ndjson')) }
}

async function* documentLines(failures: number): AsyncGenerator<string> {
  const { file } = ensureDataset({ lines: Math.ceil(failures / FAILING) * 2, failing: FAILING, withErrors: true })
  const child = spawn(process.execPath, [MAIN, 'explain', '--format', 'ndjson', file], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  try {
    yield* createInterface({ input: child.stdout })
  } finally {
    child.kill()
  }
}

function storedAt(document: FailureDocument, timeMs: number): StoredDocument {
  const { id } = document.event as { id: string }
  const joined = ((document.why5xx as { join: { error_lines: number } }).join.error_lines ?? 0) > 0
  document['@timestamp'] = new Date(timeMs).toISOString()
  return { id, timeMs, document, version: knowledge({ settled: false, clusterKnown: false, joined }) }
}

function batchOf(failures: StoredDocument[]): Batch {
  return { failures, controllers: [], rejects: [], gaps: [], totals: [], streams: [], engine: null }
}

async function writeTotals(writer: StoreWriter, fromMs: number, minutes: number): Promise<void> {
  const counts = { failures: 2, masked: 1, clientClosed: 0, status500: 0, status502: 2, status503: 0, status504: 0 }
  for (let minute = 0; minute < minutes; minute++) {
    const totals = Array.from({ length: UPSTREAMS }, (_, i) => ({
      minuteMs: fromMs + minute * MINUTE_MS,
      upstream: `shop-service-${i}-80`,
      container: 'prod/ingress-nginx/controller-1/controller',
      stream: 'stream-1',
      requests: 100,
      durationMsSum: 4_321,
      ...counts
    }))
    await writer.write({ ...batchOf([]), totals })
  }
}

/** As `run` does it: the child, segment by segment. */
async function sealDay(path: string): Promise<number> {
  const startMs = performance.now()
  let said = ''
  const writer = await openEmbeddedWriter(path, {
    retention: null,
    program: MAIN,
    segmentAgeMsMax: 0,
    notify: text => {
      said = text
    }
  })
  await writer.write(batchOf([]))
  while (readdirSync(path).filter(name => name.endsWith('.ndjson')).length > 1) {
    if (said !== '') throw new Error(said)
    await setTimeout(50)
  }
  await writer.close()
  return (performance.now() - startMs) / 1000
}

/** The first day again and again, with other ids and times. */
async function copyDays(path: string, days: number): Promise<void> {
  const duck = await openDuck({ memoryMb: 2_000, threads: 2 })
  const connection = await duck.connect()
  const first = dayOf(FIRST_DAY_MS)
  for (let day = 1; day < days; day++) {
    const to = dayOf(FIRST_DAY_MS + day * DAY_MS)
    const id = `substr(sha256(id || '${day}'), 1, 22)`
    for (const [kind, changes] of [
      ['failures', `${id} AS id, time + INTERVAL ${day} DAY AS time, replace(document, id, ${id}) AS document`],
      ['totals', `minute + INTERVAL ${day} DAY AS minute`]
    ] as const) {
      if (!existsSync(join(path, dayFileName(kind, first)))) continue
      await connection.run(
        `COPY (SELECT * REPLACE (${changes}) FROM read_parquet(${fileList([join(path, dayFileName(kind, first))])})) ` +
          `TO ${quoted(join(path, dayFileName(kind, to)))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 10240)`
      )
    }
  }
  duck.closeSync()
}

async function writeLiveHour(path: string, failures: number, fromMs: number): Promise<void> {
  const writer = await openEmbeddedWriter(path, { retention: null, seal: () => Promise.reject(new Error('later')) })
  let count = 0
  let documents: StoredDocument[] = []
  for await (const text of documentLines(failures)) {
    if (count === failures) break
    const document = JSON.parse(text) as FailureDocument
    const event = document.event as { id: string }
    event.id = `live-${event.id}`.slice(0, 22)
    documents.push(storedAt(document, fromMs + Math.floor((count++ / failures) * 60 * MINUTE_MS)))
    if (documents.length === BATCH || count === failures) {
      await writer.write(batchOf(documents))
      documents = []
    }
  }
  await writer.close()
}

type Asked = { seconds: number; cpuSeconds: number; answer: Record<string, number> }

/** In a process of its own each time; the median of the rounds, start-up included. */
async function ask(question: string, path: string, fromMs: number, hours: number, rounds: number): Promise<Asked> {
  const seconds: number[] = []
  const cpuSeconds: number[] = []
  let answer: Record<string, number> = {}
  for (let round = 0; round < rounds; round++) {
    const run = await runTimed([
      process.execPath,
      QUESTIONS,
      question,
      path,
      String(fromMs),
      String(fromMs + hours * 60 * MINUTE_MS)
    ])
    seconds.push(run.wallSeconds)
    cpuSeconds.push(run.cpuSeconds)
    answer = JSON.parse(run.stdout) as Record<string, number>
  }
  return { seconds: median(seconds), cpuSeconds: median(cpuSeconds), answer }
}

function check(answer: Record<string, number>, want: Record<string, number>): void {
  for (const [name, value] of Object.entries(want))
    if (answer[name] !== value) throw new Error(`the store said ${name} ${answer[name]}, it is ${value}`)
}

function bytesOf(path: string, isMeant: (name: string) => boolean): number {
  return readdirSync(path)
    .filter(isMeant)
    .reduce((sum, name) => sum + statSync(join(path, name)).size, 0)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      failures: { type: 'string', default: '200000' },
      days: { type: 'string', default: '30' },
      rounds: { type: 'string', default: '3' },
      keep: { type: 'boolean', default: false }
    }
  })
  report(
    await benchStore({
      failures: Number(values.failures),
      days: Number(values.days),
      rounds: Number(values.rounds),
      keep: values.keep
    })
  )
}

import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ensureDataset } from './dataset.ts'
import { type Finding, report } from './finding.ts'
import { MAIN, median, type Run, runTimed } from './measure.ts'

/**
 * What do the guarantees cost? `run` reads the same file into a store as `explain --format json` reads, in turns. And what
 * does it cost to leave it running: processor and memory at a steady 5,000 lines a second.
 *
 *   node dist/bench/pipeline.js [--lines 1500000] [--rounds 5] [--steady-seconds 60]
 */
export type PipelineOptions = { lines: number; rounds: number; steadySeconds: number }

const RATIO_MIN = 0.7
/** The data is of one day, and old: nothing of it is to be deleted meanwhile. */
const FLAGS = ['--listen', '127.0.0.1:0', '--set', 'log.level=error', '--set', 'sink.embedded.retention=3650d']
const STEADY_LINES = 5_000
const STEADY_CORES_MAX = 0.25
const STEADY_BYTES_MAX = 150 * 1024 * 1024
/** How often the writer of the log appends, as nginx's buffers and the container runtime do. */
const APPENDS_PER_SECOND = 10
const WARM_UP_MS = 5_000

export async function benchPipeline({ lines, rounds, steadySeconds }: PipelineOptions): Promise<Finding[]> {
  const folder = mkdtempSync(join(tmpdir(), 'why5xx-bench-'))
  try {
    // A failure document costs as much as dozens of successes: the answer hangs on how many there are.
    const findings = await speed({ lines, withErrors: true }, '2 % failing', rounds, folder)
    findings.push(...(await speed({ lines, withErrors: true, failing: 0.002 }, '0.2 % failing', rounds, folder)))
    const { file } = ensureDataset({ lines, withErrors: true })
    return [...findings, ...(await steady(file, folder, steadySeconds))]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function speed(
  data: Parameters<typeof ensureDataset>[0],
  name: string,
  rounds: number,
  folder: string
): Promise<Finding[]> {
  const { file, truth } = ensureDataset(data)
  const explain = [process.execPath, MAIN, 'explain', '--format', 'json', file]
  const explained: Run[] = []
  const ran: Run[] = []
  for (let round = 0; round <= rounds; round++) {
    const ours = await runTimed(explain)
    const store = join(folder, `store-${round}`)
    const theirs = await runTimed([process.execPath, MAIN, 'run', file, '--no-follow', ...FLAGS, '--store', store])
    await assertStored(store, truth.requests)
    rmSync(store, { recursive: true })
    // The first round warms the page cache.
    if (round === 0) continue
    explained.push(ours)
    ran.push(theirs)
    console.error(`${name}, round ${round}: explain ${seconds(ours)}, run ${seconds(theirs)}`)
  }
  const ratio = (of: (run: Run) => number): number => median(explained.map(of)) / median(ran.map(of))
  const byWall = ratio(run => run.wallSeconds)
  const perSecond = Math.round(truth.lines / median(ran.map(run => run.wallSeconds))).toLocaleString('en')
  const reported = { gate: '', passes: null }
  return [
    { question: `run, ${data.lines} lines, ${name}, lines a second (wall)`, figure: perSecond, ...reported },
    {
      question: `speed of run / speed of explain (wall), ${name}`,
      figure: byWall.toFixed(3),
      gate: `>= ${RATIO_MIN}`,
      passes: byWall >= RATIO_MIN
    },
    {
      question: `speed of run / speed of explain (cpu), ${name}`,
      figure: ratio(run => run.cpuSeconds).toFixed(3),
      ...reported
    }
  ]
}

/** A fast run that lost something is no figure. */
async function assertStored(store: string, requests: number): Promise<void> {
  const { stdout } = await runTimed([
    process.execPath,
    MAIN,
    'timeline',
    '--store',
    store,
    '--format',
    'json',
    '--from',
    '2000-01-01T00:00:00Z',
    '--to',
    'now'
  ])
  const stored = (JSON.parse(stdout) as { requests: number }).requests
  if (stored !== requests) throw new Error(`the store counts ${stored} requests, the generator ${requests}`)
}

/** Appends `STEADY_LINES` a second to a file that `run` follows, and reads from /proc what the process used meanwhile. */
async function steady(dataset: string, folder: string, steadySeconds: number): Promise<Finding[]> {
  const log = join(folder, 'steady.log')
  writeFileSync(log, '')
  const child = spawn(process.execPath, [MAIN, 'run', log, ...FLAGS, '--store', join(folder, 'steady')], {
    stdio: ['ignore', 'ignore', 'inherit']
  })
  try {
    const pieces = piecesOf(dataset, STEADY_LINES / APPENDS_PER_SECOND)
    const append = async (ms: number): Promise<void> => {
      const startMs = performance.now()
      for (let count = 1; performance.now() - startMs < ms; count++) {
        appendFileSync(log, pieces.next().value!)
        await delay(Math.max(0, startMs + (count * 1_000) / APPENDS_PER_SECOND - performance.now()))
      }
    }
    await append(WARM_UP_MS)
    const before = cpuSeconds(child.pid!)
    await append(steadySeconds * 1_000)
    const cores = (cpuSeconds(child.pid!) - before) / steadySeconds
    const peakKib = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1])
    const peakBytes = peakKib * 1024
    return [
      {
        question: `run, ${STEADY_LINES} lines a second for ${steadySeconds} s, share of a core`,
        figure: `${(cores * 100).toFixed(1)} %`,
        gate: `<= ${STEADY_CORES_MAX * 100} %`,
        passes: cores <= STEADY_CORES_MAX
      },
      {
        question: `run, ${STEADY_LINES} lines a second, peak memory`,
        figure: `${(peakBytes / 1024 / 1024).toFixed(1)} MiB`,
        gate: `<= ${STEADY_BYTES_MAX / 1024 / 1024} MiB`,
        passes: peakBytes <= STEADY_BYTES_MAX
      }
    ]
  } finally {
    child.kill('SIGKILL')
  }
}

/** So many lines of the file at a time, from its beginning again when it is at its end. */
function* piecesOf(file: string, lines: number): Generator<Buffer, never> {
  const bytes = readFileSync(file)
  for (let from = 0; ; ) {
    let to = from
    for (let line = 0; line < lines && to >= 0; line++) to = bytes.indexOf(0x0a, to) + 1 || -1
    if (to < 0) {
      from = 0
      continue
    }
    yield bytes.subarray(from, to)
    from = to
  }
}

/** User and system time so far; the kernel counts hundredths of a second. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function seconds({ cpuSeconds: cpu, wallSeconds }: Run): string {
  return `${wallSeconds.toFixed(2)} s wall, ${cpu.toFixed(2)} s cpu`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      lines: { type: 'string', default: '1500000' },
      rounds: { type: 'string', default: '5' },
      'steady-seconds': { type: 'string', default: '60' }
    }
  })
  const [lines, rounds, steadySeconds] = [values.lines, values.rounds, values['steady-seconds']].map(Number)
  report(await benchPipeline({ lines: lines!, rounds: rounds!, steadySeconds: steadySeconds! }))
}

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'

/** One run of a child process, start-up included. `cpuSeconds` is user plus system, of all its threads. */
export type Run = { stdout: string; cpuSeconds: number; wallSeconds: number; peakBytes: number | null }

/** The built command line, as a user starts it. */
export const MAIN = fileURLToPath(new URL('../main.js', import.meta.url))

const GNU_TIME = '/usr/bin/time'
const POLL_MS = 10

/**
 * Node tells nothing of a child's CPU time, so bash's own `time` does: it is on every Debian, and counts the dead child
 * exactly. File descriptor 3 takes its two numbers, 4 keeps the child's stderr apart from them.
 */
const BASH_TIME = 'TIMEFORMAT="%3U %3S"; { time "$@" 2>&4; } 4>&2 2>&3'

export async function runTimed(command: readonly string[]): Promise<Run> {
  const child = spawn('bash', ['-c', BASH_TIME, 'bash', ...command], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] })
  const startMs = performance.now()
  const [stdout, times, code] = await Promise.all([read(child.stdio[1]), read(child.stdio[3]), exitCode(child)])
  const wallSeconds = (performance.now() - startMs) / 1000
  if (code !== 0) throw new Error(`${command.join(' ')}: exit code ${code}`)
  const [user = NaN, system = NaN] = times.trim().split(' ').map(Number)
  return { stdout, cpuSeconds: user + system, wallSeconds, peakBytes: null }
}

/** Peak resident memory: exact with GNU time; without it VmHWM is read every 10 ms and may miss the last ones. */
export async function runForMemory(command: readonly string[]): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'why5xx-bench-'))
  const report = join(folder, 'time')
  const hasGnuTime = existsSync(GNU_TIME)
  const [program, ...rest] = hasGnuTime ? [GNU_TIME, '-o', report, '-f', '%U %S %M', ...command] : command
  const startMs = performance.now()
  const child = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  let peakBytes = 0
  const poll = hasGnuTime
    ? undefined
    : setInterval(() => {
        peakBytes = Math.max(peakBytes, highWaterBytes(child.pid))
      }, POLL_MS)
  try {
    const [stdout, code] = await Promise.all([read(child.stdout), exitCode(child)])
    const wallSeconds = (performance.now() - startMs) / 1000
    if (code !== 0) throw new Error(`${command.join(' ')}: exit code ${code}`)
    if (!hasGnuTime) return { stdout, cpuSeconds: NaN, wallSeconds, peakBytes }
    const [user = NaN, system = NaN, peakKib = NaN] = readFileSync(report, 'utf8').trim().split(' ').map(Number)
    return { stdout, cpuSeconds: user + system, wallSeconds, peakBytes: peakKib * 1024 }
  } finally {
    clearInterval(poll)
    rmSync(folder, { recursive: true, force: true })
  }
}

export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function highWaterBytes(pid: number | undefined): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kib ?? 0) * 1024
  } catch {
    return 0 // The process has ended between two polls: what was read before stands.
  }
}

async function read(stream: unknown): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of stream as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

function exitCode(child: ReturnType<typeof spawn>): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
}

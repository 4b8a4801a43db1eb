/** The built program as people run it: arguments, stdin, a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { vi } from 'vitest'

export const PROGRAM = join(import.meta.dirname, '../../dist/main.js')

export interface Run {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  input?: string | Uint8Array
  env?: Record<string, string>
  cwd?: string
}

/** Runs `why5xx ARGUMENTS…` to its end. The environment holds nothing of the machine's but PATH. */
export function why5xx(args: string[], { input, env, cwd }: RunOptions = {}): Promise<Run> {
  const child = start(args, { ...(env && { env }), ...(cwd && { cwd }) })
  const run = { stdout: '', stderr: '' }
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    run.stdout += text
  })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    run.stderr += text
  })
  // The program may end before it has read all of it.
  child.stdin!.on('error', () => {})
  child.stdin!.end(input ?? '')
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, ...run }))
  })
}

export function start(args: string[], { env, cwd }: Omit<RunOptions, 'input'> = {}): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...args], {
    cwd: cwd ?? tmpdir(),
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'pipe']
  })
}

/** A folder for the files of one test file. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'why5xx-test-'))

  write(name: string, content: string | Uint8Array): string {
    const file = resolve(this.path, name)
    writeFileSync(file, content)
    return file
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/**
 * The same without a process of its own: for the many cases that need no stdin, no environment and no signal. Of one file
 * of tests only one may run at a time.
 */
export async function why5xxHere(args: string[]): Promise<Run> {
  const { runCli } = await import('../../src/cli/program.ts')
  return runHere(runCli, args)
}

/** `kubectl why5xx ARGUMENTS…` in the same way. */
export async function kubectlHere(args: string[]): Promise<Run> {
  const { runKubectlCli } = await import('../../src/cli/kubectlProgram.ts')
  return runHere(runKubectlCli, args)
}

async function runHere(program: (argv: string[]) => Promise<number>, args: string[]): Promise<Run> {
  const run: Run = { code: null, signal: null, stdout: '', stderr: '' }
  const interrupts = process.listeners('SIGINT')
  const catches = (['stdout', 'stderr'] as const).map(stream =>
    vi.spyOn(process[stream], 'write').mockImplementation(text => {
      run[stream] += typeof text === 'string' ? text : Buffer.from(text).toString()
      return true
    })
  )
  // What tests are told by the environment is no option of the program.
  const told = Object.entries(process.env).filter(([name]) => /^WHY5XX_(?:TEST_|SEEDS?$)/.test(name))
  for (const [name] of told) delete process.env[name]
  try {
    run.code = await program([process.execPath, PROGRAM, ...args])
  } finally {
    Object.assign(process.env, Object.fromEntries(told))
    for (const caught of catches) caught.mockRestore()
    for (const listener of process.listeners('SIGINT')) {
      if (!interrupts.includes(listener)) process.removeListener('SIGINT', listener)
    }
  }
  return run
}

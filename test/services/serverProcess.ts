/**
 * A server of a test's own: a process on a port and in a folder that nobody else uses, awaited until it is ready, ended by
 * its process id.
 *
 * It never outlives the test process. Where Linux allows it (`setpriv --pdeathsig`) the kernel kills it with its parent,
 * whatever happened to that one; else the `exit` event does, which a SIGKILL does not raise.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from './alive.ts'
import { eventually, within } from './latch.ts'

const READY_MS = 120_000
const STOP_MS = 30_000
const LOG_LINES_SHOWN = 20

export interface ServerCommand {
  /** For messages: `kafka`. */
  name: string
  file: string
  args: string[]
  env?: Record<string, string>
  /** Looks at what it has printed since its start; it may ask the server, too. */
  isReady(log: string): boolean | Promise<boolean>
}

/** What every started server can do. Nothing removes its data before the test process ends. */
export interface ServerControl {
  /** Of the running process; another one after a restart. */
  readonly pid: number
  /** Ends it in good order (SIGTERM). */
  stop(): Promise<void>
  /** Ends it with SIGKILL, as a crash does. */
  kill(): Promise<void>
  /** Starts it again on the same port and the same data; stops it first when it runs. */
  restart(): Promise<void>
}

const folders = new Set<string>()
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})
// Vitest ends its workers with SIGTERM, which by itself raises no `exit`.
process.once('SIGTERM', () => process.exit(143))

/** An empty folder that goes with this process, at the latest when the next test process makes one of the kind. */
export function makeServerFolder(kind: string): string {
  const prefix = `why5xx-${kind}-`
  for (const name of readdirSync(tmpdir())) {
    const owner = name.startsWith(prefix) ? /^(\d+)-/.exec(name.slice(prefix.length))?.[1] : undefined
    if (owner !== undefined && !isAlive(Number(owner))) rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
  const folder = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
  folders.add(folder)
  return folder
}

export class ServerProcess implements ServerControl {
  readonly #command: ServerCommand
  readonly #logFile: string
  #child: ChildProcess | null = null
  #pid = 0

  constructor(command: ServerCommand, folder: string) {
    this.#command = command
    this.#logFile = join(folder, 'server.log')
  }

  get pid(): number {
    return this.#pid
  }

  /** Resolves when it is ready; throws what it printed last when it ends before, or is too slow. */
  async start(): Promise<void> {
    const { name, file, args, env } = this.#command
    const [program, ...rest] = [...dyingWithParent(), file, ...args]
    const log = openSync(this.#logFile, 'w')
    const child = spawn(program!, rest, { stdio: ['ignore', log, log], env: { ...process.env, ...env } })
    closeSync(log)
    running.add(child)
    child.on('exit', () => running.delete(child))
    let failure: Error | null = null
    child.on('error', error => {
      failure = error
    })
    this.#child = child
    this.#pid = child.pid ?? 0
    try {
      await eventually(
        async () => {
          if (failure !== null) throw failure
          if (hasEnded(child)) throw new Error(`it ended with ${child.exitCode ?? child.signalCode}`)
          return (await this.#command.isReady(readFileSync(this.#logFile, 'utf8'))) || undefined
        },
        'it was not ready',
        READY_MS
      )
    } catch (error) {
      child.kill('SIGKILL')
      const said = readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n')
      throw new Error(`${name} did not start: ${(error as Error).message}\n${said}`, { cause: error })
    }
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child === null || hasEnded(child)) return
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    await within(exit, STOP_MS, `${this.#command.name} did not stop`).catch(async error => {
      await this.kill()
      throw error
    })
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === null || hasEnded(child)) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

let deathSignal: string[] | undefined

/** What to write before a command so that the kernel ends it with this thread; nothing where there is no such program. */
function dyingWithParent(): string[] {
  deathSignal ??=
    spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0 ? ['setpriv', '--pdeathsig', 'KILL'] : []
  return deathSignal
}

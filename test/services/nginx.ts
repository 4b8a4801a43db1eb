/**
 * A real nginx of this machine: found in PATH, started in the foreground with a configuration of the test's own, ended by
 * its process id. `apt-get install nginx libnginx-mod-http-lua openssl` gives all that is used.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { eventually, within } from './latch.ts'

const LUA_MODULES = ['/usr/lib/nginx/modules/ndk_http_module.so', '/usr/lib/nginx/modules/ngx_http_lua_module.so']

export interface NginxProgram {
  version: string
  /** `load_module` lines, empty without Lua. */
  luaModules: string
}

/** null where nginx or openssl is missing. */
export function findNginx(): NginxProgram | null {
  const printed = spawnSync('nginx', ['-v'], { encoding: 'utf8' })
  const version = /nginx\/([\d.]+)/.exec(`${printed.stderr}`)?.[1]
  if (version === undefined || spawnSync('openssl', ['version']).error !== undefined) return null
  const hasLua = LUA_MODULES.every(file => existsSync(file))
  return { version, luaModules: hasLua ? LUA_MODULES.map(file => `load_module ${file};`).join('\n') : '' }
}

/** True from 1.23 on for '1.23': nginx then refuses duplicate lengths that older ones let pass. */
export function isAtLeast(version: string, wanted: string): boolean {
  return version.localeCompare(wanted, 'en', { numeric: true }) >= 0
}

export interface RunningNginx {
  /** Ends gracefully (SIGQUIT): requests in flight get their access lines. */
  stop(): Promise<void>
}

export async function startNginx(directory: string, name: string, config: string, port: number): Promise<RunningNginx> {
  const file = join(directory, `${name}.conf`)
  writeFileSync(file, config)
  // -e: the log used before the configuration is read; Debian's default is not writable for everybody.
  const args = ['-e', join(directory, `${name}.start.log`), '-c', file]
  try {
    execFileSync('nginx', [...args, '-t', '-q'], { encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    throw new Error(`nginx refuses ${file}: ${(error as { stderr?: string }).stderr}`)
  }
  const child = spawn('nginx', [...args, '-g', 'daemon off;'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, TZ: 'UTC' } // As in the controller's container.
  })
  await eventually(() => answers(child, port), `nginx does not listen on ${port}`)
  return { stop: () => stop(child) }
}

async function answers(child: ChildProcess, port: number): Promise<true | undefined> {
  if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}`)
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return undefined
  } finally {
    socket.destroy()
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGQUIT')
  try {
    await within(exited, 10_000, 'nginx did not end')
  } catch {
    child.kill('SIGTERM')
    await within(exited, 10_000, 'nginx did not end after SIGTERM')
  }
}

/** A server must not outlive its test process, however that one ends. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { isAlive } from './alive.ts'
import { makeServerFolder, ServerProcess } from './serverProcess.ts'

const ROOT = join(import.meta.dirname, '../..')
/** A server that says that it is ready and then does nothing. */
const SERVER = { name: 'sleeper', file: 'sh', args: ['-c', 'echo ready; exec sleep 600'] }
const isReady = (log: string) => log.includes('ready')

describe('a server process', () => {
  test('is stopped, killed and started again by its process id', async () => {
    const server = new ServerProcess({ ...SERVER, isReady }, makeServerFolder('sleeper'))
    await server.start()
    const first = server.pid
    expect(isAlive(first)).toBe(true)
    await server.restart()
    expect(isAlive(first)).toBe(false)
    const second = server.pid
    await server.kill()
    expect(isAlive(second)).toBe(false)
    await server.kill()
    await server.stop()
  })

  test('one that ends before it is ready says what it said last', async () => {
    const args = ['-c', 'echo no room here; exit 3']
    const server = new ServerProcess({ ...SERVER, args, isReady }, makeServerFolder('sleeper'))
    await expect(server.start()).rejects.toThrow(/sleeper did not start: it ended with 3\n.*no room here/s)
  })

  test('one whose program is missing says so', async () => {
    const server = new ServerProcess({ ...SERVER, file: './no-such-program', isReady }, makeServerFolder('sleeper'))
    await expect(server.start()).rejects.toThrow(/sleeper did not start/)
  })
})

describe('a test process with a server', () => {
  let folder: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'why5xx-test-'))
    // Node 20 runs no TypeScript, so that the process to be ended is bundled first.
    writeFileSync(
      join(folder, 'owner.ts'),
      `import { makeServerFolder, ServerProcess } from '${import.meta.dirname}/serverProcess.ts'
       const folder = makeServerFolder('sleeper')
       const server = new ServerProcess({ ...${JSON.stringify(SERVER)}, isReady: ${isReady.toString()} }, folder)
       await server.start()
       console.log(JSON.stringify({ pid: server.pid, folder }))
       process.on('message', () => process.exit(0))`
    )
    const rolldown = join(ROOT, 'node_modules/.bin/rolldown')
    const args = [join(folder, 'owner.ts'), '--platform', 'node', '--file', join(folder, 'owner.mjs')]
    expect(spawnSync(rolldown, args, { encoding: 'utf8' })).toMatchObject({ status: 0 })
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  async function startOwner(): Promise<{ owner: ChildProcess; pid: number; folder: string }> {
    const owner = spawn(process.execPath, [join(folder, 'owner.mjs')], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
    const [line] = (await once(owner.stdout!, 'data')) as [Buffer]
    return { owner, ...(JSON.parse(line.toString()) as { pid: number; folder: string }) }
  }

  test.each([
    ['exits', (owner: ChildProcess) => owner.send('exit')],
    ['is ended by SIGTERM', (owner: ChildProcess) => owner.kill('SIGTERM')]
  ])('that %s takes server and data with it', async (_name, end) => {
    const started = await startOwner()
    expect(isAlive(started.pid)).toBe(true)
    end(started.owner)
    await vi.waitFor(() => expect(isAlive(started.pid)).toBe(false), { timeout: 10_000 })
    await vi.waitFor(() => expect(existsSync(started.folder)).toBe(false), { timeout: 10_000 })
  })

  // Elsewhere than on Linux nothing tells a child that its parent was killed.
  test.skipIf(spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status !== 0)(
    'that is killed takes the server with it; the next one removes the data',
    async () => {
      const started = await startOwner()
      started.owner.kill('SIGKILL')
      await vi.waitFor(() => expect(isAlive(started.pid)).toBe(false), { timeout: 10_000 })
      expect(existsSync(started.folder)).toBe(true)
      makeServerFolder('sleeper')
      expect(existsSync(started.folder)).toBe(false)
    }
  )
})

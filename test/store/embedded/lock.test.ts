import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Lock, lockOwner } from '../../../src/store/embedded/lock.ts'
import { Folder } from '../../support/program.ts'

/** A loaded machine takes a while to start a shell. */
const SOON = { timeout: 10_000 }

let folder: Folder
beforeEach(() => {
  folder = new Folder()
})
afterEach(() => folder.remove())

/** The lock that a process left which is dead by now. */
async function leftByDead(changes: Record<string, unknown> = {}): Promise<void> {
  const { pid } = spawnSync('true')
  const lock = await Lock.take(folder.path)
  const owner = JSON.parse(readFileSync(join(folder.path, 'lock'), 'utf8')) as Record<string, unknown>
  await lock.release()
  folder.write('lock', JSON.stringify({ ...owner, pid, token: 'dead', ...changes }))
}

test('there is one owner, and the next when it has gone', async () => {
  const lock = await Lock.take(folder.path)
  expect((await lockOwner(folder.path))!.pid).toBe(process.pid)
  await expect(Lock.take(folder.path)).rejects.toMatchObject({
    code: 'WHY5XX_STORE_IN_USE',
    message: expect.stringContaining(`process ${process.pid}`) as string
  })
  // Another name is another lock.
  await (await Lock.take(folder.path, 'sealing')).release()
  await lock.release()
  expect(readdirSync(folder.path)).toEqual([])
  await (await Lock.take(folder.path)).release()
})

test.each([
  ['a process that is dead', {}],
  ['a process whose number another has by now', { pid: process.pid, startTicks: '1' }],
  ['a boot before this one', { pid: process.pid, bootId: 'another' }]
])('the lock of %s is taken over at once', async (_name, changes) => {
  await leftByDead(changes)
  expect(await lockOwner(folder.path)).toBeNull()
  await (await Lock.take(folder.path)).release()
  expect(readdirSync(folder.path)).toEqual([])
})

test.each([
  ['another host', JSON.stringify({ pid: 1, startTicks: '1', bootId: 'b', host: 'elsewhere', token: 't' })],
  ['another container of the same name', null],
  ['nobody knows', 'torn']
])('an owner on %s lives while it touches the file', async (_name, text) => {
  if (text === null) await leftByDead({ pidNamespace: 'pid:[1]' })
  else folder.write('lock', text)
  await expect(Lock.take(folder.path)).rejects.toMatchObject({ code: 'WHY5XX_STORE_IN_USE' })
  const longAgo = (Date.now() - 16_000) / 1000
  utimesSync(join(folder.path, 'lock'), longAgo, longAgo)
  await (await Lock.take(folder.path)).release()
})

test('a dead process that its parent has not reaped owns nothing', async () => {
  // The shell becomes sleep, which waits for no child; a shell might. So the child ends when it is told to, after that.
  // By another descriptor, since the stdin of what runs in the background is empty.
  const parent = spawn('sh', ['-c', 'exec 3<&0; head -c 1 <&3 & echo $!; exec sleep 60'], {
    stdio: ['pipe', 'pipe', 'ignore']
  })
  try {
    const pid = Number(await new Promise<Buffer>(resolve => parent.stdout.once('data', resolve)))
    const fields = (): string[] => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    }
    await vi.waitFor(() => expect(readFileSync(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n'), SOON)
    parent.stdin.end('.')
    await vi.waitFor(() => expect(fields()[0]).toBe('Z'), SOON)
    await leftByDead({ pid, startTicks: fields()[19] })
    await (await Lock.take(folder.path)).release()
  } finally {
    parent.kill('SIGKILL')
  }
})

test('of many that find a dead lock one gets it', async () => {
  for (let round = 0; round < 20; round++) {
    await leftByDead()
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => Lock.take(folder.path)))
    const taken = results.filter(result => result.status === 'fulfilled')
    expect(taken).toHaveLength(1)
    await taken[0]!.value.release()
    expect(readdirSync(folder.path)).toEqual([])
  }
})

test('so does one that finds what is left of a takeover that was killed', async () => {
  await leftByDead()
  const text = readFileSync(join(folder.path, 'lock'), 'utf8')
  const claim = `lock.${createHash('sha256').update(text).digest('hex').slice(0, 22)}`
  folder.write(claim, text.replace('dead', 'claimant'))
  const results = await Promise.allSettled(Array.from({ length: 4 }, () => Lock.take(folder.path)))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(readdirSync(folder.path)).toEqual(['lock'])
})

test('a killed process leaves a lock that says so', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  try {
    const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
    await leftByDead({ pid: child.pid, startTicks: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] })
    await expect(Lock.take(folder.path)).rejects.toMatchObject({ code: 'WHY5XX_STORE_IN_USE' })
    const dead = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await dead
    await (await Lock.take(folder.path)).release()
  } finally {
    child.kill('SIGKILL')
  }
})

test('a lock that another has taken is not removed', async () => {
  const lock = await Lock.take(folder.path)
  rmSync(join(folder.path, 'lock'))
  writeFileSync(join(folder.path, 'lock'), '{"pid":1,"token":"other"}')
  await lock.release()
  expect(readdirSync(folder.path)).toEqual(['lock'])
})

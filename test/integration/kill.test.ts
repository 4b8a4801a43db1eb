/** The real process is killed under load, and stopped, and nobody can tell afterwards. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { generate } from '../../bench/generate.ts'
import { Random } from '../../bench/random.ts'
import buildDist from '../support/buildDist.ts'
import { Folder, why5xx } from '../support/program.ts'
import { RunningProgram } from '../support/runningProgram.ts'
import { segmentBytes, storeContent } from '../support/storeContent.ts'
import { asContainerLog, GrowingLog, REJECT_EVERY } from './growingLog.ts'

const LINES = 300_000
const KILLS = 20
/** Different every time, and printed: `WHY5XX_SEED=n` for the same again. */
const SEED = Number(process.env.WHY5XX_SEED ?? Date.now() % 100_000)
/** The generator's day is long ago. */
const ENV = { WHY5XX_SINK_EMBEDDED_RETENTION: '10000d' }
const START_MS_MAX = 30_000
/** A life that writes no more is killed all the same, so long after its start. */
const LIFE_MS_MAX = 800

const folder = new Folder()
const whole = join(folder.path, 'whole.log')
beforeAll(() => {
  buildDist()
  generate({ lines: LINES, seed: 7, out: whole, failing: 0.06, withErrors: true })
})
afterAll(() => folder.remove())

test(`kill -9, ${KILLS} times, WHY5XX_SEED=${SEED}`, async () => {
  const random = new Random(SEED)
  const log = new GrowingLog(folder.path, asContainerLog(readFileSync(whole, 'latin1')))
  const store = join(folder.path, 'killed')
  let killedInOpening = 0
  let bytesBefore = 0
  for (let life = 1; life <= KILLS; life++) {
    const run = new RunningProgram(['run', log.path, '--store', store, '--listen', '127.0.0.1:0'], ENV)
    // The first is no early one: what was never read cannot be found again once it is rotated.
    const isEarly = life > 1 && random.below(5) === 0
    const growth = life === 1 ? 1 : 1 + random.below(3_000_000)
    const isDue = (): boolean => (isEarly ? ownsLock(store, run) : segmentBytes(store) - bytesBefore >= growth)
    let deadlineMs = Date.now() + START_MS_MAX
    for (let listens = false; Date.now() < deadlineMs && !isDue(); ) {
      if (!listens && life > 1 && run.stderr.includes('listening')) {
        listens = true
        deadlineMs = Date.now() + LIFE_MS_MAX
      }
      if (log.isWritten(life / KILLS)) await setTimeout(1)
      else log.append(random)
      await setImmediate()
    }
    for (let looks = random.below(isEarly ? 2_000 : 200); looks > 0; looks--) await setImmediate()
    if (!run.stderr.includes('listening')) killedInOpening++
    expect(await run.kill('SIGKILL'), run.stderr).toEqual({ code: null, signal: 'SIGKILL' })
    bytesBefore = segmentBytes(store)
  }
  while (!log.isWritten(1)) log.append(random)
  const last = await why5xx(['run', '--no-follow', log.path, '--store', store, '--listen', '127.0.0.1:0'], { env: ENV })
  expect(last, last.stderr).toMatchObject({ code: 0 })

  const undisturbed = join(folder.path, 'undisturbed')
  const once = ['run', '--no-follow', log.rotatedPath, log.path, '--store', undisturbed, '--listen', '127.0.0.1:0']
  expect(await why5xx(once, { env: ENV })).toMatchObject({ code: 0 })
  console.log({ killedInOpening, files: filesOf(store) })
  const truth = await storeContent(undisturbed)
  expect(truth.failures.size).toBeGreaterThan(LINES / 50)
  expect([...truth.rejects.values()]).toEqual([LINES / REJECT_EVERY])
  expect(await storeContent(store)).toEqual(truth)
  expect(await why5xx(['check', '--store', store])).toMatchObject({ code: 0 })
})

test('SIGTERM and Ctrl-C in the middle lose nothing', async () => {
  const store = join(folder.path, 'stopped')
  // Its documents take more than may be on their way to a slow disk, twice.
  const half = folder.write('half.log', readFileSync(whole).subarray(0, statSync(whole).size / 2))
  const args = ['run', half, '--store', store, '--listen', '127.0.0.1:0']
  const stopped: number[] = []
  for (const [signal, code] of [
    ['SIGTERM', 0],
    ['SIGINT', 130]
  ] as const) {
    const before = segmentBytes(store)
    const run = new RunningProgram(args, ENV)
    await run.until(() => segmentBytes(store) > before + 100_000 || undefined)
    const signalledMs = performance.now()
    expect(await run.kill(signal), run.stderr).toEqual({ code, signal: null })
    stopped.push(Math.round(performance.now() - signalledMs))
    expect(run.stderr).toContain('"msg":"stopped"')
  }
  console.log({ stopped })
  expect(Math.max(...stopped)).toBeLessThan(5_000)
  expect((await storeContent(store)).totals.length).toBeGreaterThan(0)
  const last = await why5xx([...args, '--no-follow'], { env: ENV })
  expect(last, last.stderr).toMatchObject({ code: 0 })
  const undisturbed = join(folder.path, 'whole')
  await why5xx(['run', '--no-follow', half, '--store', undisturbed, '--listen', '127.0.0.1:0'], { env: ENV })
  expect(await storeContent(store)).toEqual(await storeContent(undisturbed))
})

test('a second run on the same store is refused, and touches nothing', async () => {
  // Nothing in it waits for a partner: when it is written, nothing more is.
  const good = readFileSync(whole, 'latin1')
    .split('\n', 2_000)
    .filter(line => line.includes(' HTTP/1.1" 200 '))
  const log = folder.write('small.log', `${good.join('\n')}\n`)
  const store = join(folder.path, 'shared')
  const args = ['run', log, '--store', store, '--listen', '127.0.0.1:0']
  const first = new RunningProgram(args)
  // The whole of it may take two batches.
  const isWritten = async (): Promise<true | undefined> =>
    ((await first.metric('why5xx_lines_total', { kind: 'access' })) === good.length &&
      (await first.metric('why5xx_sink_in_flight_bytes')) === 0) ||
    undefined
  await first.until(isWritten)
  const look = (): string[] => filesOf(store).filter(file => !file.startsWith('lock'))
  const before = look()
  const second = await why5xx(args)
  expect(second.code).toBe(1)
  expect(second.stderr).toMatch(/^why5xx: .*shared .*process \d+.*\n$/)
  expect(look()).toEqual(before)
  expect(await first.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(await why5xx([...args, '--no-follow'])).toMatchObject({ code: 0 })
})

function filesOf(store: string): string[] {
  return readdirSync(store).map(name => {
    const { size, mtimeMs } = statSync(join(store, name))
    return `${name} ${size} ${mtimeMs}`
  })
}

/** It opens the store: what follows is recovery. */
function ownsLock(store: string, run: RunningProgram): boolean {
  try {
    return (JSON.parse(readFileSync(join(store, 'lock'), 'utf8')) as { pid: number }).pid === run.child.pid
  } catch {
    return false
  }
}

/** The same log by every way into a store, and out of it again: one answer. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generate } from '../../bench/generate.ts'
import type { Timeline } from '../../src/timeline/model.ts'
import buildDist from '../support/buildDist.ts'
import { Folder, why5xx, why5xxHere } from '../support/program.ts'
import { RunningProgram } from '../support/runningProgram.ts'
import { segmentBytes, storeContent } from '../support/storeContent.ts'
import { asContainerLog, kubeletFolder } from './growingLog.ts'

const folder = new Folder()
const WINDOW = ['--from', '2026-11-21T09:50Z', '--to', '2026-11-21T11:00Z']
/** The generator's day is long ago. */
const ENV = { WHY5XX_SINK_EMBEDDED_RETENTION: '10000d', WHY5XX_WEB_LISTEN: '127.0.0.1:0' }
beforeAll(buildDist)
afterAll(() => folder.remove())

async function into(store: string, command: 'replay' | 'run', ...files: string[]): Promise<void> {
  const args = command === 'run' ? ['run', '--no-follow'] : ['replay']
  const { code, stderr } = await why5xx([...args, ...files, '--store', store], { env: ENV })
  expect({ code, stderr }, stderr).toMatchObject({ code: 0 })
}

async function timeline(store: string): Promise<Timeline> {
  const { stdout, stderr } = await why5xxHere(['timeline', ...WINDOW, '--format', 'json', '--store', store])
  expect(stderr).toBe('')
  return JSON.parse(stdout) as Timeline
}

/** Prefixed by kubectl, docker's JSON, and bare lines of nginx. */
describe.each([
  ['oom-during-load', 'shop/cart', 'connection_refused'],
  ['keepalive-race', 'account/portal', 'premature_close'],
  ['upstream-tls', 'account/portal', 'upstream_tls_handshake'],
  ['wrong-target-port', 'blog/web', 'connection_refused']
])('%s', (incident, service, cause) => {
  const log = join(import.meta.dirname, `../../samples/incidents/${incident}/controller.log`)
  const ran = join(folder.path, `${incident}-ran`)
  const replayed = join(folder.path, `${incident}-replayed`)
  beforeAll(async () => {
    await into(ran, 'run', log)
    await into(replayed, 'replay', log)
  })

  test.each([
    ['all', []],
    ['a service', ['--service', service]],
    ['a cause', ['--cause', cause]],
    [
      'both, a part',
      ['--service', service, '--cause', cause, '--from', '2026-11-21T10:05Z', '--to', '2026-11-21T10:12Z']
    ]
  ])('explain --format html is the page of the store: %s', async (_name, args) => {
    const window = args.includes('--from') ? [] : WINDOW
    const explained = await why5xxHere(['explain', '--format', 'html', log, ...window, ...args])
    expect(explained).toMatchObject({ code: 0, stderr: '' })
    expect(explained.stdout).toContain('</svg>')
    for (const store of [ran, replayed]) {
      const page = await why5xxHere(['timeline', '--format', 'html', '--store', store, ...window, ...args])
      expect(page.stdout === explained.stdout, `${store} ${page.stderr}`).toBe(true)
    }
  })

  test('replayed again, and in part under another name: nothing counts twice', async () => {
    const before = await timeline(replayed)
    expect(before.requests).toBeGreaterThan(1_000)
    await into(replayed, 'replay', log)
    expect(await timeline(replayed)).toEqual(before)
    const lines = readFileSync(log, 'latin1').split('\n')
    const name = `${incident}-part.log`
    await into(replayed, 'replay', folder.write(name, `${lines.slice(0, lines.length / 2).join('\n')}\n`))
    expect(await timeline(replayed)).toEqual(before)
    // And into what `run` has read.
    await into(ran, 'replay', log)
    expect(await timeline(ran)).toEqual(before)
  })
})

describe('in the middle of 60,000 lines', () => {
  const log = join(kubeletFolder(folder.path), '0.log')
  const undisturbed = join(folder.path, 'undisturbed')
  beforeAll(async () => {
    const plain = join(folder.path, 'plain.log')
    generate({ lines: 60_000, seed: 3, out: plain, failing: 0.1, withErrors: true })
    folder.write(log, asContainerLog(readFileSync(plain, 'latin1')))
    await into(undisturbed, 'replay', log)
  })

  test('a replay that is killed, and done again', async () => {
    const store = join(folder.path, 'killed')
    for (const bytes of [1, 1_000_000, 4_000_000]) {
      const replay = new RunningProgram(['replay', log, '--store', store], ENV)
      await replay.until(() => segmentBytes(store) > bytes || undefined)
      expect(await replay.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' })
    }
    await into(store, 'replay', log)
    expect(await storeContent(store)).toEqual(await storeContent(undisturbed))
  })

  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'run is half through (%s), then a replay, then run goes on',
    async signal => {
      const store = join(folder.path, `half-${signal}`)
      const run = new RunningProgram(['run', log, '--store', store], ENV)
      await run.until(() => segmentBytes(store) > 1_000_000 || undefined)
      await run.kill(signal)
      const half = await storeContent(store)
      await into(store, 'replay', log)
      const replayed = await storeContent(store)
      const truth = await storeContent(undisturbed)
      expect(half.failures.size).toBeLessThan(truth.failures.size)
      expect(replayed).toEqual(truth)
      await into(store, 'run', log)
      expect(await storeContent(store)).toEqual(truth)
    }
  )
})

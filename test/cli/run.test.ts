/** `why5xx run` as a user meets it. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Folder, why5xx, why5xxHere } from '../support/program.ts'
import { RunningProgram } from '../support/runningProgram.ts'
import { storeContent } from '../support/storeContent.ts'

const INCIDENT = join(import.meta.dirname, '../../samples/incidents/oom-during-load')
const LOG = join(INCIDENT, 'controller.log')
const TRUTH = JSON.parse(readFileSync(join(INCIDENT, 'expected.json'), 'utf8')) as {
  lines: number
  requests: number
  records: { access: number; error: number; controller: number }
}
const LISTEN = ['--listen', '127.0.0.1:0']

const folder = new Folder()
afterAll(() => folder.remove())
const storeAt = (name: string): string => join(folder.path, name)

describe('what has an end is read and stored', () => {
  test('files', async () => {
    const store = storeAt('files')
    const { code, stdout, stderr } = await why5xx(['run', '--no-follow', LOG, '--store', store, ...LISTEN])
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '' })
    expect(stderr).toContain('"msg":"everything is read and written"')
    const { totals, failures } = await storeContent(store)
    const requests = totals.reduce((sum, row) => sum + (JSON.parse(row) as { requests: number }).requests, 0)
    expect(requests).toBe(TRUTH.requests)
    expect(failures.size).toBeGreaterThan(100)
  })

  test('a pipe that is started again repeats what was counted: it counts once, and is stored once', async () => {
    const store = storeAt('again')
    for (let start = 0; start < 2; start++) {
      const { code, stdout, stderr } = await why5xx(['run', '-', '--store', store, ...LISTEN], {
        input: readFileSync(LOG)
      })
      expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '' })
      expect(stderr).toContain('"msg":"everything is read and written"')
    }
    const { totals, failures } = await storeContent(store)
    const requests = totals.reduce((sum, row) => sum + (JSON.parse(row) as { requests: number }).requests, 0)
    expect(requests).toBe(TRUTH.requests)
    expect(failures.size).toBeGreaterThan(100)
  })

  test('a stop decides what waits of a pipe: it cannot be read again', async () => {
    const store = storeAt('stopped')
    const run = new RunningProgram(['run', '-', '--store', store, ...LISTEN])
    const line = readFileSync(LOG, 'utf8')
      .split('\n')
      .find(text => / 502 \d+ /.test(text))!
    run.child.stdin!.write(`${line}\n`)
    const address = await run.address()
    await run.until(async () => {
      const metrics = await (await fetch(`${address}/metrics`)).text()
      return /why5xx_lines_total\{kind="access"\} 1/.test(metrics) || undefined
    })
    run.child.kill('SIGTERM')
    expect(await run.exit).toEqual({ code: 0, signal: null })
    expect((await storeContent(store)).failures.size).toBe(1)
  })

  test('nothing of it is a log line: exit code 1, and it is kept as rejects', async () => {
    const store = storeAt('junk')
    const { code } = await why5xx(['run', '-', '--store', store, ...LISTEN], { input: 'what is this\nnobody knows\n' })
    expect(code).toBe(1)
    expect(await storeContent(store)).toMatchObject({ rejects: new Map([['unrecognized', 2]]) })
  })

  test('a file that is not there', async () => {
    const { code, stderr } = await why5xxHere([
      'run',
      '--no-follow',
      storeAt('none.log'),
      '--store',
      storeAt('x'),
      ...LISTEN
    ])
    expect(code).toBe(1)
    expect(stderr).toMatch(/no file matches .*none\.log/)
  })
})

describe('replay', () => {
  test('of a file and its copy is refused: together they would count twice', async () => {
    const store = storeAt('copies')
    const copy = folder.write('copy.log', readFileSync(LOG))
    const { code, stderr } = await why5xxHere(['replay', LOG, copy, '--store', store])
    expect(code).toBe(2)
    expect(stderr).toMatch(/copy\.log begins as .*controller\.log does: one is a copy of the other/)
    expect((await storeContent(store)).totals).toEqual([])
  })

  test('a folder is refused where the options file names another store', async () => {
    const options = folder.write('cluster.yaml', 'sink: { kind: elasticsearch }\n')
    const { code, stderr } = await why5xxHere(['replay', LOG, '--store', storeAt('named'), '--config', options])
    expect(code).toBe(2)
    expect(stderr).toContain('sink.kind is elasticsearch: leave --store out, or add --set sink.kind=embedded')
  })

  test('of what is no log says so, and keeps the lines as rejects', async () => {
    const { code, stdout, stderr } = await why5xxHere([
      'replay',
      folder.write('words.txt', 'what\nis this\n'),
      '--store',
      storeAt('none')
    ])
    expect(code).toBe(1)
    expect(stdout).toContain('2 lines not understood')
    expect(stderr).toContain('none of the 2 lines is a log line')
  })
})

describe('refused, and nothing is touched', () => {
  const wrong = folder.write('wrong.yaml', 'sink:\n  embeded:\n    path: x\n')
  test.each([
    ['an unknown key', ['--config', wrong], 2, /sink\.embeded.*did you mean.*sink\.embedded/is],
    ['a wrong type', ['--set', 'source.files.follow=perhaps'], 2, /source\.files\.follow.*perhaps/s],
    ['an address that is none', ['--listen', 'nowhere'], 2, /web\.listen.*nowhere/s],
    ['stdin and files', ['-'], 2, /stdin \(-\) or files, not both/]
  ])('%s', async (_name, args, exitCode, message) => {
    const store = storeAt('refused')
    const { code, stdout, stderr } = await why5xxHere(['run', LOG, '--store', store, ...LISTEN, ...args])
    expect(stderr).toMatch(message)
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' })
    expect(existsSync(store)).toBe(false)
  })

  test.each([
    ['a store of a newer version', 'store.json', '{"format":99}', /newer why5xx: format 99/],
    ['a folder that is no store', 'holiday.txt', 'photos', /is not a store of why5xx/]
  ])('%s', async (name, file, content, message) => {
    const store = storeAt(name)
    mkdirSync(store)
    const path = folder.write(join(store, file), content)
    const { code, stderr } = await why5xxHere(['run', '--no-follow', LOG, '--store', store, ...LISTEN])
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(code).toBe(1)
    expect(readFileSync(path, 'utf8')).toBe(content)
  })
})

test('while it follows: healthy, ready, and its numbers are those of the file', async () => {
  const later = `${storeAt('later')}/*.log`
  const run = new RunningProgram(['run', LOG, later, '--store', storeAt('followed'), ...LISTEN])
  const address = await run.address()
  const get = async (path: string): Promise<{ status: number; text: string }> => {
    const response = await fetch(`${address}${path}`)
    return { status: response.status, text: await response.text() }
  }
  expect((await get('/healthz')).status).toBe(200)
  await run.until(async () => ((await get('/readyz')).status === 200 ? true : undefined))
  const lines = (text: string, kind: string): number =>
    Number(new RegExp(`why5xx_lines_total\\{kind="${kind}"\\} (\\d+)`).exec(text)?.[1])
  const metrics = await run.until(async () => {
    const { text } = await get('/metrics')
    return lines(text, 'access') === TRUTH.records.access ? text : undefined
  })
  expect(lines(metrics, 'error')).toBe(TRUTH.records.error)
  expect(lines(metrics, 'controller')).toBe(TRUTH.records.controller)
  const requests = [...metrics.matchAll(/^why5xx_requests_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0
  )
  expect(requests).toBe(TRUTH.requests)
  expect(await run.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  // Its own log says what it does, never what a line says.
  for (const word of ['/cart/', 'shop.example.com', '203.0.113.', 'Mozilla', 'refused'])
    expect(run.stderr).not.toContain(word)
  expect(
    run.stderr
      .trimEnd()
      .split('\n')
      .map(line => (JSON.parse(line) as { msg: string }).msg)
  ).toEqual([
    `no file matches ${later}: waiting for one; why5xx check says what is there`,
    `listening on ${address}`,
    expect.stringMatching(/^SIGTERM: stopping/),
    'stopped'
  ])
})

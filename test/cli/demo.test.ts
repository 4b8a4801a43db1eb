/** What somebody sees first: `npm start`, and the same with a log of one's own. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { accessLine, at } from '../support/lines.ts'
import { Folder, why5xx, why5xxHere } from '../support/program.ts'

const folder = new Folder()
afterAll(() => folder.remove())
afterEach(() => vi.unstubAllEnvs())

test('a bundled incident is explained and kept, and it says how to ask for it', async () => {
  const first = await why5xx(['demo'], { cwd: folder.path })
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(first.stdout).toContain('was OOM-killed at 10:03:24 (limit 256Mi)')
  expect(first.stdout).toContain('2,416 requests counted, 236 documents stored, 2 incidents stored')
  expect(existsSync(join(folder.path, 'why5xx-demo/store.json'))).toBe(true)
  const command = /^ {2}why5xx (failures .*)$/m.exec(first.stdout)![1]!
  const store = ['--store', join(folder.path, 'why5xx-demo')]
  const { stdout } = await why5xxHere([
    ...command.split(' '),
    ...store,
    '--cause',
    'connection_refused',
    '--limit',
    '1'
  ])
  expect(stdout).toContain('oom_killed')
})

test("one's own log, whatever the environment configures", async () => {
  const log = folder.write(
    'own.log',
    `${accessLine({ timeMs: at('10:03:00'), status: 502, up: '10.0.0.7:80|0|0.001|502', name: 'pay-api-80' })}\n`
  )
  vi.stubEnv('WHY5XX_SINK_KIND', 'elasticsearch')
  const store = join(folder.path, 'own')
  const { code, stdout } = await why5xxHere(['demo', log, '--store', store])
  expect(code).toBe(0)
  expect(stdout).toContain('pay-api-80')
  expect(stdout).toContain(`1 document stored\nin ${store}`)
})

test.each([
  ['missing.log', null, 'no such file'],
  ['empty.log', '', 'it is empty'],
  ['other.log', 'nothing that nginx wrote\n', 'none of its 1 lines']
])('%s is told once, and no store is made of it', async (name, text, why) => {
  const log = text === null ? join(folder.path, name) : folder.write(name, text)
  const { code, stdout, stderr } = await why5xxHere(['demo', log, '--store', join(folder.path, 'none')])
  expect(code).toBe(1)
  expect(stderr.trimEnd().split('\n')).toEqual([expect.stringContaining(why)])
  expect(stdout).not.toContain('to look at it')
  expect(stdout).toContain('Your own log:')
  expect(existsSync(join(folder.path, 'none'))).toBe(false)
})

test('an empty file beside one with lines keeps nothing from being kept', async () => {
  const empty = folder.write('error.log', '')
  const log = folder.write('access.log', `${accessLine({ timeMs: at('10:03:00'), status: 502 })}\n`)
  const { stdout } = await why5xxHere(['demo', log, empty, '--store', join(folder.path, 'both')])
  expect(stdout).toContain('1 document stored\nin ')
})

test("a folder of somebody else's is left alone, and it says how to name another", async () => {
  const file = folder.write('mine.txt', 'hi')
  const log = folder.write('own.log', `${accessLine({ timeMs: at('10:03:00'), status: 502 })}\n`)
  const { code, stdout, stderr } = await why5xxHere(['demo', log, '--store', folder.path])
  expect(code).toBe(1)
  expect(stderr).toContain('is not a store of why5xx')
  expect(stdout).toContain('why5xx demo --store FOLDER')
  expect(stdout).toContain('Your own log:')
  expect(existsSync(file)).toBe(true)
})

test('stdin cannot be read twice', async () => {
  expect(await why5xxHere(['demo', '-'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('why5xx explain -')
  })
})

/** `timeline` and `failures` over a store, and `explain --format html` beside them. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Incident } from '../../src/alert/incident.ts'
import { storeReplayedIncidents } from '../../src/replayIncidents.ts'
import * as open from '../../src/store/open.ts'
import type { Timeline } from '../../src/timeline/model.ts'
import { MemoryStore, storeOf } from '../support/memoryReader.ts'
import { Folder, why5xx, why5xxHere } from '../support/program.ts'

const LOG = join(import.meta.dirname, '../../samples/incidents/oom-during-load/controller.log')
const WINDOW = ['--from', '2026-11-21T10:00Z', '--to', '2026-11-21T10:20Z']

let store: MemoryStore
beforeAll(() => void vi.spyOn(open, 'openReader').mockImplementation(async () => store))

const filled = storeOf([LOG])
beforeEach(() => {
  store = filled
  store.kept.length = 0
  store.isClosed = false
  store.searches = 0
})
const folder = new Folder()
afterAll(() => folder.remove())

const timeline = async (...args: string[]): Promise<Timeline> =>
  JSON.parse((await why5xxHere(['timeline', '--format', 'json', ...args])).stdout) as Timeline

describe('timeline', () => {
  test('Markdown by default', async () => {
    const { code, stdout, stderr } = await why5xxHere(['timeline', ...WINDOW, '--service', 'shop/cart'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^# Failed requests of shop\/cart\n\n97 of 1,253 requests failed/)
    expect(store.isClosed).toBe(true)
  })

  test('filters', async () => {
    expect(await timeline(...WINDOW)).toMatchObject({
      requests: 2_416,
      failed: 97,
      documents: { failed: 97, masked: 84 }
    })
    expect(await timeline(...WINDOW, '--cause', 'premature_close')).toMatchObject({
      requests: 2_416,
      documents: { failed: 7 }
    })
    expect(await timeline('--from', '2026-11-21T10:06:30Z', '--to', '2026-11-21T10:08:30Z')).toMatchObject({
      window: { from: '2026-11-21T10:06:00.000Z', to: '2026-11-21T10:09:00.000Z', minutes: 3 }
    })
  })

  test('--output', async () => {
    const file = join(folder.path, 'cart.html')
    const { code, stdout } = await why5xxHere(['timeline', ...WINDOW, '--format', 'html', '--output', file])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(readFileSync(file, 'utf8')).toMatch(/^<!doctype html>\n[\s\S]*<\/html>\n$/)
    const wrong = await why5xxHere(['timeline', ...WINDOW, '--output', join(folder.path, 'none/cart.md')])
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('no such file') })
  })

  test('the last day by default; where nothing is in it, what there is', async () => {
    vi.useFakeTimers({ now: Date.parse('2026-11-25T12:00:00Z'), toFake: ['Date'] })
    const { stdout, code } = await why5xxHere(['timeline'])
    vi.useRealTimers()
    expect(code).toBe(0)
    expect(stdout).toContain('| Window | 2026-11-24 12:00 - 2026-11-25 12:00 UTC |')
    expect(stdout).toContain('`--from 2026-11-21T10:00Z --to 2026-11-21T10:20Z`')
    const day = await timeline('--to', '2026-11-21T12:00Z')
    expect(day.window).toMatchObject({ from: '2026-11-20T12:00:00.000Z', to: '2026-11-21T12:00:00.000Z' })
  })

  test('a service nobody has', async () => {
    const { stdout } = await why5xxHere(['timeline', ...WINDOW, '--service', 'shop/crat'])
    expect(stdout).toContain('Did you mean shop-cart-80 instead of shop/crat?')
  })

  test.each([
    ['--format', ['--format', 'pdf'], /--format pdf: expected one of markdown, html, json/],
    ['--cause', ['--cause', 'conection_refused'], /did you mean connection_refused\?/],
    ['--time-zone', ['--time-zone', 'Mars'], /--time-zone Mars: expected an IANA name/],
    ['an inverted window', ['--from', '2026-11-21T11:00Z', '--to', '2026-11-21T10:00Z'], /--from must be before --to/],
    ['--from after now', ['--from', '9999-01-01Z'], /--from must be before --to/],
    ['--since and --from', ['--since', '1h', '--from', '-2h'], /--since and --from say the same thing/]
  ])('wrong usage: %s', async (_name, args, message) => {
    const { code, stderr, stdout } = await why5xxHere(['timeline', ...args])
    expect(stderr).toMatch(message)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })
})

/** Those that `replay` would have stored. */
async function keepIncidents(reader: MemoryStore): Promise<void> {
  const put = async (found: readonly Incident[]): Promise<void> => void reader.kept.push(...found)
  const [fromMs, toMs] = [Date.UTC(2026, 10, 21, 10), Date.UTC(2026, 10, 21, 10, 20)]
  const warn = (text: string): void => expect.unreachable(text)
  await storeReplayedIncidents({ fromMs, toMs, reader, writer: { put }, clusterName: 'default', warn })
  expect(reader.kept).toHaveLength(2)
}

test.each([
  ['all', []],
  ['a service', ['--service', 'shop/cart']],
  ['a cause', ['--cause', 'connection_refused', '--time-zone', 'Europe/Berlin']],
  ['a part', ['--from', '2026-11-21T10:03:20Z', '--to', '2026-11-21T10:06:20Z']]
])('explain --format html of the log is the page of the store: %s', async (_name, args) => {
  const range = args.includes('--from') ? [] : WINDOW
  await keepIncidents(store)
  const page = await why5xxHere(['timeline', '--format', 'html', ...range, ...args])
  const explained = await why5xxHere(['explain', '--format', 'html', LOG, ...range, ...args])
  expect(page.stdout).toContain('</svg>')
  expect(explained.stdout).toBe(page.stdout)
  expect(explained).toMatchObject({ code: 0, stderr: '' })
})

describe('failures', () => {
  const lines = async (...args: string[]): Promise<string[]> =>
    (await why5xxHere(['failures', ...args])).stdout.trimEnd().split('\n')

  test('a table, newest first, and how many more there are', async () => {
    const [head, first, ...rest] = await lines()
    expect(head).toMatch(/^TIME +STATUS +CAUSE +UPSTREAM +POD OR ADDRESS +REQUEST +SURE$/)
    expect(first).toMatch(/^2026-11-21 10:1\d:\d\d +404 +no_route +upstream-default-backend/)
    expect(rest).toHaveLength(50)
    expect(rest.at(-1)).toBe(`50 of ${store.rows.length} shown; --limit 0 or --format ndjson shows all`)
    const times = [first!, ...rest.slice(0, -1)].map(line => line.slice(0, 19))
    expect(times).toEqual([...times].sort().reverse())
    expect(store.isClosed).toBe(true)
  })

  test.each<[string, string[], (row: MemoryStore['rows'][number]) => boolean]>([
    ['--service', ['--service', 'shop/cart'], row => row.upstream === 'shop-cart-80'],
    ['--cause', ['--cause', 'premature_close'], row => row.cause === 'premature_close'],
    ['--status 5xx', ['--status', '5xx'], row => row.counted],
    ['--status list', ['--status', '499,413'], row => row.status === 499 || row.status === 413],
    ['--pod by address', ['--pod', '10.42.1.211:8080'], row => row.address === '10.42.1.211:8080'],
    [
      '--from --to',
      ['--from', '2026-11-21T10:03Z', '--to', '2026-11-21T10:04Z'],
      row => new Date(row.timeMs).getUTCMinutes() === 3
    ]
  ])('%s', async (_name, args, isWanted) => {
    const wanted = store.rows.filter(isWanted)
    const found = await lines('--format', 'ndjson', '--order', 'oldest', ...args)
    expect(found.length).toBe(wanted.length)
    expect(wanted.length).toBeGreaterThan(0)
    const ids = found.map(line => (JSON.parse(line) as { event: { id: string } }).event.id)
    expect(new Set(ids)).toEqual(new Set(wanted.map(row => row.id)))
  })

  test('ndjson is the stored document, page by page', async () => {
    const many = new MemoryStore()
    for (let i = 0; i < 1_201; i++) {
      const row = store.rows[i % store.rows.length]!
      many.rows.push({
        ...row,
        id: `id-${String(i).padStart(5, '0')}`,
        document: { ...row.document, event: { id: i } }
      })
    }
    store = many
    expect(await lines('--format', 'ndjson')).toHaveLength(1_201)
    expect(many.searches).toBe(2)
    expect(await lines('--format', 'ndjson', '--limit', '700')).toHaveLength(700)
    expect(await lines('--limit', '0')).toHaveLength(1_202)
  })

  test('an empty store, and nothing that matches', async () => {
    expect(await lines('--cause', 'lua_error')).toEqual([
      'No failure matches. The store holds 2026-11-21T10:00:00.000Z to 2026-11-21T10:19:46.817Z.'
    ])
    store = new MemoryStore()
    expect(await lines()).toEqual(['The store is empty.'])
    expect((await why5xxHere(['failures', '--format', 'ndjson'])).stdout).toBe('')
  })

  test.each([
    ['--status', ['--status', 'bad'], /--status bad: expected 502, or 5xx/],
    ['--limit', ['--limit', '-1'], /--limit -1: expected a whole number/],
    ['--order', ['--order', 'random'], /--order random: expected one of newest, oldest/]
  ])('wrong usage: %s', async (_name, args, message) => {
    const { code, stderr } = await why5xxHere(['failures', ...args])
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  })

  test('fits a narrow terminal', async () => {
    const { columns, isTTY } = process.stdout
    Object.assign(process.stdout, { columns: 70, isTTY: true })
    const rows = await lines('--no-color')
    Object.assign(process.stdout, { columns, isTTY })
    expect(Math.max(...rows.map(row => row.length))).toBeLessThanOrEqual(70)
    expect(rows[0]).toMatch(/^TIME +STATUS +CAUSE/)
  })
})

test.each(['timeline', 'failures', 'incidents'])('%s without a store: a sentence, exit code 1', async command => {
  const { code, stdout, stderr } = await why5xx([command, '--store', join(folder.path, 'no store')])
  expect(stderr).toMatch(/^why5xx: .*no store does not exist: there is no store\. .*\n$/)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(existsSync(join(folder.path, 'no store'))).toBe(false)
})

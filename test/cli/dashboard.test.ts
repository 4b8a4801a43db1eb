/** `dashboard` over a store: every dashboard there is, and panels of each shape. */
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { chartStepMs, panelText } from '../../src/cli/dashboardText.ts'
import type { Panel, PanelShape } from '../../src/dashboards/dashboard.ts'
import { DASHBOARDS } from '../../src/dashboards/dashboards.ts'
import { MASK_ALL } from '../../src/mask.ts'
import * as open from '../../src/store/open.ts'
import type { TableRow } from '../../src/store/table.ts'
import { styleFor } from '../../src/terminal.ts'
import { UNSAFE } from '../support/hostileText.ts'
import { incident } from '../support/incidents.ts'
import { MemoryStore, storeOf } from '../support/memoryReader.ts'
import { why5xxHere } from '../support/program.ts'

const SAMPLES = join(import.meta.dirname, '../../samples')
const WINDOW = ['--from', '2026-11-21T10:00Z', '--to', '2026-11-21T10:20Z']
const NAMES = DASHBOARDS.map(({ name }) => name)

let store: MemoryStore
beforeAll(() => void vi.spyOn(open, 'openReader').mockImplementation(async () => store))

const filled = storeOf([join(SAMPLES, 'incidents/oom-during-load/controller.log')])
beforeEach(() => {
  store = filled
  store.kept.length = 0
  store.isClosed = false
})

test('without a name: which there are', async () => {
  const { code, stdout } = await why5xxHere(['dashboard'])
  expect(code).toBe(0)
  for (const { name } of DASHBOARDS) expect(stdout).toContain(`why5xx dashboard ${name}`)
  const { stdout: json } = await why5xxHere(['dashboard', '--format', 'json'])
  expect((JSON.parse(json) as { name: string }[]).map(({ name }) => name)).toEqual(NAMES)
})

describe.each(DASHBOARDS.map(dashboard => [dashboard.name, dashboard] as const))('%s', (name, dashboard) => {
  test('text', async () => {
    const { code, stdout, stderr } = await why5xxHere(['dashboard', name, ...WINDOW])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const { title, description } of dashboard.panels)
      expect(stdout).toContain(`\n${title}\n${description.slice(0, 60)}`)
    expect(store.isClosed).toBe(true)
  })

  test('JSON has the rows of the store', async () => {
    const { stdout } = await why5xxHere(['dashboard', name, '--format', 'json', ...WINDOW])
    const { panels, stepSeconds } = JSON.parse(stdout) as {
      stepSeconds: number
      panels: { id: string; rows: TableRow[] }[]
    }
    expect(stepSeconds).toBe(120)
    expect(panels.map(({ id }) => id)).toEqual(dashboard.panels.map(({ id }) => id))
    const [fromMs, toMs] = [Date.UTC(2026, 10, 21, 10), Date.UTC(2026, 10, 21, 10, 20)]
    for (const [i, { query }] of dashboard.panels.entries())
      expect(panels[i]!.rows).toEqual(await store.table(query, { fromMs, toMs, stepMs: 120_000, params: {} }))
  })

  test('ES|QL needs no store, and holds no parameter that Discover has not', async () => {
    const { code, stdout } = await why5xxHere(['dashboard', name, '--format', 'esql'])
    expect(code).toBe(0)
    expect(store.isClosed).toBe(false)
    expect(stdout.match(/^FROM /gm)).toHaveLength(dashboard.panels.length)
    expect(new Set(stdout.match(/\?\w+/g))).toEqual(new Set(['?_tstart', '?_tend']))
  })
})

test('a service, in the store and in ES|QL; ES|QL of a namespace asks its indices alone', async () => {
  const name = DASHBOARDS.find(({ params }) => params.some(param => param.name === 'service'))!.name
  const flags = ['dashboard', name, ...WINDOW, '--service', 'shop-"cart"-80']
  const { stdout } = await why5xxHere([...flags, '--format', 'json'])
  expect(JSON.parse(stdout)).toMatchObject({ params: { service: ['shop-"cart"-80'] } })
  const there = ['--set', 'sink.kind=elasticsearch', '--set', 'sink.elasticsearch.namespace=prod']
  const { stdout: esql } = await why5xxHere([...flags, '--format', 'esql', ...there])
  expect(esql).toContain('why5xx.upstream.name == "shop-\\"cart\\"-80"')
  const ofNamespace = /^FROM why5xx-[a-z]+-prod(?:-\*)?(?:,why5xx-rollup-prod-\*)?$/
  for (const line of esql.match(/^FROM .*/gm)!) expect(line).toMatch(ofNamespace)
})

test('a namespace and a service are all of its ports, beside names of upstreams', async () => {
  store = storeOf([join(SAMPLES, 'incidents/oom-during-load/controller.log')])
  const [cart] = store.totalsRows.filter(({ upstream }) => upstream === 'shop-cart-80')
  const [failed] = store.rows.filter(({ upstream }) => upstream === 'shop-cart-80')
  store.totalsRows.push({ ...cart!, upstream: 'shop-cart-http' }, { ...cart!, upstream: 'shop-cart-api-80' })
  store.rows.push({ ...failed!, id: 'grpc', upstream: 'shop-cart-grpc' })
  const asked = async (...services: string[]): Promise<{ params: object; panels: { rows: TableRow[] }[] }> => {
    const flags = services.flatMap(service => ['--service', service])
    return JSON.parse((await why5xxHere(['dashboard', 'service', ...WINDOW, ...flags, '--format', 'json'])).stdout)
  }
  const { params, panels } = await asked('shop/cart', 'media-img-80')
  expect(params).toEqual({ service: ['media-img-80', 'shop-cart-80', 'shop-cart-grpc', 'shop-cart-http'] })
  const requests = store.totalsRows
    .filter(({ upstream }) => ['media-img-80', 'shop-cart-80', 'shop-cart-http'].includes(upstream))
    .reduce((sum, row) => sum + row.requests, 0)
  expect(panels[0]!.rows).toMatchObject([{ requests }])
  const nobody = await asked('shop/nobody')
  expect(nobody).toMatchObject({ params: { service: [] } })
  expect(nobody.panels[0]!.rows).toMatchObject([{ requests: null }])
})

test('where there is nothing, one sentence says so, and what there is', async () => {
  const text = async (...flags: string[]): Promise<string> => (await why5xxHere(['dashboard', ...flags])).stdout
  const { fromMs, toMs } = (await store.span())!
  const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs + 1).toISOString()]
  const other = ['--from', '2027-01-01T00:00Z', '--to', '2027-01-01T00:10Z']
  expect(await text('overview', ...other)).toBe(
    `why5xx overview   2027-01-01 00:00:00 - 2027-01-01 00:10:00 UTC\n\n` +
      `There is nothing in this window. --from ${from} --to ${to} is all that the store holds.\n`
  )
  expect(await text('overview', '--from', from!, '--to', to!)).toMatch(/^error_rate \d/m)
  for (const service of ['shop-carts-80', 'shop/carts'])
    expect(await text('service', ...WINDOW, '--service', service)).toContain(
      `   service ${service}\n\nThere is no request of ${service} in this window; did you mean shop-cart-80?\n`
    )
  store = new MemoryStore()
  for (const name of NAMES) expect(await text(name)).toMatch(/\n\nThe store is empty\. .*why5xx replay/)
})

test("an incident's panels count its failures, also those that a retry saved", async () => {
  store = storeOf([join(SAMPLES, 'incidents/rollout-without-prestop/controller.log')])
  const { upstream, cause, timeMs } = store.rows.find(row => row.masked && row.cause === 'host_unreachable')!
  const its = store.rows.filter(row => row.upstream === upstream && row.cause === cause)
  store.kept.push(incident({ id: 'inc-1', upstream, cause, startMs: timeMs, endMs: timeMs + 1_200_000 }))
  const { stdout } = await why5xxHere(['dashboard', 'incident', '--incident', 'inc-1', '--format', 'json'])
  const { panels } = JSON.parse(stdout) as { panels: { id: string; rows: TableRow[] }[] }
  for (const id of ['causes-over-time', 'pods-over-time', 'statuses-over-time', 'causes', 'controllers']) {
    const { rows } = panels.find(panel => panel.id === id)!
    expect([id, rows.reduce((sum, { failures }) => sum + Number(failures), 0)]).toEqual([id, its.length])
  }
})

const PARAMETERS = new Set(DASHBOARDS.flatMap(({ params }) => params.map(({ name }) => name)))

test.runIf(PARAMETERS.has('incident'))('an incident gives its service, its cause and its time', async () => {
  const { name } = DASHBOARDS.find(({ params }) => params.some(param => param.name === 'incident'))!
  const one = incident({ id: 'inc-1', endMs: incident().startMs + 60_000 })
  store.kept.push(one)
  const { stdout } = await why5xxHere(['dashboard', name, '--incident', 'inc-1', '--format', 'json'])
  expect(JSON.parse(stdout)).toMatchObject({
    from: new Date(one.startMs - 600_000).toISOString(),
    params: { incident: 'inc-1', service: [one.upstream], cause: one.cause }
  })
  const other = await why5xxHere(['dashboard', name, '--incident', 'inc-2'])
  expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no incident inc-2') })
})

test.each([
  [['nowhere'], /there is no dashboard nowhere; did you mean \w+\?/],
  [[NAMES[0]!, '--format', 'html'], /--format html: expected one of text, json, esql/],
  [[NAMES[0]!, '--incident', 'inc-1'], /is not by incident: leave --incident out/],
  [[NAMES[0]!, '--since', '1h', '--from', '-2h'], /say the same thing/],
  [[NAMES[0]!, '--from', '2999-01-01T00:00Z'], /--from must be before --to/],
  [['service', '--service', 'shop/cart', '--format', 'esql'], /ES\|QL needs the upstream name/],
  [['incident', '--cause', 'conection_refused'], /did you mean connection_refused\?/]
])('%j is refused', async (args, message) => {
  const { code, stderr } = await why5xxHere(['dashboard', ...args])
  expect(code).toBe(2)
  expect(stderr).toMatch(message)
})

test('a hostile log moves no cursor, tells no secret, and stays text', async () => {
  const files = ['access.log', 'error.log', 'json.log', 'controller.log'].map(file => join(SAMPLES, 'hostile', file))
  // Paths are shown, but for what an option names.
  store = storeOf(files, { ...MASK_ALL, path: [/tok_[^/ ?"']+/g] })
  const span = (await store.span())!
  const [from, to] = [span.fromMs, span.toMs + 1].map(ms => new Date(ms).toISOString())
  for (const name of NAMES)
    for (const format of ['text', 'json']) {
      const { code, stdout } = await why5xxHere(['dashboard', name, '--format', format, '--from', from!, '--to', to!])
      expect(code).toBe(0)
      expect(stdout.split('\n').filter(line => UNSAFE.test(line) || line.includes('s3cr3t'))).toEqual([])
    }
})

describe('panels', () => {
  const narrow = { ...styleFor(process.stdout, false), width: 80 }
  const shown = (shape: PanelShape, rows: TableRow[]): string => {
    const panel: Panel = { ...DASHBOARDS[0]!.panels[0]!, title: 'Title', description: 'What it is.', shape }
    return panelText(panel, rows, 'UTC', narrow)
  }
  const at = (minute: number): string => new Date(Date.UTC(2026, 10, 21, 10, minute)).toISOString()

  test('no rows', () => {
    expect(shown({ type: 'table' }, [])).toBe('Title\nWhat it is.\nnothing\n')
  })

  test('a number, and what it was made of', () => {
    expect(shown({ type: 'metric', value: 'rate' }, [{ failures: 1_204, rate: 4.0149 }])).toBe(
      'Title\nWhat it is.\nrate 4.01   failures 1,204\n'
    )
  })

  test('a table, numbers one below the other', () => {
    const rows = [
      { cause: 'read_timeout', failures: 12_345, last_seen: '2026-11-21T10:00:07.120Z' },
      { cause: '\u001b[31m', failures: 1, last_seen: null }
    ]
    expect(shown({ type: 'table' }, rows)).toBe(`Title
What it is.
CAUSE         FAILURES  LAST SEEN
read_timeout    12,345  2026-11-21 10:00:07
\\x1B[31m             1  -
`)
  })

  test('a chart that is split has a column for each part, the largest first, whatever they are called', () => {
    const rows = ['502', '__proto__', 'a\u202e', 'd', 'e', 'f'].flatMap((status, i) => [
      { time: at(i), status, n: i + 1 },
      { time: at(7), status, n: 1 }
    ])
    const text = shown({ type: 'bars', x: 'time', y: ['n'], breakdown: 'status' }, rows)
    expect(text).toContain('TIME              f  e  d  a\\u{202E}  __proto__\n')
    expect(text).toContain('2026-11-21 10:07  1  1  1          1          1\n')
    expect(text).toMatch(/\nwithout 1 more; --format json has all\n$/)
  })

  test('what is wider than the terminal is told on several lines, nothing is lost', () => {
    const row = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`column_${i}`, `value ${i} of the row`]))
    const text = shown({ type: 'table' }, [row, row])
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    for (const [name, value] of Object.entries(row))
      expect(text.split(`${name.toUpperCase().replace('_', ' ')} ${value}`)).toHaveLength(3)
  })

  test('long tables are cut, and say so', () => {
    const rows = Array.from({ length: 21 }, (_, i) => ({ pod: `cart-${i}`, n: i }))
    expect(shown({ type: 'table' }, rows)).toMatch(/\n20 of 21 rows; --format json has all\n$/)
  })

  test('at most twelve buckets', () => {
    expect([20, 180, 1_440, 60 * 24 * 365].map(minutes => chartStepMs(minutes * 60_000) / 60_000)).toEqual([
      2, 15, 120, 10_080
    ])
    expect(chartStepMs(1)).toBe(60_000)
  })
})

/** `why5xx incidents` over a store. */
import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Incident } from '../../src/alert/incident.ts'
import type { IncidentEntry } from '../../src/alert/incidentEntry.ts'
import { incidentPage } from '../../src/cli/incidentPage.ts'
import { incidentsTable, withMembers } from '../../src/cli/incidentsTable.ts'
import * as openStore from '../../src/store/open.ts'
import { styleFor } from '../../src/terminal.ts'
import { UNSAFE } from '../support/hostileText.ts'
import { anyIncident, BEGIN, incident, MINUTE_MS } from '../support/incidents.ts'
import { MemoryStore } from '../support/memoryReader.ts'
import { type Run, why5xxHere } from '../support/program.ts'
import '../support/seed.ts'

const DAY_MS = 86_400_000
const NOW = BEGIN + 20 * MINUTE_MS

let store: MemoryStore
beforeAll(() => void vi.spyOn(openStore, 'openReader').mockImplementation(async () => store))

const open = incident({ id: 'inc-open' })
const member = incident({
  id: 'inc-member',
  parent: 'inc-open',
  cause: 'read_timeout',
  startMs: BEGIN + MINUTE_MS,
  endMs: BEGIN + 9 * MINUTE_MS,
  rootCause: null,
  failures: 1_234,
  expected: 340.4
})
const old = incident({ id: 'inc-old', startMs: BEGIN - 5 * DAY_MS, endMs: BEGIN - 5 * DAY_MS + MINUTE_MS })
const silent = incident({
  id: 'inc-silent',
  cause: 'no_requests',
  startMs: BEGIN - 9 * DAY_MS,
  upstream: 'blog-web-80',
  service: 'blog-web-80',
  severity: 'page',
  failures: 0,
  expected: 0,
  rootCause: null
})

beforeEach(() => {
  store = new MemoryStore()
  store.kept.push(open, member, old, silent)
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
  return () => vi.useRealTimers()
})

const incidents = (...args: string[]): Promise<Run> => why5xxHere(['incidents', ...args])
const ids = async (...args: string[]): Promise<string[]> =>
  (await incidents('--format', 'ndjson', ...args)).stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => (JSON.parse(line) as IncidentEntry).id)

test('a table: the last day and all that are open, members below their parent', async () => {
  const { code, stdout, stderr } = await incidents()
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toBe(
    `ID            STATE     SEVERITY  SINCE             LASTED  SERVICE      CAUSE               FAILED / EXPECTED  ROOT CAUSE
inc-open      open      page      2026-11-21 10:03  20 min  shop/cart    connection_refused  41 / 1.2           oom_killed
  inc-member  resolved  page      2026-11-21 10:04  8 min   shop/cart    read_timeout        1,234 / 340        -
inc-silent    open      page      2026-11-12 10:03  9 d     blog-web-80  no_requests         0 / 0              -
`
  )
  expect(store.isClosed).toBe(true)
})

test.each([
  ['a week', ['--since', '7d'], ['inc-open', 'inc-member', 'inc-silent', 'inc-old']],
  ['a window before', ['--from', '2026-11-16T00:00Z', '--to', '2026-11-17T00:00Z'], ['inc-silent', 'inc-old']],
  ['the day before --to', ['--to', '2026-11-17T00:00Z'], ['inc-silent', 'inc-old']],
  ['--state open', ['--state', 'open'], ['inc-open', 'inc-silent']],
  ['--state resolved', ['--state', 'resolved', '--since', '7d'], ['inc-member', 'inc-old']],
  ['--cause', ['--cause', 'no_requests', '--cause', 'read_timeout'], ['inc-silent', 'inc-member']],
  ['--service', ['--service', 'blog/web'], ['inc-silent']],
  ['--limit', ['--limit', '2'], ['inc-open', 'inc-member']]
])('%s', async (_name, args, want) => {
  expect(await ids(...args)).toEqual(want)
})

test('how many more there are', async () => {
  const lines = (await incidents('--since', '7d', '--limit', '1')).stdout.trimEnd().split('\n')
  expect(lines.slice(2)).toEqual(['1 of 4 shown; --limit 0 or --format ndjson shows all'])
})

test('JSON: times people read, and all there is', async () => {
  const { stdout } = await incidents('--format', 'json')
  const printed = JSON.parse(stdout) as { from: string; to: string; incidents: IncidentEntry[] }
  expect(printed).toMatchObject({
    clusterName: 'default',
    from: '2026-11-20T10:23:00.000Z',
    to: '2026-11-21T10:23:00.000Z'
  })
  expect(printed.incidents[0]).toMatchObject({
    id: 'inc-open',
    upstreamName: 'shop-cart-80',
    rootCause: 'oom_killed',
    why: { confidence: 0.93, failures: 38, judged: 41, evidence: [{ text: 'the container was killed' }] },
    start: '2026-11-21T10:03:00.000Z',
    detectedAt: '2026-11-21T10:05:00.000Z',
    end: null,
    pValue: 3e-44,
    example: { at: '2026-11-21T10:03:01.500Z', path: '/cart' },
    changes: [{ at: '2026-11-21T10:01:00.000Z', kind: 'rollout' }],
    told: [{ receiver: 'alertmanager', state: 'open', at: '2026-11-21T10:05:00.000Z', failures: 41 }]
  })
  expect(stdout).not.toContain('Ms"')
})

test('one in full', async () => {
  const { code, stdout } = await incidents('inc-open', '--time-zone', 'Europe/Berlin')
  expect(code).toBe(0)
  expect(stdout).toBe(`connection_refused on shop/cart: nothing listened on the pod's port
  inc-open, open, page
  since 2026-11-21 11:03:00 Europe/Berlin (20 min), detected 11:05:00
  41 failures, 1.2 expected, 7 of them saved by a retry; 0.68 % of 6,010 requests, at most 23 a minute; p = 3e-44; most clients saw 502

Why
  shop/cart-1 was OOM-killed at 10:02:56 (limit 256Mi)
  oom_killed, confidence 0.93, 38 of 41 judged failures
  - the container was killed
      Pod shop/cart-1 status.reason=OOMKilled
  Do: raise the memory limit
  why5xx causes oom_killed, why5xx fix first-failure

When it opened
  5 min: 41 failures, 1.2 expected (0.68 % of 6,010 requests, spread 1.8), p = 3e-44

Now
  1 min: 0 failures, 0.2 expected (0 % of 1,200 requests, spread 1.1), p = 1

Example
  11:03:01  502 GET shop.example.com/cart  at 10.2.3.14:8080 (cart-1)
  first-failure

Blamed
  pods: cart-1 (38)
  nodes: node-1 (41)
  seen by controllers: ingress-nginx/controller-1 (41)

Changed before it began
  11:01:00  shop/cart was rolled out

What became of it
  11:05:00  opened

Told
  alertmanager: last at 11:05:00, as open, 41 failures by then

Under it
  inc-member  read_timeout on shop/cart: the application did not answer in time, 1,234 failures, 340 expected
`)
  const asJson = await incidents('inc-member', '--format', 'json')
  expect(JSON.parse(asJson.stdout)).toMatchObject({
    id: 'inc-member',
    parent: 'inc-open',
    end: '2026-11-21T10:12:00.000Z'
  })
})

test('nothing is there, or nothing matches', async () => {
  expect((await incidents('--service', 'nobody')).stdout).toBe(
    'No incident matches between 2026-11-20T10:23:00.000Z and 2026-11-21T10:23:00.000Z. 4 are stored, the last of 2026-11-21T10:12:00.000Z: --from, --to and --state find them.\n'
  )
  expect((await incidents('--service', 'nobody', '--format', 'ndjson')).stdout).toBe('')
  store.kept.length = 0
  expect((await incidents()).stdout).toBe('No incident is stored.\n')
})

test('what could not be read is said on stderr', async () => {
  store.unread = 'incidents.ndjson: 2 incidents left out'
  expect(await incidents()).toMatchObject({ code: 0, stderr: 'why5xx: incidents.ndjson: 2 incidents left out\n' })
})

test.each([
  ['--state', ['--state', 'closed'], /--state closed: expected one of open, resolved/],
  ['--cause', ['--cause', 'no_request'], /did you mean no_requests\?/],
  ['--format', ['--format', 'html'], /--format html: expected one of table, ndjson, json/],
  ['--limit', ['--limit', 'x'], /--limit x: expected a whole number/],
  ['an unknown id', ['inc-nobody'], /there is no incident inc-nobody in .*; why5xx incidents --since 30d prints ids/]
])('wrong usage: %s', async (_name, args, message) => {
  const { code, stderr, stdout } = await incidents(...args)
  expect(stderr).toMatch(message)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
})

describe('members', () => {
  const order = (...given: Partial<Incident>[]): string[] =>
    withMembers(given.map(one => incident(one))).map(({ incident: { id }, isMember }) => (isMember ? `  ${id}` : id))

  test('an open member takes its parent up', () => {
    expect(
      order({ id: 'm', parent: 'p' }, { id: 'a' }, { id: 'p', endMs: BEGIN + 1 }, { id: 'n', parent: 'p' })
    ).toEqual(['p', '  m', '  n', 'a'])
  })

  test('each is told once, whatever the parents say', () => {
    expect(order({ id: 'a', parent: 'not there' }, { id: 'b', parent: 'b' })).toEqual(['a', 'b'])
    // No such thing is written; a chain must not lose anybody.
    const chain = order({ id: 'a', parent: 'b' }, { id: 'b', parent: 'c' }, { id: 'c' })
    expect(new Set(chain.map(line => line.trim()))).toEqual(new Set(['a', 'b', 'c']))
    const circle = order({ id: 'a', parent: 'b' }, { id: 'b', parent: 'a' })
    expect(new Set(circle.map(line => line.trim()))).toEqual(new Set(['a', 'b']))
  })
})

test('whatever an incident says: no cursor is moved, and a table fits', () => {
  const style = { ...styleFor(process.stdout, false), width: 100 }
  fc.assert(
    fc.property(fc.array(anyIncident, { maxLength: 4 }), anyIncident, (members, one) => {
      const nowMs = one.updatedMs
      const rows = withMembers([one, ...members].map((each, i) => ({ ...each, id: `inc-${i}` })))
      const table = incidentsTable(rows, 'UTC', nowMs, style)
      const page = incidentPage({ incident: one, members, zone: 'UTC', nowMs }, style)
      for (const line of `${table}${page}`.split('\n')) expect(line).not.toMatch(UNSAFE)
      expect(Math.max(...table.split('\n').map(line => line.length))).toBeLessThanOrEqual(100)
      expect(rows).toHaveLength(members.length + 1)
    }),
    { numRuns: 60 }
  )
})

/** `why5xx check --alerts` against receivers that answer as told. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { checkAlerts } from '../../src/check/alerts.ts'
import type { Finding } from '../../src/check/finding.ts'
import { defaultConfig } from '../../src/optionTable.ts'
import { HookServer } from '../support/hookServer.ts'
import { why5xx } from '../support/program.ts'

let server: HookServer
beforeAll(async () => {
  server = await HookServer.start()
})
afterAll(() => server.stop())
beforeEach(() => {
  server.posted.length = 0
  server.answer = response => void response.end('ok')
})

function check(path = ''): Promise<Finding[]> {
  const config = defaultConfig()
  config.alerts.alertmanager.urls = [`${server.url}${path}`]
  config.alerts.webhooks = [{ url: `${server.url}/hook`, template: 'generic', headers: {}, severities: ['page'] }]
  return checkAlerts(config, Date.UTC(2026, 10, 21, 10))
}

test('each receiver gets one test alert that says so, and its end', async () => {
  expect(await check()).toEqual([
    {
      about: 'alerts.alertmanager',
      state: 'ok',
      text: `alertmanager ${server.host} took a test alert (200) and its end (200)`,
      mend: null
    },
    {
      about: 'alerts.webhooks',
      state: 'ok',
      text: `webhook ${server.host} took a test alert (200) and its end (200)`,
      mend: null
    }
  ])
  const alerts = server.posted
    .filter(({ path }) => path === '/api/v2/alerts')
    .map(({ body }) => (JSON.parse(body) as { labels: { alertname: string }; endsAt: string }[])[0]!)
  expect(alerts.map(({ labels }) => labels.alertname)).toEqual(['Why5xxTest', 'Why5xxTest'])
  expect(alerts[0]!.labels).toEqual(alerts[1]!.labels)
  expect(alerts[1]!.endsAt < alerts[0]!.endsAt).toBe(true)
  const notices = server.posted
    .filter(({ path }) => path === '/hook')
    .map(({ body }) => JSON.parse(body) as { kind: string; key: string; title: string })
  expect(notices.map(({ kind }) => kind)).toEqual(['test', 'resolved'])
  expect(notices[0]!.key).toMatch(/^test-20261121100000-[0-9a-f]{8}$/)
  expect(notices[0]!.key).toBe(notices[1]!.key)
  for (const { title } of notices) expect(title).toMatch(/^TEST: /)
})

test.each([
  [
    'wrong login',
    401,
    'renew its address, its routing key or its headers',
    'set alerts.alertmanager.username and passwordFile, or bearerTokenFile, to what it accepts'
  ],
  [
    'wrong address',
    404,
    'correct the url of this webhook',
    'correct alerts.alertmanager.urls: where its own page is, without /api/v2'
  ],
  ['wrong message', 400, 'change its template to what it takes', 'see what it says'],
  [
    'broken',
    500,
    'start it, or let this machine reach it; alerts are tried again until then',
    'start it, or let this machine reach it; alerts are tried again until then'
  ]
])('%s', async (_name, status, webhook, alertmanager) => {
  server.answer = response => void response.writeHead(status).end('no')
  expect(await check()).toMatchObject([
    {
      state: 'problem',
      text: `alertmanager ${server.host} did not take the test alert: answers ${status}: no`,
      mend: alertmanager
    },
    {
      state: 'problem',
      text: `webhook ${server.host} did not take the test alert: answers ${status}: no`,
      mend: webhook
    }
  ])
})

test('a test that was taken and could not be ended says which to end by hand', async () => {
  server.answer = (response, { body }) => void response.writeHead(body.includes('over again') ? 500 : 200).end()
  for (const finding of await check())
    expect(finding).toMatchObject({
      state: 'problem',
      text: expect.stringMatching(/took the test alert \(200\) and not its end: answers 500$/) as string,
      mend: expect.stringMatching(/; resolve test-\S+ by hand$/) as string
    })
})

test('nobody is configured: it says how', async () => {
  const run = await why5xx(['check', '--alerts'])
  expect(run.code).toBe(0)
  expect(run.stdout).toMatch(
    /hint +alerts +nobody is told: no receiver is configured\n +set alerts\.alertmanager\.urls to http:\/\/HOST:9093/
  )
})

test('the command prints a table or JSON, and ends with 1 when one is away', async () => {
  const gone = await HookServer.start()
  const { url } = gone
  await gone.stop()
  const settings = [
    '--set',
    `alerts.alertmanager.urls=${server.url}`,
    '--set',
    `alerts.webhooks=${JSON.stringify([{ url: `${url}/hunter2`, name: 'nowhere' }])}`
  ]
  const text = await why5xx(['check', '--alerts', ...settings])
  expect(text.stdout).toMatch(/^alerts\n {2}ok +alerts\.alertmanager +alertmanager \S+ took a test alert/)
  expect(text.stdout).toContain('webhook nowhere did not take the test alert: refuses connections (ECONNREFUSED)')
  expect(text.stdout + text.stderr).not.toContain('hunter2')
  expect(text.code).toBe(1)
  const json = await why5xx(['check', '--alerts', '--format', 'json', ...settings])
  expect((JSON.parse(json.stdout) as { alerts: Finding[] }).alerts.map(({ state }) => state)).toEqual(['ok', 'problem'])
  expect(json.code).toBe(1)
})

test('it looks at nothing else', async () => {
  const run = await why5xx(['check', '--alerts', 'controller.log'])
  expect([run.code, run.stderr]).toEqual([
    2,
    expect.stringContaining('check --alerts sends test alerts and looks at nothing else') as string
  ])
})

/** Receivers from the configuration, and what is wrong with one, without its secrets. */
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openReceivers } from '../../../src/alert/notify/open.ts'
import { sampleNotices } from '../../../src/alert/notify/sampleNotices.ts'
import type { WebhookConfig } from '../../../src/alertOptions.ts'
import { loadConfig } from '../../../src/config.ts'
import type { Config } from '../../../src/optionTable.ts'
import { HookServer } from '../../support/hookServer.ts'
import { Folder } from '../../support/program.ts'

const folder = new Folder()
afterAll(() => folder.remove())

const SLACK_PATH = '/services/T024BE7LH/B0123456/abcdefghijklmnop'
const SLACK_URL = `https://hooks.slack.com${SLACK_PATH}`
const ROUTING_KEY = 'R'.repeat(32)

function configOf(set: string[], webhooks: (Partial<WebhookConfig> & { url?: string })[] = []): Config {
  const settings = webhooks.length === 0 ? set : [...set, `alerts.webhooks=${JSON.stringify(webhooks)}`]
  return loadConfig({ file: null, environment: {}, set: settings }).config
}

const namesOf = (...parts: Parameters<typeof configOf>): string[] =>
  openReceivers(configOf(...parts)).map(({ name }) => name)

/** Its message, which must not repeat what is secret. */
function refusalOf(work: () => unknown): string {
  let message = 'nothing was refused'
  try {
    work()
  } catch (error) {
    expect(error).toMatchObject({ code: 'WHY5XX_CONFIG' })
    message = (error as Error).message
  }
  for (const secret of [SLACK_PATH, ROUTING_KEY, 'correct-horse', 'hunter2']) expect(message).not.toContain(secret)
  return message
}

test('nobody is told by default', () => {
  expect(namesOf([])).toEqual([])
})

test('receivers are called by their host or their name, never by their path', () => {
  expect(
    namesOf(
      ['alerts.alertmanager.urls=http://10.0.0.5:9093,https://monitor.example.com/alertmanager/'],
      [
        { url: SLACK_URL, template: 'slack' },
        { url: SLACK_URL.replace('abc', 'xyz'), template: 'slack' },
        { template: 'pagerduty', routingKey: ROUTING_KEY },
        { url: 'http://127.0.0.1:8080/hook', name: 'on-call' }
      ]
    )
  ).toEqual([
    'alertmanager 10.0.0.5:9093',
    'alertmanager monitor.example.com/alertmanager',
    'webhook hooks.slack.com',
    'webhook hooks.slack.com 2',
    'webhook events.pagerduty.com',
    'webhook on-call'
  ])
})

test('secrets come from files, without the line end', async () => {
  const server = await HookServer.start()
  try {
    const config = configOf(
      [
        `alerts.alertmanager.urls=${server.url}`,
        'alerts.alertmanager.username=why5xx',
        `alerts.alertmanager.passwordFile=${folder.write('password', 'hunter2\n')}`
      ],
      [
        {
          urlFile: folder.write('url', `${server.url}/hook\n`),
          template: folder.write('mine.liquid', '{"key": {{ routing }}{{ key }}}'.replace('{{ routing }}', '')),
          secretFile: folder.write('secret', 'correct-horse\n')
        }
      ]
    )
    const [alertmanager, webhook] = openReceivers(config)
    const notices = [sampleNotices()[0]![1]]
    const { signal } = new AbortController()
    await alertmanager!.send(notices, signal, ['k'])
    await webhook!.send(notices, signal, ['k'])
    expect(server.posted.map(({ path }) => path)).toEqual(['/api/v2/alerts', '/hook'])
    expect(server.posted[0]!.headers.authorization).toBe(`Basic ${btoa('why5xx:hunter2')}`)
    expect(server.posted[1]!.body).toBe(`{"key": "${notices[0]!.key}"}`)
    expect(server.posted[1]!.headers).toHaveProperty('x-why5xx-signature')
  } finally {
    await server.stop()
  }
})

test('a copy of the template for PagerDuty works as the one that is built in', async () => {
  const server = await HookServer.start()
  try {
    const template = join(import.meta.dirname, '../../../deploy/alerts/pagerduty.liquid')
    const both = ['pagerduty', template].map(one => ({
      url: server.url,
      template: one,
      routingKey: ROUTING_KEY,
      name: one.slice(-9)
    }))
    const notices = [sampleNotices()[0]![1]]
    for (const receiver of openReceivers(configOf([], both)))
      await receiver.send(notices, new AbortController().signal, ['k'])
    const [builtIn, copied] = server.posted.map(({ body }) => JSON.parse(body) as unknown)
    expect(copied).toEqual(builtIn)
    expect(copied).toMatchObject({ routing_key: ROUTING_KEY, event_action: 'trigger' })
  } finally {
    await server.stop()
  }
})

describe('together these cannot work', () => {
  const url = 'https://example.com/hook'
  test.each<[string, string[], (Partial<WebhookConfig> & { url?: string })[], RegExp]>([
    ['no address', [], [{ template: 'slack' }], /alerts\.webhooks: webhook 1 \(slack\): give url or urlFile/],
    ['two addresses', [], [{ url: SLACK_URL, urlFile: '/run/url' }], /url and urlFile are both given/],
    ['two secrets', [], [{ url, secret: 'correct-horse', secretFile: '/s' }], /secret and secretFile are both given/],
    [
      'PagerDuty without its key',
      [],
      [{ name: 'pager', template: 'pagerduty' }],
      /webhook 1 \(pager\): give routingKey/
    ],
    [
      'a key without PagerDuty',
      [],
      [{ url, routingKey: ROUTING_KEY }],
      /routingKey is for template pagerduty, or for a file/
    ],
    ['no web address', [], [{ url: `ftp://example.com${SLACK_PATH}` }], /url: expected an address such as/],
    [
      'a user in the address',
      [],
      [{ url: 'https://me:hunter2@example.com/' }],
      /no user in the address of example\.com/
    ],
    [
      'one name twice',
      [],
      [
        { url, name: 'a' },
        { url, name: 'a' }
      ],
      /two are called a/
    ],
    ['a name for nobody', [], [{ url, name: 'a\nb' }], /a name has at most 80/],
    ['a header that is none', [], [{ url, headers: { 'X Y': '1' } }], /"X Y" is no name of a header/],
    ['a header that is ours', [], [{ url, headers: { 'Content-Length': '1' } }], /the header Content-Length is ours/],
    [
      'a header with a line end',
      [],
      [{ url, headers: { 'X-Key': 'hunter2\r\nx: y' } }],
      /the value of the header X-Key/
    ],
    [
      'a user without a password',
      ['alerts.alertmanager.urls=http://a:9093', 'alerts.alertmanager.username=x'],
      [],
      /go together/
    ],
    [
      'a token and a user',
      [
        'alerts.alertmanager.urls=http://a:9093',
        'alerts.alertmanager.username=x',
        'alerts.alertmanager.password=hunter2',
        'alerts.alertmanager.bearerToken=correct-horse'
      ],
      [],
      /a bearer token and a username/
    ],
    [
      'a token and its file',
      [
        'alerts.alertmanager.urls=http://a:9093',
        'alerts.alertmanager.bearerToken=hunter2',
        'alerts.alertmanager.bearerTokenFile=/t'
      ],
      [],
      /alerts\.alertmanager\.bearerToken \(--set\) and alerts\.alertmanager\.bearerTokenFile \(--set\) are both given/
    ],
    [
      'a login for nobody',
      ['alerts.alertmanager.bearerToken=correct-horse'],
      [],
      /alerts\.alertmanager\.urls is an empty list/
    ],
    [
      'an address with our path',
      ['alerts.alertmanager.urls=http://a:9093/api/v2/alerts'],
      [],
      /leave \/api\/v2\/alerts out/
    ],
    ['an address with a query', ['alerts.alertmanager.urls=http://a:9093/?x=1'], [], /nothing may follow the path/],
    ['an address twice', ['alerts.alertmanager.urls=http://a:9093,http://a:9093/'], [], /names an address twice/],
    ['no URL', ['alerts.alertmanager.urls=alertmanager:9093'], [], /number 1: expected an address such as/]
  ])('%s', (_name, set, webhooks, sentence) => {
    expect(refusalOf(() => configOf(set, webhooks))).toMatch(sentence)
  })
})

describe('what only the files tell', () => {
  test.each<[string, Partial<WebhookConfig>, RegExp]>([
    [
      'a file that is not there',
      { urlFile: '/nowhere/url' },
      /webhook 1 \(generic\): urlFile: cannot read \/nowhere\/url: no such file/
    ],
    ['an empty file', { urlFile: folder.write('empty', '\n') }, /urlFile: .* is empty/],
    [
      'a file without an address',
      { urlFile: folder.write('no-url', `hooks.slack.com${SLACK_PATH}`) },
      /expected an address/
    ],
    [
      'a template that is not there',
      { url: SLACK_URL, template: 'slak' },
      /template slak is none of generic, slack, pagerduty, and cannot be read/
    ],
    [
      'a template that is wrong',
      { url: SLACK_URL, template: folder.write('bad.liquid', '{\n{{ nothing }}}') },
      /bad\.liquid: undefined variable: nothing \(line 2, column \d+\)/
    ],
    [
      'the name of another',
      { url: SLACK_URL, name: 'hooks.slack.com' },
      /two receivers are called webhook hooks\.slack\.com/
    ]
  ])('%s', (_name, webhook, sentence) => {
    const webhooks = webhook.name === undefined ? [webhook] : [webhook, { url: SLACK_URL }]
    expect(refusalOf(() => openReceivers(configOf([], webhooks)))).toMatch(sentence)
  })
})

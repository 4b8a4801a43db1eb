/** Which texts the log may not hold. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { logSecrets } from '../src/logSecrets.ts'
import { Folder } from './support/program.ts'

let folder: Folder
beforeEach(() => {
  folder = new Folder()
})
afterEach(() => folder.remove())

const NO_TOKENS = { token: null, metricsToken: null }
const file = (name: string, content: string): string => folder.write(name, content)
const secretsOf = (set: string[], tokens = NO_TOKENS as Parameters<typeof logSecrets>[1]): string[] =>
  logSecrets(loadConfig({ file: null, environment: {}, set }).config, tokens)

test('headers and every part of a webhook, as values and from files', () => {
  const webhooks = [
    {
      url: 'https://hooks.example.com/T0/abc',
      secret: 'secret-1',
      headers: { authorization: 'Bearer bearer-2', 'x-api-key': 'key-3456', 'x-kind': 'prod', 'x-on': '' }
    },
    {
      urlFile: file('url', 'https://hooks.example.com/T0/def\n'),
      secretFile: file('secret', ' secret-4\n'),
      template: 'pagerduty',
      routingKeyFile: file('key', 'routing-5')
    }
  ]
  expect(secretsOf([`alerts.webhooks=${JSON.stringify(webhooks)}`]).sort()).toEqual([
    'Bearer bearer-2',
    'bearer-2',
    'https://hooks.example.com/T0/abc',
    'https://hooks.example.com/T0/def',
    'key-3456',
    'routing-5',
    'secret-1',
    'secret-4'
  ])
})

test('passwords, keys and tokens of everything else, as values and from files', () => {
  expect(
    secretsOf(
      [
        'source.kafka.sasl.mechanism=plain',
        'source.kafka.sasl.username=me',
        `source.kafka.sasl.passwordFile=${file('kafka', 'of-kafka\n')}`,
        `sink.elasticsearch.apiKeyFile=${file('store', 'of-store\n')}`,
        'alerts.alertmanager.urls=http://alertmanager:9093',
        `alerts.alertmanager.bearerTokenFile=${file('bearer', 'of-alertmanager\n')}`
      ],
      { token: 'of-web', metricsToken: 'of-metrics' }
    ).sort()
  ).toEqual(['of-alertmanager', 'of-kafka', 'of-metrics', 'of-store', 'of-web'])
})

test('a pipe is left for who uses it; a file that is missing, empty or huge stops nothing', () => {
  const pipe = join(folder.path, 'pipe')
  execFileSync('mkfifo', [pipe])
  for (const path of [pipe, join(folder.path, 'missing'), file('empty', '\n'), file('huge', 'x'.repeat(70_000))])
    expect(secretsOf([`sink.elasticsearch.apiKeyFile=${path}`])).toEqual([])
})

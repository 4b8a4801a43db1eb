import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkVersion, openClient, sentenceOf } from '../../../src/store/elasticsearch/connection.ts'
import { expired } from '../../../src/store/elasticsearch/retention.ts'
import { type ScriptedAnswer, ScriptedElasticsearch } from '../../support/scriptedElasticsearch.ts'
import { configOf } from './config.ts'

let server: ScriptedElasticsearch
let folder: string

beforeEach(async () => {
  server = await ScriptedElasticsearch.start()
  folder = mkdtempSync(join(tmpdir(), 'why5xx-secret-'))
})

afterEach(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

async function versionError(answer: ScriptedAnswer): Promise<unknown> {
  server.script = () => answer
  const client = openClient(configOf(server.url))
  try {
    return await checkVersion(client).catch((error: unknown) => error)
  } finally {
    await client.close()
  }
}

const info = (number: string, headers = {}): ScriptedAnswer => ({ status: 200, body: { version: { number } }, headers })

test('9.0 and later are welcome', async () => {
  expect(await versionError(info('9.0.0'))).toBe('9.0.0')
  expect(await versionError(info('10.1.0'))).toBe('10.1.0')
})

test.each([
  ['8.19', info('8.19.3'), 'Elasticsearch 8.19.3 is too old: why5xx needs 9.0 or later'],
  [
    'what does not know the media type',
    { status: 400, body: { error: { type: 'media_type_header_exception', reason: 'Invalid media-type' } } },
    'Elasticsearch is too old: why5xx needs 9.0 or later'
  ],
  ['OpenSearch', info('2.19.0', { 'x-elastic-product': 'OpenSearch' }), 'this is not Elasticsearch'],
  ['no number', { status: 200, body: {} }, 'Elasticsearch'],
  [
    '401',
    { status: 401, body: { error: { type: 'security_exception', reason: 'no' } } },
    'does not accept our credentials'
  ],
  ['503', { status: 503, body: 'upstream is gone', headers: { 'content-type': 'text/plain' } }, 'answered 503']
] as [string, ScriptedAnswer, string][])('%s is refused with one sentence', async (_name, answer, text) => {
  expect(await versionError(answer)).toMatchObject({ code: 'WHY5XX_STORE', message: expect.stringContaining(text) })
})

test('secrets come from files, are sent, and stand in no error', async () => {
  const file = join(folder, 'password')
  writeFileSync(file, 'pass-word-1\n')
  server.script = () => ({ status: 403, body: { error: { type: 'security_exception', reason: 'not allowed' } } })
  for (const auth of [{ username: 'elastic', passwordFile: file }, { apiKey: 'a-p-i-k-e-y' }]) {
    const client = openClient(configOf(server.url, auth))
    const error = (await checkVersion(client).catch((thrown: unknown) => thrown)) as Error
    expect(error.message).toBe('Elasticsearch does not allow it (403): security_exception: not allowed')
    expect(`${error.message}${JSON.stringify(error)}`).not.toMatch(/pass-word-1|a-p-i-k-e-y/)
    await client.close()
  }
  expect(server.authorizations).toEqual([
    `Basic ${Buffer.from('elastic:pass-word-1').toString('base64')}`,
    'ApiKey a-p-i-k-e-y'
  ])
})

test.each([
  ['a key and a user', { apiKey: 'k', username: 'u', password: 'p' }, 'give one of them'],
  ['a user without a password', { username: 'u' }, 'one needs the other'],
  ['a password without a user', { password: 'p' }, 'one needs the other'],
  ['a file that is not there', { apiKeyFile: '/nowhere/key' }, 'cannot read /nowhere/key'],
  ['an authority that is not there', { caFile: '/nowhere/ca.pem' }, 'sink.elasticsearch.caFile: cannot read'],
  ['no URL', { nodes: ['elasticsearch:9200'] }, 'expected URLs'],
  ['a user in the URL', { nodes: ['https://u:s3cret@es:9200'] }, 'no user in the URL of es:9200']
])('%s is refused', (_name, more, text) => {
  const open = (): unknown => openClient(configOf(server.url, more))
  expect(open).toThrow(expect.objectContaining({ code: 'WHY5XX_CONFIG', message: expect.stringContaining(text) }))
  expect(open).not.toThrow(/s3cret/)
})

test('a file without a secret is told', () => {
  const file = join(folder, 'key')
  writeFileSync(file, '\n')
  expect(() => openClient(configOf(server.url, { apiKeyFile: file }))).toThrow(`${file} is empty`)
})

test('a mistake is told as what it is', () => {
  expect(sentenceOf(new TypeError('x is no function'))).toBe('cannot be asked: x is no function')
})

test('whole days go when their last moment is too old, and none while all are', () => {
  const day = (date: string): string => `why5xx-failure-a-${date}`
  const nowMs = Date.UTC(2026, 10, 21, 10)
  const keptMs = 2 * 86_400_000
  expect(expired(['2026.11.21', '2026.11.19', '2026.11.18', '2026.11.17'].map(day), keptMs, nowMs)).toEqual(
    ['2026.11.18', '2026.11.17'].map(day)
  )
  expect(expired([day('2020.01.01')], keptMs, nowMs)).toEqual([])
  expect(expired(['why5xx-state-a', day('2026.11.21')], keptMs, nowMs)).toEqual([])
})

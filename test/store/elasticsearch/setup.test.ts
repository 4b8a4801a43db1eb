/** What a real node of the tests cannot be: without lifecycle policies, without our templates. */
import type { Client } from '@elastic/elasticsearch'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openClient } from '../../../src/store/elasticsearch/connection.ts'
import { openElasticsearchWriter } from '../../../src/store/elasticsearch/open.ts'
import { setUp } from '../../../src/store/elasticsearch/setup.ts'
import { type ScriptedAnswer, ScriptedElasticsearch } from '../../support/scriptedElasticsearch.ts'
import { configOf } from './config.ts'

const LIFECYCLE = { retentionMs: 86_400_000, rollupRetentionMs: 86_400_000 }
const ABSENT: ScriptedAnswer = {
  status: 404,
  body: { error: { type: 'resource_not_found_exception', reason: 'none' } }
}

let server: ScriptedElasticsearch
let client: Client

beforeEach(async () => {
  server = await ScriptedElasticsearch.start()
  client = openClient(configOf(server.url))
})

afterEach(async () => {
  await client.close()
  await server.stop()
})

const puts = (): string[] => server.requests.filter(({ method }) => method === 'PUT').map(({ path }) => path)

test.each([
  ['that does not know the address', 400, 'illegal_argument_exception'],
  ['of Serverless', 410, 'api_not_available_exception']
])('a cluster %s of policies gets templates without them, and a sentence', async (_name, status, type) => {
  server.script = ({ method, path }) => {
    if (path.startsWith('/_ilm')) return { status, body: { error: { type, reason: 'no handler found' } } }
    return method === 'PUT' ? { status: 200, body: { acknowledged: true } } : ABSENT
  }
  const { steps, notes } = await setUp(client, { lifecycle: LIFECYCLE, isDryRun: false })
  expect(notes).toEqual([expect.stringContaining('set sink.elasticsearch.lifecycle to own')])
  expect(puts()).toHaveLength(9)
  expect(steps).toHaveLength(9)
  expect(server.requests.some(({ method, body }) => method === 'PUT' && body.includes('index.lifecycle'))).toBe(false)
})

test('where a right is missing nothing is written, and it is named', async () => {
  server.script = ({ path }) =>
    path.startsWith('/_index_template')
      ? { status: 403, body: { error: { type: 'security_exception', reason: 'needs manage_index_templates' } } }
      : ABSENT
  await expect(setUp(client, { lifecycle: LIFECYCLE, isDryRun: false })).rejects.toMatchObject({
    code: 'WHY5XX_STORE',
    message: expect.stringContaining('needs manage_index_templates')
  })
  expect(puts()).toEqual([])
})

test('a writer does not open without our templates, and names the command that makes them', async () => {
  server.script = ({ path }) => (path === '/' ? null : ABSENT)
  const options = { config: configOf(server.url), clusterName: 'prod', keepRejects: null, notify: () => {} }
  await expect(openElasticsearchWriter(options)).rejects.toMatchObject({
    code: 'WHY5XX_STORE',
    message: expect.stringMatching(/why5xx-ecs.*why5xx-state.*why5xx setup/)
  })
  expect(server.bulks).toEqual([])
})

test('a writer that may not look at templates opens all the same', async () => {
  server.script = ({ path }) =>
    path.includes('_template') ? { status: 403, body: { error: { type: 'security_exception', reason: 'no' } } } : null
  const options = { config: configOf(server.url), clusterName: 'prod', keepRejects: null, notify: () => {} }
  const writer = await openElasticsearchWriter(options)
  expect(writer.streams).toEqual([])
  await writer.close()
})

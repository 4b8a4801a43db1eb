/** What the writer of incidents makes of answers that no real node gives on demand. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openElasticsearchIncidents } from '../../../src/store/elasticsearch/incidentWriter.ts'
import type { IncidentWriter } from '../../../src/store/store.ts'
import { BEGIN, incident } from '../../support/incidents.ts'
import { type Script, ScriptedElasticsearch } from '../../support/scriptedElasticsearch.ts'
import { configOf } from './config.ts'

let server: ScriptedElasticsearch
let said: string[]
let writer: IncidentWriter

/** Whoever may not ask for templates is believed to know that they are there. */
const mayNotAskTemplates: Script = ({ path }) =>
  path.includes('_template') ? { status: 403, body: { error: { type: 'security_exception', reason: 'no' } } } : null

beforeAll(async () => {
  server = await ScriptedElasticsearch.start()
})
afterAll(() => server.stop())
beforeEach(() => {
  server.documents.clear()
  server.requests.length = 0
  server.script = mayNotAskTemplates
  server.itemScript = () => null
  said = []
  writer = openElasticsearchIncidents({
    config: configOf(server.url),
    clusterName: 'prod',
    notify: text => void said.push(text)
  })
  return () => writer.close()
})

test('an older version changes nothing, and counts as written', async () => {
  await writer.put([incident({ updatedMs: BEGIN + 2, failures: 2 })])
  await writer.put([incident({ updatedMs: BEGIN + 1, failures: 1 })])
  expect(server.sources('why5xx-incident-test/')).toMatchObject([{ why5xx: { incident: { failures: 2 } } }])
  expect(server.bulks[0]!.items[0]!.action).toEqual({
    index: { _index: 'why5xx-incident-test', _id: incident().id, version: BEGIN + 2, version_type: 'external_gte' }
  })
  expect(said).toEqual([])
})

test('many go in requests of a size that servers take', async () => {
  const path = 'x'.repeat(20_000)
  const many = Array.from({ length: 100 }, (_, i) =>
    incident({ id: `inc-${i}`, example: { ...incident().example!, path } })
  )
  await writer.put(many)
  expect(server.documents.size).toBe(100)
  expect(server.bulks.length).toBeGreaterThan(1)
  expect(Math.max(...server.bulks.map(({ body }) => body.length))).toBeLessThan(1.2 * 2 ** 20)
})

test('one that is refused is said once, and the others are there', async () => {
  server.itemScript = (_index, id) =>
    id === 'bad' ? { status: 400, error: { type: 'document_parsing_exception', reason: 'no' } } : null
  const given = [incident({ id: 'good' }), incident({ id: 'bad' })]
  await writer.put(given)
  await writer.put(given)
  expect([...server.documents.keys()]).toEqual(['why5xx-incident-test/good'])
  expect(said).toEqual([
    expect.stringMatching(/^Elasticsearch refuses incident bad \(400, document_parsing_exception: no\); it is not kept/)
  ])
})

test('a request that is too large is halved; a single one is given up', async () => {
  server.script = request =>
    request.items.some(({ source }) => JSON.stringify(source).includes('huge'))
      ? { status: 413, body: { error: 'too large' } }
      : mayNotAskTemplates(request)
  await writer.put([incident({ id: 'a' }), incident({ id: 'huge' }), incident({ id: 'b' })])
  expect([...server.documents.keys()].sort()).toEqual(['why5xx-incident-test/a', 'why5xx-incident-test/b'])
  expect(said).toEqual([expect.stringContaining('refuses incident huge (413')])
})

describe('the caller tries again where', () => {
  test.each<[string, Script | null, { status: number; error: { type: string; reason: string } } | null, RegExp]>([
    [
      'the connection is cut',
      ({ path }) => (path === '/_bulk' ? 'cut' : null),
      null,
      /^Elasticsearch cannot be reached/
    ],
    ['the cluster is overloaded', null, { status: 429, error: { type: 'busy', reason: '' } }, /answers 429 .*: busy/],
    ['we may not write', null, { status: 403, error: { type: 'security_exception', reason: 'no' } }, /does not let us/],
    [
      'the index is closed',
      null,
      { status: 400, error: { type: 'index_closed_exception', reason: '' } },
      /why5xx-incident-test is closed/
    ]
  ])('%s', async (_name, script, item, message) => {
    if (script !== null) server.script = request => script(request) ?? mayNotAskTemplates(request)
    server.itemScript = () => item
    await expect(writer.put([incident()])).rejects.toMatchObject({
      code: 'WHY5XX_STORE',
      message: expect.stringMatching(message) as string
    })
    server.script = mayNotAskTemplates
    server.itemScript = () => null
    await writer.put([incident()])
    expect(server.documents.size).toBe(1)
  })

  test('our templates are missing', async () => {
    server.script = () => null
    await expect(writer.put([incident()])).rejects.toThrow(/lacks our templates .*run why5xx setup once/)
    expect(server.bulks).toEqual([])
  })
})

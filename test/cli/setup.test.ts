import { afterEach, beforeEach, expect, test } from 'vitest'
import { why5xxHere } from '../support/program.ts'
import { ScriptedElasticsearch } from '../support/scriptedElasticsearch.ts'

let server: ScriptedElasticsearch
/** What was put, by address. */
let put: Map<string, unknown>

beforeEach(async () => {
  server = await ScriptedElasticsearch.start()
  put = new Map()
  server.script = ({ method, path, body }) => {
    if (path === '/') return null
    if (method === 'PUT') put.set(path, JSON.parse(body))
    if (method === 'PUT') return { status: 200, body: { acknowledged: true } }
    const name = path.split('/').at(-1)!
    const known = put.get(path)
    if (known === undefined)
      return { status: 404, body: { error: { type: 'resource_not_found_exception', reason: 'none' } } }
    if (path.startsWith('/_ilm')) return { status: 200, body: { [name]: known } }
    const kind = path.startsWith('/_component_template') ? 'component_template' : 'index_template'
    return { status: 200, body: { [`${kind}s`]: [{ name, [kind]: known }] } }
  }
})

afterEach(() => server.stop())

const setup = (...args: string[]): ReturnType<typeof why5xxHere> =>
  why5xxHere(['setup', '--set', `sink.elasticsearch.nodes=${server.url}`, ...args])

test('a dry run tells and writes nothing; a run writes; the next finds all as it is', async () => {
  const dry = await setup('--dry-run')
  expect([dry.code, dry.stdout.split('\n').at(-2), put.size]).toEqual([
    0,
    '11 things would change; nothing was written (--dry-run).',
    0
  ])
  const first = await setup()
  expect(first.stdout).toContain('created    index template why5xx-failure\n')
  expect([first.code, first.stdout.split('\n').at(-2), put.size]).toEqual([0, '11 things changed.', 11])
  const second = await setup()
  expect([second.code, second.stdout.split('\n').at(-2)]).toEqual([0, 'Everything was there already; nothing changed.'])
})

test('as JSON each thing has its outcome', async () => {
  const { code, stdout } = await setup('--format', 'json', '--set', 'sink.elasticsearch.lifecycle=own')
  expect(code).toBe(0)
  const result = JSON.parse(stdout) as { steps: unknown[] }
  expect(result).toMatchObject({ version: '9.5.3', dryRun: false, notes: [] })
  expect(result.steps).toHaveLength(9)
  expect(result.steps).toContainEqual({ type: 'component template', name: 'why5xx-ecs', outcome: 'created' })
})

test('a cluster that is away, and a wrong word, are told in one line', async () => {
  const { url } = server
  await server.stop()
  expect(await why5xxHere(['setup', '--set', `sink.elasticsearch.nodes=${url}`])).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^why5xx: Elasticsearch cannot be reached: .*\n$/)
  })
  expect(await why5xxHere(['setup', '--format', 'xml'])).toMatchObject({
    code: 2,
    stderr: 'why5xx: --format xml: expected text or json\n'
  })
  server = await ScriptedElasticsearch.start()
})

import { afterEach, beforeEach, expect, test } from 'vitest'
import { Kibana } from '../../src/kibana/client.ts'
import { kibanaObjects } from '../../src/kibana/contents.ts'
import type { KibanaObject } from '../../src/kibana/object.ts'
import { planKibana } from '../../src/kibana/setup.ts'
import { defaultConfig } from '../../src/optionTable.ts'
import { why5xxHere } from '../support/program.ts'
import { type KibanaAsked, refused, ScriptedKibana } from '../support/scriptedKibana.ts'

let kibana: ScriptedKibana

beforeEach(async () => {
  kibana = await ScriptedKibana.start()
})

afterEach(() => kibana.stop())

const setup = (...args: string[]): ReturnType<typeof why5xxHere> =>
  why5xxHere(['setup', '--kibana', '--no-elasticsearch', '--set', `kibana.url=${kibana.url}`, ...args])

/** Of a Kibana 9.5 and the default space. */
const ALL = kibanaObjects('default', { hasDashboards: true, hasRows: true })
const idOf = (title: string): string => ALL.find(object => object.title === title)!.id
const isOf = (...kinds: KibanaObject['kind'][]) => ALL.filter(({ kind }) => kinds.includes(kind))

test('a dry run tells and writes nothing; a run writes; the next finds all as it is', async () => {
  const dry = await setup('--dry-run')
  expect(dry).toMatchObject({ code: 0, stderr: '' })
  expect(dry.stdout).toContain(`${ALL.length} things would change; nothing was written (--dry-run).\n`)
  expect(kibana.written).toEqual([])
  const first = await setup()
  expect(first.stdout).toContain('created    dashboard why5xx overview\n')
  expect(first.stdout).toContain(`\n${ALL.length} things changed.\n`)
  expect(first.stdout).toContain('the rules tell nobody yet')
  expect(kibana.objects.size).toBe(ALL.length)
  const written = kibana.written.length
  const second = await setup()
  expect(second.stdout).toContain('\nEverything was there already; nothing changed.\n')
  expect(kibana.written).toHaveLength(written)
})

test('9.4 gets no dashboards, and rules before 9.1 alert once for all rows', async () => {
  kibana.version = '9.0.8'
  const first = await setup()
  expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('note: dashboards need Kibana 9.5') })
  expect(kibana.written.filter(line => line.includes('dashboards'))).toEqual([])
  const rules = [...kibana.objects.entries()].filter(([key]) => key.includes('rule/')).map(([, rule]) => rule)
  expect(rules).toHaveLength(2)
  expect(rules.map(rule => rule.params)).toEqual([
    expect.objectContaining({ groupBy: 'all' }),
    expect.objectContaining({ groupBy: 'all' })
  ])
  kibana.version = '9.5.0'
  const second = await setup()
  // What the older one has already stays; rules change, dashboards come.
  expect(second.stdout).toContain('unchanged  data view why5xx failures\n')
  expect(second.stdout).toContain('updated    rule why5xx: requests fail\n')
  expect(second.stdout).toContain(`\n${isOf('dashboard', 'rule').length} things changed.\n`)
})

test('another space gets objects of its own, below its address', async () => {
  kibana.spaces.add('shop')
  expect(await setup('--set', 'kibana.space=shop')).toMatchObject({ code: 0 })
  expect(await setup()).toMatchObject({ code: 0 })
  expect(kibana.objects.size).toBe(2 * ALL.length)
  expect(kibana.written).toContain('PUT /s/shop/api/dashboards/why5xx-overview-shop')
  expect(await setup('--set', 'kibana.space=gone')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('Kibana has no space gone')
  })
})

test('as JSON each thing has its outcome', async () => {
  const { code, stdout } = await setup('--format', 'json')
  expect(code).toBe(0)
  const result = JSON.parse(stdout) as { kibana: { steps: unknown[] } }
  expect(result).toMatchObject({
    dryRun: false,
    kibana: { version: '9.5.4', space: 'default', notes: [expect.any(String)] }
  })
  expect(result.kibana.steps).toHaveLength(ALL.length)
  expect(result.kibana.steps).toContainEqual({ type: 'rule', name: 'why5xx: requests fail', outcome: 'created' })
})

test('what somebody else made is named and left alone, and so is everything beside it', async () => {
  kibana.objects.set('default dashboard/why5xx-overview', {
    id: 'why5xx-overview',
    data: { title: 'mine', description: 'x' }
  })
  kibana.objects.set('default index-pattern/why5xx-failure', {
    type: 'index-pattern',
    id: 'why5xx-failure',
    attributes: { title: 'why5xx-failure-*' }
  })
  const { code, stderr } = await setup()
  expect([code, stderr]).toEqual([
    1,
    'why5xx: not made by why5xx, and left alone: data view why5xx failures (why5xx-failure), dashboard why5xx overview (why5xx-overview). Rename or delete it, then run setup again\n'
  ])
  expect(kibana.written).toEqual([])
})

test('what a newer why5xx made stays, and what an older one made is brought up to date', async () => {
  await setup()
  const key = 'default dashboard/why5xx-overview'
  const stored = kibana.objects.get(key) as { data: { description: string } }
  const marked = (version: number): void => {
    const description = `Managed by why5xx (version ${version}, content 0123456789abcdef).`
    kibana.objects.set(key, { ...stored, data: { ...stored.data, description } })
  }
  marked(2)
  expect(await setup()).toMatchObject({ code: 1, stderr: expect.stringContaining('made by a newer why5xx') })
  marked(1)
  const written = kibana.written.length
  expect((await setup()).stdout).toContain('updated    dashboard why5xx overview\n')
  expect(kibana.written.slice(written)).toEqual(['PUT /api/dashboards/why5xx-overview'])
})

test('an update of a rule keeps the connectors, tags and guide that its owner has added', async () => {
  kibana.version = '9.0.0'
  await setup()
  const key = `default rule/${idOf('why5xx: requests fail')}`
  const action = { id: 'slack', group: 'query matched', params: { message: 'x' }, uuid: 'a1' }
  const rule = kibana.objects.get(key)!
  const artifacts = { investigation_guide: { blob: 'see the runbook' } }
  kibana.objects.set(key, {
    ...rule,
    enabled: false,
    artifacts,
    tags: [...(rule.tags as string[]), 'team-a'],
    actions: [{ ...action, connector_type_id: '.slack' }]
  })
  kibana.version = '9.5.0'
  expect(await setup()).toMatchObject({ code: 0, stderr: '' })
  const updated = kibana.objects.get(key)!
  expect(updated).toMatchObject({ actions: [action], artifacts, enabled: false, params: { groupBy: 'row' } })
  expect(updated.tags).toEqual(['why5xx', expect.stringContaining('Managed by why5xx'), 'team-a'])
})

test('a rule that another setup has just made is updated', async () => {
  const id = idOf('why5xx: requests fail')
  let isFirst = true
  kibana.script = ({ method, path }) => {
    if (method !== 'GET' || !path.endsWith(id) || !isFirst) return null
    isFirst = false
    const { body } = ALL.find(object => object.id === id)!
    kibana.objects.set(`default rule/${id}`, { ...body, id })
    return refused(404, 'not yet')
  }
  expect(await setup()).toMatchObject({ code: 0, stderr: '' })
  expect(kibana.written.filter(line => line.includes(id))).toEqual([
    `POST /api/alerting/rule/${id}`,
    `PUT /api/alerting/rule/${id}`
  ])
})

test.each<[string, (asked: KibanaAsked) => ReturnType<ScriptedKibana['script']>, string]>([
  ['no login', () => refused(401, 'no'), 'Kibana does not accept our credentials (401)'],
  [
    'no rights',
    ({ path }) => (path.endsWith('_export') ? refused(403, 'Forbidden') : null),
    'the user needs All of Discover'
  ],
  [
    'no version without a login',
    () => [200, { status: { overall: { level: 'available' } } }],
    'only to who is logged in'
  ],
  ['a page of something else', () => [200, '<html>hello</html>'], 'is no Kibana: /api/status answers 200'],
  ['a path that is not there', () => [404, '<html>nginx</html>'], 'is no Kibana: /api/status answers 404'],
  ['a login in front of it', () => [302, '<html>log in</html>'], 'leads elsewhere (302)'],
  ['too old', () => [200, { version: { number: '8.19.2' } }], 'Kibana 8.19.2 is too old'],
  ['not ready', () => [503, { version: { number: '9.5.0' }, status: {} }], 'Kibana is not available (503)'],
  [
    'no dashboards API',
    ({ path }) => (path === '/api/dashboards' ? [404, { message: 'Not Found' }] : null),
    'Kibana has no /api/dashboards (404)'
  ],
  [
    'a right that lacks for one object',
    ({ path }) =>
      path.endsWith('_export')
        ? [
            400,
            { message: 'Error fetching objects to export', attributes: { objects: [{ error: { statusCode: 403 } }] } }
          ]
        : null,
    'Kibana answers 400 to an export of data views: Error fetching objects to export'
  ],
  [
    'a licence',
    ({ path, method }) =>
      path.includes('/rule/') && method === 'POST' ? refused(403, 'your basic license has expired') : null,
    'the licence of this Kibana does not allow rule why5xx: requests fail'
  ],
  [
    'an import with a hole',
    ({ path }) =>
      path.endsWith('_import')
        ? [200, { success: false, errors: [{ id: 'why5xx-failure', error: { type: 'unsupported_type' } }] }]
        : null,
    'did not import data views and saved queries: why5xx-failure (unsupported_type)'
  ],
  [
    'an accident',
    ({ path, method }) => (path.includes('/dashboards/') && method === 'PUT' ? refused(500, 'a\u001b[31m') : null),
    'Kibana answers 500 to dashboard why5xx overview (why5xx-overview): a'
  ]
])('%s is told in a sentence', async (_name, script, said) => {
  kibana.script = script
  const client = Kibana.open({ ...defaultConfig().kibana, url: kibana.url })
  const message = await planKibana(client)
    .then(plan => plan.apply())
    .then(() => 'nothing', String)
  await client.close()
  expect(message).toContain(said)
  expect(message).not.toMatch(/[\n\u001b]/)
})

test('a Kibana that is away, a wrong address, and flags without sense', async () => {
  const { url } = kibana
  await kibana.stop()
  const away = await why5xxHere(['setup', '--kibana', '--no-elasticsearch', '--set', `kibana.url=${url}`])
  expect(away).toMatchObject({ code: 1, stderr: expect.stringMatching(/^why5xx: Kibana cannot be reached: .*\n$/) })
  kibana = await ScriptedKibana.start()
  expect(await setup('--set', 'kibana.url=kibana:5601')).toMatchObject({ code: 2 })
  expect(await why5xxHere(['setup', '--no-elasticsearch'])).toMatchObject({
    code: 2,
    stderr: 'why5xx: --no-elasticsearch leaves nothing to set up without --kibana\n'
  })
})

test('the API key travels in a header, below the base path of the URL', async () => {
  kibana.script = ({ path }) => (path.startsWith('/kibana/') ? refused(401, 'no') : null)
  const { stderr } = await setup('--set', `kibana.url=${kibana.url}/kibana`, '--set', 'kibana.apiKey=c2VjcmV0LWtleQ==')
  expect(kibana.asked[0]).toMatchObject({
    path: '/kibana/api/status',
    headers: expect.objectContaining({ authorization: 'ApiKey c2VjcmV0LWtleQ==' })
  })
  expect(stderr).not.toContain('c2VjcmV0')
})

/** `why5xx check` of an Elasticsearch that answers as told. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkElasticsearch, mayCreate } from '../../src/check/elasticsearch.ts'
import type { Finding } from '../../src/check/finding.ts'
import type { ElasticsearchConfig } from '../../src/clusterOptions.ts'
import type { Role } from '../../src/kubernetesOptions.ts'
import { defaultConfig } from '../../src/optionTable.ts'
import { type Answer, AnsweringServer, type Asked } from '../support/answeringServer.ts'

const NOWHERE = 'http://127.0.0.1:1'
let server: AnsweringServer
beforeAll(async () => {
  server = await AnsweringServer.start()
})
afterAll(() => server.stop())

interface Cluster {
  info?: Answer
  rights?: Answer
  autoCreate?: string
  /** Answer to each index template that is asked for. */
  templates?: Answer
}

const PRIVILEGES = ['auto_configure', 'index', 'read', 'maintenance']

function rights(held: string[]): Answer {
  const asked = [...PRIVILEGES, 'create_index', 'view_index_metadata', 'delete_index']
  const answer = Object.fromEntries(asked.map(name => [name, held.includes(name)]))
  const index = { 'why5xx-*-default': answer, 'why5xx-*-default-*': answer, 'why5xx-incident-default': answer }
  return [200, { username: 'writer', has_all_requested: false, index }]
}

async function check(
  cluster: Cluster,
  settings: Partial<ElasticsearchConfig> = {},
  roles?: ReadonlySet<Role>
): Promise<Finding[]> {
  const { info = [200, { version: { number: '9.5.3' } }], autoCreate = 'true' } = cluster
  server.answer = ({ path }: Asked) => {
    if (path === '/') return info
    if (path.includes('_has_privileges')) return cluster.rights ?? rights(PRIVILEGES)
    if (path.startsWith('/_index_template/') && cluster.templates !== undefined) return cluster.templates
    if (path === '/_cluster/settings')
      return [200, { persistent: {}, transient: {}, defaults: { 'action.auto_create_index': autoCreate } }]
    return [404, { error: { type: 'resource_not_found_exception', reason: path } }]
  }
  const config = { ...defaultConfig().sink.elasticsearch, nodes: [server.url], ...settings }
  return checkElasticsearch(config, roles)
}

test('all is well but for what setup would make', async () => {
  expect(await check({})).toMatchObject([
    { about: 'sink.elasticsearch.nodes', state: 'ok', text: `${server.url}: Elasticsearch 9.5.3`, mend: null },
    {
      about: 'sink.elasticsearch.username',
      state: 'ok',
      text: 'writer may read why5xx-*-default and why5xx-*-default-*, and write them'
    },
    {
      about: 'sink.elasticsearch',
      state: 'problem',
      text: expect.stringMatching(/^9 templates missing: why5xx-ecs, /) as string,
      mend: expect.stringMatching(/^run why5xx setup/) as string
    },
    {
      about: 'sink.elasticsearch.lifecycle',
      state: 'hint',
      text: expect.stringContaining('2 lifecycle policies missing') as string
    }
  ])
})

test('a template that is not ours is named', async () => {
  const findings = await check({
    templates: [200, { index_templates: [{ name: 'x', index_template: { index_patterns: ['why5xx-*'] } }] }]
  })
  expect(findings.find(({ about }) => about === 'sink.elasticsearch')).toMatchObject({
    state: 'problem',
    text: expect.stringMatching(/^not made by why5xx, and left alone: index template why5xx-failure/) as string
  })
})

test.each<[string, Cluster, string, Finding['state'], RegExp, RegExp]>([
  [
    'too old',
    { info: [200, { version: { number: '8.19.2' } }] },
    'nodes',
    'problem',
    /8\.19\.2 is too old/,
    /9\.0 or later/
  ],
  [
    'one that miscounts',
    { info: [200, { version: { number: '9.4.3' } }] },
    'nodes',
    'hint',
    /9\.4\.3 counts wrongly/,
    /9\.4\.7/
  ],
  [
    'a wrong login',
    { info: [401, { error: { type: 'security_exception', reason: 'no' } }] },
    'nodes',
    'problem',
    /\(401\)/,
    /apiKeyFile/
  ],
  ['no answer', { info: null }, 'nodes', 'problem', /cannot be reached/, /start it, or set sink\.elasticsearch\.nodes/],
  [
    'rights to read alone',
    { rights: rights(['read']) },
    'username',
    'problem',
    /^writer lacks auto_configure, index, maintenance on why5xx-\*-default and why5xx-\*-default-\*$/,
    /give its role .* deploy\/elasticsearch\/why5xx-writer\.json/
  ],
  [
    'the right to make indices by its other name',
    { rights: rights(['create_index', 'index', 'read', 'maintenance']) },
    'username',
    'ok',
    /^writer may read/,
    /^$/
  ],
  [
    'rights without that to refresh',
    { rights: rights(['auto_configure', 'index', 'read']) },
    'username',
    'hint',
    /^writer lacks maintenance on .*: what was just written is found some seconds late$/,
    /give its role this privilege too/
  ],
  ['no security', { rights: [400, { error: 'no handler found' }] }, 'username', 'ok', /asks nobody for a login/, /^$/],
  [
    'rights that were not told',
    { rights: [403, { error: { type: 'security_exception', reason: 'no' } }] },
    'username',
    'problem',
    /^the rights of our user cannot be asked: .*403/,
    /reach it/
  ],
  [
    'no new indices',
    { autoCreate: 'false' },
    'namespace',
    'problem',
    /auto_create_index is false: .* why5xx-failure-default-…/,
    /\+why5xx-\*/
  ]
])('%s', async (_name, cluster, option, state, text, mend) => {
  const about = `sink.elasticsearch.${option}`
  const finding = (await check(cluster)).find(found => found.about === about)
  expect(finding).toMatchObject({ about, state })
  expect(finding!.text).toMatch(text)
  expect(finding!.mend ?? '').toMatch(mend)
})

test('a role alert by itself needs to write incidents alone; a worker that deletes needs more', async () => {
  const about = 'sink.elasticsearch.username'
  const login = (findings: Finding[]): Finding | undefined => findings.find(finding => finding.about === about)
  const alert = await check({ rights: rights(['read']) }, {}, new Set(['alert']))
  expect(login(alert)).toMatchObject({
    text: expect.stringMatching(
      /^writer lacks maintenance on .*; auto_configure, index on why5xx-incident-default$/
    ) as string,
    mend: expect.stringContaining('why5xx-alert.json') as string
  })
  const own = await check({ rights: rights(PRIVILEGES) }, { lifecycle: 'own' })
  expect(login(own)).toMatchObject({
    text: 'writer lacks view_index_metadata, delete_index on why5xx-*-default-*',
    mend: expect.stringMatching(/give its role .* deploy\/elasticsearch\/why5xx-retention\.json$/) as string
  })
})

test('of an API key it is not said that whoever made it lacks something', async () => {
  const findings = await check({ rights: rights(['read']) }, { apiKey: 'a2V5OnNlY3JldA==' })
  expect(findings.find(({ about }) => about === 'sink.elasticsearch.username')).toMatchObject({
    text: expect.stringMatching(/^our API key, made by writer, lacks auto_configure/) as string,
    mend: expect.stringContaining('the role_descriptors of a new key') as string
  })
})

test('one node of several that is away is a hint, all of them a problem', async () => {
  const one = await check({}, { nodes: [NOWHERE, server.url] })
  expect(one.map(({ about, state }) => [about.split('.').at(-1), state]).slice(0, 3)).toEqual([
    ['nodes', 'hint'],
    ['nodes', 'ok'],
    ['username', 'ok']
  ])
  const all = await check({}, { nodes: [NOWHERE, `${NOWHERE}0`] })
  expect(all.map(({ state }) => state)).toEqual(['problem', 'problem'])
})

test.each<[string, Partial<ElasticsearchConfig>, string]>([
  ['a namespace with a hyphen', { namespace: 'shop-prod' }, 'namespace'],
  ['a file that is not there', { apiKeyFile: '/nowhere/key' }, 'apiKeyFile'],
  ['a user without a password', { username: 'me' }, 'username'],
  ['no address', { nodes: ['elasticsearch:9200'] }, 'nodes']
])('a wrong setting: %s', async (_name, settings, option) => {
  expect(await check({}, settings)).toMatchObject([
    { about: `sink.elasticsearch.${option}`, state: 'problem', mend: `mend sink.elasticsearch.${option}` }
  ])
})

test('a login that goes over a network in the clear is a hint', async () => {
  // This name is the machine's own, and nobody can tell by the name.
  const named = server.url.replace('127.0.0.1', '0.0.0.0')
  const login = { username: 'me', password: 'correct-horse-battery' }
  const unencrypted = async (settings: Partial<ElasticsearchConfig>): Promise<Finding[]> =>
    (await check({}, settings)).filter(({ text }) => text.includes('unencrypted'))
  expect(await unencrypted({ nodes: [named], ...login })).toMatchObject([
    {
      about: 'sink.elasticsearch.nodes',
      state: 'hint',
      text: `${named}: our login and all documents go there unencrypted`
    }
  ])
  expect(await unencrypted({ nodes: [named] })).toEqual([])
  expect(await unencrypted(login)).toEqual([])
})

test.each([
  ['true', true],
  ['false', false],
  ['+why5xx-*,-*', true],
  ['-*,+why5xx-*', false],
  ['logs-*, +why5xx-failure-*', true],
  ['logs-*,metrics-*', false],
  ['[-why5xx-reject-*, *]', true],
  ['why5xx-*-default-*', true],
  ['why5xx.failure-*', false]
])('action.auto_create_index %s', (rule, expected) => {
  expect(mayCreate(rule, 'why5xx-failure-default-2026.11.21')).toBe(expected)
})

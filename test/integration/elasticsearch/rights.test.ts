/** Who may do what, on a node that asks for a login, with the roles that deploy/elasticsearch/ has: enough, and not more. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '@elastic/elasticsearch'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { checkElasticsearch } from '../../../src/check/elasticsearch.ts'
import type { ElasticsearchConfig } from '../../../src/clusterOptions.ts'
import type { Role } from '../../../src/kubernetesOptions.ts'
import { defaultConfig } from '../../../src/optionTable.ts'
import { openClient } from '../../../src/store/elasticsearch/connection.ts'
import { openElasticsearchIncidents } from '../../../src/store/elasticsearch/incidentWriter.ts'
import { IndexNames } from '../../../src/store/elasticsearch/names.ts'
import { lifecycleOf, openElasticsearchWriter, SYSTEM_TIMING } from '../../../src/store/elasticsearch/open.ts'
import { openElasticsearchReader } from '../../../src/store/elasticsearch/openReader.ts'
import { Patience } from '../../../src/store/elasticsearch/patience.ts'
import { deleteDocuments } from '../../../src/store/elasticsearch/requests.ts'
import { applyRetention } from '../../../src/store/elasticsearch/retention.ts'
import { setUp } from '../../../src/store/elasticsearch/setup.ts'
import type { StoreFilter, StoreWriter } from '../../../src/store/store.ts'
import {
  type ElasticsearchServer,
  isElasticsearchAvailable,
  startElasticsearch
} from '../../services/elasticsearchServer.ts'
import { Logins, type ShippedRole, shippedFile, shippedRole, without } from '../../services/shippedRoles.ts'
import {
  all,
  batch,
  controller,
  DAY_MS,
  EVERYTHING,
  failure,
  MINUTE_MS,
  NOON,
  reject,
  stream,
  totals
} from '../../store/failures.ts'
import { BEGIN, incident } from '../../support/incidents.ts'

const HOUR: StoreFilter = { ...EVERYTHING, fromMs: NOON, toMs: NOON + 60 * MINUTE_MS }
const INCIDENTS = { fromMs: BEGIN - DAY_MS, toMs: BEGIN + DAY_MS, services: [], causes: [], state: null }
const WORKER: ReadonlySet<Role> = new Set(['worker'])

describe.skipIf(!isElasticsearchAvailable())('a node with logins', () => {
  let node: ElasticsearchServer
  let owner: ElasticsearchConfig
  let client: Client
  let logins: Logins

  const users = new Map<string, Promise<ElasticsearchConfig>>()
  /** A user of a namespace with roles as they are shipped. */
  function as(namespace: string, ...roles: ShippedRole[]): Promise<ElasticsearchConfig> {
    const name = `${roles.join('-')}-${namespace}`
    const made = users.get(name) ?? logins.user(name, namespace, ...roles.map(role => shippedRole(role, namespace)))
    users.set(name, made)
    return made
  }

  beforeAll(async () => {
    node = await startElasticsearch({ security: true, tls: true })
    owner = { ...defaultConfig().sink.elasticsearch, nodes: [node.url], caFile: node.caFile, ...node.login }
    client = openClient(owner)
    logins = new Logins(client, owner)
    const setup = openClient(await logins.key(shippedFile('api-key-setup.json'), 'default'))
    const { steps } = await setUp(setup, { lifecycle: lifecycleOf(owner), isDryRun: false })
    expect(new Set(steps.map(({ outcome }) => outcome))).toEqual(new Set(['created']))
    await setup.close()
  })
  afterAll(async () => {
    await client?.close()
    await node?.stop()
  })
  afterEach(() => void vi.restoreAllMocks())

  const open = (config: ElasticsearchConfig, notify: (text: string) => void = () => {}): Promise<StoreWriter> =>
    openElasticsearchWriter({ config, clusterName: 'prod', keepRejects: null, notify })

  /** One of everything that a worker writes, and the same failure judged again. */
  async function writeAll(config: ElasticsearchConfig, notify?: (text: string) => void): Promise<void> {
    const writer = await open(config, notify)
    await writer.claim(['s1'])
    await writer.write(
      batch({
        failures: [failure({ id: 'a' })],
        controllers: [controller('c', NOON)],
        rejects: [reject('r', NOON, 'no_format')],
        gaps: [],
        totals: [totals({ minuteMs: NOON })],
        streams: [stream('s1', 5)]
      })
    )
    await writer.write(batch({ failures: [failure({ id: 'a', version: 12, cause: 'read_timeout' })] }))
    await writer.close()
  }

  async function readAll(config: ElasticsearchConfig) {
    const reader = openElasticsearchReader(config)
    try {
      const failures = await all(reader.scan(HOUR))
      const counts = await reader.counts(HOUR, MINUTE_MS)
      return {
        causes: failures.map(({ cause }) => cause),
        counts: counts.length,
        totals: (await reader.totals(HOUR, MINUTE_MS)).length,
        incidents: (await reader.incidents(INCIDENTS)).map(({ id }) => id)
      }
    } finally {
      await reader.close()
    }
  }

  const putIncident = async (config: ElasticsearchConfig): Promise<void> => {
    const writer = openElasticsearchIncidents({ config, clusterName: 'prod', notify: () => {} })
    try {
      await writer.put([incident({ id: 'inc-1' })])
    } finally {
      await writer.close()
    }
  }

  const ALL = { causes: ['read_timeout'], counts: 1, totals: 1, incidents: ['inc-1'] }

  describe('what each role is for', () => {
    test('a worker writes everything, and alerts write incidents; with keys it is the same', async () => {
      for (const [namespace, writer, alert, reader] of [
        ['default', await as('default', 'writer'), await as('default', 'alert'), await as('default', 'reader')],
        [
          'keys',
          await logins.key(shippedFile('api-key-writer.json', 'keys'), 'keys'),
          await logins.key(shippedFile('api-key-alert.json', 'keys'), 'keys'),
          await logins.key(shippedFile('api-key-reader.json', 'keys'), 'keys')
        ]
      ] as const) {
        const said: string[] = []
        await writeAll(writer, text => void said.push(text))
        await putIncident(alert)
        expect(said).toEqual([])
        // Alerts begin with what the store has of the last day.
        expect(await readAll(alert), namespace).toEqual(ALL)
        expect(await readAll(writer), namespace).toEqual(ALL)
        expect(await readAll(reader), namespace).toEqual(ALL)
        const found = await client.indices.get({ index: `why5xx-*-${namespace}*` })
        expect(Object.keys(found).map(name => name.split('-')[1])).toEqual(
          expect.arrayContaining(['controller', 'failure', 'incident', 'reject', 'rollup', 'state'])
        )
      }
    })

    test('in one process the worker writes incidents, too', async () => {
      const config = await as('whole', 'writer')
      await putIncident(config)
      expect((await readAll(config)).incidents).toEqual(['inc-1'])
    })

    test('nothing else: alerts write no failures, a reader nothing, a worker deletes nothing', async () => {
      const [alert, reader, writer] = await Promise.all([
        as('default', 'alert'),
        as('default', 'reader'),
        as('default', 'writer')
      ])
      const index = new IndexNames('default').daily('failure', NOON)
      for (const config of [alert, reader]) {
        const own = openClient(config)
        await expect(own.index({ index, id: 'x', document: {} })).rejects.toThrow(/is unauthorized for user/)
        await own.close()
      }
      for (const config of [alert, reader, writer]) {
        const own = openClient(config)
        await expect(own.delete({ index, id: 'a' })).rejects.toThrow(/is unauthorized for user/)
        await expect(own.indices.delete({ index })).rejects.toThrow(/is unauthorized for user/)
        await expect(own.security.getUser()).rejects.toThrow(/is unauthorized for user/)
        await expect(setUp(own, { lifecycle: null, isDryRun: false })).rejects.toThrow(/does not allow it \(403\)/)
        await own.close()
      }
    })

    test('with lifecycle own the worker deletes old days, and says what it lacks', async () => {
      const names = new IndexNames('own')
      await writeAll(await as('own', 'writer'))
      const old = names.daily('failure', NOON - 90 * DAY_MS)
      await client.indices.create({ index: old })
      const parts = { names, lifecycle: lifecycleOf(owner), notify: () => {} }
      const bare = openClient(await as('own', 'writer'))
      await expect(applyRetention({ ...parts, client: bare }, NOON)).rejects.toThrow(/view_index_metadata/)
      await bare.close()
      const keeper = openClient(await as('own', 'writer', 'retention'))
      expect(await applyRetention({ ...parts, client: keeper }, NOON)).toEqual([old])
      await keeper.close()
      const other = new IndexNames('default').daily('failure', NOON)
      expect(await client.indices.exists({ index: other })).toBe(true)
    })
  })

  describe('each right of the writer is needed', () => {
    test.each([
      ['index', /granted by the index privileges \[[^\]]*\bindex\b/],
      ['read', /granted by the index privileges \[[^\]]*\bread\b/],
      ['auto_configure', /granted by the index privileges \[[^\]]*\bauto_configure\b/]
    ])('without %s the worker waits and says so, and goes on when it is given', async (privilege, sentence) => {
      const namespace = `without_${privilege}`
      const role = shippedRole('writer', namespace)
      const username = `writer-${namespace}`
      // What is asked again after half a minute is asked again at once.
      vi.spyOn(SYSTEM_TIMING, 'wait').mockImplementation((ms, signal) =>
        delay(Math.min(ms, 100), undefined, { signal }).catch(() => {})
      )
      const said: string[] = []
      const config = await logins.user(username, namespace, without(role, privilege))
      const writing = writeAll(config, text => void said.push(text))
      await vi.waitFor(() => expect(said.join('\n')).toMatch(sentence), { timeout: 20_000, interval: 50 })
      await expectLack(config, privilege, 'problem')
      await logins.user(username, namespace, role)
      await writing
      expect(said.at(-1)).toBe('Elasticsearch: writing again')
      expect((await readAll(config)).causes).toEqual(['read_timeout'])
    })

    test('without maintenance nothing is found at once, and check says so', async () => {
      const config = await logins.user('patient', 'patient', without(shippedRole('writer', 'patient'), 'maintenance'))
      await writeAll(config)
      await expectLack(config, 'maintenance', 'hint')
      const own = openClient(config)
      await expect(own.indices.refresh({ index: new IndexNames('patient').state })).rejects.toThrow(/maintenance/)
      await own.close()
    })

    test('positions of old files stay, unless the role for files is given, too', async () => {
      const names = new IndexNames('files')
      const refs = [{ index: names.state, id: 'gone' }]
      const left = async (config: ElasticsearchConfig): Promise<number> => {
        const own = openClient(config)
        const count = await deleteDocuments(own, new Patience(SYSTEM_TIMING, () => {}), refs)
        await own.close()
        return count
      }
      await client.index({ index: names.state, id: 'gone', document: {}, refresh: true })
      expect(await left(await as('files', 'writer'))).toBe(1)
      expect(await left(await as('files', 'writer', 'files'))).toBe(0)
    })

    test('without monitor nobody can tell whether the templates are there', async () => {
      const config = await logins.user('blind', 'blind', without(shippedRole('writer', 'blind'), 'monitor'))
      const findings = await checkElasticsearch(config, WORKER)
      expect(findings).toContainEqual(expect.objectContaining({ text: 'our user may not see the templates' }))
    })

    async function expectLack(config: ElasticsearchConfig, privilege: string, state: string): Promise<void> {
      const findings = await checkElasticsearch(config, WORKER)
      const { namespace } = config
      expect(findings.find(({ about }) => about === 'sink.elasticsearch.username')).toMatchObject({
        state,
        text: expect.stringContaining(
          ` lacks ${privilege} on why5xx-*-${namespace} and why5xx-*-${namespace}-*`
        ) as string
      })
    }
  })

  describe('another namespace', () => {
    const refusal = {
      code: 'WHY5XX_STORE',
      message: expect.stringMatching(/does not let our user read why5xx-.*give it the privilege read on them/) as string
    }

    test('of a name that begins alike is neither read nor written', async () => {
      await writeAll(await as('shop2', 'writer'))
      await putIncident(await as('shop2', 'alert'))
      for (const role of ['writer', 'alert', 'reader'] as const) {
        const reader = openElasticsearchReader({ ...(await as('shop', role)), namespace: 'shop2' })
        for (const filter of [EVERYTHING, HOUR]) {
          await expect(all(reader.scan(filter))).rejects.toMatchObject(refusal)
          await expect(reader.counts(filter, MINUTE_MS)).rejects.toMatchObject(refusal)
          await expect(reader.search(filter, { limit: 1, order: 'oldest', after: null })).rejects.toMatchObject(refusal)
        }
        await expect(reader.incidents(INCIDENTS)).rejects.toMatchObject(refusal)
        await expect(reader.span()).rejects.toMatchObject(refusal)
        await reader.close()
      }
      const own = openClient(await as('shop', 'writer'))
      const names = new IndexNames('shop2')
      for (const index of [names.state, names.incident, names.daily('failure', NOON), names.daily('rollup', 0)])
        await expect(own.index({ index, document: {} })).rejects.toThrow(/is unauthorized for user \[writer-shop\]/)
      await own.close()
      // And shop, of which nothing was written, is empty: that is no matter of rights.
      expect(await readAll(await as('shop', 'reader'))).toEqual({ causes: [], counts: 0, totals: 0, incidents: [] })
    })

    test('a wrong password is said', async () => {
      const reader = openElasticsearchReader({ ...(await as('shop', 'reader')), password: 'wrong-horse-battery' })
      await expect(reader.span()).rejects.toMatchObject({
        message: expect.stringContaining('does not accept our credentials (401)') as string
      })
      await reader.close()
    })
  })

  test.each<[string, () => Promise<ElasticsearchConfig>, Role, string, string, RegExp]>([
    ['all rights', async () => owner, 'worker', 'username', 'ok', /^elastic may read .*, and write them$/],
    ['a worker', () => as('default', 'writer'), 'worker', 'username', 'ok', / may read .*, and write them$/],
    ['alerts', () => as('default', 'alert'), 'alert', 'username', 'ok', /, and write why5xx-incident-default$/],
    [
      'alerts with the login of a reader',
      () => as('default', 'reader'),
      'alert',
      'username',
      'problem',
      /lacks maintenance on why5xx-\*-default and why5xx-\*-default-\*; auto_configure, index on why5xx-incident-default$/
    ],
    [
      'a worker that deletes',
      async () => ({ ...(await as('default', 'writer')), lifecycle: 'own' }),
      'worker',
      'username',
      'problem',
      /lacks view_index_metadata, delete_index on why5xx-\*-default-\*$/
    ],
    [
      'a wrong password',
      async () => ({ ...(await as('default', 'reader')), password: 'wrong-horse-battery' }),
      'worker',
      'nodes',
      'problem',
      /credentials \(401\)/
    ],
    [
      'no authority',
      async () => ({ ...owner, caFile: null }),
      'worker',
      'nodes',
      'problem',
      /cannot be reached: .*certificate/
    ]
  ])('check: %s', async (_name, config, role, option, state, text) => {
    const findings = await checkElasticsearch(await config(), new Set([role]))
    const finding = findings.find(({ about }) => about === `sink.elasticsearch.${option}`)
    expect(finding).toMatchObject({ state, text: expect.stringMatching(text) as string })
    if (option === 'nodes') expect(finding!.mend).toMatch(/apiKeyFile|caFile/)
  })
})

/** Who may read what, on a node that asks for a login: indices one may not see look like indices that are not there. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkElasticsearch } from '../../../src/check/elasticsearch.ts'
import type { ElasticsearchConfig } from '../../../src/clusterOptions.ts'
import { defaultConfig } from '../../../src/optionTable.ts'
import { openClient } from '../../../src/store/elasticsearch/connection.ts'
import { openElasticsearchWriter } from '../../../src/store/elasticsearch/open.ts'
import { openElasticsearchReader } from '../../../src/store/elasticsearch/openReader.ts'
import { setUp } from '../../../src/store/elasticsearch/setup.ts'
import type { StoreFilter } from '../../../src/store/store.ts'
import {
  type ElasticsearchServer,
  isElasticsearchAvailable,
  startElasticsearch
} from '../../services/elasticsearchServer.ts'
import { all, batch, DAY_MS, EVERYTHING, failure, MINUTE_MS, NOON, totals } from '../../store/failures.ts'

const PASSWORD = 'correct-horse-battery'

describe.skipIf(!isElasticsearchAvailable())('a node with logins', () => {
  let node: ElasticsearchServer
  let owner: ElasticsearchConfig
  const as = (username: string, password = PASSWORD): ElasticsearchConfig => ({ ...owner, username, password })

  beforeAll(async () => {
    node = await startElasticsearch({ security: true, tls: true })
    owner = { ...defaultConfig().sink.elasticsearch, nodes: [node.url], caFile: node.caFile, ...node.login }
    const client = openClient(owner)
    await setUp(client, { lifecycle: null, isDryRun: false })
    const names = ['why5xx-*']
    await client.security.putRole({
      name: 'reading',
      indices: [{ names, privileges: ['read', 'view_index_metadata'] }]
    })
    await client.security.putRole({ name: 'others', indices: [{ names: ['logs-*'], privileges: ['all'] }] })
    for (const role of ['reading', 'others'])
      await client.security.putUser({ username: role, password: PASSWORD, roles: [role, 'monitoring'] })
    await client.security.putRole({ name: 'monitoring', cluster: ['monitor'] })
    const writer = await openElasticsearchWriter({
      config: owner,
      clusterName: 'prod',
      keepRejects: null,
      notify: () => {}
    })
    await writer.write(batch({ failures: [failure({ id: 'a' })], totals: [totals({ minuteMs: NOON })] }))
    await writer.close()
    await client.indices.refresh({ index: 'why5xx-*' })
    await client.close()
  })
  afterAll(() => node?.stop())

  const HOUR: StoreFilter = { ...EVERYTHING, fromMs: NOON, toMs: NOON + 60 * MINUTE_MS }

  test('who may read but not refresh reads', async () => {
    const reader = openElasticsearchReader(as('reading'))
    for (const filter of [EVERYTHING, HOUR]) {
      expect((await all(reader.scan(filter))).map(({ id }) => id)).toEqual(['a'])
      expect(await reader.counts(filter, MINUTE_MS)).toHaveLength(1)
      expect(await reader.totals(filter, MINUTE_MS)).toHaveLength(1)
    }
    // What is not there is no matter of rights.
    expect(await reader.counts({ ...HOUR, fromMs: NOON + DAY_MS, toMs: NOON + 2 * DAY_MS }, MINUTE_MS)).toEqual([])
    expect(await reader.gaps(EVERYTHING)).toEqual([])
    await reader.close()
  })

  test('who may not is told so, not that there is nothing', async () => {
    const reader = openElasticsearchReader(as('others'))
    const refusal = {
      code: 'WHY5XX_STORE',
      message: expect.stringMatching(
        /does not let our user read why5xx-.*privileges read and view_index_metadata/
      ) as string
    }
    for (const filter of [EVERYTHING, HOUR]) {
      await expect(all(reader.scan(filter))).rejects.toMatchObject(refusal)
      await expect(reader.counts(filter, MINUTE_MS)).rejects.toMatchObject(refusal)
      await expect(reader.search(filter, { limit: 1, order: 'oldest', after: null })).rejects.toMatchObject(refusal)
    }
    await expect(reader.span()).rejects.toMatchObject(refusal)
    await reader.close()
  })

  test('a wrong password is said', async () => {
    const reader = openElasticsearchReader(as('reading', 'wrong-horse-battery'))
    await expect(reader.span()).rejects.toMatchObject({
      message: expect.stringContaining('does not accept our credentials (401)') as string
    })
    await reader.close()
  })

  test.each<[string, () => ElasticsearchConfig, string, string, RegExp]>([
    ['all rights', () => owner, 'username', 'ok', /^elastic may write and read/],
    ['rights to read', () => as('reading'), 'username', 'problem', /^reading lacks create_index, index on/],
    ['a wrong password', () => as('reading', 'wrong-horse-battery'), 'nodes', 'problem', /credentials \(401\)/],
    ['no authority', () => ({ ...owner, caFile: null }), 'nodes', 'problem', /cannot be reached: .*certificate/]
  ])('check: %s', async (_name, config, option, state, text) => {
    const finding = (await checkElasticsearch(config())).find(({ about }) => about === `sink.elasticsearch.${option}`)
    expect(finding).toMatchObject({ state, text: expect.stringMatching(text) as string })
    if (option === 'nodes') expect(finding!.mend).toMatch(/apiKeyFile|caFile/)
  })
})

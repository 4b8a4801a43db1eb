/** The node that tests get is a real one: it keeps what it acknowledged, refuses what it should, and knows its users. */
import { Client } from '@elastic/elasticsearch'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  clientOptions,
  type ElasticsearchServer,
  isElasticsearchAvailable,
  startElasticsearch
} from '../../services/elasticsearchServer.ts'

const INDEX = 'failures'

describe.skipIf(!isElasticsearchAvailable())('a node of its own', () => {
  let server: ElasticsearchServer
  let client: Client

  beforeAll(async () => {
    server = await startElasticsearch()
    client = new Client(clientOptions(server))
  })
  afterAll(async () => {
    await client?.close()
    await server?.stop()
  })

  test('it says what it is', async () => {
    const { version, tagline } = await client.info()
    expect(version.number).toMatch(/^9\./)
    expect(tagline).toBe('You Know, for Search')
  })

  test('a document goes in and is found', async () => {
    await client.index({ index: INDEX, id: 'one', document: { cause: 'read_timeout', status: 504 }, refresh: true })
    const found = await client.search({ index: INDEX, query: { match: { cause: 'read_timeout' } } })
    expect(found.hits.hits.map(hit => [hit._id, hit._source])).toEqual([
      ['one', { cause: 'read_timeout', status: 504 }]
    ])
  })

  test('killed and started again it has what it acknowledged, under the same address', async () => {
    await client.index({ index: INDEX, id: 'two', document: { cause: 'connection_refused', status: 502 } })
    const { pid } = server
    await server.kill()
    await server.restart()
    expect(server.pid).not.toBe(pid)
    await client.cluster.health({ index: INDEX, wait_for_status: 'yellow', timeout: '30s' })
    expect((await client.get({ index: INDEX, id: 'two' }))._source).toEqual({
      cause: 'connection_refused',
      status: 502
    })
    await client.indices.refresh({ index: INDEX })
    expect((await client.count({ index: INDEX })).count).toBe(2)
  })

  test('a policy is kept over a restart, an index may name it, and a wrong one is refused', async () => {
    const phases = { delete: { min_age: '30d', actions: { delete: {} } } }
    await client.ilm.putLifecycle({ name: 'kept', policy: { phases } })
    const settings = { 'index.lifecycle.name': 'kept', 'index.lifecycle.parse_origination_date': true }
    await client.indices.create({ index: 'dated-2026.11.21', settings })
    await server.restart()
    const { kept } = await client.ilm.getLifecycle({ name: 'kept' })
    expect(kept!.policy.phases.delete).toMatchObject({ min_age: '30d', actions: { delete: {} } })
    const unknown = { delete: { actions: { bury: {} } } } as unknown as typeof phases
    await expect(client.ilm.putLifecycle({ name: 'wrong', policy: { phases: unknown } })).rejects.toThrow(/bury/)
    await client.ilm.deleteLifecycle({ name: 'kept' })
    await expect(client.ilm.getLifecycle({ name: 'kept' })).rejects.toMatchObject({ statusCode: 404 })
  })

  test('a data stream is made from its template, listed and removed', async () => {
    await client.indices.putIndexTemplate({
      name: 'stream',
      index_patterns: ['stream-*'],
      data_stream: {},
      priority: 500
    })
    await client.indices.createDataStream({ name: 'stream-a' })
    const { data_streams: streams } = await client.indices.getDataStream({ name: 'stream-*' })
    expect(streams.map(stream => [stream.name, stream.template])).toEqual([['stream-a', 'stream']])
    await client.indices.deleteDataStream({ name: 'stream-a' })
    expect((await client.indices.getDataStream({ name: 'stream-*' })).data_streams).toEqual([])
  })
})

describe.skipIf(!isElasticsearchAvailable())('a node with users, over HTTPS', () => {
  let server: ElasticsearchServer
  const clients: Client[] = []
  const clientWith = (options: ConstructorParameters<typeof Client>[0]) => {
    clients.push(new Client({ ...options, maxRetries: 0 }))
    return clients.at(-1)!
  }

  beforeAll(async () => {
    server = await startElasticsearch({ security: true, tls: true })
  })
  afterAll(async () => {
    for (const client of clients) await client.close()
    await server?.stop()
  })

  test('the password lets in, another one does not', async () => {
    const options = clientOptions(server)
    expect((await clientWith(options).security.authenticate()).username).toBe(server.login!.username)
    const stranger = clientWith({ ...options, auth: { ...server.login!, password: 'another' } })
    await expect(stranger.security.authenticate()).rejects.toMatchObject({ statusCode: 401 })
    await expect(clientWith({ node: server.url }).info()).rejects.toThrow(/certificate/)
  })

  test('an API key may do what its role says, and no more', async () => {
    const { auth: _login, ...options } = { auth: undefined, ...clientOptions(server) }
    const { encoded } = await clientWith(clientOptions(server)).security.createApiKey({
      name: 'writer',
      role_descriptors: { writer: { indices: [{ names: ['why5xx-*'], privileges: ['create_index', 'write'] }] } }
    })
    const writer = clientWith({ ...options, auth: { apiKey: encoded } })
    expect((await writer.index({ index: 'why5xx-a', document: { cause: 'dns_failure' } })).result).toBe('created')
    await expect(writer.index({ index: 'other', document: {} })).rejects.toMatchObject({ statusCode: 403 })
  })
})

describe.skipIf(!isElasticsearchAvailable())('a node with little room', () => {
  test('it refuses a request as a whole', async () => {
    const server = await startElasticsearch({ heap: '256m', settings: { 'indexing_pressure.memory.limit': '64kb' } })
    const client = new Client({ ...clientOptions(server), maxRetries: 0 })
    try {
      const operations = [{ index: { _index: INDEX } }, { message: 'x'.repeat(100_000) }]
      await expect(client.bulk({ operations })).rejects.toMatchObject({ statusCode: 429 })
    } finally {
      await client.close()
      await server.stop()
    }
  })
})

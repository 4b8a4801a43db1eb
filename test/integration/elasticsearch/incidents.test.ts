/** Incidents on a real node: the index that their template makes, and what rules of alerts ask of it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openElasticsearchIncidents } from '../../../src/store/elasticsearch/incidentWriter.ts'
import { setUp } from '../../../src/store/elasticsearch/setup.ts'
import { BEGIN, incident, MINUTE_MS } from '../../support/incidents.ts'
import { nodeUrl, TestNamespace } from './node.ts'

describe.skipIf(nodeUrl() === null)('on a real node', () => {
  let namespace: TestNamespace
  beforeEach(async () => {
    namespace = new TestNamespace()
    await setUp(namespace.client, { lifecycle: null, isDryRun: false })
  })
  afterEach(() => namespace.remove())

  test('the template makes the index, no lifecycle takes it, and rules can ask it', async () => {
    const { client, config, names } = namespace
    const said: string[] = []
    const writer = openElasticsearchIncidents({ config, clusterName: 'prod', notify: text => void said.push(text) })
    await writer.put([
      incident({ id: 'inc-1', failures: 40 }),
      incident({ id: 'inc-2', failures: 2, upstream: 'shop-api-80', service: 'shop/api' }),
      incident({ id: 'inc-3', status: 503 }),
      incident({ id: 'inc-4', endMs: BEGIN + MINUTE_MS, group: { by: 'service', key: 'shop/cart' } })
    ])
    await writer.close()
    expect(said).toEqual([])

    const index = names.incident
    const { settings } = (await client.indices.getSettings({ index }))[index]!
    expect(settings!.index).toMatchObject({ mode: 'logsdb', refresh_interval: '5s' })
    expect(JSON.stringify(settings)).not.toContain('lifecycle')
    const { mappings } = (await client.indices.getMapping({ index }))[index]!
    // All of it is known: nothing was guessed from the documents.
    expect(mappings.dynamic).toBe('false')

    await client.indices.refresh({ index })
    const { hits, aggregations } = await client.search({
      index: 'why5xx-incident-*',
      size: 0,
      track_total_hits: true,
      query: {
        bool: {
          filter: [
            { term: { _index: index } },
            { term: { 'why5xx.incident.state': 'open' } },
            { term: { 'http.response.status_code': 502 } },
            { term: { 'why5xx.incident.severity': 'page' } },
            { range: { '@timestamp': { gte: '2026-11-21T10:00:00Z' } } }
          ]
        }
      },
      aggs: {
        services: {
          terms: { field: 'service.name' },
          aggs: { failures: { sum: { field: 'why5xx.incident.failures' } } }
        }
      }
    })
    expect(hits.total).toMatchObject({ value: 2 })
    expect((aggregations as { services: { buckets: unknown } }).services.buckets).toMatchObject([
      { key: 'shop/api', failures: { value: 2 } },
      { key: 'shop/cart', failures: { value: 40 } }
    ])
    const grouped = await client.count({ index, query: { term: { 'why5xx.incident.group.by': 'service' } } })
    expect(grouped.count).toBe(1)
    const inside = await client.count({ index, query: { exists: { field: 'why5xx.incident.record.id' } } })
    expect(inside.count).toBe(0)
  })
})
